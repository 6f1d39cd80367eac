//! A provider that was made of an older preset: what follows the newer one, and what stays.

use crate::Engine;
use crate::tests::common::{World, ui};
use serde_json::{Value, json};
use tokenry_core::{ApplyPreset, Code, PresetUpdate, Provider, ProviderPatch};
use tokenry_testkit::Behaviour;

const NAME: &str = "github";
const OLD: &str = "2026-01-01";

fn patch(value: Value) -> ProviderPatch {
    let Value::Object(members) = value else {
        panic!("{value}")
    };
    members.into()
}

/// GitHub by its preset of an earlier day: its tokens came from another host, who one is from another path, and the user
/// has changed the scopes that it had then.
async fn with_an_older_preset() -> (World, Engine) {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    let new = patch(json!({
        "preset": {"name": NAME, "variables": {}},
        "client_id": "abc",
        "client_secret": "s3cret",
        "default_scopes": ["repo"],
    }));
    let mut provider = engine.add_provider(&ui(), new).await.unwrap();
    provider.settings.token_endpoint = Some("https://old.example/token".to_owned());
    provider.settings.userinfo_endpoint = Some("https://api.github.com/me".to_owned());
    let preset = provider.preset.as_mut().unwrap();
    preset.version = OLD.to_owned();
    for (name, value) in [
        ("token_endpoint", json!("https://old.example/token")),
        ("userinfo_endpoint", json!("https://api.github.com/me")),
        ("default_scopes", json!(["user"])),
    ] {
        preset.settings.insert(name.to_owned(), value);
    }
    let store = engine.store().unwrap();
    store
        .change(world.clock_now(), |transaction| {
            transaction.put(provider.id.row(), &provider)
        })
        .unwrap();
    drop(store);
    (world, engine)
}

fn answer(update: &PresetUpdate, accept: &[&str], keep: &[&str]) -> ApplyPreset {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ApplyPreset {
        version: update.to.clone(),
        accept: owned(accept),
        keep: owned(keep),
        ..ApplyPreset::default()
    }
}

fn version(provider: &Provider) -> &str {
    &provider.preset.as_ref().unwrap().version
}

#[tokio::test]
async fn a_newer_preset_is_followed_as_the_answer_says_and_a_move_to_another_host_alone() {
    let (_world, engine) = with_an_older_preset().await;
    let update = engine.preset_update(&ui(), NAME).unwrap();
    assert_eq!((update.from.as_str(), update.to > update.from), (OLD, true));
    let shown: Vec<_> = update
        .changes
        .iter()
        .map(|one| (one.setting.as_str(), one.is_own, one.moves_host))
        .collect();
    assert_eq!(
        shown,
        [
            ("default_scopes", true, false),
            ("token_endpoint", false, true),
            ("userinfo_endpoint", false, false)
        ]
    );

    let moved = answer(&update, &["token_endpoint"], &[]);
    let after = engine.apply_preset(&ui(), NAME, moved).await.unwrap();
    let token_endpoint = after.settings.token_endpoint.as_deref();
    assert_eq!(
        token_endpoint,
        Some("https://github.com/login/oauth/access_token")
    );
    // Two changes are not decided yet.
    assert_eq!(version(&after), OLD);
    let userinfo = after.settings.userinfo_endpoint.as_deref();
    assert_eq!(userinfo, Some("https://api.github.com/me"));

    let rest = answer(&update, &["userinfo_endpoint"], &["default_scopes"]);
    let after = engine.apply_preset(&ui(), NAME, rest).await.unwrap();
    assert_eq!(version(&after), update.to);
    assert_eq!(after.settings.default_scopes, ["repo"]);
    let userinfo = after.settings.userinfo_endpoint.as_deref();
    assert_eq!(userinfo, Some("https://api.github.com/user"));
    assert_eq!(after.client_secret.unwrap().expose(), "s3cret");
    assert!(engine.preset_update(&ui(), NAME).unwrap().changes.is_empty());
}

#[tokio::test]
async fn an_answer_to_something_else_than_what_was_shown_changes_nothing() {
    let (_world, engine) = with_an_older_preset().await;
    let update = engine.preset_update(&ui(), NAME).unwrap();
    let before = engine.provider(&ui(), NAME).await.unwrap();
    let two = answer(&update, &["token_endpoint", "userinfo_endpoint"], &[]);
    let unknown = answer(&update, &["authorization_endpoint"], &[]);
    let both = answer(&update, &["userinfo_endpoint"], &["userinfo_endpoint"]);
    for (wrong, field) in [(two, "accept"), (unknown, "accept"), (both, "keep")] {
        let error = engine.apply_preset(&ui(), NAME, wrong).await.unwrap_err();
        assert_eq!(error.code(), Code::ValidationError);
        assert!(error.fields().unwrap().contains_key(field), "{error}");
    }
    let mut stale = answer(&update, &["userinfo_endpoint"], &[]);
    stale.version = OLD.to_owned();
    let error = engine.apply_preset(&ui(), NAME, stale).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    let after = engine.provider(&ui(), NAME).await.unwrap();
    assert_eq!((after.settings, after.preset), (before.settings, before.preset));
}
