//! Cutting off: access ends here before a provider is asked, and what a provider did not confirm is not called revoked.

use crate::tests::common::{NAME, World, patch, seen, token, ui, until, view};
use crate::{ConnectOptions, ConsentMode, CutOff, Engine, NewGrant, Revoked};
use serde_json::json;
use std::time::Duration;
use tokenry_core::{
    ApiScope, Caller, Code, ConnectionStatus, EventKind, Outcome, ReauthReason, RevokeAnswer, Rule,
};
use tokenry_testkit::{Behaviour, Ended, Fault, Kind};

async fn app(engine: &Engine, name: &str) -> Caller {
    let (_, token) = engine.register_app(&ui(), name, Vec::new(), false).await.unwrap();
    engine.authenticate(&token.unwrap(), None).await.unwrap()
}

async fn granted(engine: &Engine, name: &str, scopes: &[ApiScope]) -> Caller {
    let caller = app(engine, name).await;
    let grant = NewGrant {
        app: name.to_owned(),
        scopes: scopes.iter().copied().collect(),
        connections: vec![NAME.to_owned()],
        ..NewGrant::default()
    };
    engine.give_grant(&ui(), grant).await.unwrap();
    caller
}

async fn got(engine: &Engine, caller: &Caller) -> Result<String, Code> {
    let token = engine.token(caller, NAME, Duration::ZERO).await;
    token
        .map(|token| token.access_token.expose().to_owned())
        .map_err(|error| error.code())
}

async fn cut(engine: &Engine, what: CutOff) -> RevokeAnswer {
    engine.cut_off(&ui(), what).await.unwrap()
}

fn connection() -> CutOff {
    CutOff::Connection(NAME.to_owned())
}

async fn kinds(engine: &Engine) -> Vec<EventKind> {
    let (events, _) = engine.events(&ui(), None, 500).await.unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

#[tokio::test]
async fn an_app_that_is_cut_off_gets_nothing_and_another_app_still_does() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let bad = granted(&engine, "bad", &[ApiScope::TokensRead]).await;
    let good = granted(&engine, "good", &[ApiScope::TokensRead]).await;
    let (taken, _) = (
        got(&engine, &bad).await.unwrap(),
        got(&engine, &good).await.unwrap(),
    );
    let answer = cut(&engine, CutOff::App("bad".to_owned())).await;
    assert_eq!((answer.grants, answer.connections.len()), (1, 0));
    // What it has is named, with its end: nothing here can take that back.
    assert_eq!(answer.still_valid.len(), 1);
    let still = &answer.still_valid[0];
    assert_eq!((still.app.as_deref(), still.handed_out), (Some("bad"), 1));
    let end = view(&engine).await.connection.expires_at;
    assert_eq!(still.valid_until, end);
    assert_eq!(still.scopes, ["read", "write"]);
    assert_eq!(got(&engine, &bad).await, Err(Code::PermissionDenied));
    assert_eq!(
        got(&engine, &good).await.unwrap(),
        taken,
        "the other one is not touched"
    );
    let kinds = kinds(&engine).await;
    assert!(kinds.contains(&EventKind::CutOff) && kinds.contains(&EventKind::GrantRemoved));
    assert_eq!(engine.apps(&ui()).await.unwrap().len(), 2, "it stays registered");
}

#[tokio::test]
async fn a_connection_that_is_cut_off_is_revoked_at_its_provider_and_stays_listed() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let caller = granted(
        &engine,
        "backup",
        &[ApiScope::TokensRead, ApiScope::ProvidersRead],
    )
    .await;
    let only = granted(&engine, "only", &[ApiScope::TokensRead]).await;
    let taken = got(&engine, &caller).await.unwrap();
    let id = view(&engine).await.connection.id;
    let answer = cut(&engine, connection()).await;
    assert_eq!(answer.grants, 2);
    let revoked = &answer.connections[0];
    assert_eq!(
        (revoked.name.as_str(), revoked.revoked),
        (NAME, Some(Revoked::Yes))
    );
    assert!(revoked.tokens_expire_at.is_some());
    assert_eq!(answer.still_valid, [], "the provider revoked what was handed out");
    assert!(!world.server.accepts(&taken));
    assert_eq!(world.server.families()[0].ended, Some(Ended::Revoked));
    let left = view(&engine).await;
    assert_eq!(left.connection.id, id);
    assert_eq!(
        left.connection.status,
        ConnectionStatus::NeedsReauth(ReauthReason::CutOff)
    );
    assert_eq!(engine.connections(&ui()).await.unwrap().len(), 1);
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
    assert_eq!(
        engine.refresh(&ui(), NAME).await.unwrap_err().code(),
        Code::NeedsReauth
    );
    // A grant that is about more than connections goes on without it; the other one is gone.
    let grants = engine.grants(&ui()).await.unwrap();
    assert_eq!(grants.len(), 1);
    assert!(grants[0].connections.is_empty());
    // A new sign-in makes it whole, and gives no app what it had.
    let renew = ConnectOptions {
        renew: Some(id.to_string()),
        ..ConnectOptions::default()
    };
    assert_eq!(world.sign_in(&engine, renew).await.unwrap().connection.id, id);
    token(&engine, 0).await.unwrap();
    assert_eq!(got(&engine, &caller).await, Err(Code::NotFound));
    assert_eq!(got(&engine, &only).await, Err(Code::PermissionDenied));
    let engine = world.restart(engine).await;
    assert_eq!(engine.status().vault.problem, None);
}

