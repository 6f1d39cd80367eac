//! What an id token of the first exchange has to say, and what becomes of tokens that are not used.

use crate::tests::common::{NAME, World, answer_of, paste, patch, ui};
use crate::{ConnectOptions, ConnectionView, Engine, Error};
use serde_json::{Map, Value, json};
use tokenry_core::{Code, Scopes, TokenEndpointAuthMethod};
use tokenry_testkit::{Behaviour, Ended, Fault, Kind};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

/// An engine and a server that gives id tokens, with these claims instead of the right ones.
async fn world(claims: Value) -> (World, Engine) {
    let claims: Map<String, Value> = claims.as_object().unwrap().clone();
    let world = World::trusting(Behaviour {
        id_tokens: Some(claims),
        ..Behaviour::default()
    });
    let engine = world.start().await;
    let mut provider = world.provider(NAME);
    provider = provider.with("default_scopes", json!(Scopes::parse("openid read")));
    provider = provider.with("userinfo_endpoint", json!(null));
    engine.add_provider(&ui(), provider).await.unwrap();
    (world, engine)
}

async fn sign_in(claims: Value) -> (World, Engine, Result<ConnectionView, Error>) {
    let (world, engine) = world(claims).await;
    let view = world.sign_in(&engine, ConnectOptions::default()).await;
    (world, engine, view)
}

fn account(view: Result<ConnectionView, Error>) -> Option<String> {
    view.unwrap().connection.account.map(|account| account.subject)
}

/// Nothing is kept, and the provider has revoked what it gave.
async fn given_back(world: &World, engine: &Engine) {
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
    assert_eq!(world.server.families()[0].ended, Some(Ended::Revoked));
    let log = world.server.log();
    let revoked: Vec<_> = log
        .iter()
        .filter(|request| request.kind == Kind::Revoke)
        .map(|request| request.parameter("token_type_hint").unwrap().to_owned())
        .collect();
    assert_eq!(revoked, ["refresh_token", "access_token"]);
}

/// OpenID Connect Core §3.1.2.1.
#[tokio::test]
async fn a_nonce_is_sent_with_openid_and_never_twice_the_same() {
    let (world, engine) = world(json!({})).await;
    for scopes in [None, Some("openid email"), Some("read")] {
        let how = ConnectOptions {
            scopes: scopes.map(Scopes::parse),
            ..ConnectOptions::default()
        };
        world.sign_in(&engine, how).await.unwrap();
    }
    let log = world.server.log();
    let asked: Vec<_> = log
        .iter()
        .filter(|request| request.kind == Kind::Authorize)
        .collect();
    let nonces: Vec<_> = asked.iter().map(|request| request.parameter("nonce")).collect();
    assert!(
        nonces[0].is_some_and(|nonce| nonce.len() >= 43),
        "256 random bits: {nonces:?}"
    );
    assert!(nonces[1].is_some() && nonces[0] != nonces[1], "{nonces:?}");
    assert_eq!(nonces[2], None, "openid was not asked for");
    for request in asked {
        assert_ne!(request.parameter("nonce"), request.parameter("state"));
    }
}

/// OpenID Connect Core §3.1.3.7, 11.
#[tokio::test]
async fn an_id_token_with_another_nonce_or_none_is_refused_and_its_tokens_are_revoked() {
    for nonce in [json!("another"), json!(""), json!(7), json!(["x"]), Value::Null] {
        let (world, engine, view) = sign_in(json!({ "nonce": nonce })).await;
        let error = view.unwrap_err();
        assert_eq!(error.code(), Code::ProviderError, "{nonce}");
        assert!(error.to_string().contains("nonce"), "{error}");
        given_back(&world, &engine).await;
    }
    let (_, _, view) = sign_in(json!({})).await;
    assert_eq!(account(view).as_deref(), Some("sub-1"));
}

/// One nonce of ours and one of the caller's cannot both be sent; without `openid` there is none of ours.
#[tokio::test]
async fn a_nonce_of_the_callers_own_is_sent_only_where_there_is_none_of_ours() {
    let (world, engine) = world(json!({})).await;
    let with = |scopes: &str| ConnectOptions {
        scopes: Some(Scopes::parse(scopes)),
        parameters: vec![("nonce".to_owned(), "mine".to_owned())],
        ..ConnectOptions::default()
    };
    let refused = engine
        .connect(&ui(), NAME, paste(with("openid")))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::ValidationError);
    world.sign_in(&engine, with("read")).await.unwrap();
    let log = world.server.log();
    let asked = log
        .iter()
        .find(|request| request.kind == Kind::Authorize)
        .unwrap();
    assert_eq!(asked.parameter("nonce"), Some("mine"));
    // A fixed one in the settings gives way to ours, which is checked.
    let fixed = patch(json!({"authorize_params": {"nonce": "fixed"}}));
    engine.change_provider(&ui(), NAME, fixed).await.unwrap();
    let flow = world.flow(&engine).await;
    assert!(!flow.authorization_url.as_str().contains("nonce=fixed"));
    engine.callback(&ui(), &answer_of(&flow)).await.unwrap();
}

#[tokio::test]
async fn tokens_for_another_client_or_of_an_unusable_type_are_revoked() {
    for claims in [
        json!({"iss": "https://evil.example"}),
        json!({"aud": "another-client"}),
        json!({"aud": ["another-client"]}),
    ] {
        let (world, engine, view) = sign_in(claims.clone()).await;
        assert_eq!(view.unwrap_err().code(), Code::ProviderError, "{claims}");
        given_back(&world, &engine).await;
    }
    let (world, engine) = world(json!({})).await;
    world.server.queue(Fault::TokenType("DPoP".to_owned()));
    let error = world
        .sign_in(&engine, ConnectOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::ProviderError);
    given_back(&world, &engine).await;
}

