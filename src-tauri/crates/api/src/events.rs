//! Operations on the activity log, and the stream of changes.

use crate::{
    convert,
    error::ApiError,
    extract::{AuthenticatedCaller, Query},
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

/// How often a comment is sent while nothing changes, so that a closed connection is noticed.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(list_events)).routes(routes!(stream_changes))
}

/// Read the activity log
///
/// Newest first. With a filter a page may hold fewer events than `limit`, or none, and still have a next page: the
/// number of events that are searched for one page is limited.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    params(EventQuery),
    responses((status = 200, description = "One page.", body = EventPage), Searching)
)]
async fn list_events(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Query(query): Query<EventQuery>,
) -> Result<Json<EventPage>, ApiError> {
    let limit = query.limit.unwrap_or(100);
    if !(1..=500).contains(&limit) {
        return Err(ApiError::field("limit", "must be 1 to 500"));
    }
    let filter = EventFilter {
        app: query.app,
        connection: query.connection,
        outcome: query.outcome,
        since: query.since,
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

/// Stream changes as they happen
///
/// Server-sent events, each with one Change as its data. A reader that is too slow gets `engine.changed`, and should
/// load everything again.
#[utoipa::path(
    get,
    path = "/v1/events/stream",
    tag = "events",
    responses((status = 200, description = "Ends by itself when the vault is locked, and for an app that may not hear \
        it any more: its grant or its access token has ended.",
        body = Change, content_type = "text/event-stream"), Listing)
)]
async fn stream_changes(
    by: AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Sse<impl Stream<Item = Item>>, ApiError> {
    let caller = by.not_the_window(ApiError::StreamForTheWindow)?;
    let life = engine.may_hear_changes(&caller)?;
    Ok(Sse::new(changes(&engine, caller, life)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE_INTERVAL)))
}

operation!(
    stream_changes,
    Callers::Policy(&[Operation::ReadActivity]),
    Change::Credential { id: CONNECTION }
);

type Item = Result<Event, Infallible>;

/// Ends when the vault is locked, and when the caller may not read the stream anymore.
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
                    // Another grant may still hold, and the clock may have been set: it is decided again.
                    () = after(life) => life = engine.may_hear_changes(&caller).ok()?,
                }
            };
            // A lock of the vault and the revocation of a grant are changes, too, and end the stream.
            if engine.locks() != locks {
                return None;
            }
            let life = engine.may_hear_changes(&caller).ok()?;
            let event = Event::default().json_data(change).unwrap_or_default();
            Some((Ok(event), (changes, locks, engine, caller, life)))
        },
    )
}

/// A moment after that time, when the grant or token has ended.
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
        token_expires_at: Some(at("2027-01-15T09:00:00Z")),
        token_scope: Some("read write".to_owned()),
        request_id: None,
        count: 1,
        first_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stream_with_an_end_ends_then_and_one_without_never_does() {
        let hour = Duration::from_secs(3600);
        let begun = tokio::time::Instant::now();
        after(Some(hour)).await;
        assert_eq!(begun.elapsed(), hour + Duration::from_millis(1));
        assert!(tokio::time::timeout(hour * 24, after(None)).await.is_err());
    }
}
