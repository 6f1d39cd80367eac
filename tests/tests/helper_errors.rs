//! What the helpers of other programs say in their clients' own forms when they cannot give a token.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::accounts::{PASSPHRASE, add, connect_at_testkit, testkit_provider, token};
use tokenry_e2e::process::{Finished, Running};
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Server};

const HOST: &str = "tools.example";

/// What each helper says when it is asked for a token for the host: the message for the user, and how it ended.
fn said(profile: &Profile) -> Vec<(String, Finished)> {
    let ran = |arguments: &[&str], input: &str| {
        let mut command = profile.command("tokenry", arguments);
        let cluster = json!({"cluster": {"server": format!("https://{HOST}")}});
        let info = json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "spec": cluster});
        command.env("KUBERNETES_EXEC_INFO", info.to_string());
        let mut running = Running::start(command);
        running.write(input);
        running.wait()
    };
    let docker = ran(&["docker-credential", "get"], HOST);
    let request = json!({
        "v": 1, "kind": "get", "operation": "read", "args": [],
        "registry": {"index-url": format!("sparse+https://{HOST}/")},
    });
    let cargo = ran(&["cargo-credential", "--cargo-plugin"], &format!("{request}\n"));
    let answer: Value = serde_json::from_str(cargo.stdout.lines().nth(1).unwrap()).unwrap();
    let told = answer["Err"]["message"].as_str();
    let told = told.unwrap_or_else(|| panic!("{cargo:?}")).to_owned();
    let kubectl = ran(&["kubectl-credential"], "");
    let terraform = ran(&["terraform-credentials", "get", HOST], "");
    for quiet in [&docker, &cargo] {
        assert_eq!(quiet.stderr, "", "the client shows standard output: {quiet:?}");
    }
    for silent in [&kubectl, &terraform] {
        assert_eq!(silent.stdout, "", "the client reads standard output: {silent:?}");
    }
    assert_eq!(cargo.code, 0, "an error is an answer: {cargo:?}");
    for failed in [&docker, &kubectl, &terraform] {
        assert_ne!(failed.code, 0, "{failed:?}");
    }
    vec![
        (docker.stdout.clone(), docker),
        (told, cargo),
        (kubectl.stderr.clone(), kubectl),
        (terraform.stderr.clone(), terraform),
    ]
}

/// A provider that was added for the host, with two connections.
fn two_connections(server: &Server, profile: &Profile) {
    let mut provider = testkit_provider(server, "tools", &json!({"kind": "strict"}));
    provider["resource"] = format!("https://{HOST}").into();
    add(profile, &provider).success();
    for label in ["work", "home"] {
        connect_at_testkit(profile, &["tools", "--label", label]).success();
    }
}

#[test]
fn several_connections_a_locked_vault_and_no_engine_are_told_in_each_clients_form() {
    let (server, profile) = (Server::start(Behaviour::default()), Profile::headless());
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    two_connections(&server, &profile);
    for (message, finished) in said(&profile) {
        let names = message.contains("tools/home") && message.contains("tools/work");
        assert!(names && message.contains("tokenry bind"), "{finished:?}");
    }
    profile
        .tokenry(&["bind", HOST, "--connection", "tools/work"])
        .success();
    profile.tokenry(&["lock"]).success();
    for (message, finished) in said(&profile) {
        assert!(message.contains("tokenry unlock"), "{finished:?}");
    }
    drop(engine);
    for (message, finished) in said(&profile) {
        let message = message.to_lowercase();
        assert!(message.contains("no engine is running"), "{finished:?}");
    }
}

#[test]
fn a_token_that_git_reports_is_refreshed_also_where_several_connections_serve_its_host() {
    let (server, profile) = (Server::start(Behaviour::default()), Profile::headless());
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    two_connections(&server, &profile);
    let (work, home) = (token(&profile, "tools/work"), token(&profile, "tools/home"));
    let refused = format!("protocol=https\nhost={HOST}\nusername=oauth2\npassword={work}\n\n");
    profile
        .tokenry_with(&["git-credential", "erase"], &refused)
        .success();
    assert_ne!(token(&profile, "tools/work"), work);
    assert_eq!(token(&profile, "tools/home"), home);
}

#[test]
fn git_is_answered_at_the_empty_line_behind_its_request() {
    let (server, profile) = (Server::start(Behaviour::default()), Profile::headless());
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    two_connections(&server, &profile);
    profile
        .tokenry(&["bind", HOST, "--connection", "tools/work"])
        .success();
    let mut helper = profile.tokenry_running(&["git-credential", "get"]);
    helper.write(&format!("protocol=https\nhost={HOST}\n\n"));
    assert!(
        helper.line().starts_with("username="),
        "its standard input is open"
    );
    helper.wait().success();

    let told = profile.tokenry(&["disconnect", "tools/work"]).success();
    let told = format!("{}{}", told.stdout, told.stderr);
    assert!(
        told.contains("https://tools.example is no longer bound to it"),
        "{told}"
    );
}
