//! Disconnecting: tokens are not handed out any more, and the provider is asked to revoke them.

use crate::tests::common::{NAME, World, paste, patch, seen, token, ui, until, view};
use crate::{ConnectOptions, ConnectionChange, Engine, Revoked};
use serde_json::json;
use std::time::Duration;
use tokenry_core::{Code, ConnectionStatus, EventKind};
use tokenry_store::{Store, Table};
use tokenry_testkit::{Behaviour, Ended, Endpoint, Fault, Kind};

/// Nothing of it is left: not for a caller, not in a list, and not in the files after a checkpoint.
async fn is_gone(world: &World, engine: Engine, id: &str) {
    for reference in [NAME, id] {
        let error = engine.token(&ui(), reference, Duration::ZERO).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
        assert_eq!(
            engine.refresh(&ui(), reference).await.unwrap_err().code(),
            Code::NotFound
        );
        assert_eq!(
            engine.disconnect(&ui(), reference).await.unwrap_err().code(),
            Code::NotFound
        );
    }
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
    let engine = world.restart(engine).await;
    assert_eq!(engine.status().vault.problem, None);
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
    assert!(token(&engine, 0).await.is_err());
    let store = Store::open(&world.options().folder).unwrap();
    for table in [Table::Connections, Table::Tokens, Table::Journal, Table::Flows] {
        store
            .versions(table, |row, _| {
                panic!("row {row} of {} is still there", table.name())
            })
            .unwrap();
    }
}

/// Checklist A8.1: the refresh token first, then the access token.
#[tokio::test]
async fn a_disconnect_revokes_the_refresh_token_and_then_the_access_token() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let (got, id) = (
        token(&engine, 0).await.unwrap(),
        view(&engine).await.connection.id,
    );
    assert_eq!(engine.disconnect(&ui(), NAME).await.unwrap(), Revoked::Yes);
    let log = world.server.log();
    let hints: Vec<_> = log
        .iter()
        .filter(|r| r.kind == Kind::Revoke)
        .map(|r| r.parameter("token_type_hint").unwrap())
        .collect();
    assert_eq!(hints, ["refresh_token", "access_token"]);
    assert_eq!(world.server.families()[0].ended, Some(Ended::Revoked));
    assert!(!world.server.accepts(got.access_token.expose()));
    let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
    for kind in [EventKind::Disconnected, EventKind::Revoked] {
        assert!(events.iter().any(|event| event.kind == kind), "{kind:?}");
    }
    is_gone(&world, engine, &id.to_string()).await;
}

#[tokio::test]
async fn a_provider_that_refuses_to_revoke_is_told_apart() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let id = view(&engine).await.connection.id;
    world
        .server
        .set(|behaviour| behaviour.revocation_fault = Some(Fault::InvalidClient));
    assert_eq!(engine.disconnect(&ui(), NAME).await.unwrap(), Revoked::No);
    is_gone(&world, engine, &id.to_string()).await;
}

#[tokio::test]
async fn a_provider_without_revocation_is_told_apart() {
    for said in [None, Some("unsupported_token_type")] {
        let (world, engine) = World::connected(Behaviour::default()).await;
        let id = view(&engine).await.connection.id;
        match said {
            None => {
                let change = patch(json!({"revocation_endpoint": null}));
                engine.change_provider(&ui(), NAME, change).await.unwrap();
            }
            Some(error) => world.server.set(|behaviour| {
                behaviour.revocation_fault = Some(Fault::OauthError {
                    status: 400,
                    error: error.to_owned(),
                });
            }),
        }
        assert_eq!(
            engine.disconnect(&ui(), NAME).await.unwrap(),
            Revoked::Unsupported
        );
        is_gone(&world, engine, &id.to_string()).await;
    }
}

