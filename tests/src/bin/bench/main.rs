//! The measurements: what is ours and what it is compared with, side by side in one run. It prints medians with
//! their spread and the ratios, and judges nothing: a slow machine fails no test.
//!
//! Everything is built before it starts (`cargo xtask bench`). `--json` prints JSON, `--readme` the README's table,
//! `--only NAME` measures one group of rows, `--list` names them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program to be looked at, and a measurement that cannot be set up cannot go on"
)]

mod backup;
mod bare;
mod bridge;
mod granted;
mod hang;
mod helper;
mod herd;
mod http;
mod idle;
mod kept;
mod many;
mod proc;
mod process_start;
mod refresh;
mod report;
mod sample;
mod stage;
mod window;

use report::{Report, Row};

/// A group of rows, and the function that measures them.
type Measurement = (&'static str, fn() -> Vec<Row>);

const ALL: [Measurement; 13] = [
    ("process", process_start::measure),
    ("helper", helper::measure),
    ("bridge", bridge::measure),
    ("kept", kept::measure),
    ("granted", granted::measure),
    ("refresh", refresh::measure),
    ("herd", herd::measure),
    ("hang", hang::measure),
    ("idle", idle::measure),
    ("many", many::measure),
    ("full", granted::measure_full),
    ("backup", backup::measure),
    ("window", window::measure),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if has("--list") {
        ALL.iter().for_each(|(name, _)| println!("{name}"));
        return;
    }
    let only = arguments
        .iter()
        .position(|argument| argument == "--only")
        .and_then(|at| arguments.get(at + 1));
    let mut report = Report::default();
    for (name, measure) in ALL {
        if only.is_none_or(|only| only == name) {
            eprintln!("measuring: {name}");
            report.add(measure());
        }
    }
    if has("--json") {
        println!("{}", report.json());
    } else if has("--readme") {
        print!("{}", report.short_table());
    } else {
        print!("{}", report.table());
    }
}
