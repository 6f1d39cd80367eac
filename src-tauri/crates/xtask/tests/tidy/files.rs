//! What may be in a file, and which files may be there.

use crate::tree::{files, packages, root, text};
use std::fs;

const MAX_LINES: usize = 450;

/// Written by programs.
const GENERATED: &[&str] = &["ui/src/lib/contract.ts", "src-tauri/crates/api/openapi.json"];

/// Fails with the files that `wrong` says something about.
fn none(files: impl IntoIterator<Item = String>, wrong: impl Fn(&str) -> Option<String>) {
    let found: Vec<String> = files
        .into_iter()
        .filter_map(|file| wrong(&file).map(|what| format!("{file}: {what}")))
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// The lines of the file that hold one of `marks`.
fn lines_with(file: &str, marks: &[String]) -> Option<String> {
    let text = text(file)?;
    let numbered = text.lines().enumerate();
    let hits: Vec<String> = numbered
        .filter(|(_, line)| marks.iter().any(|mark| line.contains(mark.as_str())))
        .map(|(number, line)| {
            format!(
                "line {}: {}",
                number + 1,
                line.trim().chars().take(80).collect::<String>()
            )
        })
        .collect();
    if hits.is_empty() {
        None
    } else {
        Some(hits.join("; "))
    }
}

fn is_lock(file: &str) -> bool {
    file.ends_with("package-lock.json") || file == "Cargo.lock"
}

#[test]
fn no_file_written_by_hand_has_more_than_450_lines() {
    let by_hand = files().into_iter().filter(|file| {
        let kind = file.rsplit_once('.').map(|(_, kind)| kind);
        matches!(kind, Some("rs" | "ts" | "svelte" | "mjs" | "css")) && !GENERATED.contains(&file.as_str())
    });
    none(by_hand, |file| {
        let length = text(file)?.lines().count();
        (length > MAX_LINES).then(|| format!("{length} lines, and at most {MAX_LINES} are allowed"))
    });
}

#[test]
fn no_file_names_a_folder_of_the_machine_it_was_written_on() {
    let home = std::env::var("HOME").unwrap_or_default();
    let mut marks = vec![format!("{}/", root().display()), concat!("/ro", "ot/").to_owned()];
    // A home directly under the file system's root says nothing of whose it is.
    if home.len() > 1 {
        marks.push(format!("{}/", home.trim_end_matches('/')));
    }
    none(files(), |file| lines_with(file, &marks));
}

#[test]
fn no_lock_file_says_where_a_package_was_downloaded() {
    let marks = [format!("\"{}\":", "resolved")];
    none(
        files()
            .into_iter()
            .filter(|file| file.ends_with("package-lock.json")),
        |file| lines_with(file, &marks),
    );
    let index = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let lock = text("Cargo.lock").unwrap();
    let foreign: Vec<&str> = lock
        .lines()
        .filter(|line| line.starts_with("source = ") && *line != index)
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[test]
fn no_file_but_a_lock_names_a_registry() {
    let marks = [
        "registry.npm",
        "index.crates",
        "static.crates",
        "pypi.org",
        "deb.debian",
    ]
    .map(str::to_owned);
    let others = files()
        .into_iter()
        .filter(|file| !is_lock(file) && !file.ends_with("tidy/files.rs"));
    none(others, |file| lines_with(file, &marks));
}

#[test]
fn nothing_that_a_program_makes_is_committed() {
    let folders = [
        "node_modules/",
        "target/",
        "ui/dist/",
        "gen/schemas/",
        "playwright-report/",
        "test-results/",
    ];
    let endings = [
        ".log",
        ".orig",
        ".rej",
        ".swp",
        ".tmp",
        ".bak",
        ".profraw",
        ".DS_Store",
        ".db",
        ".sqlite",
        ".pem",
    ];
    none(files(), |file| {
        let folder = folders
            .iter()
            .find(|folder| file.starts_with(**folder) || file.contains(&format!("/{folder}")));
        // What an older version wrote is kept, to show that this version reads it.
        let is_fixture = file.contains("/fixtures/");
        let ending = endings
            .iter()
            .find(|ending| file.ends_with(**ending) && !is_fixture);
        folder.or(ending).map(|what| format!("`{what}` is no source"))
    });
}

#[test]
fn no_file_is_large() {
    none(files(), |file| {
        let size = fs::metadata(root().join(file)).unwrap().len() / 1024;
        let most = if GENERATED.contains(&file) { 800 } else { 600 };
        (size > most).then(|| format!("{size} KiB"))
    });
}

#[test]
fn no_test_is_switched_off_and_nothing_is_left_undone() {
    let marks = [
        concat!("#[ig", "nore"),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
        concat!("test.on", "ly("),
        concat!("test.sk", "ip("),
        concat!("it.on", "ly("),
        concat!("it.sk", "ip("),
        concat!("describe.on", "ly("),
        concat!("describe.sk", "ip("),
    ]
    .map(str::to_owned);
    let sources = files().into_iter().filter(|file| {
        let kind = file.rsplit_once('.').map(|(_, kind)| kind);
        matches!(kind, Some("rs" | "ts" | "svelte" | "mjs" | "js")) && !GENERATED.contains(&file.as_str())
    });
    none(sources, |file| lines_with(file, &marks));
}

#[test]
fn every_package_takes_the_workspaces_lints_licence_and_version() {
    let inherited = ["version", "edition", "rust-version", "license", "publish"];
    for package in packages() {
        let manifest = package["manifest_path"].as_str().unwrap();
        let manifest = fs::read_to_string(manifest).unwrap();
        let name = &package["name"];
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{name} has lints of its own"
        );
        for key in inherited {
            assert!(
                manifest.contains(&format!("\n{key}.workspace = true")),
                "{name} has a {key} of its own"
            );
        }
        assert_eq!(package["license"], "MIT OR Apache-2.0", "{name}");
    }
}

#[test]
fn every_package_begins_with_what_it_is_for() {
    for package in packages() {
        for target in package["targets"].as_array().unwrap() {
            let kind = target["kind"][0].as_str().unwrap();
            if matches!(kind, "lib" | "bin") {
                let source = fs::read_to_string(target["src_path"].as_str().unwrap()).unwrap();
                let first = source
                    .lines()
                    .find(|line| !line.starts_with("#!") && !line.trim().is_empty());
                assert!(
                    first.is_some_and(|line| line.starts_with("//! ")),
                    "{} {}",
                    package["name"],
                    target["name"]
                );
            }
        }
    }
}

#[test]
fn no_package_allows_what_the_workspace_forbids() {
    let marks = [
        concat!("allow(un", "safe_code"),
        concat!("allow(clippy::", "all"),
        concat!("allow(clippy::to", "do"),
    ]
    .map(str::to_owned);
    none(files().into_iter().filter(|file| file.ends_with(".rs")), |file| {
        lines_with(file, &marks)
    });
}

#[test]
fn ci_runs_what_everybody_runs() {
    let script = text(".ci/run").unwrap();
    assert_eq!(script.trim_end().lines().last(), Some("exec cargo xtask test"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(root().join(".ci/run")).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "it must be executable");
    }
}
