//! The measurements.

use crate::programs::{self, Profile};
use crate::repo;
use crate::setup::{self, For};
use crate::sh::{self, Result};
use crate::stage::Stages;
use std::fs;
use std::path::PathBuf;

/// Our programs, and what they are measured against.
const MEASURED: [&str; 8] = [
    "tokenry",
    "tokenry-bridge",
    "tokenry-serve",
    "tokenry-desktop",
    "smallest_client",
    "examples/bare_route",
    "examples/empty_window",
    "examples/keyring_read",
];

/// The command `bench`: builds what is shipped as it is shipped, and measures that.
///
/// # Errors
/// When something does not build, or the measuring program fails.
pub(crate) fn run(args: &[String]) -> Result {
    let mut stages = Stages::default();
    // Whatever fails is in the summary.
    let _ = stages_of(args, &mut stages);
    stages.finish()
}

fn stages_of(args: &[String], stages: &mut Stages) -> Result {
    setup::ensure(For::Testing, stages)?;
    stages.run("build: engine", || programs::serve(Profile::Release))?;
    stages.run("build: tokenry", || programs::tokenry(Profile::Release))?;
    stages.run(
        "build: what they are measured against",
        programs::measured_against,
    )?;
    let only = args.iter().skip_while(|arg| *arg != "--only").nth(1);
    if only.is_none_or(|only| only == "window") {
        stages.run("build: desktop app", programs::windows)?;
    }
    stages.run("bench", || {
        let installed = installed().map_err(|error| format!("the programs cannot be copied: {error}"))?;
        let mut bench = sh::cargo("run --locked --release -p tokenry-e2e --bin bench --");
        sh::run(bench.args(args).env("TOKENRY_BIN_DIR", installed))
    })
}

/// Copies what is measured, as installing it does: the page cache holds what a linker wrote in small pieces, which
/// makes a short-lived program a sixth slower than it is for people.
fn installed() -> std::io::Result<PathBuf> {
    let (built, folder) = (repo::target().join("release"), repo::target().join("bench"));
    fs::create_dir_all(folder.join("examples"))?;
    for name in MEASURED {
        let (from, to) = (built.join(name), folder.join(name));
        if from.exists() {
            // A program that still runs from an earlier time keeps its own file.
            if to.exists() {
                fs::remove_file(&to)?;
            }
            fs::copy(from, to)?;
        }
    }
    Ok(folder)
}
