//! The audit over a log with hand-outs, refusals and repeats.

use crate::activity::read::{place, written};
use crate::tests::common::{NAME, World, token, ui, view};
use crate::{AuditFilter, CutOff, Engine, NewGrant};
use std::time::Duration;
use tokenry_core::{ApiScope, AuditEntry, Caller, CallerKind, Code, EventKind, Outcome, Peer, Rule};
use tokenry_testkit::Behaviour;

fn program(path: &str) -> Caller {
    Caller::Program(Peer {
        pid: 1,
        program: Some(path.to_owned()),
        ..tokenry_peer::unknown()
    })
}

async fn entries(engine: &Engine, filter: AuditFilter) -> Vec<AuditEntry> {
    engine.audit(&ui(), &filter).await.unwrap().entries
}

async fn app(engine: &Engine, name: &str) -> Caller {
    let (_, token) = engine.register_app(&ui(), name, Vec::new(), false).await.unwrap();
    engine.authenticate(&token.unwrap(), None).await.unwrap()
}

#[tokio::test]
async fn an_audit_counts_hand_outs_and_repeated_refusals_right() {
    let world = World {
        asking: crate::ConsentMode::Never,
        ..World::new(Behaviour::default())
    };
    let engine = world.start().await;
    world.connect(&engine).await;
    let caller = app(&engine, "backup").await;
    let grant = NewGrant {
        app: "backup".to_owned(),
        scopes: [ApiScope::TokensRead].into(),
        connections: vec![NAME.to_owned()],
        ..NewGrant::default()
    };
    let grant = engine.give_grant(&ui(), grant).await.unwrap();
    for _ in 0..3 {
        engine.token(&caller, NAME, Duration::ZERO).await.unwrap();
        world.pass(10);
    }
    let begun = engine.now();
    let greedy = program("/usr/bin/greedy");
    // The state of a line that repeats is written several times, each with the whole count.
    for times in 1..=40 {
        let refused = engine.token(&greedy, NAME, Duration::ZERO).await.unwrap_err();
        assert_eq!(refused.code(), Code::InteractionRequired);
        if times % 10 == 0 {
            let store = engine.store().unwrap();
            engine.write_activity(store, true).await;
        }
        world.pass(1);
    }
    let all = entries(&engine, AuditFilter::default()).await;
    assert_eq!(all.len(), 2, "{all:#?}");
    let (refused, used) = (&all[0], &all[1]);
    assert_eq!(
        (refused.handed_out, refused.refused, refused.program.as_deref()),
        (0, 40, Some("/usr/bin/greedy"))
    );
    assert_eq!(
        (refused.first, refused.last.as_second()),
        (begun, begun.as_second() + 39)
    );
    assert_eq!(
        (used.caller, used.handed_out, used.refused),
        (CallerKind::App, 3, 0)
    );
    assert_eq!(
        (used.app.as_deref(), used.connection.as_deref()),
        (Some("backup"), Some(NAME))
    );
    assert_eq!(used.rules[0].rule, Rule::Grant(grant.id).word());
    assert_eq!(
        (used.rules[0].grant_id, used.rules[0].count),
        (Some(grant.id.uuid()), 3)
    );
    assert_eq!(used.valid_until, view(&engine).await.connection.expires_at);
    assert_eq!(
        (used.unknown_end, used.scopes.join(" ")),
        (0, "read write".to_owned())
    );

    let only = |filter: AuditFilter| entries(&engine, filter);
    let by_path = |program: &str| AuditFilter {
        program: Some(program.to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(only(by_path("greedy")).await, std::slice::from_ref(refused));
    assert_eq!(
        only(by_path("/usr/bin/greedy")).await,
        std::slice::from_ref(refused)
    );
    assert_eq!(only(by_path("/bin/greedy")).await, []);
    let since = AuditFilter {
        connection: Some(NAME.to_owned()),
        since: Some(begun),
        ..AuditFilter::default()
    };
    assert_eq!(only(since).await, std::slice::from_ref(refused));
    let of_app = AuditFilter {
        app: Some("backup".to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(only(of_app).await, std::slice::from_ref(used));
    let none = AuditFilter {
        app: Some("none".to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(
        engine.audit(&ui(), &none).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn a_token_that_ended_or_was_revoked_is_not_called_valid() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    token(&engine, 0).await.unwrap();
    let mine = async |engine: &Engine| entries(engine, AuditFilter::default()).await.remove(0);
    assert!(mine(&engine).await.valid_until.is_some());
    engine
        .cut_off(&ui(), CutOff::Connection(NAME.to_owned()))
        .await
        .unwrap();
    let revoked = mine(&engine).await;
    assert_eq!((revoked.valid_until, revoked.handed_out), (None, 1));
    assert!(!revoked.may_be_valid());

    let (other, engine) = World::connected(Behaviour::default()).await;
    token(&engine, 0).await.unwrap();
    other.pass(4000);
    assert_eq!(mine(&engine).await.valid_until, None);
    drop(world);
}

/// What was removed is still found by its id, and a removed app keeps its count.
#[tokio::test]
async fn what_was_removed_is_found_by_its_id() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    token(&engine, 0).await.unwrap();
    let id = view(&engine).await.connection.id.to_string();
    engine.disconnect(&ui(), NAME).await.unwrap();
    let filter = AuditFilter {
        connection: Some(id),
        ..AuditFilter::default()
    };
    let found = entries(&engine, filter).await;
    assert_eq!((found.len(), found[0].connection.clone()), (1, None));
}

#[tokio::test]
async fn a_whole_log_is_said_to_be_whole_with_its_length() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    token(&engine, 0).await.unwrap();
    let check = engine.check_events(&ui()).await.unwrap();
    assert!(check.whole && check.problems.is_empty(), "{check:?}");
    assert_eq!((check.first_line, check.last_line as u64), (1, check.lines));
    assert!(check.lines >= 4 && check.first_at <= check.last_at);
}

/// A line of a copy of the profile that went another way opens here, too: only the chain tells it.
#[tokio::test]
async fn a_line_from_another_copy_of_the_profile_is_found_by_the_chain() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let event = |detail: &str| {
        let (kind, outcome) = (EventKind::Refreshed, Outcome::Done);
        engine.event(&ui(), kind, outcome).with_detail(detail)
    };
    let (true_one, other) = (event("as it was"), event("from elsewhere"));
    let store = engine.store().unwrap();
    let at = store.log_end().0;
    store
        .change(engine.now(), |transaction| {
            let chain = transaction.manifest.chain;
            let seal = |event| store.seal_apart(place(at), &written(&chain, event)?);
            transaction.writer.append_event(at, &seal(&other)?)?;
            transaction.manifest.chain = store.vault().chain(&chain, &seal(&true_one)?);
            transaction.manifest.next_event = at + 1;
            Ok(())
        })
        .unwrap();
    for _ in 0..2 {
        // As the newest line, and with another one after it.
        let check = engine.check_events(&ui()).await.unwrap();
        let told: Vec<_> = check.problems.iter().map(|problem| problem.text()).collect();
        assert_eq!(told, [format!("line {at} is not the one that was written there")]);
        store
            .change(engine.now(), |transaction| transaction.event(&event("the next")))
            .unwrap();
    }
}
