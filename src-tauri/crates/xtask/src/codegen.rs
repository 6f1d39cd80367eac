//! The contract's generated files: the OpenAPI document from the routes, and the UI's types from the document.

use crate::programs::{Profile, TEST_FEATURES};
use crate::sh::{self, Result};
use crate::stage::Stages;
use crate::{npm, repo};
use std::fs;
use std::path::PathBuf;

fn document() -> PathBuf {
    repo::root().join("src-tauri/crates/api/openapi.json")
}

fn types() -> PathBuf {
    repo::root().join("ui/src/lib/contract.ts")
}

/// The command `codegen`.
///
/// # Errors
/// When a generator fails.
pub(crate) fn command() -> Result {
    let mut stages = Stages::default();
    let done = stages.run("set-up: Node's packages", || {
        npm::check_node().and_then(|()| npm::ensure("ui"))
    });
    if done.is_ok() {
        // Whatever fails is in the summary.
        let _ = stages.run("openapi.json and contract.ts", write);
    }
    stages.finish()
}

fn write() -> Result {
    let text = generated_document()?;
    if fs::read_to_string(document()).ok().as_ref() != Some(&text) {
        fs::write(document(), &text)
            .map_err(|e| format!("{} cannot be written: {e}.", document().display()))?;
    }
    npm::script("ui", "codegen")
}

/// Fails when a generated file is not what its generator makes today. Leaves them as they are.
///
/// # Errors
/// Names the file that is stale.
pub(crate) fn check() -> Result {
    let read = |file: &PathBuf| {
        fs::read_to_string(file).map_err(|e| format!("{} cannot be read: {e}.", file.display()))
    };
    if read(&document())? != generated_document()? {
        return Err(stale("src-tauri/crates/api/openapi.json"));
    }
    let before = read(&types())?;
    let ran = npm::script("ui", "codegen");
    let after = read(&types())?;
    if after != before {
        fs::write(types(), &before).map_err(|e| format!("{} cannot be put back: {e}.", types().display()))?;
        return Err(stale("ui/src/lib/contract.ts"));
    }
    ran
}

/// Built with the features of the tests, as everything else is: another set would build all dependencies once more.
fn generated_document() -> Result<String> {
    let line = format!("build --quiet --locked --workspace --features {TEST_FEATURES} --example openapi");
    sh::run(&mut sh::cargo(&line))?;
    let program = repo::program(Profile::Dev.folder(), "examples/openapi");
    sh::read(&mut sh::command(program, [""; 0]))
}

fn stale(file: &str) -> String {
    format!("{file} is not what the routes say today. Run `cargo xtask codegen` and commit what it writes.")
}
