//! `tokenry import`: files as the real tools write them, through the real engine.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use tokenry_e2e::accounts::PASSPHRASE;
use tokenry_e2e::profile::Profile;

const PIZAUTH: &str = r#"auth_notify_cmd = "notify-send \"$PIZAUTH_ACCOUNT\"";
account "Work Mail" {
    auth_uri = "https://login.example.com/authorize";
    token_uri = "https://login.example.com/token";
    client_id = "work"; // from the administrator
    client_secret = "c4n4ry-pizauth";
    scopes = [ "mail.read", "offline_access" ];
    auth_uri_fields = { "login_hint": "ada@example.com" };
}
account "broken" {
    auth_uri = "https://login.example.com/authorize";
}
"#;
const GH: &str = "github.com:\n    users:\n        ada:\n            oauth_token: c4n4ry-gh\n    git_protocol: https\n    user: ada\n    oauth_token: c4n4ry-gh\nghe.example.com:\n    users:\n        ada:\n    user: ada\n";
const GLAB: &str = "# What protocol to use\ngit_protocol: ssh\nhosts:\n    gitlab.example.com:\n        token: !!null c4n4ry-glab\n        api_host: gitlab.example.com\n";

fn write(profile: &Profile, path: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(&profile.env()["HOME"]).join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

/// Sets a variable as the README of git-credential-oauth says, with the real git.
fn git_config(profile: &Profile, name: &str, value: &str) {
    let mut git = Command::new("git");
    git.env_clear()
        .envs(profile.env())
        .args(["config", "--global", name, value]);
    assert!(git.status().unwrap().success());
}

/// Imports, and gives the report. No secret may be in what is printed.
fn import(profile: &Profile, arguments: &[&str]) -> Value {
    let finished = profile
        .tokenry(&[&["--json", "import"], arguments].concat())
        .success();
    assert!(
        !finished.stdout.contains("c4n4ry") && !finished.stderr.contains("c4n4ry"),
        "{finished:?}"
    );
    finished.json()
}

fn names(report: &Value) -> Vec<(&str, &str)> {
    let items = report["items"].as_array().unwrap().iter();
    items
        .map(|item| (item["name"].as_str().unwrap(), item["state"].as_str().unwrap()))
        .collect()
}

#[test]
fn each_tool_is_imported_once_and_nothing_is_overwritten() {
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    assert_eq!(import(&profile, &[]), json!([]));
    write(&profile, ".config/pizauth.conf", PIZAUTH);
    let hosts = write(&profile, ".config/gh/hosts.yml", GH);
    write(&profile, ".config/glab-cli/config.yml", GLAB);
    let client = json!({"client_id": "m1", "redirect_uris": ["http://localhost:3334/oauth/callback"]});
    write(
        &profile,
        ".mcp-auth/mcp-remote-v1/0123456789abcdef0123456789abcdef_client_info.json",
        &serde_json::to_string_pretty(&client).unwrap(),
    );
    let host = "credential.https://gitlab.example.com";
    git_config(&profile, &format!("{host}.oauthClientId"), "gco");
    git_config(
        &profile,
        &format!("{host}.oauthScopes"),
        "read_repository write_repository",
    );
    git_config(&profile, &format!("{host}.oauthAuthURL"), "/oauth/authorize");
    git_config(&profile, &format!("{host}.oauthTokenURL"), "/oauth/token");
    let manager = "credential.https://git.example.org";
    git_config(&profile, &format!("{manager}.oauthClientId"), "gcm");
    git_config(&profile, &format!("{manager}.oauthClientSecret"), "c4n4ry-gcm");
    git_config(
        &profile,
        &format!("{manager}.oauthAuthorizeEndpoint"),
        "/login/oauth/authorize",
    );
    git_config(
        &profile,
        &format!("{manager}.oauthTokenEndpoint"),
        "/login/oauth/token",
    );

    let overview = import(&profile, &[]);
    let tools: Vec<_> = overview
        .as_array()
        .unwrap()
        .iter()
        .map(|place| place["tool"].as_str().unwrap())
        .collect();
    assert_eq!(
        tools,
        [
            "pizauth",
            "mcp-remote",
            "git-credential-oauth",
            "git-credential-manager",
            "gh",
            "glab"
        ]
    );

    let dry = import(&profile, &["pizauth", "--dry-run"]);
    assert_eq!(
        (names(&dry), &dry["imported"]),
        (vec![("work-mail", "new")], &json!(0))
    );
    assert_eq!(
        profile.tokenry(&["--json", "provider", "list"]).success().json(),
        json!([])
    );
    for (tool, name, unread) in [
        ("pizauth", Some("work-mail"), 1),
        ("gh", Some("gh-github-com-ada"), 1),
        ("glab", Some("glab-gitlab-example-com"), 0),
        ("git-credential-oauth", Some("gitlab-example-com"), 0),
        ("git-credential-manager", Some("git-example-org"), 0),
        ("mcp-remote", None, 1),
    ] {
        let report = import(&profile, &[tool, "--yes"]);
        let expected: Vec<_> = name.iter().map(|name| (*name, "new")).collect();
        assert_eq!(
            (names(&report), &report["imported"]),
            (expected, &json!(name.iter().len())),
            "{report}"
        );
        assert_eq!(report["unread"].as_array().unwrap().len(), unread, "{report}");
        let again = import(&profile, &[tool, "--yes"]);
        let expected: Vec<_> = name.iter().map(|name| (*name, "same")).collect();
        assert_eq!(
            (names(&again), &again["imported"]),
            (expected, &json!(0)),
            "{again}"
        );
    }

    let shown = profile
        .tokenry(&["--json", "provider", "show", "work-mail"])
        .success()
        .json();
    assert_eq!(
        (
            &shown["client_id"],
            &shown["has_client_secret"],
            &shown["default_scopes"],
            &shown["authorize_params"]
        ),
        (
            &json!("work"),
            &json!(true),
            &json!(["mail.read", "offline_access"]),
            &json!({"login_hint": "ada@example.com"})
        )
    );
    let shown = profile
        .tokenry(&["--json", "provider", "show", "git-example-org"])
        .success()
        .json();
    assert_eq!(
        (&shown["token_endpoint"], &shown["token_endpoint_auth_method"]),
        (
            &json!("https://git.example.org/login/oauth/token"),
            &json!("client_secret_basic")
        )
    );
    let token = profile
        .tokenry(&["credential", "show", "gh-github-com-ada", "--field", "value"])
        .success();
    assert_eq!(token.stdout.trim_end(), "c4n4ry-gh");

    // The same name for another account: it gets another name.
    let other = PIZAUTH.replace("\"work\"", "\"other\"");
    write(&profile, "other.conf", &other);
    let file = PathBuf::from(&profile.env()["HOME"]).join("other.conf");
    let report = import(&profile, &["pizauth", file.to_str().unwrap(), "--yes"]);
    assert_eq!(names(&report), [("work-mail-2", "name_taken")]);

    fs::set_permissions(&hosts, Permissions::from_mode(0o644)).unwrap();
    let report = import(&profile, &["gh", "--dry-run"]);
    assert!(
        report["warnings"][0].as_str().unwrap().contains("0644"),
        "{report}"
    );
    let refused = profile.tokenry(&["import", "gh"]);
    assert!(
        refused.code == 10 && refused.stderr.contains("--dry-run"),
        "{refused:?}"
    );
}
