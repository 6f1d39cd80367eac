//! What the other tests look at: the files of the repository and the packages of the workspace.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .unwrap()
        .to_path_buf()
}

/// Every file that is committed or would be by `git add`, relative to the root.
pub(crate) fn files() -> Vec<String> {
    let list = run(
        "git",
        &["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    );
    let names = list
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(str::to_owned);
    let mut files: Vec<String> = names.filter(|name| root().join(name).is_file()).collect();
    files.sort();
    files.dedup();
    assert!(files.len() > 20, "git lists {} files only", files.len());
    files
}

/// The file's text, or nothing if it is no text.
pub(crate) fn text(file: &str) -> Option<String> {
    String::from_utf8(std::fs::read(root().join(file)).unwrap()).ok()
}

/// What `cargo metadata` says of our own packages.
pub(crate) fn packages() -> Vec<Value> {
    let metadata = run(
        env!("CARGO"),
        &[
            "metadata",
            "--no-deps",
            "--offline",
            "--locked",
            "--format-version",
            "1",
        ],
    );
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

pub(crate) fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