/// Checklist A8.2 and A8.3: after a 503 the token still exists; what is owed survives a restart.
#[tokio::test]
async fn a_revocation_that_is_owed_is_tried_again_across_a_restart() {
    for fault in [
        Fault::TemporarilyUnavailable {
            retry_after: Some(100),
        },
        Fault::LoseAnswer,
        Fault::CaptivePortalHtml200,
    ] {
        let (world, engine) = World::connected(Behaviour::default()).await;
        let id = view(&engine).await.connection.id.to_string();
        world
            .server
            .set(|behaviour| behaviour.revocation_fault = Some(fault.clone()));
        assert_eq!(
            engine.disconnect(&ui(), NAME).await.unwrap(),
            Revoked::Pending,
            "{fault:?}"
        );
        assert!(token(&engine, 0).await.is_err(), "its tokens are not handed out");
        for refused in [
            engine.token(&ui(), &id, Duration::ZERO).await.map(drop),
            engine.refresh(&ui(), &id).await.map(drop),
            engine
                .change_connection(&ui(), &id, ConnectionChange::default())
                .await
                .map(drop),
        ] {
            assert_eq!(refused.unwrap_err().code(), Code::NotFound);
        }
        let renew = ConnectOptions {
            renew: Some(id.clone()),
            ..ConnectOptions::default()
        };
        assert_eq!(
            engine
                .connect(&ui(), NAME, paste(renew))
                .await
                .unwrap_err()
                .code(),
            Code::NotFound
        );
        let owed = engine.connection(&ui(), &id).await.unwrap().connection;
        assert_eq!(owed.status, ConnectionStatus::Disconnecting);
        assert!(owed.trouble.unwrap().next_try_at.is_some());

        let engine = world.restart(engine).await;
        world.server.set(|behaviour| behaviour.revocation_fault = None);
        world.pass(3700);
        let again = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
        assert_ne!(
            again.connection.id.to_string(),
            id,
            "a new sign-in does not revive it"
        );
        until("it is revoked", async || {
            engine.connection(&ui(), &id).await.err()
        })
        .await;
        assert_eq!(world.server.families()[0].ended, Some(Ended::Revoked));
        assert_eq!(world.server.families()[1].ended, None);
        token(&engine, 0).await.unwrap();
    }
}

#[tokio::test]
async fn after_a_week_an_unanswered_revocation_is_given_up() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let id = view(&engine).await.connection.id.to_string();
    world
        .server
        .set(|behaviour| behaviour.revocation_fault = Some(Fault::LoseAnswer));
    assert_eq!(engine.disconnect(&ui(), NAME).await.unwrap(), Revoked::Pending);
    world.pass(8 * 24 * 3600);
    let engine = world.restart(engine).await;
    until("it is given up", async || {
        engine.connection(&ui(), &id).await.err()
    })
    .await;
}

/// The schedule does not start a second revocation beside the one under way.
#[tokio::test]
async fn a_disconnect_under_way_is_not_doubled_by_the_schedule() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.server.queue_at(Endpoint::Revocation, Fault::Gate);
    let leaving = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.disconnect(&ui(), NAME).await })
    };
    seen(&world, "the revocation", |server| server.revocations() == 1).await;
    assert_eq!(engine.work_of_the_schedule().len(), 1, "the disconnect alone");
    assert_eq!(world.server.revocations(), 1);
    world.server.release();
    assert_eq!(leaving.await.unwrap().unwrap(), Revoked::Yes);
    assert_eq!(world.server.revocations(), 2, "the access token, too");
}

#[tokio::test]
async fn a_pending_connection_goes_with_its_flow() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    let flow = world.flow(&engine).await;
    let revoked = engine
        .disconnect(&ui(), &flow.connection.to_string())
        .await
        .unwrap();
    assert_eq!(revoked, Revoked::Unsupported);
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
    let late = crate::tests::common::answer_of(&flow);
    assert_eq!(
        engine.callback(&ui(), &late).await.unwrap_err().code(),
        Code::FlowExpired
    );
}

#[tokio::test]
async fn a_provider_with_connections_is_removed_only_with_them() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let error = engine.remove_provider(&ui(), NAME, false).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    engine.remove_provider(&ui(), NAME, true).await.unwrap();
    assert_eq!(world.server.families()[0].ended, Some(Ended::Revoked));
    assert!(engine.providers(&ui()).await.unwrap().is_empty());
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
    let engine = world.restart(engine).await;
    assert_eq!(engine.status().vault.problem, None);
    world.connect(&engine).await;
}

/// Without its provider it would be unknown where to revoke, and the tokens would stay for ever.
#[tokio::test]
async fn a_provider_stays_while_a_revocation_is_owed_to_it() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let id = view(&engine).await.connection.id.to_string();
    world
        .server
        .set(|behaviour| behaviour.revocation_fault = Some(Fault::LoseAnswer));
    let error = engine.remove_provider(&ui(), NAME, true).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert_eq!(engine.providers(&ui()).await.unwrap().len(), 1);
    world.server.set(|behaviour| behaviour.revocation_fault = None);
    world.pass(600);
    let engine = world.restart(engine).await;
    until("it is revoked", async || {
        engine.connection(&ui(), &id).await.err()
    })
    .await;
    engine.remove_provider(&ui(), NAME, false).await.unwrap();
}
