//! Node and the packages of npm.

use crate::repo;
use crate::sh::{self, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The oldest Node that our tools run on: major and minor version.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// The folders with a `package.json` of their own.
pub(crate) const FOLDERS: &[&str] = &["ui", "tests/support", "tests/support/conformance"];

/// Sees that Node is there and new enough, and that npm is.
///
/// # Errors
/// Says what is missing and where to get it.
pub(crate) fn check_node() -> Result {
    let how = "Install Node 20.19 or newer together with npm, from nodejs.org for example (the package of Debian 12 is \
               older), and run this again.";
    if sh::find("node").is_none() {
        return Err(format!("`node` is not on PATH. {how}"));
    }
    if sh::find("npm").is_none() {
        return Err(format!("`npm` is not on PATH. {how}"));
    }
    let version = sh::read(&mut sh::command("node", ["--version"]))?;
    if parse(&version).is_some_and(|found| found >= OLDEST_NODE) {
        return Ok(());
    }
    Err(format!("Node is {}, which is too old. {how}", version.trim()))
}

/// `(20, 20)` of `v20.20.2`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// `npm ci` in `folder` when its `node_modules` was not made from its lock file as it is now.
///
/// # Errors
/// When there is no lock file, or npm fails.
pub(crate) fn ensure(folder: &str) -> Result {
    let place = repo::root().join(folder);
    let lock = place.join("package-lock.json");
    let wanted = fs::read(&lock)
        .map_err(|e| format!("{folder}/package-lock.json cannot be read: {e}. Is the checkout complete?"))?;
    // Beside what it tells of, and gone with it: a target folder may serve several checkouts.
    let stamp = place.join("node_modules/.made-from-package-lock.json");
    if fs::read(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    println!("npm ci in {folder}/");
    // No package runs a script of its own at installation, and none fetches a browser.
    sh::run(&mut npm(
        folder,
        "ci --ignore-scripts --no-audit --no-fund --loglevel=error",
    ))?;
    write(&stamp, &wanted)
}

/// Sees that the lock file of a folder whose packages are not installed every day is one to install from.
///
/// # Errors
/// When npm would refuse it.
pub(crate) fn check_lock(folder: &str) -> Result {
    sh::run(&mut npm(
        folder,
        "ci --dry-run --offline --ignore-scripts --no-audit --no-fund --loglevel=error",
    ))
}

/// `npm LINE` in `folder`.
pub(crate) fn npm(folder: &str, line: &str) -> Command {
    let mut command = sh::command(
        sh::find("npm").unwrap_or_else(|| "npm".into()),
        line.split_whitespace(),
    );
    command
        .current_dir(repo::root().join(folder))
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    command
}

/// Runs one of the scripts of `folder`'s `package.json`.
///
/// # Errors
/// When there is no such script, or it fails.
pub(crate) fn script(folder: &str, name: &str) -> Result {
    if !scripts(folder)?.iter().any(|have| have == name) {
        return Err(format!("{folder}/package.json has no script `{name}`."));
    }
    sh::run(&mut npm(folder, &format!("run --silent {name}")))
}

/// The names of the scripts of `folder`'s `package.json`.
fn scripts(folder: &str) -> Result<Vec<String>> {
    let file = repo::root().join(folder).join("package.json");
    let text =
        fs::read_to_string(&file).map_err(|e| format!("{folder}/package.json cannot be read: {e}."))?;
    let package: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| format!("{folder}/package.json is no JSON: {e}."))?;
    Ok(package["scripts"]
        .as_object()
        .map(|all| all.keys().cloned().collect())
        .unwrap_or_default())
}

/// Writes a file, and makes its folder.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(file: &Path, content: &[u8]) -> Result {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, content))
        .map_err(|e| format!("{} cannot be written: {e}.", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_that_node_prints_is_read() {
        assert_eq!(parse("v20.20.2\n"), Some((20, 20)));
        assert_eq!(parse("v8.0.0"), Some((8, 0)));
        assert_eq!(parse("20.19"), None);
        assert_eq!(parse("vnext"), None);
    }

    #[test]
    fn a_newer_major_version_with_a_smaller_minor_one_is_newer() {
        assert!(parse("v22.3.0") >= Some(OLDEST_NODE));
        assert!(parse("v20.18.9") < Some(OLDEST_NODE));
    }
}
