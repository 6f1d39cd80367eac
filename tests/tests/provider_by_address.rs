//! A provider by its address, at real servers: the Sandbox, and an MCP server of the official Python SDK.
#![allow(clippy::unwrap_used)]

use tokenry_e2e::accounts::{PASSPHRASE, connect_at_sandbox, connecting, token};
use tokenry_e2e::browser::Browser;
use tokenry_e2e::mcp::McpServer;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::Sandbox;

/// Checklist A6.8, A6.10: registered, used, and deleted with the provider.
#[test]
fn tokenry_registers_itself_at_an_issuer_and_deletes_that_with_the_provider() {
    let sandbox = Sandbox::start();
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let add = ["provider", "add", sandbox.issuer(), "--name", "mine", "--yes"];
    let added = profile.tokenry(&add).success();
    for told in [
        "Offers",
        "PKCE",
        "registration",
        "not encrypted",
        "Registered Tokenry",
    ] {
        let is_told =
            added.stderr.contains(told) || (told == "not encrypted" && added.stderr.contains("encrypted"));
        assert!(is_told, "{told}: {added:?}");
    }
    let shown = profile
        .tokenry(&["provider", "show", "mine", "--json"])
        .success()
        .json();
    assert_eq!(shown["issuer"], sandbox.issuer());
    assert_eq!(shown["token_endpoint_auth_method"], "none");
    assert_eq!(shown["has_client_secret"], false);
    assert_eq!(shown["self_registered"], true);
    let client_id = shown["client_id"].as_str().unwrap();
    assert!(client_id.len() > 10, "{shown}");

    connect_at_sandbox(&profile, &sandbox, &["mine"], "ada").success();
    assert!(sandbox.is_active(&token(&profile, "mine")));

    profile
        .tokenry(&["provider", "remove", "mine", "--disconnect"])
        .success();
    let events = profile.tokenry(&["events", "--json"]).success().stdout;
    assert!(
        events.contains("its registration was deleted at the provider"),
        "{events}"
    );
}

/// Checklist A1.13, A2.2, A6.5: the resource tells its server, the token is for the resource, and the resource takes it.
#[test]
fn an_mcp_server_of_the_python_sdk_takes_the_token_that_its_address_led_to() {
    let server = McpServer::start();
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let add = ["provider", "add", server.address(), "--name", "files", "--yes"];
    profile.tokenry(&add).success();
    let shown = profile
        .tokenry(&["provider", "show", "files", "--json"])
        .success()
        .json();
    assert_eq!(shown["resource"], server.address());
    assert_eq!(shown["default_scopes"], serde_json::json!(["files"]));
    assert_eq!(shown["token_endpoint_auth_method"], "client_secret_post");
    assert_eq!(shown["has_client_secret"], true);

    let (connect, address) = connecting(&profile, &["files"]);
    Browser::new().open(&address);
    connect.wait().success();
    let first = token(&profile, "files");
    let answer = server.initialize(&first);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["result"]["serverInfo"]["name"], "files");
    assert_eq!(server.initialize("another").status, 401);

    profile.tokenry(&["refresh", "files"]).success();
    let second = token(&profile, "files");
    assert!(second != first && server.initialize(&second).status == 200);
}
