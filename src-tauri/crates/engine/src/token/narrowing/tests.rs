//! What a grant limits, what a person is asked, and how narrowed tokens are kept.

use super::*;
use crate::{
    access::policy::Operation,
    tests::common::{NAME, World, seen, set_narrowing, token, ui, until, view},
};
use std::time::Duration;
use tokenry_core::{
    ApiScope, App, AppCaller, AppId, Code, EventKind, Grant, GrantId, NarrowingMethod, OsRandom, Outcome,
    Peer, Rule,
};
use tokenry_testkit::{Behaviour, Fault, Kind, Rotation};

fn only(scopes: &str) -> TokenRequest {
    TokenRequest {
        scopes: Some(Scopes::parse(scopes)),
        ..TokenRequest::default()
    }
}

/// An app with one grant for the connection: tokens that can do this at most.
fn app_with(world: &World, engine: &Engine, connection: ConnectionId, most: Option<&str>) -> Caller {
    let (id, now) = (AppId::new(&world.clock, &OsRandom), engine.now());
    let app = App {
        id,
        name: format!("tool-{}", &id.to_string()[24..]).parse().unwrap(),
        redirect_uris: Vec::new(),
        token_hash: None,
        created_at: now,
        last_used_at: None,
    };
    let grant = Grant {
        id: GrantId::new(&world.clock, &OsRandom),
        app: id,
        scopes: [ApiScope::TokensRead].into(),
        connections: [connection].into(),
        credentials: [].into(),
        token_scopes: most.map(Scopes::parse),
        while_locked: false,
        expires_at: None,
        created_at: now,
        last_used_at: None,
    };
    let keep = |transaction: &mut crate::records::transaction::Transaction<'_>| {
        transaction.put(id.row(), &app)?;
        transaction.put(grant.id.row(), &grant)
    };
    engine.store().unwrap().change(now, keep).unwrap();
    Caller::App(AppCaller {
        app: id,
        grant: None,
        scopes: None,
        token: None,
        peer: None,
    })
}

/// At a provider whose refresh tokens stay.
async fn with_app(most: Option<&str>) -> (World, Engine, Caller) {
    let (world, engine) = World::connected(Behaviour::rotating(Rotation::None)).await;
    let id = view(&engine).await.connection.id;
    let app = app_with(&world, &engine, id, most);
    (world, engine, app)
}

/// Checklist A12.2: an app gets no more than it was granted, whether it asks for less or not.
#[tokio::test]
async fn what_a_grant_limits_is_narrowed_without_the_app_asking_for_it() {
    let (world, engine, app) = with_app(Some("read other")).await;
    for wish in [TokenRequest::default(), only("read")] {
        let got = engine.token(&app, NAME, wish).await.unwrap();
        assert_eq!(got.scopes, Scopes::parse("read"));
    }
    assert_eq!(world.server.log().last().unwrap().scope.as_deref(), Some("read"));
    assert_eq!(world.server.refreshes(), 1);
    let error = engine.token(&app, NAME, only("write")).await.unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert_eq!(error.rule(), Some(Rule::NoGrant));
    assert_eq!(world.server.refreshes(), 1);
}

#[tokio::test]
async fn a_grant_for_all_that_the_connection_holds_or_more_is_for_the_connections_own_token() {
    for most in [Some("write more read"), Some("read write"), None] {
        let (world, engine, app) = with_app(most).await;
        let own = token(&engine, 0).await.unwrap();
        let got = engine.token(&app, NAME, Duration::ZERO).await.unwrap();
        assert_eq!(got.access_token.expose(), own.access_token.expose());
        assert_eq!(world.server.refreshes(), 0);
    }
}

