//! `tokenry events`: the activity log.

use super::{events_export, show};
use crate::args::EventsArgs;
use crate::engine::Engine;
use crate::export::{self, Format};
use crate::failure::Failure;
use crate::http::{Method, Request};
use crate::output::{Colour, Output, Style};
use crate::table::{Cell, table};
use crate::time::whole_second;
use std::collections::HashMap;
use tokenry_contract::{Connection, Event, EventPage, OAuthProvider, Outcome};

type Names = HashMap<String, String>;

pub(crate) fn run(args: &EventsArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    if args.verify {
        return events_export::verify(engine, output);
    }
    if let Some(format) = args.format.filter(|format| *format != Format::Table) {
        return events_export::run(args, format, engine);
    }
    let page: EventPage = engine.ask(&Request::new(Method::Get, target(args, args.before, args.limit)))?;
    let names = if output.is_json() {
        Names::new()
    } else {
        names(engine)
    };
    output.data(&page, |style| text(&page.events, &names, style))?;
    if let Some(mark) = page.next {
        let among = if is_filtered(args) {
            " with the same filters (there may be none)"
        } else {
            ""
        };
        output.say(&format!("Older events: `tokenry events --before {mark}`{among}."));
    }
    Ok(())
}

fn is_filtered(args: &EventsArgs) -> bool {
    args.app.is_some() || args.connection.is_some() || args.outcome.is_some() || args.since.is_some()
}

pub(super) fn target(args: &EventsArgs, before: Option<i64>, limit: Option<u32>) -> String {
    let parameters = [
        ("limit", limit.map(|limit| limit.to_string())),
        ("before", before.map(|mark| mark.to_string())),
        ("app", args.app.clone()),
        ("connection", args.connection.clone()),
        ("outcome", args.outcome.as_ref().map(show::words)),
        ("since", args.since.map(|since| since.to_string())),
    ];
    export::target(&["v1", "events"], &parameters)
}

/// The names of ids. Removed objects have none.
fn names(engine: &Engine) -> Names {
    let providers: Vec<OAuthProvider> = engine.get(&["v1", "oauth-providers"]).unwrap_or_default();
    let connections: Vec<Connection> = engine.get(&["v1", "connections"]).unwrap_or_default();
    let providers = providers
        .into_iter()
        .map(|provider| (provider.id.to_string(), provider.name));
    providers
        .chain(connections.into_iter().map(|c| (c.id.to_string(), c.name)))
        .collect()
}

fn text(events: &[Event], names: &Names, style: Style) -> String {
    if events.is_empty() {
        return String::new();
    }
    let row = |event: &Event| -> Vec<Cell> {
        let id = event
            .connection_id
            .or(event.provider_id)
            .map(|id| id.to_string())
            .unwrap_or_default();
        let who = event
            .program
            .clone()
            .unwrap_or_else(|| show::words(&event.caller));
        let colour = if event.outcome == Outcome::Done {
            Colour::Plain
        } else {
            Colour::Bad
        };
        vec![
            Cell::from(whole_second(event.at)),
            Cell::from(show::words(&event.kind)),
            Cell::coloured(&show::words(&event.outcome), colour),
            Cell::from(names.get(&id).unwrap_or(&id)),
            Cell::from(event.pid.map_or(who.clone(), |pid| format!("{who} ({pid})"))),
            Cell::from(detail(event)),
        ]
    };
    let headings = ["TIME", "EVENT", "OUTCOME", "TARGET", "CALLER", ""];
    table(&headings, events.iter().map(row).collect(), style)
}

/// The count, the detail, and the request id of a refusal or failure.
fn detail(event: &Event) -> String {
    let times = match event.first_at {
        Some(first) => format!("× {} since {}", grouped(event.count), whole_second(first)),
        None => String::new(),
    };
    let request = event
        .request_id
        .map(|id| format!("(request {id})"))
        .unwrap_or_default();
    let words = event.detail.clone().unwrap_or_default();
    let parts = [times, words, request]
        .into_iter()
        .filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}

/// With a comma before each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_filtered_by_is_written_so_that_it_can_hold_anything() {
        let args = EventsArgs {
            limit: Some(5),
            before: None,
            app: Some("a&b=c d".to_owned()),
            connection: Some("github/wörk".to_owned()),
            outcome: Some(Outcome::Refused),
            since: None,
            format: None,
            verify: false,
        };
        let written = "/v1/events?limit=5&app=a%26b%3Dc%20d&connection=github%2Fw%C3%B6rk&outcome=refused";
        assert_eq!(target(&args, args.before, args.limit), written);
    }

    #[test]
    fn a_refusal_names_its_request() {
        let id = "01900000-0000-7000-8000-000000000001";
        let page: EventPage = serde_json::from_value(json!({"next": null, "events": [{
            "id": id, "at": "2027-01-15T08:00:00.123Z", "kind": "credential_handed_out", "caller": "program",
            "program": null, "pid": null, "provider_id": null, "connection_id": null, "outcome": "refused",
            "detail": "mail: denied", "request_id": id}]}))
        .unwrap();
        let text = text(&page.events, &Names::new(), Style { colour: false });
        assert!(
            text.contains("refused  ") && text.contains(&format!("mail: denied (request {id})")),
            "{text}"
        );
    }

    #[test]
    fn what_repeats_says_how_often_and_since_when() {
        let id = "01900000-0000-7000-8000-000000000001";
        let page: EventPage = serde_json::from_value(json!({"next": null, "events": [{
            "id": id, "at": "2027-01-15T08:10:00Z", "kind": "token_handed_out", "caller": "program",
            "program": "/x", "pid": null, "provider_id": null, "connection_id": null, "outcome": "refused",
            "detail": "denied", "count": 1_234_567, "first_at": "2027-01-15T08:00:00Z"}]}))
        .unwrap();
        let text = text(&page.events, &Names::new(), Style { colour: false });
        assert!(
            text.contains("× 1,234,567 since 2027-01-15T08:00:00Z denied"),
            "{text}"
        );
        assert_eq!([1, 999, 1000].map(grouped), ["1", "999", "1,000"]);
    }

    #[test]
    fn an_event_says_when_what_how_it_ended_of_which_and_who() {
        let id = "01900000-0000-7000-8000-000000000001";
        let page: EventPage = serde_json::from_value(json!({"next": null, "events": [{
            "id": id, "at": "2027-01-15T08:00:00.123Z", "kind": "token_handed_out", "caller": "program",
            "program": "/usr/bin/git", "pid": 7, "provider_id": null, "connection_id": id, "outcome": "done",
            "detail": null}]}))
        .unwrap();
        let names = Names::from([(id.to_owned(), "github".to_owned())]);
        let text = text(&page.events, &names, Style { colour: false });
        let line = "2027-01-15T08:00:00Z  token handed out  done     github  /usr/bin/git (7)";
        assert_eq!(text.lines().nth(1), Some(line));
    }
}
