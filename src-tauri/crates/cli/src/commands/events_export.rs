//! `tokenry events --format` and `--verify`: the whole activity log.

use super::events;
use crate::args::EventsArgs;
use crate::engine::Engine;
use crate::export::Format;
use crate::failure::Failure;
use crate::http::{Method, Request};
use crate::output::{Output, Style, write_out};
use crate::time::whole_second;
use std::collections::HashSet;
use tokenry_contract::{ErrorCode, EventPage, LogCheck, Names, event_csv, event_csv_header, names_of};

/// The events of one request.
const PAGE_EVENTS: u32 = 500;

/// Every page, one after the other; no more than one is in memory.
pub(crate) fn run(args: &EventsArgs, format: Format, engine: &Engine) -> Result<(), Failure> {
    let names = match format {
        Format::Csv => names(engine),
        Format::JsonLines | Format::Table => Names::new(),
    };
    if format == Format::Csv {
        write_out(event_csv_header().as_bytes())?;
    }
    let mut left = args.limit.map(|limit| limit as usize);
    let mut before = args.before;
    // A line that repeats stands in the log several times; its newest state comes first.
    let mut repeated = HashSet::new();
    loop {
        let request = Request::new(Method::Get, events::target(args, before, Some(PAGE_EVENTS)));
        let page: EventPage = engine.ask(&request)?;
        let mut text = Vec::new();
        for event in page.events {
            if repeated.contains(&event.id) || left == Some(0) {
                continue;
            }
            if event.count > 1 {
                repeated.insert(event.id);
            }
            left = left.map(|left| left - 1);
            match format {
                Format::Csv => text.extend_from_slice(event_csv(&event, &names).as_bytes()),
                Format::JsonLines | Format::Table => {
                    serde_json::to_writer(&mut text, &event).map_err(Failure::invalid_response)?;
                    text.push(b'\n');
                }
            }
        }
        write_out(&text)?;
        before = page.next;
        if before.is_none() || left == Some(0) {
            return Ok(());
        }
    }
}

/// The names of ids. Removed objects have none.
fn names(engine: &Engine) -> Names {
    names_of(
        engine.get(&["v1", "oauth-providers"]).unwrap_or_default(),
        engine.get(&["v1", "credentials"]).unwrap_or_default(),
        engine.get(&["v1", "connections"]).unwrap_or_default(),
        engine.get(&["v1", "apps"]).unwrap_or_default(),
    )
}

/// Whether the log is whole. The exit code says so, too.
pub(crate) fn verify(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let check: LogCheck = engine.get(&["v1", "events", "verify"])?;
    output.data(&check, |_: Style| words(&check))?;
    if check.whole {
        return Ok(());
    }
    Err(Failure::new(
        ErrorCode::Conflict,
        "The activity log is not as it was written: something other than Tokenry changed it.",
        "Keep a copy of the profile folder. `tokenry vault check` checks the rest.",
    ))
}

fn words(check: &LogCheck) -> String {
    let period = match (check.first_at, check.last_at) {
        (Some(first), Some(last)) => format!(", from {} to {}", whole_second(first), whole_second(last)),
        _ => String::new(),
    };
    if check.whole {
        return format!(
            "whole: {} lines ({} to {}){period}, an unbroken chain\n",
            check.lines, check.first_line, check.last_line
        );
    }
    let mut text = format!(
        "not whole: {} of the lines {} to {} are as they were written{period}\n",
        check.lines, check.first_line, check.last_line
    );
    for problem in &check.problems {
        text += &format!("{}\n", problem.text());
    }
    if check.more_problems > 0 {
        text += &format!("and {} more problems\n", check.more_problems);
    }
    text
}
