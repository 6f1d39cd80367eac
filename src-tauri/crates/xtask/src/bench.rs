//! The measurements.

use crate::programs::{self, Profile};
use crate::setup::{self, For};
use crate::sh::{self, Result};
use crate::stage::Stages;

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
    stages.run("bench", || {
        sh::run(sh::cargo("run --locked --release -p tokenry-e2e --bin bench --").args(args))
    })
}