#[tokio::test]
async fn a_refresh_that_brings_more_than_a_grant_allows_is_not_handed_out_under_it() {
    let (world, engine, app) = with_app(Some("read write")).await;
    world.pass(3700);
    let more = Fault::NarrowerScope("read write admin".to_owned());
    world.server.queue(more);
    let error = engine.token(&app, NAME, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert_eq!(
        token(&engine, 0).await.unwrap().scopes,
        Scopes::parse("read write admin")
    );
}

#[tokio::test]
async fn a_grant_that_has_no_scope_in_common_with_the_connection_gives_nothing() {
    let (world, engine, app) = with_app(Some("other")).await;
    let error = engine.token(&app, NAME, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(
        error.to_string().contains("no scope that this connection holds"),
        "{error}"
    );
    assert_eq!(world.server.refreshes(), 0);
}

/// Checklist A12.2: where the provider cannot narrow, the limit of a grant still holds.
#[tokio::test]
async fn where_the_provider_gives_the_whole_a_limited_grant_gives_nothing_and_an_unlimited_one_the_whole() {
    for fault in [Fault::NarrowerScope("read write".to_owned()), Fault::NoScope] {
        let (world, engine, app) = with_app(Some("read")).await;
        world.server.queue(fault);
        for _ in 0..3 {
            let error = engine.token(&app, NAME, Duration::ZERO).await.unwrap_err();
            assert_eq!(error.code(), Code::PermissionDenied);
            assert!(error.to_string().contains("grant the whole scope"), "{error}");
        }
        assert_eq!(world.server.refreshes(), 1, "it is known now");
        let (events, _) = engine.events(&ui(), None, 10).await.unwrap();
        let refused = events
            .iter()
            .find(|event| event.kind == EventKind::TokenHandedOut)
            .unwrap();
        assert_eq!(refused.outcome, Outcome::Refused);
        assert!(matches!(refused.rule, Some(Rule::Grant(_))));

        let connection = view(&engine).await.connection.id;
        let free = app_with(&world, &engine, connection, None);
        let got = engine.token(&free, NAME, only("read")).await.unwrap();
        assert_eq!(
            got.scopes,
            Scopes::parse("read write"),
            "the answer tells the truth"
        );
        assert_eq!(world.server.refreshes(), 1);
    }
}

#[tokio::test]
async fn a_token_for_an_audience_that_can_do_more_than_was_granted_is_not_handed_out() {
    let (world, engine, app) = with_app(Some("read")).await;
    let there = TokenRequest {
        audience: Some("api".to_owned()),
        ..TokenRequest::default()
    };
    world.server.queue(Fault::NarrowerScope("read write".to_owned()));
    for _ in 0..2 {
        let error = engine.token(&app, NAME, there.clone()).await.unwrap_err();
        assert_eq!(error.code(), Code::PermissionDenied);
    }
    assert_eq!(world.server.refreshes(), 1);
}

/// security.md, "Local interfaces": the token is narrowed, or the prompt says what the token can really do.
#[tokio::test]
async fn a_person_is_asked_about_the_whole_until_the_provider_has_shown_that_it_gives_less() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Caller::Program(Peer {
        uid: 0,
        pid: 1,
        started: 1,
        program: Some("/bin/tool".to_owned()),
        session: Some(1),
        helper: None,
        remote: None,
    });
    let store = engine.store().unwrap();
    let mut connection = view(&engine).await.connection;
    let mut asked = |narrows: Option<bool>, wish: &TokenRequest| {
        connection.narrows = narrows;
        let wanted = AccessRequest::new(Operation::Token).of(connection.id, None);
        engine
            .question_of(&store, &program, &connection, NAME, wish, wanted)
            .unwrap()
    };
    for narrows in [None, Some(false)] {
        assert_eq!(asked(narrows, &only("read")).target.scopes, None, "{narrows:?}");
    }
    assert_eq!(
        asked(Some(true), &only("read")).target.scopes,
        Some(Scopes::parse("read"))
    );
    let there = TokenRequest {
        resource: Some("https://api.example.com".to_owned()),
        ..TokenRequest::default()
    };
    let (plain, elsewhere) = (asked(None, &TokenRequest::default()), asked(None, &there));
    assert_eq!(
        elsewhere.notes,
        [
            "The resource https://api.example.com was never used with this connection. If it is wrong, the provider \
             may end the sign-in.",
            "The token is meant for https://api.example.com."
        ]
    );
    assert_ne!(plain, elsewhere, "a yes to the one is none to the other");
    let wanted = AccessRequest::new(Operation::Token);
    let error = engine
        .question_of(&store, &program, &connection, NAME, &only("admin"), wanted)
        .unwrap_err();
    assert_eq!(
        error.code(),
        Code::ValidationError,
        "no prompt for what cannot be"
    );
}

fn tokens(engine: &Engine, id: ConnectionId) -> Tokens {
    engine.store().unwrap().get(id.row()).unwrap().unwrap()
}

/// security.md, "Refresh", 5: the old refresh token is kept for a short while, as at any refresh.
#[tokio::test]
async fn a_narrowed_answer_rotates_the_refresh_token_and_raises_the_fence() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let id = view(&engine).await.connection.id;
    let before = tokens(&engine, id);
    engine.token(&ui(), NAME, only("read")).await.unwrap();
    let after = tokens(&engine, id);
    assert_eq!(after.fence, before.fence + 1);
    assert_eq!(after.access_token.expose(), before.access_token.expose());
    assert_eq!(after.obtained_at, before.obtained_at);
    let old = before.refresh_token.unwrap();
    assert_ne!(after.refresh_token.unwrap().expose(), old.expose());
    assert_eq!(after.replaced.unwrap().refresh_token.expose(), old.expose());
}

#[tokio::test]
async fn eight_narrowed_tokens_are_kept_the_oldest_goes_and_so_do_those_that_have_ended() {
    let (world, engine) = World::connected(Behaviour::rotating(Rotation::None)).await;
    let id = view(&engine).await.connection.id;
    let at = |number: usize| TokenRequest {
        audience: Some(format!("api-{number}")),
        ..TokenRequest::default()
    };
    for number in 0..=MAX_NARROWED {
        engine.token(&ui(), NAME, at(number)).await.unwrap();
        world.pass(1);
    }
    let kept = tokens(&engine, id).narrowed;
    let named: Vec<_> = kept
        .iter()
        .filter_map(|kept| kept.of.audience.as_deref())
        .collect();
    assert_eq!(named.len(), MAX_NARROWED);
    assert_eq!((named[0], named[MAX_NARROWED - 1]), ("api-1", "api-8"));
    // A refresh of the connection's own leaves those alone that live.
    engine.refresh(&ui(), NAME).await.unwrap();
    assert_eq!(tokens(&engine, id).narrowed.len(), MAX_NARROWED);
    world.pass(3594);
    engine.token(&ui(), NAME, at(100)).await.unwrap();
    let left = tokens(&engine, id).narrowed;
    let named: Vec<_> = left
        .iter()
        .filter_map(|kept| kept.of.audience.as_deref())
        .collect();
    assert_eq!(named, ["api-4", "api-5", "api-6", "api-7", "api-8", "api-100"]);
}

