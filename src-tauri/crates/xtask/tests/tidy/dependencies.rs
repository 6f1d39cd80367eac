//! Each dependency of a package is used by its code. A dependency without a use costs build time, and is one more
//! supplier to trust.

use crate::tree::{files, packages, root, text};
use std::path::Path;

/// Named for their version alone: see the comment beside them in the workspace's `Cargo.toml`.
const FOR_THE_VERSION: &[(&str, &str)] = &[("tokenry-vault", "blocking")];

/// Whether a file is compiled for tests only.
fn is_for_tests(file: &str) -> bool {
    let is_test_module = file.ends_with("_tests.rs") || file.ends_with("/tests.rs");
    is_test_module
        || ["tests/", "benches/", "examples/"]
            .iter()
            .any(|folder| file.contains(folder))
}

/// The code of a file without its comments and, when `tests` is false, without the tests at its end.
fn code(source: &str, tests: bool) -> String {
    let before_tests = if tests {
        source
    } else {
        source
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default()
    };
    let lines = before_tests
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether the code names this crate: as the first part of a path, or alone after `use`.
fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + name.len()..];
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins = !before.is_some_and(|c| is_part(c) || c == ':');
        let is_path = after.starts_with("::");
        let is_import = code[..at].ends_with("use ") && after.starts_with([';', ' ']);
        begins && (is_path || is_import)
    })
}

#[test]
fn every_dependency_is_used_by_its_package() {
    let sources: Vec<String> = files().into_iter().filter(|file| file.ends_with(".rs")).collect();
    let mut unused = Vec::new();
    for package in packages() {
        let manifest = package["manifest_path"].as_str().unwrap();
        let folder = Path::new(manifest).parent().unwrap();
        let folder = folder.strip_prefix(root()).unwrap().to_str().unwrap();
        // The package of the desktop shell is in the folder that also holds the other packages.
        let own = sources.iter().filter_map(|file| {
            let rest = file.strip_prefix(folder)?.strip_prefix('/')?;
            (!rest.starts_with("crates/")).then_some((rest, text(file)?))
        });
        let own: Vec<(&str, String)> = own.collect();
        // The end-to-end package is made of tests.
        let is_all_tests = package["name"] == "tokenry-e2e";
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap();
            let in_tests = dependency["kind"] == "dev" || is_all_tests;
            let mut code = own
                .iter()
                .filter(|(file, _)| in_tests || !is_for_tests(file))
                .map(|(_, source)| code(source, in_tests));
            let known = (package["name"].as_str().unwrap(), name);
            if !code.any(|code| names(&code, &name.replace('-', "_"))) && !FOR_THE_VERSION.contains(&known) {
                unused.push(format!("{} names {name} and does not use it", known.0));
            }
        }
    }
    assert!(unused.is_empty(), "{unused:#?}");
}

#[test]
fn a_use_is_a_path_or_an_import_outside_of_comments_and_tests() {
    for (source, tests, used) in [
        ("use serde::Serialize;", false, true),
        ("let x = serde::y();", false, true),
        ("use serde as s;", false, true),
        ("#[serde(default)]", false, false),
        ("// serde::Serialize", false, false),
        (
            "use my_serde::x; serde_json::x(); crate::serde::x();",
            false,
            false,
        ),
        ("#[cfg(test)]\nmod tests { use serde::x; }", false, false),
        ("#[cfg(test)]\nmod tests { use serde::x; }", true, true),
        ("#[cfg(test)]\nmod tests;\nuse serde::x;", false, true),
    ] {
        assert_eq!(names(&code(source, tests), "serde"), used, "{source}");
    }
    assert!(
        is_for_tests("src/flow/tests.rs")
            && is_for_tests("src/tests/common/mod.rs")
            && !is_for_tests("src/a.rs")
    );
}
