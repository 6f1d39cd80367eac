//! What is given to people: the programs, and the packages of Debian and Fedora. An AppImage is not among them:
//! its tools are fetched from the network while it is made.

use crate::programs::{self, Profile};
use crate::setup::{self, For};
use crate::sh::{self, Result};
use crate::stage::Stages;
use crate::{npm, repo};
use serde_json::json;
use std::fs;
use std::path::PathBuf;

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
    stages.run("build: manual, completions and links", || {
        let generator = "run --locked --quiet -p tokenry-cli --example package_files --";
        sh::run(sh::cargo(generator).arg(beside_programs()))?;
        write_scripts()
    })?;
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

/// Where the files that packages have beside the programs are made; it stands for `/usr`.
fn beside_programs() -> PathBuf {
    repo::target().join("dist")
}

/// What makes the links after an installation, and removes them with the package of Debian or of Fedora.
const SCRIPTS: [&str; 3] = ["installed.sh", "deb-removed.sh", "rpm-removed.sh"];

/// The tools that make the packages follow links, and each would be a copy of the program, which the engine does not know
/// as ours: scripts make them instead.
fn write_scripts() -> Result {
    let folder = beside_programs();
    let links = fs::read_dir(folder.join("bin")).map_err(|e| format!("the links cannot be read: {e}."))?;
    let mut names: Vec<_> = links
        .flatten()
        .map(|link| format!("/usr/bin/{}", link.file_name().to_string_lossy()))
        .collect();
    names.sort();
    let made: String = names
        .iter()
        .map(|name| format!("ln -sf tokenry {name}\n"))
        .collect();
    let names = names.join(" ");
    // Their argument says whether it is an upgrade: a word, or the number of versions that stay.
    let removed =
        ["[ \"$1\" != remove ]", "[ \"$1\" -ne 0 ]"].map(|stays| format!("{stays} || rm -f {names}\n"));
    for (name, lines) in SCRIPTS.iter().zip([made].into_iter().chain(removed)) {
        npm::write(&folder.join(name), format!("#!/bin/sh\n{lines}").as_bytes())?;
    }
    Ok(())
}

/// What is added to `tauri.conf.json`: the programs and files beside the app, from wherever cargo builds to.
fn with_programs() -> String {
    let text = |path: PathBuf| serde_json::Value::from(path.to_string_lossy());
    let mut files: serde_json::Map<_, _> = ["tokenry", "tokenry-bridge", "tokenry-serve"]
        .map(|name| {
            let built = repo::program(Profile::Release.folder(), name);
            (format!("/usr/bin/{name}"), text(built))
        })
        .into_iter()
        .collect();
    files.insert("/usr/share".to_owned(), text(beside_programs().join("share")));
    let [installed, of_deb, of_rpm] = SCRIPTS.map(|name| text(beside_programs().join(name)));
    let package =
        |removed| json!({"files": files, "postInstallScript": installed, "postRemoveScript": removed});
    json!({"bundle": {"linux": {"deb": package(of_deb), "rpm": package(of_rpm)}}}).to_string()
}
