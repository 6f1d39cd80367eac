//! Apps: who they are, what they may do, and that it ends at once when it is taken away.

use crate::tests::common::{NAME, World, seen, ui, until};
use crate::{AppView, Change, ConnectionChange, Engine, NewGrant};
use tokenry_core::{ApiScope, Caller, Clock, Code, Event, EventKind, Outcome, Rule, Timestamp};
use tokenry_testkit::{Behaviour, Fault};

pub(super) async fn registered(engine: &Engine, name: &str) -> (tokenry_core::App, Caller) {
    let (app, token) = engine.register_app(&ui(), name, Vec::new(), false).await.unwrap();
    let caller = engine.authenticate(&token.unwrap(), None).await.unwrap();
    (app, caller)
}

pub(super) fn grant(app: &str, scopes: &[ApiScope], connections: &[&str]) -> NewGrant {
    NewGrant {
        app: app.to_owned(),
        scopes: scopes.iter().copied().collect(),
        connections: connections.iter().map(ToString::to_string).collect(),
        ..NewGrant::default()
    }
}

async fn token(engine: &Engine, caller: &Caller) -> Result<String, tokenry_core::Code> {
    let token = engine.token(caller, NAME, std::time::Duration::ZERO).await;
    token
        .map(|token| token.access_token.expose().to_owned())
        .map_err(|error| error.code())
}

pub(super) async fn newest(engine: &Engine, kind: EventKind) -> Event {
    let (events, _) = engine.events(&ui(), None, 100).await.unwrap();
    events.into_iter().find(|event| event.kind == kind).unwrap()
}

#[tokio::test]
async fn an_app_gets_tokens_of_the_connections_it_was_granted_and_the_log_says_by_which_grant() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let (app, caller) = registered(&engine, "backup").await;
    assert_eq!(token(&engine, &caller).await, Err(Code::PermissionDenied));
    let refused = newest(&engine, EventKind::TokenHandedOut).await;
    assert_eq!(
        (refused.outcome, refused.rule),
        (Outcome::Refused, Some(Rule::NoGrant))
    );
    assert_eq!(refused.caller.app(), Some(app.id));

    let given = engine
        .give_grant(&ui(), grant("backup", &[ApiScope::TokensRead], &[NAME]))
        .await
        .unwrap();
    token(&engine, &caller).await.unwrap();
    let handed = newest(&engine, EventKind::TokenHandedOut).await;
    assert_eq!(
        (handed.outcome, handed.rule),
        (Outcome::Done, Some(Rule::Grant(given.id)))
    );
}

/// Issue 3: "take a grant away, and its next call fails".
#[tokio::test]
async fn the_next_call_after_a_grant_was_taken_away_fails_also_after_a_restart() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let (_, caller) = registered(&engine, "backup").await;
    let given = engine
        .give_grant(&ui(), grant("backup", &[ApiScope::TokensRead], &[NAME]))
        .await
        .unwrap();
    token(&engine, &caller).await.unwrap();
    engine.remove_grant(&ui(), given.id).await.unwrap();
    assert_eq!(token(&engine, &caller).await, Err(Code::PermissionDenied));
    let engine = world.restart(engine).await;
    assert_eq!(token(&engine, &caller).await, Err(Code::PermissionDenied));
}

/// security.md, "Local interfaces": a permission is judged again when the token is handed out.
#[tokio::test]
async fn an_app_that_waits_for_a_refresh_gets_no_token_after_its_grant_was_taken_away() {
    for narrows in [false, true] {
        let (world, engine) = World::connected(Behaviour::default()).await;
        let (_, caller) = registered(&engine, "backup").await;
        let given = engine
            .give_grant(&ui(), grant("backup", &[ApiScope::TokensRead], &[NAME]))
            .await
            .unwrap();
        world.pass(3700);
        world.server.queue(Fault::Gate);
        let asking = {
            let (engine, caller) = (engine.clone(), caller.clone());
            tokio::spawn(async move { token(&engine, &caller).await })
        };
        seen(&world, "the refresh", |server| server.refreshes() == 1).await;
        engine.remove_grant(&ui(), given.id).await.unwrap();
        if narrows {
            let mut less = grant("backup", &[ApiScope::TokensRead], &[NAME]);
            less.token_scopes = Some(std::iter::once("openid".to_owned()).collect());
            engine.give_grant(&ui(), less).await.unwrap();
        }
        world.server.release();
        assert_eq!(
            asking.await.unwrap(),
            Err(Code::PermissionDenied),
            "narrows: {narrows}"
        );
        let refused = newest(&engine, EventKind::TokenHandedOut).await;
        assert_eq!(refused.outcome, Outcome::Refused);
    }
}

