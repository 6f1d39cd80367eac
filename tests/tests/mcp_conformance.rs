//! The conformance program of the Model Context Protocol: a client that gets its tokens from Tokenry passes the
//! authorization scenarios.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use tokenry_e2e::accounts::PASSPHRASE;
use tokenry_e2e::mcp::{folder, node, with_browser};
use tokenry_e2e::process;
use tokenry_e2e::process::Running;
use tokenry_e2e::profile::Profile;

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

/// The scenarios for clients that the program has.
fn scenarios(profile: &Profile) -> Vec<String> {
    let list = conformance(profile, &["list", "--client"]).success().stdout;
    let lines = list.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

/// Runs the scenarios with this client, and fails where another one passes than is expected.
fn run_all(client: &str, scenarios: impl Fn(&str) -> bool, failing: &[(&str, &str)]) {
    let mut profile = Profile::headless();
    with_browser(&mut profile);
    let tokenry = profile.command("tokenry", &[]).get_program().to_owned();
    profile.set("TOKENRY_PROGRAM", tokenry);
    profile.set("TOKENRY_SOCKET", socket(profile.home()));
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let client = format!("'{}' '{}'", node().display(), folder().join(client).display());
    let mut names = self::scenarios(&profile);
    names.retain(|name| scenarios(name));
    assert!(names.len() > 20, "{names:?}");
    for (name, _) in failing {
        assert!(
            names.iter().any(|own| own == name),
            "there is no scenario {name} any more"
        );
    }
    let mut wrong = Vec::new();
    for scenario in &names {
        let outcome = conformance(
            &profile,
            &["client", "--command", &client, "--scenario", scenario],
        );
        let passed = outcome.code == 0;
        let listed = failing.iter().any(|(name, _)| name == scenario);
        if passed == listed {
            wrong.push(format!("{scenario}: passed is {passed}\n{outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Metadata, registration, scopes, step-up and tokens (checklist A1, A6).
#[test]
fn a_client_with_tokens_of_tokenry_passes_the_authorization_scenarios_of_mcp() {
    run_all("client.mjs", |name| name.starts_with("auth/"), &FAILING);
}

/// The same, and those of the transport, by `tokenry mcp`.
#[test]
fn a_client_behind_the_bridge_passes_the_scenarios_of_mcp() {
    run_all("bridge_client.mjs", |_| true, &FAILING);
}

fn socket(home: &Path) -> PathBuf {
    home.join("engine.sock")
}
