//! Tokens that can do less than their connection, or are for one audience (checklist A12.2, A5.3; RFC 6749 §6,
//! RFC 8707 §2.2).

use crate::tests::common::{NAME, World, answer_of, paste, seconds_from, seen, status, token, ui, view};
use crate::{ConnectOptions, Engine, Error, TokenRequest, TokenView};
use serde_json::json;
use std::{collections::HashSet, time::Duration};
use tokenry_core::{Code, ConnectionStatus, GrantType, Scopes, Secret, TokenEndpointAuthMethod};
use tokenry_testkit::{Behaviour, Fault, Kind, Request, Rotation};

/// A wish for less.
pub(crate) fn only(scopes: &str) -> TokenRequest {
    TokenRequest {
        scopes: Some(Scopes::parse(scopes)),
        ..TokenRequest::default()
    }
}

pub(crate) async fn less(engine: &Engine, scopes: &str) -> Result<TokenView, Error> {
    engine.token(&ui(), NAME, only(scopes)).await
}

pub(crate) fn at(resource: &str) -> TokenRequest {
    TokenRequest {
        resource: Some(resource.to_owned()),
        ..TokenRequest::default()
    }
}

fn last(world: &World) -> Request {
    world
        .server
        .log()
        .into_iter()
        .rfind(|r| r.kind == Kind::Refresh)
        .unwrap()
}

/// The refresh token that the engine has now is the newest, and works.
pub(crate) async fn the_grant_is_whole(world: &World, engine: Engine) {
    let engine = world.restart(engine).await;
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
    assert_eq!(world.server.replays_of_replaced_tokens(), 0);
    assert!(world.server.family_alive());
}

/// Checklist A12.2 and A5.2: the token is narrower, the rotated refresh token is kept, and the connection's own
/// token stays what it was.
#[tokio::test]
async fn a_narrower_token_is_fetched_with_the_refresh_token_and_leaves_the_connections_own_alone() {
    for rotation in [Rotation::Strict, Rotation::Grace(30), Rotation::None] {
        let (world, engine) = World::connected(Behaviour::rotating(rotation)).await;
        let own = token(&engine, 0).await.unwrap();
        let before = view(&engine).await.connection;
        world.pass(100);
        let narrow = less(&engine, "read").await.unwrap();
        assert_eq!(narrow.scopes, Scopes::parse("read"));
        assert_ne!(narrow.access_token.expose(), own.access_token.expose());
        assert!(world.server.accepts(narrow.access_token.expose()));
        assert_eq!(last(&world).parameter("scope"), Some("read"));

        let after = view(&engine).await.connection;
        assert_eq!(after.narrows, Some(true));
        assert_eq!(after.expires_at, before.expires_at);
        assert_eq!(after.refresh_at, before.refresh_at);
        assert_eq!(after.granted_scopes, before.granted_scopes);
        // A new refresh token casts doubt on the access token that was there: a plain refresh comes first.
        let rotates = rotation != Rotation::None;
        assert_eq!(after.doubtful, rotates);
        let again = token(&engine, 0).await.unwrap();
        assert_eq!(again.access_token.expose() != own.access_token.expose(), rotates);
        assert_eq!(again.scopes, Scopes::parse("read write"));
        assert_eq!(world.server.refreshes(), if rotates { 2 } else { 1 });
        assert_eq!(view(&engine).await.notice, None);
        the_grant_is_whole(&world, engine).await;
    }
}

#[tokio::test]
async fn it_is_handed_out_again_without_a_request_until_its_own_true_end() {
    let (world, engine) = World::connected(Behaviour::rotating(Rotation::None)).await;
    world.server.set(|behaviour| behaviour.token_life = 600);
    world.pass(60);
    let first = less(&engine, "write").await.unwrap();
    assert_eq!(seconds_from(last(&world).at, first.expires_at), 600);
    let engine = world.restart(engine).await;
    world.pass(300);
    let kept = less(&engine, "write").await.unwrap();
    assert_eq!(kept.access_token.expose(), first.access_token.expose());
    assert_eq!(kept.expires_at, first.expires_at);
    assert_eq!(
        world.server.refreshes(),
        1,
        "it was sealed beside the connection's own"
    );
    // Not as long as this caller needs it.
    let wish = TokenRequest {
        min_valid: Duration::from_secs(400),
        ..only("write")
    };
    let longer = engine.token(&ui(), NAME, wish).await.unwrap();
    assert_ne!(longer.access_token.expose(), first.access_token.expose());
    world.pass(601);
    less(&engine, "write").await.unwrap();
    assert_eq!(world.server.refreshes(), 3);
    assert_eq!(
        token(&engine, 0).await.unwrap().scopes,
        Scopes::parse("read write")
    );
    assert_eq!(
        world.server.refreshes(),
        3,
        "the hour of its own token is not over"
    );
}

