//! Which connection serves an address, by the command line.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::path::PathBuf;
use tokenry_e2e::accounts::{PASSPHRASE, add, connect_at_sandbox, connected, sandbox_provider};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::{CONFIDENTIAL, Sandbox};
use tokenry_testkit::{Behaviour, Server};

fn names(profile: &Profile, address: &str) -> Value {
    let found = profile.tokenry(&["bind", address, "--json"]).success().json();
    let found = found.as_array().unwrap().iter();
    found
        .map(|one| json!([one["connection_name"], one["address"]]))
        .collect()
}

#[test]
fn an_address_is_served_by_the_connection_that_it_was_bound_to() {
    let (sandbox, profile) = (Sandbox::start(), Profile::headless());
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let mut provider = sandbox_provider(&sandbox, "forge");
    provider["client_secret"] = sandbox.client_secret(CONFIDENTIAL).into();
    add(&profile, &provider).success();
    for (label, who) in [("work", "ada"), ("home", "grace")] {
        connect_at_sandbox(&profile, &sandbox, &["forge", "--label", label], who).success();
    }
    assert_eq!(names(&profile, "https://git.example/acme/x.git"), json!([]));
    let none = profile.tokenry(&["bind", "git.example"]).success();
    assert!(
        none.stderr.contains("No connection serves git.example"),
        "{none:?}"
    );

    profile
        .tokenry(&["bind", "git.example", "--connection", "forge/home"])
        .success();
    let acme = ["bind", "https://git.example/acme/", "--connection", "forge/work"];
    profile.tokenry(&acme).success();
    for (address, name, bound) in [
        ("git.example/acme/x.git", "forge/work", "https://git.example/acme"),
        ("https://git.example/other", "forge/home", "https://git.example"),
    ] {
        assert_eq!(names(&profile, address), json!([[name, bound]]), "{address}");
    }
    let listed = profile.tokenry(&["bind"]).success().stdout;
    assert!(
        listed.contains("https://git.example/acme") && listed.contains("forge/work"),
        "{listed}"
    );

    let taken = profile.tokenry(&["bind", "git.example", "--connection", "forge/work"]);
    assert_ne!(taken.code, 0);
    assert!(
        taken.stderr.contains("tokenry bind https://git.example --remove"),
        "{taken:?}"
    );
    profile
        .tokenry(&["bind", "git.example/acme", "--remove"])
        .success();
    assert_eq!(
        names(&profile, "https://git.example/acme"),
        json!([["forge/home", "https://git.example"]])
    );
    let gone = profile.tokenry(&["bind", "git.example/acme", "--remove"]);
    assert!(
        gone.code != 0 && gone.stderr.contains("is bound to no connection"),
        "{gone:?}"
    );
    let unsafe_address = profile.tokenry(&["bind", "http://git.example", "--connection", "forge/home"]);
    assert!(
        unsafe_address.stderr.contains("unencrypted"),
        "{unsafe_address:?}"
    );
}

#[test]
fn a_connection_is_checked_before_a_file_is_written_and_the_undo_tells_of_its_binding() {
    const HOST: &str = "http://127.0.0.1:9";
    let (_sandbox, profile, _engine) = connected("forge");
    let config = PathBuf::from(&profile.env()["HOME"]).join(".gitconfig");
    let unknown = ["setup", "git", "--host", HOST, "--connection", "nope", "--yes"];
    let refused = profile.tokenry(&unknown);
    assert!(
        refused.code != 0 && refused.stderr.contains("nope"),
        "{refused:?}"
    );
    assert!(!config.exists());

    let set_up = ["setup", "git", "--host", HOST, "--connection", "forge", "--yes"];
    profile.tokenry(&set_up).success();
    let undone = profile.tokenry(&["setup", "--undo", "git", "--yes"]).success();
    let told = format!("{HOST} is still bound to forge");
    assert!(undone.stderr.contains(&told), "{undone:?}");
    profile.tokenry(&["bind", HOST, "--remove"]).success();
    profile
        .tokenry(&["setup", "git", "--host", HOST, "--yes"])
        .success();
    let undone = profile.tokenry(&["setup", "--undo", "git", "--yes"]).success();
    assert!(!undone.stderr.contains("still bound"), "{undone:?}");
}

#[test]
fn the_list_of_setup_tells_of_a_connection_that_cannot_give_what_a_tool_needs() {
    let (server, profile) = (Server::start(Behaviour::default()), Profile::headless());
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let robot = json!({
        "name": "robot", "grant_type": "client_credentials", "token_endpoint": server.token_endpoint(),
        "client_id": "tokenry-confidential", "client_secret": "testkit-secret",
        "token_endpoint_auth_method": "client_secret_post",
    });
    add(&profile, &robot).success();
    profile.tokenry(&["connect", "robot"]).success();
    let role = "arn:aws:iam::123456789012:role/ci";
    profile
        .tokenry(&["setup", "kubectl", "--connection", "robot", "--yes"])
        .success();
    let aws = ["setup", "aws", "--connection", "robot", "--role", role, "--yes"];
    profile.tokenry(&aws).success();
    let problem = |tool: &str| -> Option<String> {
        let listed = profile.tokenry(&["setup", "--json"]).success().json();
        let mut tools = listed.as_array().unwrap().iter();
        let found = tools.find(|one| one["tool"] == tool).unwrap();
        found["entries"][0]["problem"].as_str().map(str::to_owned)
    };
    let of_aws = problem("aws").unwrap();
    assert!(of_aws.contains("no ID token"), "{of_aws}");
    assert_eq!(problem("kubectl"), None);
    profile.tokenry(&["disconnect", "robot"]).success();
    let of_kubectl = problem("kubectl").unwrap();
    assert!(of_kubectl.contains("no connection called robot"), "{of_kubectl}");
}
