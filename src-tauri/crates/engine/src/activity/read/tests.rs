//! The activity log: its pages, its filters, what cannot be done to it unnoticed, and when it is written.

use super::*;
use crate::tests::common::{World, token, ui, until, view};
use std::collections::HashSet;
use tokenry_core::{App, AppCaller, Code, Connection, EventId, EventKind, GrantId, OsRandom, Rule};
use tokenry_testkit::Behaviour;

async fn engine() -> (World, Engine) {
    World::connected(Behaviour::default()).await
}

fn newest(engine: &Engine) -> i64 {
    let store = engine.store().unwrap();
    store.database().last_event().unwrap().map_or(0, |(seq, _)| seq)
}

fn line(world: &World, engine: &Engine) -> Event {
    let mut event = engine.event(&ui(), EventKind::Refreshed, Outcome::Done);
    event.id = EventId::new(&world.clock, &OsRandom);
    event
}

fn write(engine: &Engine, events: &[Event]) {
    let keep = |transaction: &mut crate::records::transaction::Transaction<'_>| {
        events.iter().try_for_each(|event| transaction.event(event))
    };
    engine.store().unwrap().change(engine.now(), keep).unwrap();
}

/// What is said of damage, without what may still help.
fn damage(events: &[Event]) -> Vec<String> {
    let damaged = events.iter().filter(|event| event.kind == EventKind::LogDamaged);
    let detail = |event: &Event| event.detail.clone().unwrap_or_default();
    damaged
        .map(|event| detail(event).split(':').next().unwrap().to_owned())
        .collect()
}

fn nothing_unwritten() -> Unwritten {
    Unwritten {
        counts: Vec::new(),
        now: Timestamp::UNIX_EPOCH,
    }
}

/// Sealed for their place as they are, lines could only be taken out, and then a number is missing.
#[tokio::test]
async fn a_line_that_is_missing_is_noticed_by_who_reads_over_it() {
    let (world, engine) = engine().await;
    let before = engine.events(&ui(), None, 500).await.unwrap().0.len();
    let gap = newest(&engine) + 1;
    let skip = |transaction: &mut crate::records::transaction::Transaction<'_>| {
        transaction.manifest.next_event += 1;
        Ok(())
    };
    engine.store().unwrap().change(engine.now(), skip).unwrap();
    for more in 0..2 {
        // First the end is missing, then a line in the middle. The others are shown.
        let (events, next) = engine.events(&ui(), None, 500).await.unwrap();
        assert_eq!((events.len(), next), (before + 1 + more, None));
        assert_eq!(damage(&events), [format!("line {gap} is missing")]);
        write(&engine, &[line(&world, &engine)]);
    }
    let (events, _) = engine.events(&ui(), Some(gap), 500).await.unwrap();
    assert_eq!((events.len(), damage(&events).len()), (before, 0));
    assert_eq!(
        engine.events(&ui(), Some(gap - 1), 500).await.unwrap().0.len(),
        before - 1
    );
    assert_eq!(engine.events(&ui(), Some(gap + 2), 1).await.unwrap().0.len(), 1);
    for nothing in [0, -1, i64::MIN] {
        let (page, next) = engine.events(&ui(), Some(nothing), 5).await.unwrap();
        assert_eq!((page.len(), next), (0, None));
    }
    engine.events(&ui(), Some(i64::MAX), 1).await.unwrap();
}

/// security.md, "At rest": the log is a hash chain. A copy of the profile that went another way has lines of the same
/// numbers, and they open.
#[tokio::test]
async fn a_line_of_the_same_number_from_a_copy_that_went_another_way_is_noticed() {
    let (world, engine) = engine().await;
    write(&engine, &[line(&world, &engine)]);
    let store = engine.store().unwrap();
    let (true_one, other) = (line(&world, &engine), line(&world, &engine));
    let at = newest(&engine) + 1;
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
    for before in [None, Some(at + 1), None, Some(at + 1), Some(at + 2)] {
        let (events, _) = engine.events(&ui(), before, 50).await.unwrap();
        let told = damage(&events);
        assert_eq!(told, [format!("line {at} is not the one that was written there")]);
        assert!(events.iter().all(|event| event.id != other.id));
        write(&engine, &[line(&world, &engine)]);
    }
    engine.events(&ui(), Some(at), 50).await.unwrap();
    engine.events(&ui(), None, 5).await.unwrap();
}

