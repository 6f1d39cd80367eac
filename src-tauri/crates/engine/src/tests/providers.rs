//! The registry: what is refused names its field, and a change changes what is given and nothing else.

use crate::Engine;
use crate::tests::common::{NAME, World, patch, token, ui};
use serde_json::json;
use tokenry_core::{Code, TokenEndpointAuthMethod};
use tokenry_testkit::Behaviour;

async fn engine() -> (World, Engine) {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    (world, engine)
}

#[tokio::test]
async fn each_wrong_field_is_named_and_nothing_is_kept() {
    let (world, engine) = engine().await;
    for (field, wrong) in [
        ("client_id", json!(" ")),
        ("token_endpoint", json!(null)),
        ("token_endpoint", json!("http://example.com/token")),
        ("authorization_endpoint", json!("https://a.example/x#y")),
        ("revocation_endpoint", json!("https://user@a.example/")),
        ("default_scopes", json!(["a\"b"])),
        ("scope_separator", json!("")),
        ("authorize_params", json!({"state": "mine"})),
        ("authorize_params", json!({"request": "eyJ"})),
        ("use_pkce", json!("yes")),
    ] {
        let new = world.provider(NAME).with(field, wrong);
        let error = engine.add_provider(&ui(), new).await.unwrap_err();
        assert_eq!(error.code(), Code::ValidationError);
        assert!(error.fields().unwrap().contains_key(field), "{field}: {error}");
    }
    assert!(engine.providers(&ui()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_name_is_unique_in_its_project_and_another_project_may_use_it_too() {
    let (world, engine) = engine().await;
    let first = engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    let error = engine
        .add_provider(&ui(), world.provider(NAME))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    let elsewhere = world.provider(NAME).with("project", "work");
    let second = engine.add_provider(&ui(), elsewhere).await.unwrap();
    for (reference, id) in [
        (NAME, first.id),
        ("default/sandbox", first.id),
        ("work/sandbox", second.id),
    ] {
        assert_eq!(
            engine.provider(&ui(), reference).await.unwrap().id,
            id,
            "{reference}"
        );
    }
    let how = crate::tests::common::paste(crate::ConnectOptions {
        label: Some("ci".to_owned()),
        ..Default::default()
    });
    let flow = engine.connect(&ui(), "work/sandbox", how).await.unwrap();
    let made = engine
        .callback(&ui(), &crate::tests::common::answer_of(&flow))
        .await
        .unwrap();
    assert_eq!(made.name, "work/sandbox/ci");
    assert_eq!(
        engine.connection(&ui(), &made.name).await.unwrap().connection.id,
        made.connection.id
    );
    assert_eq!(
        engine.connection(&ui(), NAME).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn a_change_changes_what_is_given_and_an_empty_secret_clears_it() {
    let (world, engine) = engine().await;
    let mut new = world.provider(NAME);
    new = new.with("client_secret", json!("s3cret"));
    let before = engine.add_provider(&ui(), new).await.unwrap();
    assert_eq!(
        (before.settings.token_endpoint_auth_method, before.auth_method()),
        (
            TokenEndpointAuthMethod::Automatic,
            TokenEndpointAuthMethod::ClientSecretPost
        )
    );
    let rename = patch(json!({"name": "renamed"}));
    let after = engine.change_provider(&ui(), NAME, rename).await.unwrap();
    assert_eq!(after.id, before.id);
    assert_eq!(after.client_secret.unwrap().expose(), "s3cret");
    assert_eq!(after.settings, before.settings);
    assert_eq!(
        engine.provider(&ui(), NAME).await.unwrap_err().code(),
        Code::NotFound
    );
    let clear = patch(json!({"client_secret": null}));
    let cleared = engine.change_provider(&ui(), "renamed", clear).await.unwrap();
    assert!(cleared.client_secret.is_none());
    let engine = world.restart(engine).await;
    assert!(
        engine
            .provider(&ui(), "renamed")
            .await
            .unwrap()
            .client_secret
            .is_none()
    );
}

/// The redirect URI has the provider's name in it.
#[tokio::test]
async fn a_provider_with_an_open_sign_in_keeps_its_name() {
    let (world, engine) = engine().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    let flow = world.flow(&engine).await;
    let rename = || patch(json!({"name": "renamed"}));
    let error = engine.change_provider(&ui(), NAME, rename()).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    engine
        .callback(&ui(), &crate::tests::common::answer_of(&flow))
        .await
        .unwrap();
    engine.change_provider(&ui(), NAME, rename()).await.unwrap();
    assert!(token(&engine, 0).await.is_err());
    engine
        .token(&ui(), "renamed", std::time::Duration::ZERO)
        .await
        .unwrap();
}

/// A provider that was stored before such a parameter was refused.
#[tokio::test]
async fn a_stored_provider_with_a_reserved_parameter_opens_and_its_sign_in_names_the_parameter() {
    let (world, engine) = engine().await;
    let mut provider = engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    let params = &mut provider.settings.authorize_params;
    params.insert("request".to_owned(), "eyJ".to_owned());
    let store = engine.store().unwrap();
    store
        .change(world.clock_now(), |transaction| {
            transaction.put(provider.id.row(), &provider)
        })
        .unwrap();
    drop(store);
    let engine = world.restart(engine).await;
    let opened = engine.provider(&ui(), NAME).await.unwrap();
    assert_eq!(opened.settings, provider.settings);
    let how = crate::tests::common::paste(crate::ConnectOptions::default());
    let error = engine.connect(&ui(), NAME, how.clone()).await.unwrap_err();
    assert_eq!(error.code(), Code::ValidationError);
    assert!(error.to_string().contains("request"), "{error}");
    // Any other change is refused as well, and names the setting; removing the parameter mends it.
    let error = engine
        .change_provider(&ui(), NAME, patch(json!({"display_name": "Kit"})))
        .await
        .unwrap_err();
    assert!(
        error.fields().unwrap().contains_key("authorize_params"),
        "{error}"
    );
    let removed = patch(json!({"authorize_params": {"request": null}}));
    engine.change_provider(&ui(), NAME, removed).await.unwrap();
    engine.connect(&ui(), NAME, how).await.unwrap();
}
