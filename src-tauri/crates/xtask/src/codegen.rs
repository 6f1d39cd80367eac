//! The contract's generated files: the OpenAPI document from the routes, the UI's types from the document, and the
//! document that describes Tokenry to authorization servers.

use crate::programs::{Profile, TEST_FEATURES};
use crate::sh::{self, Result};
use crate::stage::Stages;
use crate::{npm, repo};
use std::fs;
use std::path::PathBuf;

/// The documents that the generator prints: its argument, and the file.
const DOCUMENTS: [(&str, &str); 2] = [
    ("openapi", "src-tauri/crates/api/openapi.json"),
    ("client-metadata", "docs/client-metadata.json"),
];

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
        let _ = stages.run("openapi.json, contract.ts and client-metadata.json", write);
    }
    stages.finish()
}

fn write() -> Result {
    for (name, file) in DOCUMENTS {
        let (text, path) = (generated(name)?, repo::root().join(file));
        if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            fs::create_dir_all(path.with_file_name(""))
                .and_then(|()| fs::write(&path, &text))
                .map_err(|e| format!("{file} cannot be written: {e}."))?;
        }
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
    for (name, file) in DOCUMENTS {
        if read(&repo::root().join(file))? != generated(name)? {
            return Err(stale(file));
        }
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
fn generated(document: &str) -> Result<String> {
    let line = format!("build --quiet --locked --workspace --features {TEST_FEATURES} --example openapi");
    sh::run(&mut sh::cargo(&line))?;
    let program = repo::program(Profile::Dev.folder(), "examples/openapi");
    sh::read(&mut sh::command(program, [document]))
}

fn stale(file: &str) -> String {
    format!(
        "{file} is not what its generator writes today. Run `cargo xtask codegen` and commit what it writes."
    )
}
