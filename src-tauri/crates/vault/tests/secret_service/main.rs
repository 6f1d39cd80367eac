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

/// Runs the tests whose names contain the words given, one after the other, and speaks as the usual harness does:
/// `--list`, `--ignored` (there are none) and `--exact` are how cargo-nextest finds and runs each of them.
#[cfg(target_os = "linux")]
fn run(tests: &[(&str, fn())]) -> std::process::ExitCode {
    let (flags, words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with('-'));
    let flag = |name: &str| flags.iter().any(|flag| flag == name);
    let fits = |name: &str, word: &String| {
        if flag("--exact") {
            name == word
        } else {
            name.contains(word.as_str())
        }
    };
    let chosen = |name: &str| words.is_empty() || words.iter().any(|word| fits(name, word));
    if flag("--list") {
        let listed = tests
            .iter()
            .filter(|(name, _)| chosen(name) && !flag("--ignored"));
        listed.for_each(|(name, _)| println!("{name}: test"));
        return std::process::ExitCode::SUCCESS;
    }
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
