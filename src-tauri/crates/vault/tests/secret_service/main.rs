//! The OS keyring for real: gnome-keyring on a D-Bus session of its own, with a home and a runtime folder of its
//! own. No keyring of any user is touched. Each step is this program started again inside that session.
#![cfg_attr(not(target_os = "linux"), allow(unused))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]

#[cfg(target_os = "linux")]
mod display;
#[cfg(target_os = "linux")]
mod probe;
#[cfg(target_os = "linux")]
mod session;
#[cfg(target_os = "linux")]
mod states;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    match std::env::var(probe::STEP) {
        Ok(step) => probe::run(&step),
        Err(_) => run(&[states::TESTS, display::TESTS].concat()),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}

/// Runs the tests whose names contain the words given, one after the other, and says so as the usual harness does.
#[cfg(target_os = "linux")]
fn run(tests: &[(&str, fn())]) -> std::process::ExitCode {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let chosen = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let (mut passed, mut failed) = (0, Vec::new());
    for (name, test) in tests.iter().filter(|(name, _)| chosen(name)) {
        let ok = std::panic::catch_unwind(test).is_ok();
        println!("test {name} ... {}", if ok { "ok" } else { "FAILED" });
        if ok { passed += 1 } else { failed.push(*name) }
    }
    let verdict = if failed.is_empty() { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {passed} passed; {} failed {failed:?}",
        failed.len()
    );
    if failed.is_empty() {
        std::process::ExitCode::SUCCESS
    } else {
        std::process::ExitCode::FAILURE
    }
}
