//! What the programs load when they start. That `tokenry` names no such crate is held elsewhere; this looks at the
//! files that were built, whatever they were built from.
#![allow(clippy::unwrap_used)]

use std::process::Command;
use tokenry_e2e::process::program;

/// The C library and what belongs to it on every Linux.
const SYSTEM: [&str; 7] = [
    "linux-vdso.so.1",
    "linux-gate.so.1",
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "libpthread.so.0",
    "libdl.so.2",
];

fn libraries(name: &str) -> Vec<String> {
    let output = Command::new("ldd").arg(program(name)).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("libc.so.6"), "{text}");
    let first_words = text.lines().filter_map(|line| line.split_whitespace().next());
    first_words.map(str::to_owned).collect()
}

/// A token costs little more than the start of a process, and a server has no desktop.
#[test]
fn the_programs_without_a_window_load_the_c_library_and_nothing_else() {
    for name in ["tokenry", "tokenry-bridge", "tokenry-serve"] {
        let loaded = libraries(name);
        let is_system = |library: &str| SYSTEM.contains(&library) || library.contains("/ld-linux");
        let more: Vec<&String> = loaded.iter().filter(|library| !is_system(library)).collect();
        assert!(more.is_empty(), "{name} loads {more:?}");
    }
}

/// SQLite is built in, so no list of libraries shows it; its own name does.
#[test]
fn no_database_is_built_into_tokenry() {
    let holds_sqlite = |name: &str| {
        let bytes = std::fs::read(program(name)).unwrap();
        bytes.windows(15).any(|window| window == b"SQLite format 3")
    };
    assert!(!holds_sqlite("tokenry") && !holds_sqlite("tokenry-bridge"));
    assert!(holds_sqlite("tokenry-serve"), "the mark is found where it is");
}
