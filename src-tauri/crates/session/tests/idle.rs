//! The idle monitor of the desktop, on a real bus of the test's own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up cannot go on")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokenry_session::{DesktopSession, SessionEvent, SessionMonitor, WatchOptions};
use tokio::sync::mpsc;
use zbus::{Connection, connection::Builder, interface};

const NAME: &str = "org.gnome.Mutter.IdleMonitor";
const PATH: &str = "/org/gnome/Mutter/IdleMonitor/Core";
/// How long the user has to be idle in these tests.
const LIMIT: Duration = Duration::from_millis(50);
/// How long something may take on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A bus that ends with the test.
struct TestBus {
    daemon: Child,
    address: String,
    _folder: TempDir,
}

impl TestBus {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("bus.conf");
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}/bus</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\"/><allow own=\"*\"/>\
             <allow receive_sender=\"*\"/></policy></busconfig>",
            folder.path().display()
        );
        std::fs::write(&config, text).unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .args(["--nofork", "--print-address=1", "--config-file"])
            .arg(&config)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        let mut said = BufReader::new(daemon.stdout.take().unwrap());
        said.read_line(&mut address).unwrap();
        Self {
            daemon,
            address: address.trim().to_owned(),
            _folder: folder,
        }
    }

    async fn connect(&self) -> Connection {
        Builder::address(self.address.as_str())
            .unwrap()
            .build()
            .await
            .unwrap()
    }
}

impl Drop for TestBus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// Mutter, as far as it watches idle users. It passes on each time that it is asked for.
struct IdleMonitor(mpsc::UnboundedSender<u64>);

#[interface(name = "org.gnome.Mutter.IdleMonitor")]
impl IdleMonitor {
    fn add_idle_watch(&self, millis: u64) -> u32 {
        self.0.send(millis).unwrap();
        7
    }
}

async fn monitor(bus: &TestBus) -> (Connection, mpsc::UnboundedReceiver<u64>) {
    let (asked, asks) = mpsc::unbounded_channel();
    let connection = bus.connect().await;
    connection
        .object_server()
        .at(PATH, IdleMonitor(asked))
        .await
        .unwrap();
    connection.request_name(NAME).await.unwrap();
    (connection, asks)
}

async fn fired(from: &Connection, watch: u32) {
    from.emit_signal(None::<&str>, PATH, NAME, "WatchFired", &watch)
        .await
        .unwrap();
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, what).await.unwrap()
}

fn idle() -> WatchOptions {
    WatchOptions {
        idle: Some(LIMIT),
        ..WatchOptions::default()
    }
}

#[tokio::test]
async fn the_idle_monitor_of_the_desktop_reports_and_a_stranger_does_not() {
    let bus = TestBus::start();
    let (mutter, mut asks) = monitor(&bus).await;
    let session = DesktopSession::at("unix:path=/nowhere", &bus.address);
    assert_eq!(session.sources().await.idle, Some(NAME));
    let begun = std::time::Instant::now();
    let mut watch = session.watch(&idle());
    assert_eq!(in_time(asks.recv()).await, Some(50));
    // A user who unlocks the vault from elsewhere is idle here, and gets the whole time all the same.
    assert!(begun.elapsed() >= LIMIT);
    let stranger = bus.connect().await;
    fired(&stranger, 7).await;
    fired(&mutter, 8).await;
    let early = tokio::time::timeout(Duration::from_millis(200), watch.next()).await;
    assert!(early.is_err(), "another sender and another watch say nothing");
    fired(&mutter, 7).await;
    assert!(matches!(in_time(watch.next()).await, SessionEvent::Idle));
}

#[tokio::test]
async fn an_idle_monitor_that_comes_later_or_again_is_asked() {
    let bus = TestBus::start();
    let session = DesktopSession::at("unix:path=/nowhere", &bus.address);
    let mut watch = session.watch(&idle());
    let mut sources = watch.sources();
    for _ in 0..2 {
        let (mutter, mut asks) = monitor(&bus).await;
        in_time(asks.recv()).await.unwrap();
        in_time(sources.wait_for(|sources| sources.idle.is_some()))
            .await
            .unwrap();
        fired(&mutter, 7).await;
        assert!(matches!(in_time(watch.next()).await, SessionEvent::Idle));
        mutter.close().await.unwrap();
        in_time(sources.wait_for(|sources| sources.idle.is_none()))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn without_any_bus_nothing_is_found_and_nothing_is_reported() {
    let session = DesktopSession::at("unix:path=/nowhere", "unix:path=/nowhere");
    assert_eq!(session.sources().await, tokenry_session::Sources::default());
    let mut watch = session.watch(&idle());
    let report = tokio::time::timeout(Duration::from_millis(100), watch.next()).await;
    assert!(report.is_err());
}
