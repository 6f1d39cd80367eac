//! What the documents say that the code knows better.

use crate::tree::text;
use std::collections::BTreeSet;

/// `(exit, code)` of the rows of README's table of exit codes.
fn told() -> BTreeSet<(String, String)> {
    let readme = text("README.md").unwrap();
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.map(|row| row.split(" | ").map(str::trim).collect::<Vec<_>>());
    cells
        .filter(|cells| cells.len() >= 3 && cells[0].parse::<u8>().is_ok() && cells[1].starts_with('`'))
        .map(|cells| (cells[0].to_owned(), cells[1].trim_matches('`').to_owned()))
        .collect()
}

/// `(exit, code)` of the contract's closed list, whose lines end in `= "slug", status, exit, "what to do";`.
fn known() -> BTreeSet<(String, String)> {
    let source = text("src-tauri/crates/contract/src/error.rs").unwrap();
    let lists = source
        .lines()
        .filter_map(|line| line.trim().split_once(" = \"").map(|(_, rest)| rest));
    let parts = lists.map(|rest| {
        rest.splitn(4, ',')
            .map(|part| part.trim().trim_matches('"'))
            .collect::<Vec<_>>()
    });
    parts
        .filter(|parts| parts.len() == 4)
        .map(|parts| (parts[2].to_owned(), parts[0].to_owned()))
        .collect()
}

#[test]
fn the_readmes_exit_codes_are_those_of_the_contract() {
    assert_eq!(known().len(), 16, "{:?}", known());
    assert_eq!(told(), known());
}

#[test]
fn every_path_that_a_document_links_to_is_there() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ] {
        let text = text(document).unwrap();
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
            .map(|(link, _)| link);
        let pictures = text
            .split("src=\"")
            .skip(1)
            .filter_map(|rest| rest.split_once('"'))
            .map(|(link, _)| link);
        for link in links
            .chain(pictures)
            .filter(|link| !link.contains("://") && !link.starts_with('#'))
        {
            assert!(
                crate::tree::root().join(link).exists(),
                "{document} links to {link}, which is not there"
            );
        }
    }
}
