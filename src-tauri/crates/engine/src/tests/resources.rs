//! The resource that a provider's tokens are for (RFC 8707).

use crate::tests::common::{NAME, World, patch, seconds_from, status, token, ui, view};
use crate::{Engine, TokenRequest};
use serde_json::json;
use tokenry_core::{Code, ConnectionStatus, ReauthReason};
use tokenry_testkit::{Behaviour, Fault, Kind, Rotation};

const MCP: &str = "https://mcp.example/mcp";

/// A connection whose sign-in named the resource.
async fn for_mcp(behaviour: Behaviour) -> (World, Engine) {
    let world = World::new(behaviour);
    let engine = world.start().await;
    let provider = world.provider(NAME).with("resource", json!(MCP));
    engine.add_provider(&ui(), provider).await.unwrap();
    world
        .sign_in(&engine, crate::ConnectOptions::default())
        .await
        .unwrap();
    (world, engine)
}

/// What the requests of this kind named as their resource.
fn named(world: &World, kind: Kind) -> Vec<Option<String>> {
    let log = world.server.log();
    let requests = log.iter().filter(|request| request.kind == kind);
    requests
        .map(|request| request.parameter("resource").map(str::to_owned))
        .collect()
}

fn mcp() -> Option<String> {
    Some(MCP.to_owned())
}

async fn set(engine: &Engine, setting: &str, value: serde_json::Value) {
    let change = patch(json!({setting: value}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
}

/// Checklist A1.13: in the authorization and the token request, as it was typed; and A1.6: recorded with the flow.
#[tokio::test]
async fn a_sign_in_its_code_exchange_and_each_refresh_name_the_resource() {
    let (world, engine) = for_mcp(Behaviour::default()).await;
    assert_eq!(named(&world, Kind::Authorize), [mcp()]);
    assert_eq!(named(&world, Kind::Code), [mcp()]);
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(named(&world, Kind::Refresh), [mcp()]);

    // A connection keeps the resource of its sign-in, until the next one.
    set(&engine, "resource", json!("https://other.example/")).await;
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(named(&world, Kind::Refresh).pop(), Some(mcp()));
    set(&engine, "resource_on_refresh", json!(false)).await;
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(named(&world, Kind::Refresh).pop(), Some(None));
}

/// RFC 8707 §2: an absolute URI without a fragment. It is named once.
#[tokio::test]
async fn a_resource_is_an_absolute_uri_without_a_fragment_and_set_in_one_place() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    for bad in [
        "mcp.example/mcp",
        "/mcp",
        "https://a.example/#b",
        "https://a.example/ b",
        "https://a.example/\n",
    ] {
        let provider = world.provider(NAME).with("resource", json!(bad));
        let error = engine.add_provider(&ui(), provider).await.unwrap_err();
        assert!(
            error.fields().unwrap().contains_key("resource"),
            "{bad:?}: {error}"
        );
    }
    let provider = world.provider(NAME).with("resource", json!(MCP));
    let twice = provider.with("authorize_params", json!({"resource": MCP}));
    let error = engine.add_provider(&ui(), twice).await.unwrap_err();
    assert!(
        error.fields().unwrap()["resource"].contains("authorize_params"),
        "{error}"
    );
    for good in ["urn:example:api", MCP, "https://a.example"] {
        let name = format!("p{}", good.len());
        let provider = world.provider(&name).with("resource", json!(good));
        let kept = engine.add_provider(&ui(), provider).await.unwrap();
        assert_eq!(kept.settings.resource.as_deref(), Some(good));
    }
}

/// A token for the resource of the sign-in is the connection's own; one for another is fetched as before.
#[tokio::test]
async fn an_app_that_names_the_resource_of_the_sign_in_gets_the_own_token() {
    let (world, engine) = for_mcp(Behaviour::rotating(Rotation::None)).await;
    let own = token(&engine, 0).await.unwrap();
    let wish = |resource: &str| TokenRequest {
        resource: Some(resource.to_owned()),
        allow_unknown_target: true,
        ..TokenRequest::default()
    };
    let same = engine.token(&ui(), NAME, wish(MCP)).await.unwrap();
    assert_eq!(same.access_token.expose(), own.access_token.expose());
    assert_eq!(world.server.refreshes(), 0);
    let other = engine
        .token(&ui(), NAME, wish("https://b.example/"))
        .await
        .unwrap();
    assert_ne!(other.access_token.expose(), own.access_token.expose());
    assert_eq!(
        named(&world, Kind::Refresh),
        [Some("https://b.example/".to_owned())]
    );
}

/// Checklist A3.7: `invalid_target` means that the resource is not accepted; it is not dropped silently.
#[tokio::test]
async fn a_refused_resource_is_told_and_not_dropped() {
    let invalid_target = || Fault::OauthError {
        status: 400,
        error: "invalid_target".to_owned(),
    };
    let (world, engine) = for_mcp(Behaviour::rotating(Rotation::None)).await;
    world.server.queue(invalid_target());
    let error = engine.refresh(&ui(), NAME).await.unwrap_err();
    assert_eq!(
        (error.code(), error.provider_error()),
        (Code::ProviderError, Some("invalid_target"))
    );
    assert!(error.to_string().contains("`resource_on_refresh`"), "{error}");
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(named(&world, Kind::Refresh), [mcp(), mcp()]);

    world.server.queue(invalid_target());
    let error = world
        .sign_in(&engine, crate::ConnectOptions::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("check `resource`"), "{error}");
    assert_eq!(
        named(&world, Kind::Code),
        [mcp(), mcp()],
        "it is not tried again without"
    );
}

/// security.md, "Refresh", 8: only a plain refresh ends a grant, and one with a resource is none.
#[tokio::test]
async fn a_refusal_of_a_refresh_with_a_resource_never_puts_the_refresh_token_away() {
    let (world, engine) = for_mcp(Behaviour::default()).await;
    world.server.set(|behaviour| {
        behaviour.token_fault = Some(Fault::OauthError {
            status: 400,
            error: "invalid_grant".to_owned(),
        });
    });
    world.pass(3700);
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::ProviderError);
    assert_eq!(
        status(&engine).await,
        ConnectionStatus::Active,
        "once says little"
    );
    let trouble = view(&engine).await.connection.trouble.unwrap();
    world.pass(u64::try_from(seconds_from(world.clock_now(), trouble.next_try_at) + 1).unwrap());
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
    let shown = view(&engine).await.connection;
    assert_eq!(shown.status, ConnectionStatus::NeedsReauth(ReauthReason::Refused));
    assert!(shown.refreshable, "the refresh token stays");
    world.server.set(|behaviour| behaviour.token_fault = None);
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
}

/// Where refresh tokens rotate, a server may have used one up before it looked at the resource.
#[tokio::test]
async fn after_invalid_target_a_rotating_refresh_token_rests_until_the_access_token_ends() {
    let (world, engine) = for_mcp(Behaviour::rotating(Rotation::Strict)).await;
    let end = view(&engine).await.connection.expires_at;
    world.server.queue(Fault::OauthError {
        status: 400,
        error: "invalid_target".to_owned(),
    });
    world.pass(3500);
    token(&engine, 600).await.unwrap();
    let trouble = view(&engine).await.connection.trouble.unwrap();
    assert_eq!(trouble.next_try_at, end);
    assert_eq!(world.server.refreshes(), 1);
}
