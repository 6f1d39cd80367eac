//! What an app's grant lets it do with credentials, and with a credential as a client secret.

use crate::{
    AnyCredential, Engine, Initialise, NewCredential,
    tests::common::{NAME, World, ui},
};
use std::collections::BTreeSet;
use tokenry_core::{
    ApiScope, AppCaller, AppId, Caller, Code, CredentialId, CredentialType, Grant, GrantId, OsRandom, Secret,
    SystemClock,
};
use tokenry_testkit::Behaviour;

/// A client secret, base64: `testkit-secret`.
const SECRET: &str = "dGVzdGtpdC1zZWNyZXQ=";

fn draft(name: &str) -> NewCredential {
    NewCredential {
        name: name.parse().unwrap(),
        project: None,
        kind: CredentialType::Raw,
        data: [("value".to_owned(), Secret::new(SECRET.to_owned()))].into(),
        redact_fields: BTreeSet::new(),
        expires_at: None,
    }
}

/// An app that was given these scopes, with these credentials.
fn granted(engine: &Engine, scopes: &[ApiScope], credentials: &[CredentialId]) -> Caller {
    let (app, now) = (AppId::new(&SystemClock, &OsRandom), engine.now());
    let grant = Grant {
        id: GrantId::new(&SystemClock, &OsRandom),
        app,
        scopes: scopes.iter().copied().collect(),
        connections: BTreeSet::new(),
        credentials: credentials.iter().copied().collect(),
        token_scopes: None,
        while_locked: false,
        expires_at: None,
        created_at: now,
        last_used_at: None,
    };
    let store = engine.store().unwrap();
    store
        .change(now, |transaction| transaction.put(grant.id.row(), &grant))
        .unwrap();
    Caller::App(AppCaller {
        app,
        grant: None,
        scopes: None,
        token: None,
        peer: None,
    })
}

async fn names(engine: &Engine, caller: &Caller) -> Vec<String> {
    let all = engine.credentials(caller).await.unwrap();
    let name = |any: &AnyCredential| match any {
        AnyCredential::Entered(view) => view.name.to_string(),
        AnyCredential::Connection { view, .. } => view.name.clone(),
    };
    all.iter().map(name).collect()
}

#[tokio::test]
async fn an_app_sees_and_reads_the_credentials_it_was_given_and_no_other() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let given = engine.add_credential(&ui(), draft("given")).await.unwrap().id;
    engine.add_credential(&ui(), draft("kept")).await.unwrap();
    let app = granted(&engine, &[ApiScope::CredentialsRead], &[given]);
    assert_eq!(names(&engine, &app).await, ["given"]);
    assert!(engine.credential(&app, "given").await.is_ok());
    for error in [
        engine.credential(&app, "kept").await.map(drop).unwrap_err(),
        engine.credential(&app, NAME).await.map(drop).unwrap_err(),
        engine
            .credential_value(&app, "kept", "value")
            .await
            .map(drop)
            .unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::NotFound, "{error}");
    }
    for error in [
        engine.remove_credential(&app, "given").await.unwrap_err(),
        engine
            .add_credential(&app, draft("more"))
            .await
            .map(drop)
            .unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::PermissionDenied, "{error}");
    }
}

/// `:own` is what the app made itself.
#[tokio::test]
async fn what_an_app_made_is_its_own_and_no_other_apps() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let both = [ApiScope::CredentialsRead, ApiScope::CredentialsWrite];
    let (maker, other) = (granted(&engine, &both, &[]), granted(&engine, &both, &[]));
    engine.add_credential(&maker, draft("mine")).await.unwrap();
    assert_eq!(names(&engine, &maker).await, ["mine"]);
    assert!(names(&engine, &other).await.is_empty());
    let error = engine.credential(&other, "mine").await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let error = engine.remove_credential(&other, "mine").await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    engine.credential(&maker, "mine").await.unwrap();
    engine.remove_credential(&maker, "mine").await.unwrap();
}

/// Else an app could have any credential sent to a provider of its own.
#[tokio::test]
async fn an_app_uses_only_a_credential_it_may_read_as_a_client_secret() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    let mut provider = world.provider(NAME);
    provider = provider.with("redirect", "paste");
    engine.add_provider(&ui(), provider).await.unwrap();
    let id = engine.add_credential(&ui(), draft("secret")).await.unwrap().id;
    let request = Initialise {
        project: "default".to_owned(),
        provider: NAME.to_owned(),
        authorize_url: world.server.authorization_endpoint().to_string(),
        client_id: "tokenry".to_owned(),
        credential: "secret".to_owned(),
        organisation: "default".to_owned(),
        ..Initialise::default()
    };
    let only_starts = granted(&engine, &[ApiScope::AuthWrite], &[]);
    let error = engine
        .initialise(&only_starts, request.clone())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
    let may = granted(
        &engine,
        &[ApiScope::AuthWriteOwn, ApiScope::CredentialsRead],
        &[id],
    );
    engine.initialise(&may, request).await.unwrap();
}

/// evershell-oauth-start: with `:own`, the row of another is out of reach. It is not even there for the app, so that the
/// provider's name means a sign-in of the app's own.
#[tokio::test]
async fn with_own_an_app_starts_only_its_own() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let own = granted(&engine, &[ApiScope::AuthWriteOwn], &[]);
    let users = engine.connections(&ui()).await.unwrap()[0].connection.id;
    let error = engine.start_oauth(&own, &users.to_string()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let flow = engine.start_oauth(&own, NAME).await.unwrap();
    assert_ne!(flow.connection, users);
    let again = engine
        .start_oauth(&own, &flow.connection.to_string())
        .await
        .unwrap();
    assert_eq!(again.flow, flow.flow);
    let other = granted(&engine, &[ApiScope::AuthWriteOwn], &[]);
    let error = engine
        .start_oauth(&other, &flow.connection.to_string())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let apart = engine.start_oauth(&other, NAME).await.unwrap();
    assert_ne!(apart.connection, flow.connection, "each has a sign-in of its own");
}