#[tokio::test]
async fn lines_from_before_the_chain_was_written_into_them_are_still_read() {
    let (world, engine) = engine().await;
    let store = engine.store().unwrap();
    let old = [line(&world, &engine), line(&world, &engine)];
    store
        .change(engine.now(), |transaction| {
            for event in &old {
                let (at, chain) = (transaction.manifest.next_event, transaction.manifest.chain);
                let sealed = store.seal_apart(place(at), &serde_json::to_vec(event).unwrap())?;
                transaction.writer.append_event(at, &sealed)?;
                transaction.manifest.chain = store.vault().chain(&chain, &sealed);
                transaction.manifest.next_event = at + 1;
            }
            Ok(())
        })
        .unwrap();
    write(&engine, &[line(&world, &engine)]);
    let (events, _) = engine.events(&ui(), None, 500).await.unwrap();
    let ids: HashSet<_> = events.iter().map(|event| event.id).collect();
    assert!(old.iter().all(|event| ids.contains(&event.id)));
}

struct Busy {
    world: World,
    engine: Engine,
    apps: [AppId; 2],
    second: ConnectionId,
    all: Vec<Event>,
}

/// A log of some thousand lines: of two apps, two connections, and three ways to end.
async fn busy() -> Busy {
    let (world, engine) = engine().await;
    let first = view(&engine).await.connection;
    let second = ConnectionId::new(&world.clock, &OsRandom);
    let apps = [0, 1].map(|_| AppId::new(&world.clock, &OsRandom));
    let keep = |transaction: &mut crate::records::transaction::Transaction<'_>| {
        let more = Connection {
            id: second,
            label: Some("more".to_owned()),
            ..first.clone()
        };
        transaction.put(second.row(), &more)?;
        for (app, name) in apps.iter().zip(["one", "two"]) {
            let app = App {
                id: *app,
                name: name.parse().unwrap(),
                redirect_uris: Vec::new(),
                token_hash: None,
                created_at: engine.now(),
                last_used_at: None,
            };
            transaction.put(app.id.row(), &app)?;
        }
        Ok(())
    };
    engine.store().unwrap().change(engine.now(), keep).unwrap();
    let mut lines = Vec::new();
    for number in 0..3000_usize {
        let mut event = line(&world, &engine);
        if number % 7 < 2 {
            let (app, grant, peer) = (apps[number % 7], None, None);
            event.caller = Caller::App(AppCaller {
                app,
                grant,
                scopes: None,
                token: None,
                peer,
            });
            event.rule = Some(Rule::Grant(GrantId::new(&world.clock, &OsRandom)));
        } else if number % 997 == 996 {
            event.app = Some(apps[1]);
        }
        event.connection = [Some(first.id), Some(second), None][number % 3];
        event.outcome = [Outcome::Done, Outcome::Done, Outcome::Refused, Outcome::Failed][number % 4];
        lines.push(event);
    }
    write(&engine, &lines);
    let store = engine.store().unwrap();
    let all = store
        .events(Only::default(), None, 100_000, usize::MAX, nothing_unwritten())
        .unwrap()
        .0;
    Busy {
        world,
        engine,
        apps,
        second,
        all,
    }
}

fn filter(app: Option<&str>, connection: Option<&str>, outcome: Option<Outcome>) -> EventFilter {
    EventFilter {
        app: app.map(str::to_owned),
        connection: connection.map(str::to_owned),
        outcome,
        since: None,
    }
}

