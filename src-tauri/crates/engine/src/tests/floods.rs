//! security.md, "Local interfaces" and "At rest": what one program repeats costs the others nothing, and hides
//! nothing of what they did.

use crate::tests::common::{NAME, World, paste, token, ui, until};
use crate::tests::flows::added;
use crate::{ConnectOptions, ConsentMode, Engine, Options, VaultChoice};
use std::time::Instant;
use tokenry_core::{Caller, Code, EventKind, Outcome, Peer, Secret};
use tokenry_testkit::Behaviour;

/// A program that runs in a terminal session of its own.
fn program(path: &str, pid: u32, session: u32) -> Caller {
    Caller::Program(Peer {
        uid: 1000,
        pid,
        started: u64::from(pid),
        program: Some(path.to_owned()),
        session: Some(session),
        helper: None,
        remote: None,
    })
}

async fn count(engine: &Engine, kind: EventKind, outcome: Outcome) -> usize {
    let events = engine.events(&ui(), None, 500).await.unwrap().0;
    let fits = |event: &&tokenry_core::Event| event.kind == kind && event.outcome == outcome;
    events.iter().filter(fits).count()
}

/// 5,000 links of no open sign-in are one line, and what the user did before is on the first page.
#[tokio::test]
async fn thousands_of_stale_links_are_one_line_of_the_log() {
    let (_world, engine) = added(Behaviour::default()).await;
    let before = engine.events(&ui(), None, 500).await.unwrap().0.len();
    let caller = program("/usr/bin/xdg-open", 7, 7);
    for number in 0..5000 {
        let link = format!("io.github.tokenry:/cb/sandbox?code=c&state={number}");
        engine.callback(&caller, &link).await.unwrap_err();
        if number % 1000 == 0 {
            engine.flush_activity().await;
        }
    }
    let (events, next) = engine.events(&ui(), None, 100).await.unwrap();
    assert_eq!((events.len(), next), (before + 1, None));
    assert_eq!(
        count(&engine, EventKind::RedirectRefused, Outcome::Refused).await,
        1
    );
}

/// The same while the vault is locked, where nothing can be written: they are counted, and not kept one by one.
#[tokio::test]
async fn what_is_refused_while_locked_is_counted_and_written_once_after_it() {
    let (_world, engine) = added(Behaviour::default()).await;
    engine.lock(&ui()).await.unwrap();
    for pid in 0..3000 {
        // A new process each time.
        let caller = program("/usr/bin/xdg-open", pid, 7);
        let link = format!("io.github.tokenry:/other/{pid}");
        engine.callback(&caller, &link).await.unwrap_err();
    }
    engine.unlock(&ui(), None, false).await.unwrap();
    let refused = count(&engine, EventKind::RedirectRefused, Outcome::Refused).await;
    assert_eq!(refused, 1);
}

/// Many programs, as copies of one under many names: the number of lines is bounded, too.
#[tokio::test]
async fn a_thousand_programs_do_not_make_a_thousand_lines_in_a_moment() {
    let (_world, engine) = added(Behaviour::default()).await;
    for number in 0..3000 {
        let caller = program(&format!("/tmp/copy-{number}"), number, number);
        let link = format!("io.github.tokenry:/cb/sandbox?code=c&state={number}");
        engine.callback(&caller, &link).await.unwrap_err();
    }
    let refused = count(&engine, EventKind::RedirectRefused, Outcome::Refused).await;
    assert!((2..400).contains(&refused), "{refused}");
}

/// Who got what, when: hand-outs are never put together, whatever else happens.
#[tokio::test]
async fn hand_outs_are_never_put_together() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    for _ in 0..50 {
        token(&engine, 0).await.unwrap();
        engine
            .callback(&program("/x", 3, 3), "io.github.tokenry:/cb/x?code=c&state=s")
            .await
            .unwrap_err();
    }
    assert_eq!(count(&engine, EventKind::TokenHandedOut, Outcome::Done).await, 50);
}

/// security.md, "Local interfaces": 16 sign-ins per caller; the user's own are not in the way of each other's.
#[tokio::test]
async fn one_caller_has_sixteen_open_sign_ins_and_the_user_can_still_start_one() {
    let world = World {
        asking: ConsentMode::AllowAll,
        ..World::new(Behaviour::default())
    };
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    let start = async |caller: &Caller, number: u32| {
        let how = ConnectOptions {
            label: Some(format!("n{number}")),
            ..paste(ConnectOptions::default())
        };
        engine.connect(caller, NAME, how).await
    };
    // A new process each time, in one session.
    for number in 0..16 {
        start(&program("/bin/greedy", number + 1, 9), number)
            .await
            .unwrap();
    }
    let error = start(&program("/bin/greedy", 17, 9), 16).await.unwrap_err();
    assert_eq!(error.code(), Code::RateLimited, "{error}");
    let words = error.to_string();
    assert!(words.contains("16") && words.contains("cancel"), "{words}");
    // Others are not held up by it.
    start(&program("/bin/other", 40, 10), 17).await.unwrap();
    let mut opened = 17;
    for session in 100..200 {
        let copy = program(&format!("/tmp/copy-{session}"), session, session);
        opened += u32::from(start(&copy, session).await.is_ok());
    }
    assert!(opened <= 64, "{opened} sign-ins are open");
    let own = start(&ui(), 300).await.unwrap();
    engine.cancel_flow(&ui(), own.flow).await.unwrap();
}

