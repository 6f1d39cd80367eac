//! Providers that differ from RFC 6749: each is signed in at, refreshed and disconnected as its settings say.

mod captured;

use crate::tests::common::{NAME, World, seconds_from, token, ui, view};
use crate::{ConnectOptions, Revoked};
use serde_json::{Value, json};
use tokenry_core::ProviderPatch;
use tokenry_testkit::{Behaviour, Client, ClientAuth, Ended, Fault, Kind, Quirks, Revocation, Server};

/// A provider at the server, with these settings besides.
fn with(world: &World, settings: &Value) -> ProviderPatch {
    let mut patch = world.provider(NAME);
    for (name, value) in settings.as_object().unwrap() {
        patch = patch.with(name, value.clone());
    }
    patch
}

fn quirks(value: Value) -> Quirks {
    serde_json::from_value(value).unwrap()
}

/// What a server does differently, and what the settings of its provider say of that.
fn differences() -> Vec<(&'static str, Quirks, Value)> {
    let names = json!({"client_id": "client_key", "scope": "user_scope", "refresh_token": "old_token",
        "code_verifier": "proof", "code_challenge": "challenge", "redirect_uri": "return_to", "token": "access_token"});
    let paths = json!({"access_token": "authed_user.access_token", "refresh_token": "authed_user.refresh_token",
        "token_type": "authed_user.kind", "expires_in": "authed_user.ttl", "scope": "authed_user.scope"});
    vec![
        ("none", Quirks::default(), json!({})),
        (
            "json",
            quirks(json!({"json_bodies": true})),
            json!({"token_body_format": "json"}),
        ),
        (
            "names",
            quirks(json!({"names": names})),
            json!({"param_names": names}),
        ),
        (
            "parameters",
            quirks(
                json!({"demands": {"authorization_code": ["action", "requesttoken"], "refresh_token": ["action", "renew"]}}),
            ),
            json!({"token_params": {"action": "requesttoken"}, "refresh_params": {"action": "renew"}}),
        ),
        (
            "headers",
            quirks(json!({"headers": {"notion-version": "2022-06-28"}})),
            json!({"token_headers": {"Notion-Version": "2022-06-28"}}),
        ),
        (
            "paths",
            quirks(
                json!({"paths": paths, "members": {"ok": true, "access_token": "of-the-bot", "token_type": "bot"}}),
            ),
            json!({"token_response_paths": paths}),
        ),
        (
            "code",
            quirks(json!({"code_param": "auth_code"})),
            json!({"code_param": "auth_code"}),
        ),
        (
            "userinfo",
            quirks(
                json!({"userinfo_method": "POST", "account_paths": {"sub": "data.user.uid", "name": "data.user.title", "email": "data.mail"}}),
            ),
            json!({"userinfo_method": "post", "account_source": "userinfo",
                "account_paths": {"id": "data.user.uid", "name": "data.user.title", "email": "data.mail"}}),
        ),
        (
            "bearer",
            quirks(json!({"revocation": "bearer"})),
            json!({"revocation_method": "bearer"}),
        ),
        (
            "own revocation",
            quirks(json!({"names": {"token": "key"}})),
            json!({"revocation_method": "parameters", "revocation_params": {"key": "{token}", "client_id": "{client_id}"}}),
        ),
    ]
}

