//! A provider's settings on the command line: what `show` prints goes back in, and any setting can be set.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::accounts::{self, PASSPHRASE, add};
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Server};

fn shown(profile: &Profile, name: &str) -> Value {
    profile
        .tokenry(&["--json", "provider", "show", name])
        .success()
        .json()
}

/// The settings of a shown provider.
fn settings(mut shown: Value) -> Value {
    let members = shown.as_object_mut().unwrap();
    let others = [
        "id",
        "name",
        "has_client_secret",
        "self_registered",
        "redirect_uris",
        "created_at",
        "updated_at",
    ];
    members.retain(|name, _| !others.contains(&name.as_str()));
    shown
}

#[test]
fn what_show_prints_can_be_added_and_edited_again() {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let rotation = json!({"kind": "grace", "seconds": 20});
    add(&profile, &accounts::testkit_provider(&server, "kit", &rotation)).success();
    let set = [
        "authorize_params.prompt=consent",
        "authorize_params.audience=api",
        "use_pkce=false",
        "issuer_aliases=as.example,other.example",
        "scope_separator=,",
    ];
    let mut edit = vec!["provider", "edit", "kit"];
    set.iter().for_each(|set| edit.extend(["--set", set]));
    profile.tokenry(&edit).success();
    let kit = shown(&profile, "kit");
    assert_eq!(
        kit["authorize_params"],
        json!({"audience": "api", "prompt": "consent"})
    );
    assert_eq!(
        (&kit["use_pkce"], &kit["issuer_aliases"]),
        (&json!(false), &json!(["as.example", "other.example"]))
    );

    let from_file = ["provider", "add", "--from", "-", "--name", "copy"];
    profile.tokenry_with(&from_file, &kit.to_string()).success();
    assert_eq!(settings(shown(&profile, "copy")), settings(kit.clone()));

    let reset = ["--set", "authorize_params.audience=", "--set", "issuer_aliases="];
    profile
        .tokenry(&[&["provider", "edit", "copy"], &reset[..]].concat())
        .success();
    let copy = shown(&profile, "copy");
    assert_eq!(copy["authorize_params"], json!({"prompt": "consent"}));
    assert_eq!(copy["issuer_aliases"], json!([]));
    let from_file = ["provider", "edit", "copy", "--from", "-", "--name", "copy"];
    profile.tokenry_with(&from_file, &kit.to_string()).success();
    assert_eq!(settings(shown(&profile, "copy")), settings(kit));

    let wrong = profile.tokenry(&["provider", "edit", "kit", "--set", "use_pcke=true"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.stderr.contains("did you mean use_pkce?"), "{wrong:?}");
}
