//! Values of a sign-in that its provider's addresses and parameters need.

use super::with;
use crate::tests::common::{NAME, World, patch, token, ui, view};
use crate::{ConnectOptions, Engine, Error, Revoked};
use serde_json::{Value, json};
use tokenry_core::Code;
use tokenry_testkit::{Behaviour, Ended, Kind};

/// A server whose redirect says where the code goes and whose token response says where a refresh goes, as Zoho and
/// Salesforce do.
async fn regional(settings: &Value) -> (World, Engine) {
    let world = World::new(Behaviour::default());
    let (issuer, host) = (world.server.issuer(), world.server.url());
    let region = host.port().unwrap();
    world.server.set(|behaviour| {
        behaviour.extra = vec![
            ("accounts-server".to_owned(), issuer.clone()),
            ("location".to_owned(), "eu".to_owned()),
        ];
        behaviour.quirks.members = json!({"instance": {"url": issuer}, "org": 42, "port": region})
            .as_object()
            .unwrap()
            .clone();
    });
    let engine = world.start().await;
    let mut whole = json!({
        "captures": {"server": "callback.accounts-server", "dc": "callback.location",
            "instance": "token_response.instance.url", "org": "token_response.org"},
        "captured_hosts": ["127.0.0.1"],
        "token_endpoint": "{server}/{dc}/token",
        "refresh_endpoint": "{instance}/orgs/{org}/token",
        "revocation_endpoint": format!("{issuer}/{{dc}}/revoke"),
        "refresh_params": {"org_id": "{org}"},
        "revocation_params": {"org_id": "{org}"},
    });
    for (name, value) in settings.as_object().unwrap() {
        whole[name] = value.clone();
    }
    engine.add_provider(&ui(), with(&world, &whole)).await.unwrap();
    (world, engine)
}

fn paths(world: &World, kind: Kind) -> Vec<String> {
    let log = world.server.log();
    let of_kind = log.iter().filter(|request| request.kind == kind);
    of_kind.map(|request| request.path.clone()).collect()
}

#[tokio::test]
async fn a_code_and_a_refresh_go_where_the_sign_in_said_also_after_a_restart() {
    let (world, engine) = regional(&json!({})).await;
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(paths(&world, Kind::Code), ["/eu/token"]);
    let shown = format!("{:?}", view(&engine).await.connection.captured);
    assert!(
        shown.contains("server") && !shown.contains("127.0.0.1"),
        "{shown}"
    );
    let engine = world.restart(engine).await;
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(paths(&world, Kind::Refresh), ["/orgs/42/token"]);
    let log = world.server.log();
    let refresh = log.iter().find(|request| request.kind == Kind::Refresh).unwrap();
    assert_eq!(refresh.parameter("org_id"), Some("42"));
    assert_eq!(engine.disconnect(&ui(), NAME).await.unwrap(), Revoked::Yes);
    assert_eq!(paths(&world, Kind::Revoke), ["/eu/revoke", "/eu/revoke"]);
}

/// Any web page can make a redirect: a host in it that the settings do not name gets nothing.
#[tokio::test]
async fn a_redirect_never_chooses_who_gets_the_code() {
    let other = tokenry_testkit::Server::start(Behaviour::default());
    for (hosts, server, words) in [
        (json!(["localhost"]), other.issuer(), "127.0.0.1"),
        (json!(["127.0.0.1"]), "http://localhost:1".to_owned(), "localhost"),
        (
            json!(["127.0.0.1"]),
            "https://evil.example".to_owned(),
            "evil.example",
        ),
        (
            json!(["127.0.0.1"]),
            "http://127.0.0.1:1/x?".to_owned(),
            "{server}",
        ),
        (json!(["127.0.0.1"]), "javascript:alert(1)".to_owned(), "{server}"),
    ] {
        let (world, engine) = regional(&json!({"captured_hosts": hosts, "refresh_endpoint": null})).await;
        world
            .server
            .set(|behaviour| behaviour.extra[0].1 = server.clone());
        let error = world
            .sign_in(&engine, ConnectOptions::default())
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::ProviderError, "{server}");
        assert!(error.to_string().contains(words), "{server}: {error}");
        assert_eq!(world.server.count(Kind::Code) + other.log().len(), 0, "{server}");
        assert!(engine.connections(&ui()).await.unwrap().is_empty(), "{server}");
    }
    for value in ["..", "eu/../../x", "eu?x=1", "eu#x", "", "%2e%2e"] {
        let (world, engine) = regional(&json!({})).await;
        world
            .server
            .set(|behaviour| behaviour.extra[1].1 = value.to_owned());
        let error = world
            .sign_in(&engine, ConnectOptions::default())
            .await
            .unwrap_err();
        assert!(error.to_string().contains("{dc}"), "{value}: {error}");
        assert_eq!(world.server.count(Kind::Code), 0, "{value}");
    }
}

/// Tokens that came cannot be used then, so they are given back.
#[tokio::test]
async fn a_token_response_that_names_an_unknown_host_ends_the_sign_in() {
    let (world, engine) = regional(&json!({})).await;
    world.server.set(|behaviour| {
        behaviour.quirks.members["instance"] = json!({"url": "https://evil.example"});
    });
    let error = world
        .sign_in(&engine, ConnectOptions::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("evil.example"), "{error}");
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
    assert_eq!(world.server.families()[0].ended, Some(Ended::Revoked));
}

#[tokio::test]
async fn a_refresh_keeps_the_value_at_hand_where_a_new_one_does_not_fit() {
    let (world, engine) = regional(&json!({})).await;
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    for (members, path) in [
        (
            json!({"instance": {"url": "https://evil.example"}, "org": "../x"}),
            "/orgs/42/token",
        ),
        (json!({"org": 43}), "/orgs/42/token"),
        (json!({}), "/orgs/43/token"),
    ] {
        world
            .server
            .set(|behaviour| behaviour.quirks.members = members.as_object().unwrap().clone());
        engine.refresh(&ui(), NAME).await.unwrap();
        assert_eq!(paths(&world, Kind::Refresh).last().unwrap(), path, "{members}");
    }
    assert_eq!(world.server.replays_of_replaced_tokens(), 0);
}

/// The token is as good as before: only the address is not known.
#[tokio::test]
async fn a_value_that_never_came_stops_a_refresh_before_it_is_sent() {
    let (world, engine) = regional(&json!({})).await;
    world
        .server
        .set(|behaviour| drop(behaviour.quirks.members.remove("org")));
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let error = engine.refresh(&ui(), NAME).await.unwrap_err();
    assert!(error.to_string().contains("{org}"), "{error}");
    assert_eq!(world.server.refreshes(), 0);
    token(&engine, 0).await.unwrap();
    let change = patch(json!({"refresh_endpoint": null, "refresh_params": null}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    engine.refresh(&ui(), NAME).await.unwrap();
}

/// A change of the settings meanwhile does not send a code elsewhere (checklist A1.6).
#[tokio::test]
async fn an_open_sign_in_keeps_the_hosts_it_began_with() {
    let (world, engine) = regional(&json!({"refresh_endpoint": null})).await;
    world
        .server
        .set(|behaviour| behaviour.extra[0].1 = "http://localhost:1".to_owned());
    let flow = world.flow(&engine).await;
    let change = patch(json!({"captured_hosts": ["127.0.0.1", "localhost"]}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    let answer = crate::tests::common::answer_of(&flow);
    let error: Error = engine.callback(&ui(), &answer).await.unwrap_err();
    assert!(error.to_string().contains("localhost"), "{error}");
    assert_eq!(world.server.count(Kind::Code), 0);
}
