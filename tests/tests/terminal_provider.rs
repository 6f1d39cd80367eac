//! Adding a provider by its preset at a terminal, and following a newer preset there.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::fs::File;
use tokenry_backup::{Entry, Key, Reader, Seal};
use tokenry_core::Secret;
use tokenry_e2e::accounts::PASSPHRASE;
use tokenry_e2e::backup::{OF_BACKUP, text};
use tokenry_e2e::process::wait_for;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::terminal::Terminal;

const INTERRUPTED: i32 = 130;
const SECRET: &str = "c4n4ry-client-secret";

fn tokenry(profile: &Profile, arguments: &[&str]) -> Terminal {
    Terminal::start(&profile.command("tokenry", arguments))
}

fn providers(profile: &Profile) -> Value {
    profile.tokenry(&["--json", "provider", "list"]).success().json()
}

fn provider(profile: &Profile, name: &str) -> Value {
    let show = ["--json", "provider", "show", name];
    profile.tokenry(&show).success().json()
}

#[test]
fn provider_add_asks_again_for_a_wrong_value_and_ctrl_c_keeps_nothing() {
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let mut add = tokenry(&profile, &["provider", "add", "gitea"]);
    add.shows("Gitea host (for example gitea.com): ");
    add.types("git example\n");
    let shown = add.shows("does not look like gitea.com");
    assert!(!shown.contains("Client ID"), "{shown}");
    wait_for("the second question", || {
        (add.screen().matches("Gitea host (").count() == 2).then_some(())
    });
    // The address of a site stands for its host.
    add.types("https://git.example.org/\n");
    let shown = add.shows("Client ID: ");
    for part in [
        "https://git.example.org/user/settings/applications",
        "Redirect URI: http://127.0.0.1/cb/gitea (field “Redirect URIs”)",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    add.types("abc\n");
    add.shows("Client secret (empty if there is none)");
    wait_for("the hidden prompt", || (!add.echoes()).then_some(()));
    add.interrupts();
    wait_for("the echo", || add.echoes().then_some(()));
    assert_eq!(add.ends().0, INTERRUPTED);
    assert_eq!(providers(&profile), json!([]));

    // An empty client ID is none.
    let mut add = tokenry(&profile, &["provider", "add", "github"]);
    add.shows("Client ID: ");
    add.types("\n");
    let (code, shown) = add.ends();
    assert!(
        code != 0 && shown.contains("the client ID is missing"),
        "{code} {shown}"
    );
    assert_eq!(providers(&profile), json!([]));
}

#[test]
fn provider_add_takes_defaults_hides_the_secret_and_asks_nothing_for_a_taken_name() {
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let mut add = tokenry(&profile, &["provider", "add", "entra"]);
    add.shows("(common, or for example contoso.onmicrosoft.com): ");
    add.types("\n");
    let shown = add.shows("Client ID: ");
    add.types("abc\n");
    let (code, _) = add.ends();
    assert_eq!(code, 0);
    let added = provider(&profile, "microsoft");
    assert_eq!(added["preset"]["variables"], json!({"tenant": "common"}));
    assert_eq!(added["has_client_secret"], false);
    let redirect_uri = added["redirect_uris"][0].as_str().unwrap();
    assert!(shown.contains(redirect_uri), "{redirect_uri}: {shown}");

    let mut add = tokenry(&profile, &["provider", "add", "github"]);
    add.shows("Client ID: ");
    add.types("abc\n");
    add.shows("Client secret");
    wait_for("the hidden prompt", || (!add.echoes()).then_some(()));
    add.types(&format!("{SECRET}\n"));
    let (code, shown) = add.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("`tokenry connect github`") && !shown.contains(SECRET),
        "{shown}"
    );
    assert_eq!(provider(&profile, "github")["has_client_secret"], true);

    let (code, shown) = tokenry(&profile, &["provider", "add", "github"]).ends();
    assert!(
        code != 0 && shown.contains("already a provider called github"),
        "{code} {shown}"
    );
    assert!(!shown.contains("Client ID"), "{shown}");
}

