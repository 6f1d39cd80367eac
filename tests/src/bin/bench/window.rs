//! The start of the desktop app, until its window is painted.

use crate::proc::{children, name, pss};
use crate::report::Row;
use crate::sample::Sample;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tokenry_e2e::desktop_session::DesktopSession;
use tokenry_e2e::display::{Eye, Picture, ask_to_close};
use tokenry_e2e::process::{Running, program};
use tokenry_e2e::profile::Profile;
use zbus::blocking::{Connection, connection};

const TITLE: &str = "Tokenry";
const STARTS: usize = 10;
/// A picture that has not changed for so long is the last one.
const STILL: Duration = Duration::from_secs(2);
/// How long web processes may take to end.
const SETTLE: Duration = Duration::from_secs(10);
/// How often it is looked at. Each look keeps the display busy for some milliseconds.
const POLL_INTERVAL: Duration = Duration::from_millis(15);

/// Our window beside an empty one: until it shows all that it is going to show, and what its processes take then.
pub(crate) fn measure() -> Vec<Row> {
    let session = DesktopSession::with_display();
    // A desktop that shows tray icons.
    let _tray = show_tray_icons(&session);
    let profile = Profile::in_session(&session);
    let eye = Eye::open(&session);
    let ours = || profile.command("tokenry-desktop", &[]);
    let empty = || session.command(program("examples/empty_window"));
    // The first ones make the profile and bring everything into memory.
    for command in [ours(), empty()] {
        drop(start(command, &eye));
    }
    let mut times = [Sample::default(), Sample::default()];
    let mut memory = [Sample::default(), Sample::default()];
    for _ in 0..STARTS {
        for (which, command) in [ours(), empty()].into_iter().enumerate() {
            let (app, time) = start(command, &eye);
            times[which].push(time);
            memory[which].push_number(children(app.id()).into_iter().map(pss).sum());
        }
    }
    vec![
        Row::ratio(
            "window: start to its last picture",
            &times[0],
            ("empty Tauri window", &times[1]),
            1.25,
        ),
        Row::ratio(
            "window: memory of all its processes (PSS, MiB)",
            &memory[0],
            ("empty Tauri window", &memory[1]),
            1.15,
        ),
        closed(&session, ours(), &eye),
    ]
}

/// Starts a program and waits until its window has changed for the last time: when that was.
fn start(command: Command, eye: &Eye) -> (Running, Duration) {
    let began = Instant::now();
    let app = Running::start(command);
    let (mut seen, mut changed) = (None, began);
    let end = began + Duration::from_secs(60);
    loop {
        let picture = eye.picture(TITLE);
        let now = Instant::now();
        assert!(now < end, "no window that comes to rest; {}", app.stderr());
        if picture != seen {
            (seen, changed) = (picture, now);
        } else if now - changed > STILL && seen.as_ref().is_some_and(Picture::is_painted) {
            return (app, changed - began);
        }
        sleep(POLL_INTERVAL);
    }
}

/// The window is closed, and the app goes on in the tray.
fn closed(session: &DesktopSession, command: Command, eye: &Eye) -> Row {
    let (app, _) = start(command, eye);
    let web = || {
        children(app.id())
            .into_iter()
            .skip(1)
            .map(name)
            .collect::<Vec<_>>()
    };
    let open = web();
    ask_to_close(session, TITLE);
    sleep(SETTLE);
    let left = web();
    let itself = pss(app.id());
    Row::count(
        "window closed to the tray: web processes",
        left.len() as f64,
        "",
        0.0,
    )
    .note(&format!(
        "open: {}; left {} s later: {}; the app itself has {itself:.1} MiB then",
        open.join(", "),
        SETTLE.as_secs(),
        if left.is_empty() {
            "none".to_owned()
        } else {
            left.join(", ")
        }
    ))
}

/// Takes the name on the bus under which a desktop says that it shows tray icons.
fn show_tray_icons(session: &DesktopSession) -> Connection {
    let bus = session.env()["DBUS_SESSION_BUS_ADDRESS"].to_str().unwrap();
    let builder = connection::Builder::address(bus).unwrap();
    let named = builder.name("org.kde.StatusNotifierWatcher").unwrap();
    named.build().unwrap()
}
