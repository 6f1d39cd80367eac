//! A flow started with every choice in one request, and a client secret that is kept as a credential.

use crate::tests::common::{NAME, World, answer_of, patch, status, token, ui, view};
use crate::tests::credentials::{app, encoded, new, program};
use crate::{CredentialChange, Engine, Error, Initialise, NewCredential, StartedFlow};
use serde_json::json;
use std::collections::BTreeMap;
use tokenry_core::{Code, ConnectionStatus, CredentialType, Redirect, TokenEndpointAuthMethod};
use tokenry_testkit::Behaviour;

/// The secret of the test server's confidential client.
const SECRET: &str = "testkit-secret";

/// A provider that holds no secret of its own, and a credential that does.
async fn ready() -> (World, Engine) {
    let world = World::trusting(Behaviour::default());
    let engine = world.start().await;
    let mut provider = world.provider(NAME);
    provider = provider.with("client_id", json!("tokenry-confidential"));
    provider = provider.with("redirect", json!(Redirect::Paste));
    provider = provider.with(
        "token_endpoint_auth_method",
        json!(TokenEndpointAuthMethod::ClientSecretPost),
    );
    engine.add_provider(&ui(), provider).await.unwrap();
    let secret = new("secret", CredentialType::Default, &[("client_secret", SECRET)]);
    engine.add_credential(&ui(), secret).await.unwrap();
    (world, engine)
}

fn request(world: &World) -> Initialise {
    Initialise {
        project: "default".to_owned(),
        provider: NAME.to_owned(),
        authorize_url: world.server.authorization_endpoint().to_string(),
        client_id: "tokenry-confidential".to_owned(),
        credential: "secret".to_owned(),
        organisation: "default".to_owned(),
        ..Initialise::default()
    }
}

fn sent(flow: &StartedFlow) -> BTreeMap<String, String> {
    flow.authorization_url.query_pairs().into_owned().collect()
}

