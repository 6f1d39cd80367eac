//! What is given to people: the programs, and the packages of Debian and Fedora. An AppImage is not among them:
//! its tools are fetched from the network while it is made.

use crate::programs::{self, Profile};
use crate::setup::{self, For};
use crate::sh::{self, Result};
use crate::stage::Stages;
use crate::{npm, repo};
use serde_json::json;

/// The folder whose lock file pins the Tauri CLI.
pub(crate) const TAURI_CLI: &str = "src-tauri/crates/xtask/dist";

/// The command `dist`.
///
/// # Errors
/// When something does not build or cannot be packed.
pub(crate) fn run() -> Result {
    let mut stages = Stages::default();
    // Whatever fails is in the summary.
    let _ = stages_of(&mut stages);
    stages.finish()
}

fn stages_of(stages: &mut Stages) -> Result {
    setup::ensure(For::Running, stages)?;
    stages.run("set-up: the Tauri CLI", || npm::ensure(TAURI_CLI))?;
    stages.run("build: UI", programs::ui)?;
    stages.run("build: engine and proxies", || programs::serve(Profile::Release))?;
    stages.run("build: tokenry", || programs::tokenry(Profile::Release))?;
    stages.run("packages", || {
        let cli = repo::root().join(TAURI_CLI).join("node_modules/.bin/tauri");
        let mut build = sh::command(cli, ["build", "--ci", "--bundles", "deb,rpm", "--config"]);
        build.arg(with_programs()).args(["--", "--locked"]);
        // It builds in another folder than we do, where a path that is not whole would lead elsewhere.
        build.env("CARGO_TARGET_DIR", repo::target());
        sh::run(build.current_dir(repo::root().join("src-tauri")))
    })?;
    println!("\nin {}", repo::target().join("release/bundle").display());
    Ok(())
}

/// What is added to `tauri.conf.json`: the programs beside the app, from wherever cargo builds to.
fn with_programs() -> String {
    let files: serde_json::Map<_, _> = ["tokenry", "tokenry-bridge", "tokenry-serve"]
        .map(|name| {
            let built = repo::program(Profile::Release.folder(), name);
            (format!("/usr/bin/{name}"), built.to_string_lossy().into())
        })
        .into_iter()
        .collect();
    json!({"bundle": {"linux": {"deb": {"files": files}, "rpm": {"files": files}}}}).to_string()
}