/// OpenID Connect Core §3.1.3.7, 3 to 5.
#[tokio::test]
async fn of_several_audiences_ours_counts_where_it_is_the_authorized_party() {
    for (claims, known) in [
        (json!({"aud": ["tokenry", "api"], "azp": "tokenry"}), true),
        (json!({"aud": ["api", "tokenry"], "azp": "tokenry"}), true),
        (json!({"aud": ["tokenry"], "azp": "tokenry"}), true),
        (json!({"aud": ["tokenry"]}), true),
        (json!({"aud": ["tokenry", "api"]}), false),
        (json!({"aud": ["tokenry", "api"], "azp": "api"}), false),
        (json!({"aud": "tokenry", "azp": "api"}), false),
    ] {
        let (_, _, view) = sign_in(claims.clone()).await;
        assert_eq!(account(view).is_some(), known, "{claims}");
    }
}

/// The provider's issuer becomes this, at the server's own address, and the id token says that.
async fn with_issuer(
    path: &str,
    aliases: &[&str],
    iss: &str,
    tid: Option<&str>,
) -> (World, Result<ConnectionView, Error>) {
    let (world, engine) = world(json!({ "iss": "https://other.example" })).await;
    let base = world.server.issuer();
    let change = patch(
        json!({"issuer": format!("{base}{path}"), "issuer_aliases": aliases.iter().map(|alias| alias.replace("BASE", &base)).collect::<Vec<_>>(), "authorization_response_iss_parameter_supported": false}),
    );
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    world.server.set(|behaviour| {
        behaviour.iss = tokenry_testkit::Iss::Absent;
        let claims = behaviour.id_tokens.as_mut().unwrap();
        claims.insert("iss".to_owned(), iss.replace("BASE", &base).into());
        claims.insert("tid".to_owned(), json!(tid));
    });
    let view = world.sign_in(&engine, ConnectOptions::default()).await;
    (world, view)
}

#[tokio::test]
async fn an_issuer_template_and_an_alias_stand_for_what_the_id_token_says() {
    let iss = format!("BASE/{TENANT}/v2.0");
    for (path, aliases) in [
        ("/{tenantid}/v2.0", &[][..]),
        ("/common/v2.0", &[]),
        ("/organizations/v2.0", &[]),
        ("/common", &[]),
        ("", &["BASE/{tenantid}/v2.0"]),
        ("/x", &["as.example", "BASE/common/v2.0"]),
    ] {
        let (_, view) = with_issuer(path, aliases, &iss, Some(TENANT)).await;
        assert_eq!(account(view).as_deref(), Some("sub-1"), "{path} {aliases:?}");
        let (world, view) = with_issuer(path, aliases, &iss, Some("another")).await;
        assert!(view.is_err(), "{path}: of another tenant");
        assert_eq!(world.server.families()[0].ended, Some(Ended::Revoked));
    }
    let (_, view) = with_issuer("", &["as.example"], "as.example", None).await;
    assert_eq!(account(view).as_deref(), Some("sub-1"));
    let (_, view) = with_issuer("/consumers/v2.0", &[], &iss, Some(TENANT)).await;
    assert!(view.is_err(), "a work account");
}

#[tokio::test]
async fn an_issuer_that_can_never_match_is_refused_at_saving() {
    let world = World::trusting(Behaviour::default());
    let engine = world.start().await;
    for (field, wrong) in [
        ("issuer", json!("https://as.example/{realm}")),
        (
            "issuer",
            json!("https://login.microsoftonline.com/contoso.com/v2.0"),
        ),
        ("issuer_aliases", json!(["a b"])),
        (
            "token_endpoint",
            json!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"),
        ),
    ] {
        let provider = world.provider(NAME).with(field, wrong);
        let error = engine.add_provider(&ui(), provider).await.unwrap_err();
        assert!(error.fields().unwrap().contains_key(field), "{field}: {error}");
    }
}

/// What the token endpoint wants, and how it is set.
#[tokio::test]
async fn a_refused_client_is_told_the_other_way_to_send_its_secret() {
    for (client, method, says) in [
        (
            "tokenry-basic",
            TokenEndpointAuthMethod::ClientSecretPost,
            "client_secret_basic",
        ),
        (
            "tokenry-confidential",
            TokenEndpointAuthMethod::ClientSecretBasic,
            "client_secret_post",
        ),
        (
            "tokenry-confidential",
            TokenEndpointAuthMethod::None,
            "no client secret",
        ),
    ] {
        let world = World::trusting(Behaviour::default());
        let engine = world.start().await;
        let mut provider = world.provider(NAME);
        provider = provider.with("client_id", json!(client.to_owned()));
        provider = provider.with("client_secret", json!("testkit-secret"));
        provider = provider.with("token_endpoint_auth_method", json!(method));
        engine.add_provider(&ui(), provider).await.unwrap();
        let error = world
            .sign_in(&engine, ConnectOptions::default())
            .await
            .unwrap_err();
        assert_eq!(error.provider_error(), Some("invalid_client"), "{client}");
        assert!(error.to_string().contains(says), "{client}: {error}");
        assert!(!error.to_string().contains("testkit-secret"));
    }
}