/// A filter gives all that fits, once, in order, and nothing of anybody else.
#[tokio::test]
async fn a_filter_gives_what_fits_and_nothing_else_on_however_many_pages() {
    let busy = busy().await;
    let (engine, apps, second) = (&busy.engine, busy.apps, busy.second);
    let id = apps[0].to_string();
    type Fits = Box<dyn Fn(&Event) -> bool>;
    let of_app = move |app: AppId| move |e: &Event| e.caller.app() == Some(app) || e.app == Some(app);
    let cases: [(EventFilter, Fits); 6] = [
        (filter(Some("one"), None, None), Box::new(of_app(apps[0]))),
        (filter(Some(&id), None, None), Box::new(of_app(apps[0]))),
        (filter(Some("two"), None, None), Box::new(of_app(apps[1]))),
        (
            filter(None, Some("more"), None),
            Box::new(move |e| e.connection == Some(second)),
        ),
        (
            filter(None, None, Some(Outcome::Refused)),
            Box::new(|e| e.outcome == Outcome::Refused),
        ),
        (
            filter(Some("two"), Some("more"), Some(Outcome::Failed)),
            Box::new(move |e| {
                of_app(apps[1])(e) && e.connection == Some(second) && e.outcome == Outcome::Failed
            }),
        ),
    ];
    for (filter, fits) in cases {
        let right: Vec<_> = busy
            .all
            .iter()
            .filter(|event| fits(event))
            .map(|event| event.id)
            .collect();
        assert!(
            right.len() > 10 && right.len() < 2000,
            "{filter:?}: {}",
            right.len()
        );
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let (page, next) = engine.search_events(&ui(), &filter, before, 100).await.unwrap();
            assert!(page.len() <= 100);
            found.extend(page.iter().map(|event| event.id));
            before = next;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(found, right, "{filter:?}");
    }
}

#[tokio::test]
async fn one_page_opens_so_many_lines_and_says_where_to_go_on() {
    let busy = busy().await;
    let store = busy.engine.store().unwrap();
    let only = Only {
        app: Some(busy.apps[1]),
        outcome: Some(Outcome::Failed),
        ..Only::default()
    };
    let (mut found, mut before, mut pages) = (Vec::new(), None, 0);
    loop {
        let (page, next) = store.events(only, before, 500, 700, nothing_unwritten()).unwrap();
        found.extend(page.iter().map(|event| event.id));
        pages += 1;
        match next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    assert_eq!(pages, busy.all.len().div_ceil(700));
    let right = busy.all.iter().filter(|event| only.admits(event));
    let right: Vec<_> = right.map(|event| event.id).collect();
    assert_eq!(found, right);
    // An empty page with a next one is no end.
    let unknown = Only {
        app: Some(AppId::new(&busy.world.clock, &OsRandom)),
        ..Only::default()
    };
    let (page, next) = store.events(unknown, None, 5, 700, nothing_unwritten()).unwrap();
    assert_eq!((page.len(), next), (0, Some(newest(&busy.engine) - 699)));
}

#[tokio::test]
async fn a_filter_by_something_unknown_says_that_it_is_unknown() {
    let (world, engine) = engine().await;
    let gone = AppId::new(&world.clock, &OsRandom).to_string();
    for unknown in [
        filter(Some("unknown"), None, None),
        filter(Some(&gone), None, None),
        filter(None, Some("x"), None),
    ] {
        let error = engine.search_events(&ui(), &unknown, None, 10).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
    }
}

/// A hand-out is written by itself a moment later: no request is needed, and no token waits for it.
#[tokio::test]
async fn hand_outs_are_written_by_themselves_and_many_in_one_transaction() {
    let (_world, engine) = engine().await;
    engine.flush_activity().await;
    let (before, epoch) = (newest(&engine), engine.store().unwrap().epoch());
    for _ in 0..200 {
        token(&engine, 0).await.unwrap();
    }
    until("they are on the disk", async || {
        (newest(&engine) == before + 200).then_some(())
    })
    .await;
    let transactions = engine.store().unwrap().epoch() - epoch;
    assert!(transactions < 100, "{transactions}");
}

#[tokio::test]
async fn what_was_handed_out_is_in_the_log_once_the_vault_is_locked_or_the_engine_has_ended() {
    let (world, engine) = engine().await;
    engine.flush_activity().await;
    let before = newest(&engine);
    let store = engine.store().unwrap();
    token(&engine, 0).await.unwrap();
    engine.lock(&ui()).await.unwrap();
    let written = store.database().last_event().unwrap().unwrap().0;
    assert_eq!(written, before + 2, "the hand-out and the lock");
    drop(store);

    engine.unlock(&ui(), None, false).await.unwrap();
    token(&engine, 0).await.unwrap();
    let engine = world.restart(engine).await;
    let kinds: Vec<_> = engine.events(&ui(), None, 4).await.unwrap().0;
    let kinds: Vec<_> = kinds.iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&EventKind::Unlocked), "{kinds:?}");
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| **kind == EventKind::TokenHandedOut)
            .count(),
        2,
        "{kinds:?}"
    );
}

