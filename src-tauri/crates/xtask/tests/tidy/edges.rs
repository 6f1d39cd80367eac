//! Who may depend on whom: ARCHITECTURE.md's drawing, held here.

use crate::tree::{files, packages, run, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Our packages, and which of ours each may name. A package that is not here must not exist.
const EDGES: &[(&str, &[&str])] = &[
    ("tokenry-contract", &[]),
    ("tokenry-core", &["contract"]),
    ("tokenry-catalog", &["contract"]),
    ("tokenry-oauth", &["core"]),
    ("tokenry-vault", &["core"]),
    ("tokenry-store", &["core"]),
    ("tokenry-peer", &["core"]),
    ("tokenry-backup", &["core"]),
    ("tokenry-redirect", &["core"]),
    ("tokenry-session", &[]),
    ("tokenry-setup", &["contract"]),
    ("tokenry-testkit", &["core"]),
    (
        "tokenry-engine",
        &[
            "core", "catalog", "oauth", "peer", "redirect", "session", "vault", "store", "backup",
        ],
    ),
    (
        "tokenry-api",
        &["core", "contract", "oauth", "peer", "vault", "store", "engine"],
    ),
    ("tokenry-cli", &["contract", "setup"]),
    ("tokenry-bridge", &["contract"]),
    ("tokenry-serve", &["core", "contract", "engine", "api"]),
    ("tokenry-desktop", &["core", "contract", "engine", "api", "setup"]),
    ("xtask", &[]),
];

/// What the tests of a package may name beside the testkit.
const FOR_TESTS: &[(&str, &[&str])] = &[
    ("tokenry-redirect", &["oauth", "peer"]),
    ("tokenry-catalog", &["core", "oauth"]),
];

/// The end-to-end tests: they may name every package, and no package names them.
const END_TO_END: &str = "tokenry-e2e";

/// Crates of others that are the business of the packages beside them alone.
const EXCLUSIVE: &[(&str, &[&str])] = &[
    ("tauri", &["tokenry-desktop"]),
    ("rusqlite", &["tokenry-store"]),
    ("keyring-core", &["tokenry-vault"]),
    ("zbus-secret-service-keyring-store", &["tokenry-vault"]),
    ("reqwest", &["tokenry-bridge", "tokenry-oauth"]),
    ("age", &["tokenry-backup"]),
    ("age-core", &["tokenry-backup"]),
];

/// What must not be linked into `tokenry`, whose start is most of what a token costs.
const NOT_IN_TOKENRY: &[&str] = &[
    "axum",
    "gtk",
    "hyper",
    "keyring-core",
    "libsqlite3-sys",
    "openssl-sys",
    "reqwest",
    "rusqlite",
    "rustls",
    "tauri",
    "tokio",
    "webkit2gtk",
    "zbus",
];

/// (name, kind) of everything that a package names; the kind of an ordinary dependency is `normal`.
fn dependencies(package: &Value) -> Vec<(String, String)> {
    let all = package["dependencies"].as_array().unwrap().iter();
    let pair = |d: &Value| {
        (
            d["name"].as_str().unwrap().to_owned(),
            d["kind"].as_str().unwrap_or("normal").to_owned(),
        )
    };
    all.map(pair).collect()
}

#[test]
fn our_packages_depend_on_each_other_downwards_only() {
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        if name == END_TO_END {
            continue;
        }
        let Some(below) = allowed.get(name) else {
            wrong.push(format!("{name} has no place in the drawing"));
            continue;
        };
        for (other, kind) in dependencies(&package) {
            let Some(short) = other.strip_prefix("tokenry-") else {
                continue;
            };
            let for_tests = FOR_TESTS.iter().filter(|(owner, _)| *owner == name);
            let is_for_tests = kind == "dev"
                && (short == "testkit" || for_tests.flat_map(|(_, names)| *names).any(|name| *name == short));
            if !below.contains(&short) && !is_for_tests {
                wrong.push(format!("{name} names {other} ({kind})"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_list_of_edges_names_existing_packages_only() {
    let names: BTreeSet<String> = packages()
        .iter()
        .map(|package| package["name"].as_str().unwrap().to_owned())
        .collect();
    let listed = EDGES.iter().flat_map(|(name, below)| {
        let below = below.iter().map(|short| format!("tokenry-{short}"));
        std::iter::once((*name).to_owned()).chain(below)
    });
    let gone: BTreeSet<String> = listed.filter(|name| !names.contains(name)).collect();
    assert!(gone.is_empty(), "{gone:?}");
}

#[test]
fn what_is_one_packages_business_is_named_by_no_other() {
    let mut named: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        for (other, _) in dependencies(&package) {
            for (theirs, _) in EXCLUSIVE {
                if other == *theirs || *theirs == "tauri" && other.starts_with("tauri-") {
                    named
                        .entry(theirs)
                        .or_default()
                        .insert(package["name"].as_str().unwrap().to_owned());
                }
            }
        }
    }
    for (theirs, ours) in EXCLUSIVE {
        let names = named.remove(theirs).unwrap_or_default();
        let ours: BTreeSet<String> = ours.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(names, ours, "who names {theirs}");
    }
}

#[test]
fn tokenry_links_no_runtime_no_http_stack_no_storage_and_no_window() {
    let tree = run(
        env!("CARGO"),
        &[
            "tree",
            "--package",
            "tokenry-cli",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--offline",
            "--locked",
        ],
    );
    let linked: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(linked.contains("tokenry-contract"), "{tree}");
    let wrong: Vec<&&str> = NOT_IN_TOKENRY
        .iter()
        .filter(|name| linked.contains(**name))
        .collect();
    assert!(wrong.is_empty(), "tokenry links {wrong:?}");
}

#[test]
fn only_one_module_of_each_window_knows_tauri() {
    let marks = ["@tauri-apps/", "__TAURI"];
    let is_source =
        |file: &String| file.starts_with("ui/src/") && (file.ends_with(".ts") || file.ends_with(".svelte"));
    let sources: Vec<String> = files().into_iter().filter(is_source).collect();
    assert!(!sources.is_empty(), "the UI has no source");
    let knows = |file: &String| {
        marks
            .iter()
            .any(|mark| text(file).is_some_and(|text| text.contains(mark)))
    };
    let known: BTreeSet<String> = sources.into_iter().filter(knows).collect();
    let allowed = ["ui/src/consent/transport.ts", "ui/src/lib/transport/tauri.ts"];
    assert!(
        known.iter().all(|file| allowed.contains(&file.as_str())),
        "Tauri is known in {known:?}"
    );
}
