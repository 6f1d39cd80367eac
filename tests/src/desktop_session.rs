//! A desktop of a test's own: session bus, keyring, display, home and XDG folders, all gone when it is dropped.

use crate::folder::Folder;
use crate::process::{Finished, Running, wait_for};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The password of the test's login keyring.
pub const KEYRING_PASSWORD: &str = "test keyring password";

/// Variables a program needs that are not the session's.
const INHERITED: [&str; 5] = ["PATH", "LANG", "LC_ALL", "LLVM_PROFILE_FILE", "RUST_BACKTRACE"];

/// A running session. Programs are started in it with [`DesktopSession::command`].
pub struct DesktopSession {
    // Dropped in this order: the keyring before its bus, everything before its folder.
    keyring: Option<Running>,
    display: Option<Running>,
    bus: Running,
    env: BTreeMap<String, OsString>,
    root: Folder,
}

impl DesktopSession {
    /// A session bus and nothing on it: no keyring, no display.
    pub fn bare() -> Self {
        let root = Folder::new();
        let mut env = BTreeMap::new();
        for name in INHERITED {
            env.extend(std::env::var_os(name).map(|value| (name.to_owned(), value)));
        }
        for (name, folder) in [
            ("HOME", "home"),
            ("XDG_RUNTIME_DIR", "run"),
            ("XDG_DATA_HOME", "home/.local/share"),
            ("XDG_CONFIG_HOME", "home/.config"),
            ("XDG_CACHE_HOME", "home/.cache"),
            ("XDG_STATE_HOME", "home/.local/state"),
            ("TMPDIR", "tmp"),
        ] {
            let path = root.path().join(folder);
            fs::create_dir_all(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
            env.insert(name.to_owned(), path.into());
        }
        // xdg-open finds its way through gio then, as it does on a real desktop.
        env.insert("XDG_CURRENT_DESKTOP".to_owned(), "GNOME".into());
        let files = (root.path().join("bus.conf"), root.path().join("run/bus"));
        let bus = start_bus(&files.0, &files.1, &mut env);
        Self {
            keyring: None,
            display: None,
            bus,
            env,
            root,
        }
    }

    /// A session with an unlocked keyring and no display.
    pub fn with_keyring() -> Self {
        let mut session = Self::bare();
        session.start_keyring(KEYRING_PASSWORD);
        session
    }

    /// A session with an unlocked keyring and a display.
    pub fn with_display() -> Self {
        let mut session = Self::with_keyring();
        session.start_display();
        session
    }

    /// Starts gnome-keyring and unlocks the login keyring with this password; the first time, makes it.
    pub fn start_keyring(&mut self, password: &str) {
        let mut daemon = self.command("gnome-keyring-daemon");
        daemon.args(["--unlock", "--components=secrets", "--foreground"]);
        let mut running = Running::start(daemon);
        running.write(password);
        running.close_stdin();
        self.keyring = Some(running);
        self.wait_for_keyring();
        wait_for("the login keyring", || self.keyring_label().map(drop));
    }

    /// Starts gnome-keyring without unlocking anything: what is there is locked.
    pub fn start_locked_keyring(&mut self) {
        let mut daemon = self.command("gnome-keyring-daemon");
        daemon.args(["--start", "--components=secrets", "--foreground"]);
        self.keyring = Some(Running::start(daemon));
        self.wait_for_keyring();
    }

    /// The keyring goes away, as if it had crashed; its file stays.
    pub fn stop_keyring(&mut self) {
        drop(self.keyring.take());
        wait_for("the keyring's end", || {
            (!self.has_name("org.freedesktop.secrets")).then_some(())
        });
    }

    /// Locks the login keyring.
    pub fn lock_keyring(&self) {
        let lock = ["/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock"];
        let login = "array:objpath:/org/freedesktop/secrets/collection/login";
        self.dbus_send("org.freedesktop.secrets", &[lock[0], lock[1], login])
            .success();
    }

    /// The folder where gnome-keyring keeps its files.
    pub fn keyring_folder(&self) -> PathBuf {
        self.root.path().join("home/.local/share/keyrings")
    }

    fn wait_for_keyring(&self) {
        wait_for("the keyring", || {
            self.has_name("org.freedesktop.secrets").then_some(())
        });
    }

    /// Whether there is a login keyring; it comes a moment after the service.
    fn keyring_label(&self) -> Option<String> {
        let get = [
            "/org/freedesktop/secrets/collection/login",
            "org.freedesktop.DBus.Properties.Get",
        ];
        let property = ["string:org.freedesktop.Secret.Collection", "string:Label"];
        let reply = self.dbus_send(
            "org.freedesktop.secrets",
            &[get[0], get[1], property[0], property[1]],
        );
        (reply.code == 0).then_some(reply.stdout)
    }

    /// Starts a virtual display of 1280 × 800.
    pub fn start_display(&mut self) {
        let mut server = self.command("Xvfb");
        server.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1280x800x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ]);
        let mut running = Running::start(server);
        let display = format!(":{}", running.line());
        self.env.insert("DISPLAY".to_owned(), display.into());
        self.display = Some(running);
    }

    /// Sets a variable for the programs started from now on.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.env.insert(name.to_owned(), value.into());
    }

    /// The session's environment.
    pub fn env(&self) -> &BTreeMap<String, OsString> {
        &self.env
    }

    /// The session's folder: home, runtime folder and all.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The session's `XDG_DATA_HOME`.
    pub fn data_home(&self) -> PathBuf {
        self.root.path().join("home/.local/share")
    }

    /// A program in this session, with nothing of the environment of the test run.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.env).current_dir(self.root.path());
        command
    }

    /// Runs a program to its end, with this on its standard input.
    pub fn run(&self, program: &str, arguments: &[&str], stdin: &str) -> Finished {
        let mut command = self.command(program);
        command.args(arguments);
        let mut running = Running::start(command);
        running.write(stdin);
        running.wait()
    }

    /// Whether a program on the bus owns this name.
    pub fn has_name(&self, name: &str) -> bool {
        let call = ["/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner"];
        let reply = self.dbus_send(
            "org.freedesktop.DBus",
            &[call[0], call[1], &format!("string:{name}")],
        );
        reply.success().stdout.contains("boolean true")
    }

    fn dbus_send(&self, destination: &str, call: &[&str]) -> Finished {
        let to = format!("--dest={destination}");
        let mut arguments = vec!["--session", "--print-reply", "--reply-timeout=10000", &to];
        arguments.extend(call);
        self.run("dbus-send", &arguments, "")
    }

    /// Ends the bus, as a logout does. What still runs has to cope.
    pub fn stop_bus(&mut self) {
        self.bus.kill();
    }
}

/// A bus that starts nothing by itself: a test's keyring is absent when the test did not start one.
pub(crate) fn start_bus(config: &Path, socket: &Path, env: &mut BTreeMap<String, OsString>) -> Running {
    let text = format!(
        "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
         <policy context=\"default\"><allow send_destination=\"*\"/><allow own=\"*\"/>\
         <allow receive_sender=\"*\"/></policy></busconfig>",
        socket.display()
    );
    fs::write(config, text).unwrap();
    let mut daemon = Command::new("dbus-daemon");
    daemon
        .env_clear()
        .envs(&*env)
        .arg("--nofork")
        .arg("--print-address=1")
        .arg("--config-file")
        .arg(config);
    let mut bus = Running::start(daemon);
    env.insert("DBUS_SESSION_BUS_ADDRESS".to_owned(), bus.line().into());
    bus
}