async fn behind_a_passphrase(world: &World) -> Engine {
    let passphrase = || Some(Secret::new("correct horse battery".to_owned()));
    let options = Options {
        vault: VaultChoice::Passphrase,
        passphrase: passphrase(),
        ..world.options()
    };
    let engine = Engine::start(options).await.unwrap();
    engine.tried_to_open().await;
    engine.lock(&ui()).await.unwrap();
    engine
}

/// security.md, "Local interfaces": guesses of one program wait in no queue before the user's own passphrase.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_do_not_delay_the_users_own_unlock() {
    let world = World::new(Behaviour::default());
    let engine = behind_a_passphrase(&world).await;
    let guess = |pid: u32| {
        let engine = engine.clone();
        tokio::spawn(async move {
            let wrong = Some(Secret::new(format!("wrong guess {pid}")));
            let caller = program("/bin/guess", pid, 50 + pid % 12);
            engine.unlock(&caller, wrong, false).await.unwrap_err()
        })
    };
    let guesses: Vec<_> = (1..=24).map(guess).collect();
    until("more guesses than may wait", async || {
        guesses
            .iter()
            .any(tokio::task::JoinHandle::is_finished)
            .then_some(())
    })
    .await;
    let began = Instant::now();
    let right = Some(Secret::new("correct horse battery".to_owned()));
    engine.unlock(&ui(), right, false).await.unwrap();
    let own = began.elapsed();
    let mut refused = 0;
    for guess in guesses {
        let error = guess.await.unwrap();
        if error.code() == Code::RateLimited {
            refused += 1;
            assert!(error.retry_after().is_some(), "{error}");
        }
    }
    assert!(
        refused >= 20,
        "{refused} of 24 were refused at once, and the user waited {own:?}"
    );
}

/// security.md, "Local interfaces": wrong passphrases, renames and pauses are in the log.
#[tokio::test]
async fn a_wrong_passphrase_is_in_the_log_once_it_can_be_written() {
    let world = World::new(Behaviour::default());
    let engine = behind_a_passphrase(&world).await;
    let wrong = Some(Secret::new("a wrong guess".to_owned()));
    engine
        .unlock(&program("/bin/guess", 5, 5), wrong, false)
        .await
        .unwrap_err();
    let right = Some(Secret::new("correct horse battery".to_owned()));
    engine.unlock(&ui(), right, false).await.unwrap();
    assert_eq!(count(&engine, EventKind::Unlocked, Outcome::Refused).await, 1);
}

/// security.md, "Local interfaces": wrong app tokens are in the log, and who tries many is one line.
#[tokio::test]
async fn wrong_app_tokens_are_one_line_of_the_log_with_a_count() {
    let (_world, engine) = added(Behaviour::default()).await;
    let Caller::Program(peer) = program("/bin/guess", 5, 5) else {
        return;
    };
    for number in 0..20 {
        let wrong = Secret::new(format!("tokenry_app_{number}"));
        engine.authenticate(&wrong, Some(peer.clone())).await.unwrap_err();
    }
    let events = engine.events(&ui(), None, 500).await.unwrap().0;
    let refused: Vec<_> = events
        .iter()
        .filter(|event| event.kind == EventKind::AppRefused)
        .collect();
    assert_eq!((refused.len(), refused[0].count), (1, 20));
    assert!(!format!("{refused:?}").contains("tokenry_app_"));
}

#[tokio::test]
async fn renames_and_pauses_are_in_the_log_and_no_change_is_not() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let change = |label: Option<&str>, paused: Option<bool>| crate::ConnectionChange {
        label: label.map(|label| Some(label.to_owned())),
        paused,
        bindings: None,
    };
    let id = engine
        .connection(&ui(), NAME)
        .await
        .unwrap()
        .connection
        .id
        .to_string();
    for change in [
        change(Some("work"), None),
        change(None, Some(true)),
        change(None, Some(true)),
        change(Some("work"), Some(false)),
        change(None, None),
    ] {
        engine.change_connection(&ui(), &id, change).await.unwrap();
    }
    let events = engine.events(&ui(), None, 500).await.unwrap().0;
    let changed = events
        .iter()
        .filter(|event| event.kind == EventKind::ConnectionChanged);
    let mut details: Vec<_> = changed.map(|event| event.detail.clone().unwrap()).collect();
    details.sort();
    assert_eq!(details, ["paused", "renamed from no label to work", "resumed"]);
}
