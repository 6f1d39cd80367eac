//! An engine that is idle: memory and processor time.

use crate::proc::{number, pss};
use crate::report::Row;
use crate::stage::{MACHINE, Stage, connect_machines, label, token_request};
use std::fs;
use std::thread::sleep;
use std::time::Duration;

/// Until what follows a change is done: the keyring hears of it a minute later at the latest.
const SETTLE: Duration = Duration::from_secs(75);
const WATCHED: Duration = Duration::from_secs(120);

/// An engine that has handed out tokens, and then has nothing to do.
pub(crate) fn measure() -> Vec<Row> {
    let stage = Stage::build();
    connect_machines(stage.open(), 1..11);
    stage
        .open()
        .ask(&token_request(&format!("{MACHINE}/{}", label(5))))
        .expect_json();
    sleep(SETTLE);
    let before = wakeups(stage.engine_id());
    sleep(WATCHED);
    let woken = wakeups(stage.engine_id()).saturating_sub(before) as f64;
    let minutes = WATCHED.as_secs_f64() / 60.0;
    vec![
        Row::count(
            "engine without a window, idle: memory (PSS)",
            pss(stage.engine_id()),
            "MiB",
            10.0,
        ),
        Row::count(
            "engine without a window, idle: wake-ups a minute",
            woken / minutes,
            "",
            2.0,
        )
        .note(&format!("{woken} in {} s", WATCHED.as_secs())),
    ]
}

/// How often the process gave up its processor by itself, so was woken again: all its threads together.
fn wakeups(id: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).unwrap();
    let status = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")));
    // A thread that has just ended is no error.
    status
        .flatten()
        .map(|text| number(&text, "voluntary_ctxt_switches:"))
        .sum()
}