fn fields(error: &Error) -> Vec<&str> {
    assert_eq!(error.code(), Code::ValidationError, "{error}");
    error.fields().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn the_credentials_client_secret_is_used_for_the_exchange_and_for_refreshes() {
    let (world, engine) = ready().await;
    let flow = engine.initialise(&program(), request(&world)).await.unwrap();
    engine.callback(&ui(), &answer_of(&flow)).await.unwrap();
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
    token(&engine, 0).await.unwrap();
    engine.refresh(&ui(), NAME).await.unwrap();
    let again = engine.start_oauth(&ui(), NAME).await.unwrap();
    engine.callback(&ui(), &answer_of(&again)).await.unwrap();
    let in_use = engine.remove_credential(&ui(), "secret").await.unwrap_err();
    assert_eq!(in_use.code(), Code::Conflict);
    engine.disconnect(&ui(), NAME).await.unwrap();
    engine.remove_credential(&ui(), "secret").await.unwrap();
}

#[tokio::test]
async fn a_secret_that_is_gone_ends_no_grant() {
    let (world, engine) = ready().await;
    let flow = engine.initialise(&program(), request(&world)).await.unwrap();
    engine.callback(&ui(), &answer_of(&flow)).await.unwrap();
    let ends = CredentialChange {
        expires_at: Some(Some(
            view(&engine).await.connection.created_at + std::time::Duration::from_secs(60),
        )),
        ..CredentialChange::default()
    };
    engine.change_credential(&ui(), "secret", ends).await.unwrap();
    world.pass(61);
    world.server.clear_log();
    engine.refresh(&ui(), NAME).await.unwrap_err();
    assert!(world.server.log().is_empty(), "nothing was sent");
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
    token(&engine, 0).await.unwrap();
}

#[tokio::test]
async fn the_prompt_is_login_unless_something_else_is_said() {
    let (world, engine) = ready().await;
    let with = |parameters: &str, prompt: &str| Initialise {
        additional_parameters: parameters.to_owned(),
        prompt: prompt.to_owned(),
        ..request(&world)
    };
    for (parameters, prompt, expected) in [
        ("", "", Some("login")),
        ("approval_prompt=force&access_type=offline", "", None),
        ("prompt=select_account", "", Some("select_account")),
        ("", "consent+select_account", Some("consent select_account")),
        ("", "none", Some("none")),
        ("approval_prompt=force", "consent", Some("consent")),
    ] {
        let flow = engine.initialise(&ui(), with(parameters, prompt)).await.unwrap();
        assert_eq!(
            sent(&flow).get("prompt").map(String::as_str),
            expected,
            "{parameters} {prompt}"
        );
        assert!(
            parameters.is_empty() || sent(&flow).len() > 7,
            "{:?}",
            sent(&flow)
        );
    }
    let error = engine
        .initialise(&ui(), with("", "none+login"))
        .await
        .unwrap_err();
    assert_eq!(fields(&error), ["prompt"]);
}

#[tokio::test]
async fn offline_access_is_asked_for_unless_it_is_switched_off() {
    let (world, engine) = ready().await;
    for (scopes, disabled, expected) in [
        (None, false, "read write offline_access"),
        (None, true, "read write"),
        (Some(vec!["a", "b"]), false, "a b offline_access"),
        (Some(vec!["offline_access", "a"]), false, "offline_access a"),
        (Some(vec!["a"]), true, "a"),
        (Some(vec![]), false, "offline_access"),
        (Some(vec![]), true, ""),
    ] {
        let scopes = scopes.map(|scopes| scopes.into_iter().map(str::to_owned).collect());
        let request = Initialise {
            scopes,
            disable_offline_access: disabled,
            ..request(&world)
        };
        let flow = engine.initialise(&ui(), request).await.unwrap();
        assert_eq!(sent(&flow).get("scope").map_or("", String::as_str), expected);
    }
    let bad = Initialise {
        scopes: Some(vec!["a b".to_owned()]),
        ..request(&world)
    };
    assert_eq!(
        fields(&engine.initialise(&ui(), bad).await.unwrap_err()),
        ["scopes"]
    );
}

#[tokio::test]
async fn each_parameter_that_conflicts_with_ours_is_named() {
    let (world, engine) = ready().await;
    let parameters = "client_id=x&redirect_uri=https://evil.example&response_type=token&scope=all&state=s\
        &code_challenge=c&code_challenge_method=plain&nonce=n&resource=r&request_uri=u&prompt=none&fine=1&Redirect.URI[]=x";
    let request = Initialise {
        additional_parameters: parameters.to_owned(),
        prompt: "login".to_owned(),
        ..request(&world)
    };
    let error = engine.initialise(&ui(), request.clone()).await.unwrap_err();
    let mut expected: Vec<String> = [
        "Redirect.URI[]",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "redirect_uri",
        "request_uri",
        "response_type",
        "scope",
        "state",
    ]
    .map(|name| format!("additionalParams.{name}"))
    .into();
    expected.sort();
    assert_eq!(fields(&error), expected);
    for (bad, field) in [
        ("a=1&a=2", "additionalParams.a"),
        ("a=1&A=2", "additionalParams.A"),
        ("a=%zz", "additionalParams"),
    ] {
        let request = Initialise {
            additional_parameters: bad.to_owned(),
            ..request.clone()
        };
        assert_eq!(
            fields(&engine.initialise(&ui(), request).await.unwrap_err()),
            [field]
        );
    }
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
}

/// versori-oauth2-initialise: what conflicts is what the request or the provider sets itself.
#[tokio::test]
async fn nonce_resource_and_response_mode_conflict_only_where_ours_are_set() {
    let (world, engine) = ready().await;
    let parameters = "nonce=n&resource=https%3A%2F%2Fapi.example&response_mode=query";
    let with = |scopes: &[&str]| Initialise {
        additional_parameters: parameters.to_owned(),
        scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        ..request(&world)
    };
    let flow = engine.initialise(&ui(), with(&["read"])).await.unwrap();
    let sent = sent(&flow);
    assert_eq!(
        (sent["nonce"].as_str(), sent["response_mode"].as_str()),
        ("n", "query")
    );
    assert_eq!(sent["resource"], "https://api.example");
    let error = engine.initialise(&ui(), with(&["openid"])).await.unwrap_err();
    assert_eq!(fields(&error), ["additionalParams.nonce"]);
    let change = patch(json!({"authorize_params": {"resource": "https://ours.example"}}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    let error = engine.initialise(&ui(), with(&["read"])).await.unwrap_err();
    assert_eq!(fields(&error), ["additionalParams.resource"]);
}

#[tokio::test]
async fn an_app_is_told_all_scopes_that_initialise_takes() {
    let (world, engine) = ready().await;
    let error = engine.initialise(&app(), request(&world)).await.unwrap_err();
    for scope in ["auth:write", "auth:write:own", "credentials:read"] {
        assert!(error.to_string().contains(scope), "{error}");
    }
}

/// The code and the secret go to the registered provider and nowhere else.
#[tokio::test]
async fn a_caller_that_believes_in_another_provider_is_refused() {
    let (world, engine) = ready().await;
    let good = request(&world);
    for (bad, field) in [
        (
            Initialise {
                authorize_url: "https://evil.example/authorize".into(),
                ..good.clone()
            },
            "authorizeUrl",
        ),
        (
            Initialise {
                authorize_url: "not a url".into(),
                ..good.clone()
            },
            "authorizeUrl",
        ),
        (
            Initialise {
                authorize_url: format!("{}?x=1", good.authorize_url),
                ..good.clone()
            },
            "authorizeUrl",
        ),
        (
            Initialise {
                client_id: "other".into(),
                ..good.clone()
            },
            "clientId",
        ),
        (
            Initialise {
                organisation: "work".into(),
                ..good.clone()
            },
            "credential.organisationId",
        ),
    ] {
        assert_eq!(fields(&engine.initialise(&ui(), bad).await.unwrap_err()), [field]);
    }
    for bad in [
        Initialise {
            project: "work".into(),
            ..good.clone()
        },
        Initialise {
            project: "../default".into(),
            ..good.clone()
        },
        Initialise {
            provider: "unknown".into(),
            ..good.clone()
        },
        Initialise {
            credential: "unknown".into(),
            ..good.clone()
        },
    ] {
        assert_eq!(
            engine.initialise(&ui(), bad).await.unwrap_err().code(),
            Code::NotFound
        );
    }
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
}

#[tokio::test]
async fn only_a_credential_of_the_same_project_that_holds_a_secret_is_used() {
    let (world, engine) = ready().await;
    let elsewhere = NewCredential {
        project: Some("work".parse().unwrap()),
        ..new("theirs", CredentialType::Raw, &[("value", SECRET)])
    };
    let theirs = engine
        .add_credential(&ui(), elsewhere)
        .await
        .unwrap()
        .id
        .to_string();
    let of = |credential: &str| Initialise {
        credential: credential.to_owned(),
        ..request(&world)
    };
    let error = engine.initialise(&ui(), of(&theirs)).await.unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    for reference in ["work/theirs", "theirs"] {
        assert_eq!(
            engine.initialise(&ui(), of(reference)).await.unwrap_err().code(),
            Code::NotFound
        );
    }
    for (name, kind, data) in [
        (
            "login",
            CredentialType::BasicAuth,
            &[("username", "a"), ("password", "b")][..],
        ),
        ("other", CredentialType::Default, &[("password", "b")]),
        ("empty", CredentialType::Default, &[("client_secret", "")]),
        ("copied", CredentialType::Raw, &[("value", "\u{feff}secret")]),
        ("lines", CredentialType::Default, &[("client_secret", "secret\n")]),
    ] {
        engine.add_credential(&ui(), new(name, kind, data)).await.unwrap();
        assert_eq!(
            fields(&engine.initialise(&ui(), of(name)).await.unwrap_err()),
            ["credential.id"]
        );
    }
    engine
        .add_credential(&ui(), new("plain", CredentialType::Raw, &[("value", SECRET)]))
        .await
        .unwrap();
    let flow = engine.initialise(&ui(), of("plain")).await.unwrap();
    engine.callback(&ui(), &answer_of(&flow)).await.unwrap();
}

#[tokio::test]
async fn an_app_without_a_grant_starts_nothing_and_sends_no_credential() {
    let (world, engine) = ready().await;
    let error = engine.initialise(&app(), request(&world)).await.unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
}

/// A redacted secret is never returned and still does its work.
#[tokio::test]
async fn a_redacted_secret_is_used_all_the_same() {
    let (world, engine) = ready().await;
    let change = CredentialChange {
        redact_fields: ["client_secret".to_owned()].into(),
        data: [("client_secret".to_owned(), Some(encoded(SECRET)))].into(),
        ..CredentialChange::default()
    };
    engine.change_credential(&ui(), "secret", change).await.unwrap();
    let flow = engine.initialise(&ui(), request(&world)).await.unwrap();
    engine.callback(&ui(), &answer_of(&flow)).await.unwrap();
}

#[tokio::test]
async fn a_provider_that_changed_its_client_is_not_given_the_old_secret_by_surprise() {
    let (world, engine) = ready().await;
    let change = patch(json!({"client_id": "tokenry"}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    assert_eq!(
        fields(&engine.initialise(&ui(), request(&world)).await.unwrap_err()),
        ["clientId"]
    );
}