/// security.md, "Refresh", 6: a disk that is full loses nothing of a narrowed answer either.
#[tokio::test]
async fn a_narrowed_answer_that_meets_a_full_disk_is_spilled_and_taken_in() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    engine.flush_activity().await;
    world.server.queue(Fault::Gate);
    let asking = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.token(&ui(), NAME, only("read")).await })
    };
    seen(&world, "the request", |server| server.refreshes() == 1).await;
    engine.inner.opener.database().unwrap().fail_commits(1_000_000);
    world.server.release();
    let error = asking.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("disk is full"), "{error}");
    // A request for another token hears of the disk at once, and does not wait for it.
    let error = engine.token(&ui(), NAME, only("write")).await.unwrap_err();
    assert!(error.to_string().contains("disk is full"), "{error}");
    assert!(
        token(&engine, 0).await.is_ok(),
        "the connection's own token lives"
    );

    let engine = world.restart(engine).await;
    let got = engine.token(&ui(), NAME, only("read")).await.unwrap();
    assert!(world.server.accepts(got.access_token.expose()));
    assert_eq!(view(&engine).await.connection.narrows, Some(true));
    assert_eq!(world.server.refreshes(), 1);
    until("it is well", async || engine.refresh(&ui(), NAME).await.ok()).await;
    assert_eq!(world.server.replays_of_replaced_tokens(), 0);
}

/// An app with a limit is refused where narrowing could harm the grant, and nothing is sent.
#[tokio::test]
async fn an_app_with_a_limit_gets_nothing_from_a_provider_that_cannot_narrow_and_nothing_is_sent() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let id = view(&engine).await.connection.id;
    let (limited, free) = (
        app_with(&world, &engine, id, Some("read")),
        app_with(&world, &engine, id, None),
    );
    for method in [NarrowingMethod::Unknown, NarrowingMethod::None] {
        set_narrowing(&engine, method).await;
        for wish in [TokenRequest::default(), only("read")] {
            let error = engine.token(&limited, NAME, wish).await.unwrap_err();
            assert_eq!(error.code(), Code::PermissionDenied);
            assert!(error.to_string().contains("cannot narrow a token"), "{error}");
        }
        let whole = engine.token(&free, NAME, only("read")).await.unwrap();
        assert_eq!(
            whole.scopes,
            Scopes::parse("read write"),
            "the answer tells the truth"
        );
    }
    assert_eq!(world.server.refreshes(), 0);
}

/// The question says that the whole is at stake, also where the provider narrowed before.
#[tokio::test]
async fn a_person_is_asked_about_the_whole_where_the_provider_is_not_asked_for_less() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let store = engine.store().unwrap();
    let mut connection = view(&engine).await.connection;
    connection.narrows = Some(true);
    let program = Caller::Program(Peer {
        uid: 0,
        pid: 1,
        started: 1,
        program: None,
        session: None,
        helper: None,
        remote: None,
    });
    let asked = |wish: &TokenRequest| {
        let wanted = AccessRequest::new(Operation::Token).of(connection.id, None);
        engine
            .question_of(&store, &program, &connection, NAME, wish, wanted)
            .unwrap()
    };
    assert_eq!(asked(&only("read")).target.scopes, Some(Scopes::parse("read")));
    set_narrowing(&engine, NarrowingMethod::Unknown).await;
    let question = asked(&only("read"));
    assert_eq!(question.target.scopes, None);
    assert_eq!(
        question.notes,
        ["The provider cannot narrow this token: it can do everything that the connection can."]
    );
}

/// An app alone cannot put a sign-in at risk by an unknown target.
#[tokio::test]
async fn an_app_cannot_send_an_unknown_target_even_if_it_says_that_it_may() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let id = view(&engine).await.connection.id;
    let app = app_with(&world, &engine, id, None);
    let there = TokenRequest {
        audience: Some("api".to_owned()),
        allow_unknown_target: true,
        ..TokenRequest::default()
    };
    let error = engine.token(&app, NAME, there.clone()).await.unwrap_err();
    assert!(
        error.fields().unwrap()["audience"].contains("nothing was sent"),
        "{error}"
    );
    assert_eq!(world.server.refreshes(), 0);
    engine.token(&ui(), NAME, there.clone()).await.unwrap();
    world.pass(3700);
    engine.token(&app, NAME, there).await.unwrap();
    assert_eq!(world.server.count(Kind::Refresh), 2, "it is known now");
}
