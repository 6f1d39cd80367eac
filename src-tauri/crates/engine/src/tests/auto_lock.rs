//! Auto-lock: what the session reports locks the vault, if the settings say so.

use crate::tests::common::{NAME, World, seen, status, token, ui, until};
use crate::{AutoLockChange, Engine, Error, PromptAnswer, Proof, SettingsChange, VaultState};
use std::{io::Read, os::unix::net::UnixStream, sync::atomic::Ordering, time::Duration};
use tokenry_core::{Caller, Code, ConnectionStatus, Event, EventKind, Peer};
use tokenry_session::{Inhibitor, SessionEvent, WatchOptions};
use tokenry_testkit::{Behaviour, Fault};

const ALL: AutoLockChange = AutoLockChange {
    idle_minutes: Some(15),
    screen_lock: Some(true),
    suspend: Some(true),
    user_switch: Some(true),
};

async fn set(engine: &Engine, auto_lock: AutoLockChange) {
    let change = SettingsChange {
        auto_lock,
        ..SettingsChange::default()
    };
    engine.change_settings(&ui(), change).await.unwrap();
}

/// Waits until so many watches were begun.
async fn watches(world: &World, count: usize) -> Vec<WatchOptions> {
    until("a watch is begun", async || {
        let begun = world.session.begun();
        (begun.len() >= count).then_some(begun)
    })
    .await
}

async fn locked(engine: &Engine) {
    until("the vault is locked", async || (!engine.is_open()).then_some(())).await;
}

async fn newest(engine: &Engine, kind: EventKind) -> Event {
    until("the log has such a line", async || {
        let (events, _) = engine.events(&ui(), None, 100).await.unwrap();
        events.into_iter().find(|event| event.kind == kind)
    })
    .await
}

fn program() -> Caller {
    let uid = rustix::process::getuid().as_raw();
    Caller::Program(tokenry_peer::of_process(uid, std::process::id()))
}

#[tokio::test]
async fn nothing_is_listened_to_while_all_is_off_or_the_vault_is_locked() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    let screen = AutoLockChange {
        screen_lock: Some(true),
        ..AutoLockChange::default()
    };
    set(&engine, screen).await;
    let begun = watches(&world, 1).await;
    let only_screen = WatchOptions {
        screen_lock: true,
        ..WatchOptions::default()
    };
    assert!(begun.iter().eq([&only_screen]), "nothing was listened to before");
    engine.lock(&ui()).await.unwrap();
    engine.unlock(&ui(), None, false).await.unwrap();
    assert_eq!(watches(&world, 2).await, [only_screen.clone(), only_screen]);
    let off = AutoLockChange {
        screen_lock: Some(false),
        ..AutoLockChange::default()
    };
    set(&engine, off).await;
    set(&engine, ALL).await;
    assert_eq!(
        watches(&world, 3).await.len(),
        3,
        "while it was off, none was begun"
    );
}

#[tokio::test]
async fn each_report_of_the_session_locks_the_vault_and_the_log_says_why() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    set(&engine, ALL).await;
    let reports = [
        (SessionEvent::Idle, "no use for 15 minutes"),
        (SessionEvent::ScreenLocked, "the screen was locked"),
        (
            SessionEvent::AboutToSuspend(Inhibitor::default()),
            "the computer suspends",
        ),
        (SessionEvent::UserSwitched, "another user's session became active"),
    ];
    for (at, (event, why)) in reports.into_iter().enumerate() {
        watches(&world, at + 1).await;
        world.session.report(event).await;
        locked(&engine).await;
        assert_eq!(engine.status().vault.state, VaultState::Locked);
        engine.unlock(&ui(), None, false).await.unwrap();
        let line = newest(&engine, EventKind::Locked).await;
        assert_eq!((line.detail.as_deref(), line.caller), (Some(why), Caller::Engine));
    }
}

