//! Everything that can be found without running the programs.

use crate::programs::{self, TEST_FEATURES};
use crate::setup::{self, For};
use crate::sh::{self, Result};
use crate::stage::Stages;
use crate::{codegen, commits, deny, dist, npm};

/// The command `lint`.
///
/// # Errors
/// Names the checks that failed.
pub(crate) fn command() -> Result {
    let mut stages = Stages::default();
    if prepare(&mut stages).is_ok() {
        run(&mut stages);
    }
    stages.finish()
}

fn prepare(stages: &mut Stages) -> Result {
    setup::ensure(For::Running, stages)?;
    stages.run("build: UI", programs::ui)
}

/// Runs all checks, whichever of them fail: they are in the summary. The UI is built before, since the shell
/// embeds it even to be checked.
pub(crate) fn run(stages: &mut Stages) {
    let mut check = |name: &str, work: &dyn Fn() -> Result| drop(stages.run(name, work));
    check("lint: formatting", &|| {
        sh::run(&mut sh::cargo("fmt --all --check"))
    });
    check("lint: clippy", &|| {
        let line =
            format!("clippy --locked --workspace --all-targets --features {TEST_FEATURES} -- -D warnings");
        sh::run(&mut sh::cargo(&line))
    });
    check("lint: dependencies", &deny::check);
    check("lint: tidiness", &|| {
        sh::run(&mut sh::cargo("test --quiet --locked -p xtask"))
    });
    check("lint: commit subjects", &commits::check);
    check("lint: generated files", &codegen::check);
    check("lint: the Tauri CLI's lock file", &|| {
        npm::check_lock(dist::TAURI_CLI)
    });
    check("lint: svelte-check", &|| npm::script("ui", "check"));
    check("lint: eslint and prettier", &|| npm::script("ui", "lint"));
}