#[tokio::test]
async fn a_grant_ends_when_its_time_has_come() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let (_, caller) = registered(&engine, "backup").await;
    let mut new = grant("backup", &[ApiScope::TokensRead], &[NAME]);
    new.expires_at = Some(engine_now(&world) + std::time::Duration::from_secs(60));
    engine.give_grant(&ui(), new).await.unwrap();
    token(&engine, &caller).await.unwrap();
    world.pass(60);
    assert_eq!(token(&engine, &caller).await, Err(Code::PermissionDenied));
    assert!(engine.grants(&ui()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_removed_app_is_unknown_and_its_grants_do_not_come_back_with_its_name() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let (_, token_of_old) = engine
        .register_app(&ui(), "backup", Vec::new(), false)
        .await
        .unwrap();
    let token_of_old = token_of_old.unwrap();
    let before = engine.authenticate(&token_of_old, None).await.unwrap();
    engine
        .give_grant(&ui(), grant("backup", &[ApiScope::TokensRead], &[NAME]))
        .await
        .unwrap();
    engine.remove_app(&ui(), "backup").await.unwrap();
    assert_eq!(token(&engine, &before).await, Err(Code::PermissionDenied));
    let error = engine.authenticate(&token_of_old, None).await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthorized);
    assert!(!error.to_string().contains(token_of_old.expose()));
    let (_, again) = registered(&engine, "backup").await;
    assert_eq!(token(&engine, &again).await, Err(Code::PermissionDenied));
}

#[tokio::test]
async fn an_apps_own_token_is_not_on_the_disk_and_still_known_after_a_restart() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let (app, own) = engine
        .register_app(&ui(), "backup", Vec::new(), false)
        .await
        .unwrap();
    let own = own.unwrap();
    let engine = world.restart(engine).await;
    let caller = engine.authenticate(&own, None).await.unwrap();
    assert_eq!(caller.app(), Some(app.id));
    engine.lock(&ui()).await.unwrap();
    let error = engine.authenticate(&own, None).await.unwrap_err();
    assert_eq!(error.code(), Code::VaultLocked);
}

#[tokio::test]
async fn an_app_sees_only_the_connections_it_was_granted() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    engine
        .add_provider(&ui(), world.provider("elsewhere"))
        .await
        .unwrap();
    let (_, caller) = registered(&engine, "backup").await;
    assert!(engine.connections(&caller).await.is_err());
    engine
        .give_grant(&ui(), grant("backup", &[ApiScope::ConnectionsRead], &[]))
        .await
        .unwrap();
    assert!(engine.connections(&caller).await.unwrap().is_empty());
    // As if it were not there.
    assert_eq!(
        engine.connection(&caller, NAME).await.unwrap_err().code(),
        Code::NotFound
    );
    engine
        .give_grant(&ui(), grant("backup", &[ApiScope::ConnectionsRead], &[NAME]))
        .await
        .unwrap();
    assert_eq!(engine.connections(&caller).await.unwrap().len(), 1);
    engine.connection(&caller, NAME).await.unwrap();
}

/// When the one app, and its grants by their first scope, were last used.
async fn last_used(engine: &Engine) -> (Option<Timestamp>, Vec<(ApiScope, Option<Timestamp>)>) {
    let [AppView { app, mut grants }] = engine.apps(&ui()).await.unwrap().try_into().unwrap();
    grants.sort_by_key(|grant| grant.scopes.first().copied());
    let of_grants = grants
        .iter()
        .map(|grant| (*grant.scopes.first().unwrap(), grant.last_used_at));
    (app.last_used_at, of_grants.collect())
}

