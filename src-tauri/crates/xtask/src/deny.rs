//! cargo-deny: what may be linked into our programs.

use crate::repo;
use crate::sh::{self, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The version that `deny.toml` is written for.
const VERSION: &str = "0.20.2";

/// Checks licences, sources and bans, and the advisories where their database can be had.
///
/// # Errors
/// When cargo-deny cannot be installed, or finds something.
pub(crate) fn check() -> Result {
    let program = ensure()?;
    let fetched = sh::command(&program, ["--workspace", "fetch", "db"])
        .output()
        .is_ok_and(|o| o.status.success());
    let mut checks = vec![
        "--workspace",
        "--locked",
        "--log-level",
        "warn",
        "check",
        "--hide-inclusion-graph",
    ];
    checks.extend(["bans", "licenses", "sources"]);
    if fetched {
        checks.push("advisories");
    } else {
        println!(
            "NOT checked: known vulnerabilities, since the advisory database cannot be reached from here."
        );
    }
    sh::run(&mut sh::command(&program, checks))
}

/// Finds cargo-deny, or installs it beside our other build results.
fn ensure() -> Result<PathBuf> {
    let tools = repo::target().join("tools");
    let ours = tools
        .join("bin")
        .join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if let Some(found) = sh::find("cargo-deny")
        .into_iter()
        .chain([ours.clone()])
        .find(|p| is_right(p))
    {
        return Ok(found);
    }
    println!("installing cargo-deny {VERSION} in target/tools (once, about a minute)");
    let build = tools.join("build");
    // Unoptimised: it builds in a quarter of the time and checks us in a second all the same.
    let mut install = sh::cargo(&format!("install --quiet --locked --debug cargo-deny@{VERSION}"));
    install
        .arg("--root")
        .arg(&tools)
        .env("CARGO_TARGET_DIR", &build)
        .env("CARGO_PROFILE_DEV_DEBUG", "none");
    let installed = sh::run(&mut install);
    // Half a gigabyte that is not needed again. A failure to remove it does no harm.
    let _ = fs::remove_dir_all(&build);
    installed.map(|()| ours)
}

fn is_right(program: &Path) -> bool {
    let said = sh::command(program, ["--version"]).output();
    said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).trim() == format!("cargo-deny {VERSION}"))
}
