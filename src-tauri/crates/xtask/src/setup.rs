//! What has to be on the machine before anything else.

use crate::sh::Result;
use crate::stage::Stages;
use crate::{apt, npm, python};

/// How much of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Building the programs and opening the app.
    Running,
    /// That, and the tests or the walkthrough.
    Testing,
}

/// Installs what is missing.
///
/// # Errors
/// When something is missing that cannot be installed from here; says what.
pub(crate) fn ensure(purpose: For, stages: &mut Stages) -> Result {
    stages.run("set-up: the system's packages", || {
        let mut packages = apt::BUILD.to_vec();
        if purpose == For::Testing {
            packages.extend(apt::TESTS);
        }
        apt::ensure(&packages)
    })?;
    stages.run("set-up: Node's packages", || {
        npm::check_node()?;
        npm::FOLDERS.iter().try_for_each(|folder| npm::ensure(folder))
    })?;
    if purpose == For::Testing {
        stages.run("set-up: Python's packages", python::ensure)?;
    }
    Ok(())
}

/// The command `setup`.
///
/// # Errors
/// As [`ensure`].
pub(crate) fn everything() -> Result {
    let mut stages = Stages::default();
    // Whatever fails is in the summary.
    let _ = ensure(For::Testing, &mut stages);
    stages.finish()
}