/// What the provider did not confirm is never called revoked.
#[tokio::test]
async fn what_a_provider_did_not_revoke_is_said_and_what_is_owed_is_tried_again() {
    let unsupported = || Fault::OauthError {
        status: 400,
        error: "unsupported_token_type".to_owned(),
    };
    for (fault, expected) in [
        (None, Revoked::Unsupported),
        (Some(unsupported()), Revoked::Unsupported),
        (Some(Fault::InvalidClient), Revoked::No),
        (Some(Fault::LoseAnswer), Revoked::Pending),
        (
            Some(Fault::TemporarilyUnavailable { retry_after: None }),
            Revoked::Pending,
        ),
        (Some(Fault::CaptivePortalHtml200), Revoked::Pending),
    ] {
        let (world, engine) = World::connected(Behaviour::default()).await;
        let caller = granted(&engine, "backup", &[ApiScope::TokensRead]).await;
        got(&engine, &caller).await.unwrap();
        match fault {
            None => {
                let change = patch(json!({"revocation_endpoint": null}));
                engine.change_provider(&ui(), NAME, change).await.unwrap();
            }
            fault => world
                .server
                .set(|behaviour| behaviour.revocation_fault.clone_from(&fault)),
        }
        let answer = cut(&engine, connection()).await;
        let revoked = &answer.connections[0];
        assert_eq!(revoked.revoked, Some(expected), "{revoked:?}");
        assert_eq!(answer.still_valid.len(), 1, "the copy of the app lives on");
        assert_eq!(answer.still_valid[0].valid_until, revoked.tokens_expire_at);
        assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
        if expected != Revoked::Pending {
            assert_eq!(engine.connections(&ui()).await.unwrap().len(), 1);
            continue;
        }
        let engine = world.restart(engine).await;
        let again = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
        assert_eq!(again.name, NAME, "the revocation that is owed is in no one's way");
        world.server.set(|behaviour| behaviour.revocation_fault = None);
        world.pass(600);
        crate::tests::common::poke(&engine, NAME).await;
        seen(&world, "the old tokens are revoked", |server| {
            server.families()[0].ended == Some(Ended::Revoked)
        })
        .await;
        assert_eq!(world.server.families()[1].ended, None, "and the new ones are not");
        until("it is no longer listed", async || {
            (engine.connections(&ui()).await.unwrap().len() == 1).then_some(())
        })
        .await;
        let (events, _) = engine.events(&ui(), None, 500).await.unwrap();
        let revoked = events
            .iter()
            .find(|event| event.kind == EventKind::Revoked)
            .unwrap();
        assert_eq!(
            revoked.connection,
            Some(again.connection.id),
            "it is about the connection itself"
        );
    }
}