/// security.md, "At rest": a damaged line is noticed by who reads over it, and hides none of the others.
#[tokio::test]
async fn a_damaged_line_is_shown_as_one_with_its_number_and_the_others_are_read() {
    let (world, engine) = engine().await;
    let lines = [0; 5].map(|_| line(&world, &engine));
    write(&engine, &lines[..2]);
    let bad = newest(&engine) + 1;
    let store = engine.store().unwrap();
    store
        .change(engine.now(), |transaction| {
            let chain = transaction.manifest.chain;
            let mut sealed = store.seal_apart(place(bad), &written(&chain, &lines[2])?)?;
            transaction.manifest.chain = store.vault().chain(&chain, &sealed);
            transaction.manifest.next_event = bad + 1;
            let last = sealed.len() - 1;
            sealed[last] ^= 1;
            transaction.writer.append_event(bad, &sealed)?;
            Ok(())
        })
        .unwrap();
    write(&engine, &lines[3..]);
    for before in [None, Some(bad + 2), Some(bad + 1)] {
        let (events, _) = engine.events(&ui(), before, 500).await.unwrap();
        let told: Vec<_> = events
            .iter()
            .filter_map(|event| event.detail.clone())
            .filter(|detail| detail.contains(&format!("line {bad} ")))
            .collect();
        assert_eq!(told.len(), 1, "{before:?} {told:?}");
        let ids: HashSet<_> = events.iter().map(|event| event.id).collect();
        assert!(lines[..2].iter().all(|event| ids.contains(&event.id)));
    }
}

/// security.md, "At rest": the log is bounded, and what is left of it can still be checked.
#[tokio::test]
async fn the_oldest_lines_go_a_segment_at_a_time_and_the_rest_is_still_checked() {
    let (world, engine) = engine().await;
    let lines: Vec<_> = (0..300).map(|_| line(&world, &engine)).collect();
    write(&engine, &lines);
    let store = engine.store().unwrap();
    let prune = |kept, segment| {
        store
            .change(engine.now(), |transaction| transaction.prune(kept, segment))
            .unwrap();
    };
    prune(newest(&engine), 64);
    assert_eq!(store.log_start(), 1, "not a whole segment yet");
    prune(200, 64);
    assert_eq!(store.log_start(), 65);
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let (page, next) = engine.events(&ui(), before, 100).await.unwrap();
        all.extend(page);
        before = next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(all.len(), usize::try_from(newest(&engine) - 64).unwrap());
    assert!(damage(&all).is_empty(), "{:?}", damage(&all));
    let older = engine.events(&ui(), Some(3), 10).await.unwrap();
    assert_eq!((older.0.len(), older.1), (0, None));
    drop(store);
    // The manifest knows where the log begins: it cannot be shortened unnoticed.
    let engine = world.restart(engine).await;
    let store = engine.store().unwrap();
    assert_eq!(store.log_start(), 65);
    let cut = |transaction: &mut crate::records::transaction::Transaction<'_>| {
        Ok(transaction.writer.prune_events(70)?)
    };
    store.change(engine.now(), cut).unwrap();
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let (page, next) = engine.events(&ui(), before, 100).await.unwrap();
        all.extend(page);
        before = next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(damage(&all), ["lines 65 to 69 are missing"]);
}

/// The manifest of an older Tokenry says nothing of where the log begins.
#[test]
fn a_manifest_without_a_beginning_of_the_log_means_the_first_line() {
    let old = r#"{"epoch":1,"sum":[SUM],"chain":[SUM],"next_event":7}"#.replace("SUM", &["0"; 32].join(","));
    let manifest: crate::records::sealed_store::Manifest = serde_json::from_str(&old).unwrap();
    assert_eq!(manifest.first_event, 1);
}
