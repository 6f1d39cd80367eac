//! Auto-lock with real buses: what logind and the screen saver report locks the vault of a real engine.
#![allow(clippy::unwrap_used)]

use tokenry_e2e::desktop_session::DesktopSession;
use tokenry_e2e::process::{Running, wait_for};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::system_bus::{SESSION_ID, ScreenSaver, SystemBus};

const PASSPHRASE: &str = "correct horse battery";

/// An engine in a session with both buses.
struct Scene {
    system: SystemBus,
    session: DesktopSession,
    profile: Profile,
    engine: Running,
}

impl Scene {
    /// With these options of `tokenry settings set`.
    fn with(settings: &[&str]) -> Self {
        let (system, session) = (SystemBus::start(), DesktopSession::bare());
        let mut profile = Profile::in_session(&session);
        for (name, value) in system.env() {
            profile.set(name, value.clone());
        }
        let engine = profile.serve_with_passphrase(PASSPHRASE);
        let scene = Self {
            system,
            session,
            profile,
            engine,
        };
        scene.set(settings);
        scene
    }

    fn set(&self, settings: &[&str]) {
        self.profile
            .tokenry(&[&["settings", "set"], settings].concat())
            .success();
    }

    fn is_locked(&self) -> bool {
        let status = self.profile.tokenry(&["--json", "status"]).success().json();
        status["vault"]["state"] == "locked"
    }

    /// Waits until the engine listens to logind: it holds a suspend back.
    fn listens(&self) {
        wait_for("the inhibitor is held", || {
            (self.system.inhibitors() == 1).then_some(())
        });
    }

    fn unlock(&self) {
        self.profile
            .tokenry_with(&["unlock", "--passphrase-fd", "0"], PASSPHRASE)
            .success();
    }

    /// Why the vault locked each time, the oldest first.
    fn reasons(&self) -> Vec<String> {
        self.unlock();
        let page = self.profile.tokenry(&["--json", "events"]).success().json();
        let events = page["events"].as_array().unwrap().iter().rev();
        let locked = events.filter(|event| event["kind"] == "locked");
        locked
            .map(|event| event["detail"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    fn locks(&self) {
        wait_for("the vault is locked", || self.is_locked().then_some(()));
    }
}

const SUSPEND: &[&str] = &["--suspend", "on"];
const ALL: &[&str] = &["--suspend", "on", "--screen-lock", "on", "--user-switch", "on"];

/// What logind is told to say.
type Signal = fn(&SystemBus);

#[test]
fn each_signal_of_logind_locks_the_vault() {
    let scene = Scene::with(ALL);
    let signals: [(Signal, &str); 4] = [
        (|system| system.lock_session(SESSION_ID), "the screen was locked"),
        (
            |system| system.set_property(SESSION_ID, "LockedHint", true),
            "the screen was locked",
        ),
        (
            |system| system.set_property(SESSION_ID, "Active", false),
            "another user's session became active",
        ),
        (|system| system.prepare_for_sleep(true), "the computer suspends"),
    ];
    for (signal, _) in &signals {
        scene.listens();
        signal(&scene.system);
        scene.locks();
        scene.unlock();
    }
    assert_eq!(scene.reasons(), signals.map(|(_, why)| why));
}

#[test]
fn a_suspend_is_held_back_until_the_vault_is_locked_and_the_next_one_again() {
    let scene = Scene::with(SUSPEND);
    scene.listens();
    scene.system.prepare_for_sleep(true);
    wait_for("the inhibitor is released", || {
        (scene.system.inhibitors() == 0).then_some(())
    });
    assert!(scene.is_locked(), "it is released only when the vault is locked");
    scene.system.prepare_for_sleep(false);
    scene.unlock();
    scene.listens();
}

#[test]
fn what_is_off_locks_nothing() {
    let scene = Scene::with(SUSPEND);
    scene.listens();
    scene.system.lock_session(SESSION_ID);
    scene.system.set_property(SESSION_ID, "Active", false);
    scene.system.prepare_for_sleep(true);
    scene.locks();
    assert_eq!(
        scene.reasons(),
        ["the computer suspends"],
        "the signals before it did nothing"
    );
    scene.set(&["--suspend", "off"]);
    wait_for("nothing is held any more", || {
        (scene.system.inhibitors() == 0).then_some(())
    });
    assert!(!scene.is_locked());
}

#[test]
fn signals_of_other_programs_and_sessions_and_wrong_types_lock_nothing() {
    let scene = Scene::with(ALL);
    scene.listens();
    let stranger = scene.system.connect();
    let session = SystemBus::session_path(SESSION_ID);
    let engine = scene.system.connection_of(scene.engine.id());
    let lock = "org.freedesktop.login1.Session";
    for to in [None, Some(engine.as_str())] {
        stranger
            .emit_signal(to, session.as_str(), lock, "Lock", &())
            .unwrap();
        let manager = "org.freedesktop.login1.Manager";
        let path = "/org/freedesktop/login1";
        stranger
            .emit_signal(to, path, manager, "PrepareForSleep", &true)
            .unwrap();
    }
    // The bus has delivered what came before this on the same connection.
    stranger
        .call_method(
            Some("org.freedesktop.DBus"),
            "/",
            Some("org.freedesktop.DBus"),
            "GetId",
            &(),
        )
        .unwrap();
    scene.system.lock_session("c2");
    scene.system.set_property("c2", "Active", false);
    scene.system.emit("PrepareForSleep", "s", "true");
    scene.system.set_property(SESSION_ID, "Active", false);
    scene.locks();
    assert_eq!(scene.reasons(), ["another user's session became active"]);
}

#[test]
fn a_bus_that_restarts_is_listened_to_again() {
    let mut scene = Scene::with(SUSPEND);
    scene.listens();
    scene.system.stop();
    scene.system.start_again();
    assert!(!scene.is_locked(), "a bus that goes away is no reason to lock");
    scene.listens();
    scene.system.prepare_for_sleep(true);
    scene.locks();
}

#[test]
fn the_screen_saver_of_the_desktop_locks_the_vault() {
    let scene = Scene::with(&["--screen-lock", "on"]);
    for name in ["org.gnome.ScreenSaver", "org.freedesktop.ScreenSaver"] {
        // It starts after the engine, which has to notice it.
        let saver = ScreenSaver::start(&scene.session, name);
        saver.active_changed("yes", "s");
        saver.active_changed(false, "b");
        // The engine may not listen yet.
        wait_for("the vault is locked", || {
            saver.active_changed(true, "b");
            scene.is_locked().then_some(())
        });
        scene.unlock();
    }
    assert!(scene.reasons().iter().all(|why| why == "the screen was locked"));
}

#[test]
fn settings_tell_what_this_computer_reports() {
    let scene = Scene::with(ALL);
    let text = scene.profile.tokenry(&["settings"]).success().stdout;
    assert!(text.contains("on (by org.freedesktop.login1)"), "{text}");
    let bare = Profile::headless();
    let _engine = bare.serve_with_passphrase(PASSPHRASE);
    let text = bare.tokenry(&["settings"]).success().stdout;
    assert!(text.contains("off (not available on this computer)"), "{text}");
    let json = bare.tokenry(&["--json", "settings"]).success().json();
    assert_eq!(json["auto_lock"]["idle_minutes"], serde_json::Value::Null);
}