/// A refresh under way is committed first: the newest tokens are the ones to revoke, and no caller gets them.
#[tokio::test]
async fn a_refresh_under_way_is_awaited_and_its_tokens_are_revoked_too() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let caller = granted(&engine, "backup", &[ApiScope::TokensRead]).await;
    world.pass(3700);
    world.server.queue(Fault::Gate);
    let asking = {
        let (engine, caller) = (engine.clone(), caller.clone());
        tokio::spawn(async move { got(&engine, &caller).await })
    };
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    let cutting = {
        let engine = engine.clone();
        tokio::spawn(async move { cut(&engine, CutOff::All).await })
    };
    until("access has ended", async || {
        let status = view(&engine).await.connection.status;
        (status == ConnectionStatus::NeedsReauth(ReauthReason::CutOff)).then_some(())
    })
    .await;
    assert_eq!(world.server.revocations(), 0, "the provider is asked afterwards");
    world.server.release();
    let answer = cutting.await.unwrap();
    assert_eq!(answer.connections[0].revoked, Some(Revoked::Yes));
    assert_eq!(asking.await.unwrap().unwrap_err(), Code::NeedsReauth);
    assert_eq!(world.server.families()[0].ended, Some(Ended::Revoked));
    assert_eq!(
        view(&engine).await.connection.status,
        ConnectionStatus::NeedsReauth(ReauthReason::CutOff)
    );
}

/// An engine that died between the two steps: nothing is handed out, and the tokens are revoked after the next start.
#[tokio::test]
async fn an_engine_that_died_halfway_revokes_after_its_next_start() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let id = view(&engine).await.connection.id;
    let store = engine.store().unwrap();
    store
        .change(engine.now(), |transaction| {
            let mut half: tokenry_core::Connection = transaction.get(id.row())?.unwrap();
            half.status = ConnectionStatus::NeedsReauth(ReauthReason::CutOff);
            transaction.put(id.row(), &half)
        })
        .unwrap();
    drop(store);
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
    let engine = world.restart(engine).await;
    seen(&world, "the tokens are revoked", |server| {
        server.families()[0].ended == Some(Ended::Revoked)
    })
    .await;
    assert_eq!(token(&engine, 0).await.unwrap_err().code(), Code::NeedsReauth);
}

#[tokio::test]
async fn cutting_off_everything_ends_every_grant_every_connection_and_every_sign_in() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    engine
        .add_provider(&ui(), crate::tests::common::provider_at(&world.server, "second"))
        .await
        .unwrap();
    let one = granted(&engine, "one", &[ApiScope::TokensRead]).await;
    granted(&engine, "two", &[ApiScope::ActivityRead]).await;
    let flow = world.flow(&engine).await;
    let answer = cut(&engine, CutOff::All).await;
    assert_eq!((answer.grants, answer.sign_ins), (2, 1));
    assert_eq!(answer.connections.len(), 1);
    assert_eq!(answer.connections[0].revoked, Some(Revoked::Yes));
    assert!(engine.grants(&ui()).await.unwrap().is_empty());
    assert_eq!(got(&engine, &one).await, Err(Code::PermissionDenied));
    let late = crate::tests::common::answer_of(&flow);
    assert_eq!(
        engine.callback(&ui(), &late).await.unwrap_err().code(),
        Code::FlowExpired
    );
    // There is nothing left to cut off, and that is no error.
    let again = cut(&engine, CutOff::All).await;
    assert_eq!((again.grants, again.connections[0].revoked), (0, None));
}

#[tokio::test]
async fn a_program_cuts_off_only_with_the_users_consent_and_an_app_never() {
    let world = World {
        asking: ConsentMode::Never,
        ..World::new(Behaviour::default())
    };
    let engine = world.start().await;
    world.connect(&engine).await;
    let app = granted(&engine, "backup", &[ApiScope::TokensRead]).await;
    let program = Caller::Program(tokenry_peer::unknown());
    for what in [CutOff::All, connection(), CutOff::App("backup".to_owned())] {
        let refused = engine.cut_off(&program, what.clone()).await.unwrap_err();
        assert_eq!(refused.code(), Code::InteractionRequired, "{refused}");
        let refused = engine.cut_off(&app, what).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    }
    got(&engine, &app).await.unwrap();
    assert!(
        world
            .server
            .log()
            .iter()
            .all(|request| request.kind != Kind::Revoke)
    );
    let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
    let refused = events.iter().filter(|event| event.kind == EventKind::CutOff);
    assert!(refused.clone().count() >= 2);
    assert!(refused.clone().all(|event| event.outcome == Outcome::Refused));
    let rules: Vec<_> = refused.map(|event| event.rule).collect();
    assert!(rules.contains(&Some(Rule::CannotAsk)), "{rules:?}");
}

#[tokio::test]
async fn what_is_not_there_cannot_be_cut_off() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    for what in [
        CutOff::App("none".to_owned()),
        CutOff::Connection("none".to_owned()),
    ] {
        let error = engine.cut_off(&ui(), what).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
    }
}