#[tokio::test]
async fn the_order_of_scopes_means_nothing_and_all_of_them_are_the_connections_own_token() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let own = token(&engine, 0).await.unwrap();
    for all in ["read write", "write read", "write write read"] {
        let got = less(&engine, all).await.unwrap();
        assert_eq!(got.access_token.expose(), own.access_token.expose());
    }
    assert_eq!(world.server.refreshes(), 0);
}

/// Checklist A5.3: never wider than granted.
#[tokio::test]
async fn what_the_connection_does_not_hold_is_refused_by_name_and_nothing_is_sent() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let error = less(&engine, "read admin:all").await.unwrap_err();
    assert_eq!(error.code(), Code::ValidationError);
    let wrong = &error.fields().unwrap()["scope"];
    assert!(
        wrong.contains("admin:all") && wrong.contains("it holds read write"),
        "{wrong}"
    );
    let bad_uris = [
        "",
        "api",
        "/api",
        "https://api.example.com/#part",
        " https://api.example.com/",
        "https://api.example.com/\n",
        "https://exa mple.com/",
    ];
    let mut wishes: Vec<(TokenRequest, &str)> = bad_uris.map(|uri| (at(uri), "resource")).into();
    wishes.push((only(""), "scope"));
    wishes.push((
        TokenRequest {
            scopes: Some(["a\"b".to_owned()].into_iter().collect()),
            ..TokenRequest::default()
        },
        "scope",
    ));
    for audience in ["", "a\nb", &"a".repeat(2049)] {
        wishes.push((
            TokenRequest {
                audience: Some(audience.to_owned()),
                ..TokenRequest::default()
            },
            "audience",
        ));
    }
    for (wish, field) in wishes {
        let shown = format!("{wish:?}");
        let error = engine.token(&ui(), NAME, wish).await.unwrap_err();
        assert!(
            error.fields().is_some_and(|fields| fields.contains_key(field)),
            "{shown}: {error}"
        );
    }
    assert_eq!(world.server.refreshes(), 0);
}

/// RFC 8707 §2.2.
#[tokio::test]
async fn each_audience_has_a_token_of_its_own_and_is_sent_as_it_was_given() {
    let (world, engine) = World::connected(Behaviour::rotating(Rotation::None)).await;
    let own = token(&engine, 0).await.unwrap();
    let named = TokenRequest {
        audience: Some("https://api.example.com".to_owned()),
        ..TokenRequest::default()
    };
    let both = TokenRequest {
        scopes: Some(Scopes::parse("read")),
        ..at("https://api.example.com")
    };
    let wishes = [
        at("https://api.example.com"),
        at("https://api.example.com/"),
        at("urn:example:api"),
        named,
        both,
    ];
    let mut tokens = HashSet::from([own.access_token.expose().to_owned()]);
    for wish in &wishes {
        let got = engine.token(&ui(), NAME, wish.clone()).await.unwrap();
        let sent = last(&world);
        assert_eq!(sent.parameter("resource"), wish.resource.as_deref());
        assert_eq!(sent.parameter("audience"), wish.audience.as_deref());
        assert_eq!(sent.parameter("scope"), wish.scopes.as_ref().map(|_| "read"));
        tokens.insert(got.access_token.expose().to_owned());
    }
    assert_eq!(tokens.len(), 6);
    for wish in wishes {
        let kept = engine.token(&ui(), NAME, wish).await.unwrap();
        assert!(tokens.contains(kept.access_token.expose()));
    }
    assert_eq!(world.server.refreshes(), 5);
    assert_eq!(
        token(&engine, 0).await.unwrap().access_token.expose(),
        own.access_token.expose()
    );
    the_grant_is_whole(&world, engine).await;
}

#[tokio::test]
async fn the_log_says_what_was_handed_out() {
    let (_world, engine) = World::connected(Behaviour::rotating(Rotation::None)).await;
    let wish = TokenRequest {
        scopes: Some(Scopes::parse("read")),
        ..at("https://api.example.com")
    };
    engine.token(&ui(), NAME, wish).await.unwrap();
    let (events, _) = engine.events(&ui(), None, 10).await.unwrap();
    let words = Some("limited to read, for https://api.example.com".to_owned());
    assert!(
        events[..2].iter().all(|event| event.detail == words),
        "{events:?}"
    );
}

