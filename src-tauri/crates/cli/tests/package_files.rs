//! The manual pages, the completions and the links that packages contain.
#![allow(clippy::unwrap_used)]

#[path = "../examples/package_files.rs"]
#[allow(dead_code)]
mod package_files;

use std::process::Command;

#[test]
fn every_command_has_a_manual_page_and_each_shell_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    let written = package_files::write(folder.path()).unwrap();
    let names: Vec<_> = written
        .iter()
        .map(|file| file.strip_prefix(folder.path()).unwrap().to_str().unwrap())
        .collect();
    for expected in [
        "bin/git-credential-tokenry",
        "share/man/man1/tokenry.1",
        "share/man/man1/tokenry-token.1",
        "share/man/man1/tokenry-provider-add.1",
        "share/man/man1/tokenry-git-credential.1",
        "share/bash-completion/completions/tokenry",
        "share/zsh/site-functions/_tokenry",
        "share/fish/vendor_completions.d/tokenry.fish",
    ] {
        assert!(names.contains(&expected), "{expected} in {names:?}");
    }
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let page = read("share/man/man1/tokenry-token.1");
    assert!(page.contains("min\\-valid") && page.contains(".SH"), "{page}");
    let page = read("share/man/man1/tokenry-mcp.1");
    assert!(
        page.contains("static\\-oauth\\-client\\-info") && page.contains("The address of the server"),
        "{page}"
    );
    assert!(
        !names.iter().any(|name| name.contains("open-link")),
        "a hidden command has no page"
    );
}

#[test]
fn bash_completes_commands_and_options() {
    let folder = tempfile::tempdir().unwrap();
    package_files::write(folder.path()).unwrap();
    let completed = |words: &str, at: usize| {
        let script = format!(
            "source share/bash-completion/completions/tokenry; COMP_WORDS=({words}); COMP_CWORD={at}; \
             _tokenry tokenry \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{at}-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash")
            .args(["--norc", "-c", &script])
            .current_dir(folder.path())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(completed("tokenry to", 1).contains("token"));
    assert!(completed("tokenry mcp --static", 2).contains("--static-oauth-client-info"));
    assert!(completed("tokenry mcp --transport sse", 3).contains("sse-first"));
    assert!(completed("tokenry token --min", 2).contains("--min-valid"));
}