#[tokio::test]
async fn a_suspend_is_held_back_until_the_last_task_has_let_go_of_the_keys() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    set(&engine, ALL).await;
    watches(&world, 1).await;
    let (held, mut seen) = UnixStream::pair().unwrap();
    let in_use = engine.store().unwrap();
    let inhibitor = Inhibitor::from(Some(held.into()));
    world
        .session
        .report(SessionEvent::AboutToSuspend(inhibitor))
        .await;
    locked(&engine).await;
    seen.set_nonblocking(true).unwrap();
    assert!(seen.read(&mut [0]).is_err(), "the inhibitor is still held");
    drop(in_use);
    until("the inhibitor is released", async || {
        matches!(seen.read(&mut [0]), Ok(0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_exchange_under_way_is_committed_before_an_auto_lock_lets_go_of_the_keys() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    set(&engine, ALL).await;
    watches(&world, 1).await;
    world.pass(3700);
    world.server.queue(Fault::Gate);
    let waiting = {
        let engine = engine.clone();
        tokio::spawn(async move { token(&engine, 0).await })
    };
    seen(&world, "the refresh", |server| server.refreshes() == 1).await;
    world.session.report(SessionEvent::ScreenLocked).await;
    locked(&engine).await;
    world.server.release();
    assert_eq!(waiting.await.unwrap().unwrap_err().code(), Code::VaultLocked);
    engine.unlock(&ui(), None, false).await.unwrap();
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
}

/// A few looks of the timer.
async fn some_time() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[tokio::test]
async fn without_a_report_of_the_desktop_the_vault_locks_when_tokenry_is_not_used() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    set(&engine, ALL).await;
    watches(&world, 1).await;
    world.pass(14 * 60);
    token(&engine, 0).await.unwrap();
    world.pass(14 * 60);
    engine.window_used(&ui()).unwrap();
    world.pass(14 * 60);
    some_time().await;
    assert!(engine.is_open(), "it was used 14 minutes ago");
    world.pass(60);
    locked(&engine).await;
}

#[tokio::test]
async fn a_desktop_that_reports_idle_users_decides_alone() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    set(&engine, ALL).await;
    watches(&world, 1).await;
    world
        .session
        .found(|sources| sources.idle = Some("org.gnome.Mutter.IdleMonitor"));
    world.pass(60 * 60);
    some_time().await;
    assert!(engine.is_open(), "the user is at the keyboard");
    world.session.report(SessionEvent::Idle).await;
    locked(&engine).await;
}

#[tokio::test]
async fn a_refused_program_does_not_count_as_use() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    set(&engine, ALL).await;
    watches(&world, 1).await;
    world.pass(14 * 60);
    let off = SettingsChange {
        loopback: Some(true),
        ..SettingsChange::default()
    };
    assert!(engine.change_settings(&program(), off).await.is_err());
    assert!(engine.window_used(&program()).is_err());
    world.pass(60);
    locked(&engine).await;
}

#[tokio::test]
async fn a_program_changes_auto_lock_only_with_consent_each_time_and_nothing_else() {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    for change in [
        SettingsChange {
            loopback: Some(true),
            ..SettingsChange::default()
        },
        SettingsChange {
            ask_passphrase: Some(true),
            ..SettingsChange::default()
        },
    ] {
        let refused = engine.change_settings(&program(), change).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
    let change = || SettingsChange {
        auto_lock: ALL,
        tokens_while_locked: Some(true),
        ..SettingsChange::default()
    };
    for answer in [PromptAnswer::Deny, PromptAnswer::Once] {
        let asking = {
            let engine = engine.clone();
            tokio::spawn(async move { engine.change_settings(&program(), change()).await })
        };
        let prompt = until("the user is asked", async || {
            engine.prompts(&Caller::Consent).unwrap().into_iter().next()
        })
        .await;
        assert!(!prompt.for_session);
        let fields: Vec<_> = prompt
            .changes
            .iter()
            .map(|change| change.field.as_str())
            .collect();
        assert_eq!(
            fields,
            [
                "idle_minutes",
                "screen_lock",
                "suspend",
                "user_switch",
                "tokens_while_locked"
            ]
        );
        let is_yes = answer == PromptAnswer::Once;
        let proof = Proof::Number(prompt.number);
        engine
            .answer(&Caller::Consent, prompt.id, &proof, answer)
            .await
            .unwrap();
        let done: Result<_, Error> = asking.await.unwrap();
        assert_eq!(done.is_ok(), is_yes);
        assert_eq!(
            engine.settings(&program()).await.unwrap().tokens_while_locked,
            is_yes
        );
        world.pass(60);
    }
    let line = newest(&engine, EventKind::SettingsChanged).await;
    assert!(line.detail.unwrap().contains("off → on") && line.caller == program());
    // What is so already is no change: the user is not asked.
    engine.change_settings(&program(), change()).await.unwrap();
}

#[tokio::test]
async fn an_app_neither_sees_nor_changes_the_settings() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let (_, token) = engine
        .register_app(&ui(), "backup", Vec::new(), false)
        .await
        .unwrap();
    let peer: Option<Peer> = None;
    let app = engine.authenticate(&token.unwrap(), peer).await.unwrap();
    assert!(engine.settings(&app).await.is_err());
    assert!(
        engine
            .change_settings(&app, SettingsChange::default())
            .await
            .is_err()
    );
    let change = SettingsChange {
        auto_lock: ALL,
        ..SettingsChange::default()
    };
    assert_eq!(
        engine.change_settings(&app, change).await.unwrap_err().code(),
        Code::PermissionDenied
    );
    assert!(engine.connection(&ui(), NAME).await.is_ok());
}

#[tokio::test]
async fn no_window_comes_up_for_an_auto_lock() {
    let world = World::new(Behaviour::default());
    world.host.shows_window.store(true, Ordering::SeqCst);
    let engine = world.start().await;
    set(&engine, ALL).await;
    watches(&world, 1).await;
    world.session.report(SessionEvent::ScreenLocked).await;
    locked(&engine).await;
    assert_eq!(world.host.shown.load(Ordering::SeqCst), 0);
}