/// security.md, "Refresh", 1.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_with_the_same_wish_share_a_request_and_others_stand_in_line() {
    let (world, engine) = World::connected(Behaviour::rotating(Rotation::None)).await;
    world.pass(3700);
    world.server.queue(Fault::SlowAnswer(200));
    let wishes = [
        only("read"),
        only("write"),
        TokenRequest::default(),
        at("https://api.example.com"),
    ];
    let callers: Vec<_> = (0..64)
        .map(|number: usize| {
            let (engine, wish) = (engine.clone(), wishes[number % wishes.len()].clone());
            tokio::spawn(async move { engine.token(&ui(), NAME, wish).await.unwrap().access_token })
        })
        .collect();
    let mut tokens = HashSet::new();
    for caller in callers {
        let token: Secret = caller.await.unwrap();
        assert!(world.server.accepts(token.expose()));
        tokens.insert(token.expose().to_owned());
    }
    assert_eq!(tokens.len(), wishes.len());
    assert_eq!(world.server.refreshes(), wishes.len());
    the_grant_is_whole(&world, engine).await;
}

#[tokio::test]
async fn a_caller_with_a_wish_that_goes_away_cancels_nothing() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.server.queue(Fault::Gate);
    let asking = {
        let engine = engine.clone();
        tokio::spawn(async move { less(&engine, "read").await })
    };
    seen(&world, "the request", |server| server.refreshes() == 1).await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    world.server.release();
    less(&engine, "read").await.unwrap();
    assert_eq!(world.server.refreshes(), 1);
    the_grant_is_whole(&world, engine).await;
}

#[tokio::test]
async fn a_new_sign_in_drops_what_was_kept_and_what_was_learnt() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let before = less(&engine, "read").await.unwrap();
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(view(&engine).await.connection.narrows, None);
    let after = less(&engine, "read").await.unwrap();
    assert_ne!(after.access_token.expose(), before.access_token.expose());
    assert_eq!(world.server.refreshes(), 2);
    // One that failed changes nothing.
    let flow = engine
        .connect(&ui(), NAME, paste(ConnectOptions::default()))
        .await
        .unwrap();
    world.server.queue(Fault::InvalidClient);
    engine.callback(&ui(), &answer_of(&flow)).await.unwrap_err();
    let kept = less(&engine, "read").await.unwrap();
    assert_eq!(kept.access_token.expose(), after.access_token.expose());
}

/// A paused connection hands out nothing, whatever was kept.
#[tokio::test]
async fn a_paused_connection_hands_out_no_kept_token_either() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    less(&engine, "read").await.unwrap();
    let pause = crate::ConnectionChange {
        label: None,
        paused: Some(true),
        bindings: None,
    };
    engine.change_connection(&ui(), NAME, pause).await.unwrap();
    assert_eq!(less(&engine, "read").await.unwrap_err().code(), Code::Conflict);
}

#[tokio::test]
async fn client_credentials_are_narrowed_by_a_plain_request() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    let mut new = world.provider(NAME);
    new = new.with("grant_type", json!(GrantType::ClientCredentials));
    new = new.with("client_id", json!("tokenry-confidential"));
    new = new.with(
        "token_endpoint_auth_method",
        json!(TokenEndpointAuthMethod::ClientSecretPost),
    );
    new = new.with("client_secret", json!("testkit-secret"));
    engine.add_provider(&ui(), new).await.unwrap();
    engine
        .connect_client_credentials(&ui(), NAME, None)
        .await
        .unwrap();
    let own = token(&engine, 0).await.unwrap();
    let narrow = less(&engine, "read").await.unwrap();
    assert_eq!(narrow.scopes, Scopes::parse("read"));
    engine
        .token(&ui(), NAME, at("https://api.example.com"))
        .await
        .unwrap();
    let sent = world.server.log().pop().unwrap();
    assert_eq!(sent.scope.as_deref(), Some("read write"));
    assert_eq!(sent.parameter("resource"), Some("https://api.example.com"));
    less(&engine, "read").await.unwrap();
    assert_eq!(world.server.count(Kind::ClientCredentials), 3);
    assert_eq!(
        token(&engine, 0).await.unwrap().access_token.expose(),
        own.access_token.expose()
    );

    engine.disconnect(&ui(), NAME).await.unwrap();
    assert_eq!(
        world.server.revocations(),
        3,
        "no grant ends with them, so each is revoked"
    );
    assert!(!world.server.accepts(narrow.access_token.expose()));
}
