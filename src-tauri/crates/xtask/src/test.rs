//! The tests: what CI runs, and anybody.

use crate::hermetic::{self, Surroundings};
use crate::programs::{self, Profile, TEST_FEATURES};
use crate::setup::{self, For};
use crate::sh::{self, Result};
use crate::stage::Stages;
use crate::{lint, npm, repo};

/// The command `test`. With filters only the Rust tests whose names hold one of them, and no lint.
///
/// # Errors
/// Names the stages that failed.
pub(crate) fn run(filters: &[String]) -> Result {
    let mut stages = Stages::default();
    // Whatever fails is in the summary.
    let _ = stages_of(filters, &mut stages);
    stages.finish()
}

fn stages_of(filters: &[String], stages: &mut Stages) -> Result {
    setup::ensure(For::Testing, stages)?;
    let before = Surroundings::look()?;
    stages.run("build: UI", programs::ui)?;
    if filters.is_empty() {
        lint::run(stages);
        let _ = stages.run("test: UI", || npm::script("ui", "test"));
    }
    stages.run("build: programs and tests", programs::everything_for_tests)?;
    let _ = stages.run("test: Rust", || rust(filters, &before));
    if filters.is_empty() {
        let _ = stages.run("test: walkthrough", || walkthrough(&before));
    }
    stages.run("nothing left behind", || before.compare())
}

fn rust(filters: &[String], surroundings: &Surroundings) -> Result {
    let filters = filters.join(" ");
    let selection = format!("--locked --workspace --features {TEST_FEATURES} --no-fail-fast");
    let line = if sh::find("cargo-nextest").is_some() {
        format!("nextest run {selection} {filters}")
    } else {
        format!("test {selection} -- {filters}")
    };
    sh::run(surroundings.give(&mut hermetic::in_a_session(sh::cargo(&line))))
}

/// What `cargo xtask run` does where there is no display.
fn walkthrough(surroundings: &Surroundings) -> Result {
    let program = repo::program(Profile::Dev.folder(), "walkthrough");
    let command = sh::command(program, [""; 0]);
    sh::run(surroundings.give(&mut hermetic::in_a_session(command)))
}