/// A backup with the same provider, but made of an earlier preset: then its tokens came from another host, and who one is
/// from another path. The user has changed the scopes of that time.
fn with_an_older_preset(profile: &Profile) {
    let scratch = profile.scratch();
    let (now, before) = (scratch.join("now.age"), scratch.join("before.age"));
    let passphrase = format!("{OF_BACKUP}\n");
    let backup = ["backup", text(&now), "--passphrase-fd", "0"];
    profile.tokenry_with(&backup, &passphrase).success();
    let passphrase_of_file = Secret::new(OF_BACKUP.to_owned());
    let mut reader = Reader::open(File::open(&now).unwrap(), &Key::passphrase(&passphrase_of_file)).unwrap();
    let seal = Seal::Passphrase {
        passphrase: passphrase_of_file,
        work_factor: 4,
    };
    let (prepared, _) = seal.prepare().unwrap();
    let mut writer = prepared
        .begin(File::create(&before).unwrap(), reader.header())
        .unwrap();
    while let Some(mut entry) = reader.next_entry().unwrap() {
        if let Entry::Provider(provider) = &mut entry {
            let settings = &mut provider.settings;
            settings.token_endpoint = Some("https://old.example/token".to_owned());
            settings.userinfo_endpoint = Some("https://api.github.com/me".to_owned());
            let preset = provider.preset.as_mut().unwrap();
            preset.version = "2026-01-01".to_owned();
            let mut set = |name: &str, value| preset.settings.insert(name.to_owned(), value);
            set("token_endpoint", json!("https://old.example/token"));
            set("userinfo_endpoint", json!("https://api.github.com/me"));
            set("default_scopes", json!(["user"]));
        }
        writer.put(&entry).unwrap();
    }
    writer.finish().unwrap();
    profile.tokenry(&["provider", "remove", "github"]).success();
    let restore = ["restore", text(&before), "--passphrase-fd", "0", "--yes"];
    profile.tokenry_with(&restore, &passphrase).success();
}

#[test]
fn provider_update_shows_what_changes_and_asks_about_each_move_to_another_host() {
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let add = [
        "provider",
        "add",
        "github",
        "--client-id",
        "abc",
        "--default-scope",
        "repo",
        "--client-secret-stdin",
    ];
    profile.tokenry_with(&add, SECRET).success();
    with_an_older_preset(&profile);
    let before = provider(&profile, "github");
    assert_eq!(before["token_endpoint"], "https://old.example/token");

    let mut update = tokenry(&profile, &["provider", "update"]);
    let shown = update.shows("Follow 1 of these changes? [y/N] ");
    for line in [
        "the preset github of 2026-01-01 became one of",
        "you changed it: stays",
        "moves to another host",
        "https://api.github.com/me",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    update.types("y\n");
    update.shows("Move the token endpoint from old.example to github.com?");
    update.interrupts();
    assert_eq!(update.ends().0, INTERRUPTED);
    assert_eq!(provider(&profile, "github"), before);

    let mut update = tokenry(&profile, &["provider", "update", "github"]);
    update.shows("Follow 1 of these changes? [y/N] ");
    update.types("y\n");
    update.shows("Codes and tokens will go there. [y/N] ");
    update.types("\n");
    let (code, shown) = update.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("token endpoint stays where it is"), "{shown}");
    let after = provider(&profile, "github");
    assert_eq!(after["token_endpoint"], "https://old.example/token");
    assert_eq!(after["userinfo_endpoint"], "https://api.github.com/user");
    assert_eq!(after["default_scopes"], json!(["repo"]));
    assert_eq!(after["preset"]["newer"], Value::Null);
    let again = profile.tokenry(&["provider", "update"]).success();
    assert!(
        again.stderr.contains("No provider has a newer preset"),
        "{again:?}"
    );
}