#[tokio::test]
async fn each_difference_is_signed_in_at_refreshed_and_disconnected() {
    for (what, quirks, settings) in differences() {
        let world = World::new(Behaviour {
            quirks,
            ..Behaviour::default()
        });
        let engine = world.start().await;
        engine.add_provider(&ui(), with(&world, &settings)).await.unwrap();
        let made = world.sign_in(&engine, ConnectOptions::default()).await;
        let made = made.unwrap_or_else(|error| panic!("{what}: {error}")).connection;
        assert_eq!(made.trouble, None, "{what}");
        assert_eq!(made.granted_scopes.to_string(), "read write", "{what}");
        assert_eq!(seconds_from(world.clock_now(), made.expires_at), 3600, "{what}");
        let account = made.account.unwrap_or_else(|| panic!("{what}"));
        assert_eq!(
            (account.subject.as_str(), account.display_name()),
            ("sub-1", "ada@example.com"),
            "{what}"
        );
        for _ in 0..2 {
            let got = token(&engine, 0).await.unwrap();
            assert!(world.server.accepts(got.access_token.expose()), "{what}");
            engine
                .refresh(&ui(), NAME)
                .await
                .unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        assert_eq!(world.server.replays_of_replaced_tokens(), 0, "{what}");
        assert_eq!(
            engine.disconnect(&ui(), NAME).await.unwrap(),
            Revoked::Yes,
            "{what}"
        );
        assert_eq!(world.server.families()[0].ended, Some(Ended::Revoked), "{what}");
    }
}

/// A server that wants something else than the settings say refuses: the rows above are not passed by chance.
#[tokio::test]
async fn without_its_settings_each_different_server_refuses() {
    for (what, quirks, settings) in differences() {
        if matches!(what, "none" | "names" | "userinfo" | "bearer" | "own revocation") {
            continue;
        }
        let world = World::new(Behaviour {
            quirks,
            ..Behaviour::default()
        });
        let engine = world.start().await;
        engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
        let made = world.sign_in(&engine, ConnectOptions::default()).await;
        assert!(made.is_err(), "{what} {settings}");
    }
}

#[tokio::test]
async fn a_secret_is_a_user_name_and_a_delete_ends_a_grant() {
    let client = Client::confidential("tokenry", "sk-live-secret", ClientAuth::UserName);
    let basic = Client::confidential("tokenry", "sk-live-secret", ClientAuth::Basic);
    for (client, revocation, settings) in [
        (
            client,
            Revocation::Rfc7009,
            json!({"token_endpoint_auth_method": "secret_as_user_name"}),
        ),
        (
            basic,
            Revocation::Delete,
            json!({"token_endpoint_auth_method": "client_secret_basic", "revocation_method": "delete",
                "param_names": {"token": "access_token"}}),
        ),
    ] {
        let mut behaviour = Behaviour {
            clients: vec![client],
            ..Behaviour::default()
        };
        behaviour.quirks.revocation = revocation;
        if revocation == Revocation::Delete {
            behaviour.quirks.names = [("token".to_owned(), "access_token".to_owned())].into();
        }
        let world = World::new(behaviour);
        let engine = world.start().await;
        let patch = with(&world, &settings).with("client_secret", json!("sk-live-secret"));
        engine.add_provider(&ui(), patch).await.unwrap();
        world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
        engine.refresh(&ui(), NAME).await.unwrap();
        assert_eq!(
            engine.disconnect(&ui(), NAME).await.unwrap(),
            Revoked::Yes,
            "{settings}"
        );
        assert_eq!(
            world.server.families()[0].ended,
            Some(Ended::Revoked),
            "{settings}"
        );
    }
}

/// Behind an access token that has ended, the grant lives on: that is not told as a success.
#[tokio::test]
async fn an_access_token_that_has_ended_revokes_nothing_and_that_is_told() {
    let mut behaviour = Behaviour::default();
    behaviour.quirks.revocation = Revocation::Bearer;
    let world = World::new(behaviour);
    let engine = world.start().await;
    let patch = with(&world, &json!({"revocation_method": "bearer"}));
    engine.add_provider(&ui(), patch).await.unwrap();
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    world.server.set(|behaviour| {
        behaviour.revocation_fault = Some(Fault::OauthError {
            status: 401,
            error: "invalid_token".into(),
        })
    });
    let (revoked, detail) = engine.disconnect_and_tell(&ui(), NAME).await.unwrap();
    assert_eq!(revoked, Revoked::No);
    assert!(detail.unwrap().contains("no longer takes the access token"));
}

#[tokio::test]
async fn an_account_is_read_where_the_settings_say() {
    let members = json!({"user": {"id": 9_007_199_254_740_993_u64, "mail": "ada@example.org"}});
    for (settings, subject, shown) in [
        (
            json!({"account_source": "token_response", "account_paths": {"id": "user.id", "email": "user.mail"}}),
            Some("9007199254740993"),
            "ada@example.org",
        ),
        (
            json!({"userinfo_endpoint": null, "account_paths": {"id": "user.id"}}),
            Some("9007199254740993"),
            "9007199254740993",
        ),
        (
            json!({"userinfo_endpoint": null, "account_paths": {"id": "user.none"}}),
            None,
            "",
        ),
        (
            json!({"account_source": "userinfo", "account_paths": {"id": "email"}}),
            Some("ada@example.com"),
            "ada@example.com",
        ),
        (
            json!({"account_source": "introspection"}),
            Some("sub-1"),
            "Ada Lovelace",
        ),
    ] {
        let mut behaviour = Behaviour::default();
        behaviour.quirks.members = members.as_object().unwrap().clone();
        let world = World::new(behaviour);
        let engine = world.start().await;
        let patch = with(&world, &settings).with(
            "introspection_endpoint",
            json!(world.server.introspection_endpoint()),
        );
        engine.add_provider(&ui(), patch).await.unwrap();
        let made = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
        let account = made.connection.account;
        assert_eq!(
            account.as_ref().map(|account| account.subject.as_str()),
            subject,
            "{settings}"
        );
        assert_eq!(
            account.as_ref().map_or("", |account| account.display_name()),
            shown,
            "{settings}"
        );
        // At a refresh, another place to look is no other account.
        let elsewhere = crate::tests::common::patch(
            json!({"account_source": "token_response", "account_paths": {"id": "scope"}}),
        );
        engine.change_provider(&ui(), NAME, elsewhere).await.unwrap();
        engine.refresh(&ui(), NAME).await.unwrap();
        assert_eq!(view(&engine).await.connection.account, account, "{settings}");
    }
}

#[tokio::test]
async fn a_userinfo_that_is_a_jwt_names_no_account() {
    let mut behaviour = Behaviour::default();
    behaviour.quirks.userinfo_is_jwt = true;
    let (world, engine) = World::connected(behaviour).await;
    assert_eq!(view(&engine).await.connection.account, None);
    assert_eq!(world.server.count(Kind::Userinfo), 1);
}

fn long_lived(server: &Server, parameter: &str) -> Value {
    json!({"endpoint": server.long_lived_endpoint(), "method": "get",
        "params": {parameter: "{access_token}", "client_id": "{client_id}"}})
}

#[tokio::test]
async fn a_second_exchange_brings_the_long_lived_token() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    let patch = with(
        &world,
        &json!({"exchange_step": long_lived(&world.server, "short")}),
    );
    engine.add_provider(&ui(), patch).await.unwrap();
    let made = world
        .sign_in(&engine, ConnectOptions::default())
        .await
        .unwrap()
        .connection;
    assert_eq!(seconds_from(world.clock_now(), made.expires_at), 60 * 24 * 3600);
    assert_eq!(
        (made.trouble, made.account.unwrap().subject.as_str()),
        (None, "sub-1")
    );
    let got = token(&engine, 0).await.unwrap();
    assert!(world.server.accepts(got.access_token.expose()));
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(
        world.server.count(Kind::LongLived),
        1,
        "it is a step of the sign-in alone"
    );
}

