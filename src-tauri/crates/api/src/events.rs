use crate::{
    convert,
    error::Refused,
    extract::{By, Query},
    openapi::{
        Listing, Searching,
        examples::{APP, CONNECTION, EVENT, GRANT, PROVIDER, at},
    },
    operations::{Callers, Operations, operation, routes},
};
use axum::{
    Json,
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::stream::{self, Stream};
use std::{convert::Infallible, future::pending, time::Duration};
use tokenry_contract::{CallerKind, Change, EventKind, EventPage, EventQuery, Outcome, Rule};
use tokenry_core::{Caller, Operation};
use tokenry_engine::{Engine, EventFilter};
use tokio::sync::broadcast::error::RecvError;

/// A comment is sent this often while nothing happens, so that a stream whose other end is gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(list_events)).routes(routes!(stream_changes))
}

/// Read the activity log
///
/// Newest first. With a filter a page may hold fewer than `limit`, or none, and still have a next one: only so many
/// lines are looked at for one page.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    params(EventQuery),
    responses((status = 200, description = "One page of it.", body = EventPage), Searching)
)]
async fn list_events(
    By(caller): By,
    State(engine): State<Engine>,
    Query(query): Query<EventQuery>,
) -> Result<Json<EventPage>, Refused> {
    let limit = query.limit.unwrap_or(100);
    if !(1..=500).contains(&limit) {
        return Err(Refused::field("limit", "must be 1 to 500"));
    }
    let filter = EventFilter {
        app: query.app,
        connection: query.connection,
        outcome: query.outcome,
    };
    let (events, next) = engine
        .search_events(&caller, &filter, query.before, limit)
        .await?;
    Ok(Json(EventPage {
        events: events.into_iter().map(convert::event).collect(),
        next,
    }))
}

operation!(
    list_events,
    Callers::Policy(&[Operation::ReadActivity]),
    EventPage {
        events: vec![example_event()],
        next: Some(41),
    }
);

/// Hear of changes as they happen
///
/// Server-sent events, each with one Change as its data. Whoever falls behind gets `engine.changed`: look at
/// everything again.
#[utoipa::path(
    get,
    path = "/v1/events/stream",
    tag = "events",
    responses((status = 200, description = "Ends by itself when the vault is locked, and for an app that may not hear \
        it any more: its grant or its access token has ended.",
        body = Change, content_type = "text/event-stream"), Listing)
)]
async fn stream_changes(
    by: By,
    State(engine): State<Engine>,
) -> Result<Sse<impl Stream<Item = Item>>, Refused> {
    let caller = by.not_the_window(Refused::StreamForTheWindow)?;
    let life = engine.may_hear_changes(&caller)?;
    Ok(Sse::new(changes(&engine, caller, life)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

operation!(
    stream_changes,
    Callers::Policy(&[Operation::ReadActivity]),
    Change::Credential { id: CONNECTION }
);

type Item = Result<Event, Infallible>;

/// Until the vault is locked, and for as long as who asked may hear it.
fn changes(engine: &Engine, caller: Caller, life: Option<Duration>) -> impl Stream<Item = Item> + use<> {
    let state = (engine.changes(), engine.locks(), engine.clone(), caller, life);
    stream::unfold(
        state,
        |(mut changes, locks, engine, caller, mut life)| async move {
            let change = loop {
                tokio::select! {
                    change = changes.recv() => match change {
                        Ok(change) => break convert::change(change),
                        Err(RecvError::Lagged(_)) => break Change::Engine,
                        Err(RecvError::Closed) => return None,
                    },
                    () = engine.finished() => return None,
                    // Another grant may go on, and a clock may have been set: it is judged anew.
                    () = after(life) => life = engine.may_hear_changes(&caller).ok()?,
                }
            };
            // That the vault was locked is a change, and so is that a grant was taken away: each is the end of it.
            if engine.locks() != locks {
                return None;
            }
            let life = engine.may_hear_changes(&caller).ok()?;
            let event = Event::default().json_data(change).unwrap_or_default();
            Some((Ok(event), (changes, locks, engine, caller, life)))
        },
    )
}

/// A moment behind it, when what ends then has ended.
async fn after(life: Option<Duration>) {
    match life {
        Some(life) => tokio::time::sleep(life + Duration::from_millis(1)).await,
        None => pending().await,
    }
}

fn example_event() -> tokenry_contract::Event {
    tokenry_contract::Event {
        id: EVENT,
        at: at("2027-01-15T08:03:00Z"),
        kind: EventKind::TokenHandedOut,
        caller: CallerKind::App,
        program: Some("/usr/bin/backup".to_owned()),
        pid: Some(4712),
        provider_id: Some(PROVIDER),
        connection_id: Some(CONNECTION),
        credential_id: None,
        app_id: Some(APP),
        outcome: Outcome::Done,
        rule: Some(Rule::Grant),
        grant_id: Some(GRANT),
        detail: None,
        request_id: None,
        count: 1,
        first_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_life_ends_when_it_is_over_and_one_without_an_end_never_does() {
        let hour = Duration::from_secs(3600);
        let begun = tokio::time::Instant::now();
        after(Some(hour)).await;
        assert_eq!(begun.elapsed(), hour + Duration::from_millis(1));
        assert!(tokio::time::timeout(hour * 24, after(None)).await.is_err());
    }
}
