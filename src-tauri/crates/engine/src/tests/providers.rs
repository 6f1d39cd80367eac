//! The registry: what is refused names its field, and a change changes what is given and nothing else.

use crate::Engine;
use crate::tests::common::{NAME, World, token, ui};
use tokenry_core::{Code, ProviderChange, Secret, TokenEndpointAuthMethod};
use tokenry_testkit::Behaviour;
use url::Url;

async fn engine() -> (World, Engine) {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    (world, engine)
}

fn url(text: &str) -> Option<Option<Url>> {
    Some(Some(text.parse().unwrap()))
}

type Spoil = fn(&mut ProviderChange);

#[tokio::test]
async fn each_wrong_field_is_named_and_nothing_is_kept() {
    let (world, engine) = engine().await;
    let cases: [(&str, Spoil); 8] = [
        ("client_id", |c| c.client_id = Some(" ".to_owned())),
        ("token_endpoint", |c| c.token_endpoint = Some(None)),
        ("token_endpoint", |c| {
            c.token_endpoint = url("http://example.com/token")
        }),
        ("authorization_endpoint", |c| {
            c.authorization_endpoint = url("https://a.example/x#y")
        }),
        ("revocation_endpoint", |c| {
            c.revocation_endpoint = url("https://user@a.example/")
        }),
        ("default_scopes", |c| {
            c.default_scopes = Some(vec!["a\"b".to_owned()].into())
        }),
        ("scope_separator", |c| c.scope_separator = Some(String::new())),
        ("authorize_params", |c| {
            c.authorize_params = Some([("state".to_owned(), "mine".to_owned())].into());
        }),
    ];
    for (field, spoil) in cases {
        let mut new = world.provider(NAME);
        spoil(&mut new.change);
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
    let mut elsewhere = world.provider(NAME);
    elsewhere.project = Some("work".parse().unwrap());
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
    new.change.client_secret = Some(Some(Secret::new("s3cret".to_owned())));
    let before = engine.add_provider(&ui(), new).await.unwrap();
    assert_eq!(
        before.token_endpoint_auth_method,
        TokenEndpointAuthMethod::ClientSecretPost
    );
    let rename = ProviderChange {
        name: Some("renamed".parse().unwrap()),
        ..ProviderChange::default()
    };
    let after = engine.change_provider(&ui(), NAME, rename).await.unwrap();
    assert_eq!(after.id, before.id);
    assert_eq!(after.client_secret.unwrap().expose(), "s3cret");
    assert_eq!(after.token_endpoint, before.token_endpoint);
    assert_eq!(
        engine.provider(&ui(), NAME).await.unwrap_err().code(),
        Code::NotFound
    );
    let clear = ProviderChange {
        client_secret: Some(None),
        ..ProviderChange::default()
    };
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
    let rename = || ProviderChange {
        name: Some("renamed".parse().unwrap()),
        ..ProviderChange::default()
    };
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