/// The code is used up by then, so the token it brought must not be thrown away.
#[tokio::test]
async fn where_the_second_exchange_fails_the_first_token_is_kept_and_the_user_told() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    let patch = with(
        &world,
        &json!({"exchange_step": long_lived(&world.server, "wrong")}),
    );
    engine.add_provider(&ui(), patch).await.unwrap();
    let made = world
        .sign_in(&engine, ConnectOptions::default())
        .await
        .unwrap()
        .connection;
    let trouble = made.trouble.unwrap().message;
    assert!(
        trouble.contains("short-lived token") && trouble.contains("invalid_request"),
        "{trouble}"
    );
    let got = token(&engine, 0).await.unwrap();
    assert!(world.server.accepts(got.access_token.expose()));
    assert!(!trouble.contains(got.access_token.expose()));
    assert_eq!(world.server.families()[0].ended, None);
    engine.refresh(&ui(), NAME).await.unwrap();
}

#[tokio::test]
async fn a_token_whose_end_is_not_told_lives_as_long_as_the_settings_say() {
    let behaviour = Behaviour {
        token_fault: Some(Fault::OmitExpiresIn),
        ..Behaviour::default()
    };
    let world = World::new(behaviour);
    let engine = world.start().await;
    engine
        .add_provider(&ui(), with(&world, &json!({"default_expires_in": 900})))
        .await
        .unwrap();
    let made = world
        .sign_in(&engine, ConnectOptions::default())
        .await
        .unwrap()
        .connection;
    assert_eq!(seconds_from(world.clock_now(), made.expires_at), 900);
    assert!(made.refresh_at.is_some(), "so it is refreshed in time");
}