/// "See what each app used and when"
#[tokio::test]
async fn it_is_known_when_an_app_and_which_of_its_grants_was_last_used() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let (_, caller) = registered(&engine, "backup").await;
    for scope in [ApiScope::ConnectionsWrite, ApiScope::TokensRead] {
        engine
            .give_grant(&ui(), grant("backup", &[scope], &[NAME]))
            .await
            .unwrap();
    }
    let (write, read) = (ApiScope::ConnectionsWrite, ApiScope::TokensRead);
    assert_eq!(
        last_used(&engine).await,
        (None, vec![(write, None), (read, None)])
    );
    world.pass(5);
    token(&engine, &caller).await.unwrap();
    let first = Some(engine_now(&world));
    until("the use is written", async || {
        (last_used(&engine).await == (first, vec![(write, None), (read, first)])).then_some(())
    })
    .await;
    // What hands out nothing and stands in no log of hand-outs is a use of its grant, too.
    world.pass(60);
    let label = ConnectionChange {
        label: Some(Some("work".to_owned())),
        ..ConnectionChange::default()
    };
    engine.change_connection(&caller, NAME, label).await.unwrap();
    let second = Some(engine_now(&world));
    until("the other use is written", async || {
        (last_used(&engine).await == (second, vec![(write, second), (read, first)])).then_some(())
    })
    .await;
    let engine = world.restart(engine).await;
    assert_eq!(
        last_used(&engine).await,
        (second, vec![(write, second), (read, first)]),
        "and it is on the disk"
    );
}

#[tokio::test]
async fn what_an_app_may_not_do_is_no_use() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let (_, caller) = registered(&engine, "backup").await;
    engine
        .give_grant(&ui(), grant("backup", &[ApiScope::ConnectionsRead], &[NAME]))
        .await
        .unwrap();
    assert_eq!(token(&engine, &caller).await, Err(Code::PermissionDenied));
    engine.connections(&caller).await.unwrap();
    // The refusal is written: so would a use be.
    newest(&engine, EventKind::TokenHandedOut).await;
    assert_eq!(
        last_used(&engine).await,
        (None, vec![(ApiScope::ConnectionsRead, None)])
    );
}

/// A token costs no fsync, and so does the note that an app has used its grant: it is written with the lines of the
/// log, and once a minute.
#[tokio::test]
async fn that_an_app_is_used_is_written_once_a_minute_however_often_it_is() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let (_, caller) = registered(&engine, "backup").await;
    engine
        .give_grant(&ui(), grant("backup", &[ApiScope::TokensRead], &[NAME]))
        .await
        .unwrap();
    let mut changes = engine.changes();
    let mut written = async |hand_outs: u32| {
        for _ in 0..hand_outs {
            token(&engine, &caller).await.unwrap();
            // Each of them is written for itself.
            newest(&engine, EventKind::TokenHandedOut).await;
        }
        let mut of_apps = 0;
        while let Ok(change) = changes.try_recv() {
            of_apps += u32::from(matches!(change, Change::Apps));
        }
        of_apps
    };
    const APP_AND_GRANT: u32 = 2;
    assert_eq!(written(10).await, APP_AND_GRANT);
    world.pass(59);
    assert_eq!(written(10).await, 0);
    world.pass(1);
    assert_eq!(written(10).await, APP_AND_GRANT);
}

#[tokio::test]
async fn each_wrong_field_of_a_grant_is_named() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let mut new = grant("unknown", &[], &["nothing"]);
    new.credentials = vec!["no-key".to_owned()];
    new.expires_at = Some(engine_now(&world));
    let error = engine.give_grant(&ui(), new).await.unwrap_err();
    let fields: Vec<_> = error.fields().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        ["app", "connections", "credentials", "expires_at", "scopes"]
    );
}

#[tokio::test]
async fn a_name_is_given_once() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    registered(&engine, "backup").await;
    let error = engine
        .register_app(&ui(), "backup", Vec::new(), true)
        .await
        .unwrap_err();
    assert!(error.fields().unwrap().contains_key("name"));
    let [AppView { app, grants }] = engine.apps(&ui()).await.unwrap().try_into().unwrap();
    assert!(app.name.as_str() == "backup" && grants.is_empty());
}

fn engine_now(world: &World) -> tokenry_core::Timestamp {
    world.clock.now()
}
