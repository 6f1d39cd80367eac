//! Python, and the packages that the tests take from it.

use crate::repo;
use crate::sh::{self, Result};
use std::fs;
use std::path::PathBuf;

/// The oldest Python that those packages run on: major and minor version.
const OLDEST: (u32, u32) = (3, 11);

/// How Python may be called; the first one that is new enough is taken.
const NAMES: &[&str] = &["python3", "python3.14", "python3.13", "python3.12", "python3.11"];

/// The packages, with their versions and hashes.
const PACKAGES: &str = "tests/support/requirements.txt";

/// Makes a virtual environment in `target/python` when there is none that was made from the list of packages as it is
/// now. The tests look for it above themselves.
///
/// # Errors
/// When there is no Python, or pip fails.
pub(crate) fn ensure() -> Result {
    let wanted = fs::read(repo::root().join(PACKAGES))
        .map_err(|e| format!("{PACKAGES} cannot be read: {e}. Is the checkout complete?"))?;
    let (folder, stamp) = (folder(), repo::target().join("setup/python.lock"));
    let python = folder.join("bin/python");
    if fs::read(&stamp).is_ok_and(|have| have == wanted) && sh::is_executable(&python) {
        return Ok(());
    }
    println!("a virtual environment in {}", folder.display());
    let _ = fs::remove_file(&stamp);
    sh::run(sh::command(find()?, ["-m", "venv", "--clear"]).arg(&folder))?;
    // Nothing that is not in the list, nothing else under its name, and nothing that runs while it is installed.
    let line = "-m pip --quiet --disable-pip-version-check --no-input install --require-hashes --no-deps \
                --only-binary :all: --requirement";
    sh::run(sh::command(python, line.split_whitespace()).arg(PACKAGES))?;
    crate::npm::write(&stamp, &wanted)
}

fn folder() -> PathBuf {
    repo::target().join("python")
}

/// A Python that is new enough.
fn find() -> Result<PathBuf> {
    let new_enough = |path: &PathBuf| {
        let version = sh::read(&mut sh::command(path, ["--version"]));
        version.is_ok_and(|text| parse(&text).is_some_and(|found| found >= OLDEST))
    };
    let all = NAMES.iter().filter_map(|name| sh::find(name));
    all.into_iter().find(new_enough).ok_or_else(|| {
        let (major, minor) = OLDEST;
        format!(
            "no Python {major}.{minor} or newer is on PATH. Install one, with its `venv`, and run this again."
        )
    })
}

/// `(3, 11)` of `Python 3.11.7`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim().strip_prefix("Python ")?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_that_python_prints_is_read() {
        assert_eq!(parse("Python 3.11.7\n"), Some((3, 11)));
        assert_eq!(parse("Python 3.9"), Some((3, 9)));
        assert_eq!(parse("Python three"), None);
        assert!(parse("Python 3.9") < Some(OLDEST) && parse("Python 4.0") > Some(OLDEST));
    }

    /// A package without a hash could be anything, and the place it comes from is the machine's business.
    #[test]
    fn every_package_in_the_list_has_a_version_and_a_hash_and_the_list_names_no_registry() {
        let text = fs::read_to_string(repo::root().join(PACKAGES)).unwrap();
        let text = text.replace("\\\n", " ");
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            assert!(line.contains("==") && line.contains("--hash=sha256:"), "{line}");
        }
        assert!(!text.contains("://") && !text.contains("index-url"));
    }
}
