//! A D-Bus session, a home and a keyring that exist for one test only.

use crate::probe::{STEP, TIMEOUT, load};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::{fs::DirBuilderExt, process::CommandExt},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const PACKAGES: &str = "the packages dbus, gnome-keyring and libsecret-tools are needed";

pub(crate) struct Session {
    folder: tempfile::TempDir,
    bus: String,
    display: Option<String>,
    /// Heads of process groups; the last one started ends first.
    processes: Vec<Child>,
}

impl Session {
    /// A session bus on which nothing answers. Of the services that could be started, only gnome-keyring's password
    /// window is there.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for sub in ["home", "run", "services"] {
            fs::DirBuilder::new()
                .mode(0o700)
                .create(folder.path().join(sub))
                .unwrap();
        }
        let mut session = Self {
            bus: String::new(),
            display: None,
            processes: Vec::new(),
            folder,
        };
        session.start_bus();
        session
    }

    fn start_bus(&mut self) {
        let config = self.path("bus.conf");
        for name in ["SystemPrompter", "PrivatePrompter"] {
            let file = format!("org.gnome.keyring.{name}.service");
            let from = format!("/usr/share/dbus-1/services/{file}");
            fs::copy(from, self.folder.path().join("services").join(file)).expect(PACKAGES);
        }
        let text = format!(
            "<busconfig><type>session</type><listen>unix:dir={run}</listen><auth>EXTERNAL</auth>\
             <servicedir>{services}</servicedir><policy context=\"default\"><allow send_destination=\"*\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            run = self.path("run"),
            services = self.path("services"),
        );
        fs::write(&config, text).unwrap();
        let mut command = self.command("dbus-daemon");
        command.args(["--nofork", "--print-address=1", "--config-file", &config]);
        let mut bus = command
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect(PACKAGES);
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        self.processes.push(bus);
        self.bus = address.trim().to_owned();
    }

    /// Starts the keyring service; unlocked with this password (the first one it sees is the one it is made with),
    /// locked without.
    pub(crate) fn start_keyring(&mut self, password: Option<&str>) {
        let mut command = self.command("gnome-keyring-daemon");
        command
            .args(["--foreground", "--components=secrets"])
            .args(password.map(|_| "--unlock"));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        let mut daemon = command.spawn().expect(PACKAGES);
        let mut stdin = daemon.stdin.take().unwrap();
        stdin.write_all(password.unwrap_or_default().as_bytes()).unwrap();
        drop(stdin);
        self.processes.push(daemon);
        wait("the keyring service answers", || {
            let mut ask = self.command("dbus-send");
            ask.args([
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.DBus",
                "/org/freedesktop/DBus",
            ]);
            ask.args([
                "org.freedesktop.DBus.NameHasOwner",
                "string:org.freedesktop.secrets",
            ]);
            String::from_utf8_lossy(&ask.output().expect(PACKAGES).stdout).contains("boolean true")
        });
    }

    /// Ends the process that was started last.
    pub(crate) fn stop_last(&mut self) {
        end(self.processes.pop().unwrap());
    }

    /// Starts a virtual display for everything that is started later.
    pub(crate) fn start_display(&mut self) {
        let mut command = self.command("Xvfb");
        command.args([
            "-displayfd",
            "1",
            "-nolisten",
            "tcp",
            "-screen",
            "0",
            "640x480x24",
        ]);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0);
        let mut server = command.spawn().expect("the package xvfb is needed");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut number)
            .unwrap();
        self.processes.push(server);
        self.display = Some(format!(":{}", number.trim()));
    }

    /// A bus with another environment: what it starts sees the display.
    pub(crate) fn with_display() -> Self {
        let mut session = Self::start();
        session.stop_last();
        session.start_display();
        session.start_bus();
        session
    }

    pub(crate) fn path(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    /// A command that sees this session and nothing of the one the test runs in.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("LANG", "C.UTF-8");
        command.env("NO_AT_BRIDGE", "1").env("GTK_A11Y", "none");
        if !self.bus.is_empty() {
            command.env("DBUS_SESSION_BUS_ADDRESS", &self.bus);
        }
        if let Some(display) = &self.display {
            command.env("DISPLAY", display);
        }
        command
    }

    /// Starts one step in this session.
    pub(crate) fn spawn(&self, step: &str, timeout: Option<Duration>) -> Child {
        let mut command = self.command(std::env::current_exe().unwrap().to_str().unwrap());
        command.env(STEP, step).stdout(Stdio::piped());
        if let Some(timeout) = timeout {
            command.env(TIMEOUT, timeout.as_millis().to_string());
        }
        command.spawn().unwrap()
    }

    /// Runs one step in this session, and gives its outcome.
    pub(crate) fn step(&self, step: &str) -> String {
        outcome(self.spawn(step, None))
    }

    /// How many items the keyring has from us, whatever the vault.
    pub(crate) fn items(&self) -> usize {
        let mut search = self.command("secret-tool");
        let found = search
            .args(["search", "--all", "service", "io.github.tokenry"])
            .output()
            .expect(PACKAGES);
        String::from_utf8_lossy(&found.stdout).matches("label = ").count()
    }

    /// Asks libsecret's own tool about the item of a vault; `input` is what it stores.
    pub(crate) fn secret_tool(&self, args: &[&str], vault: &str, more: &[&str], input: &str) -> String {
        let (id, _) = load(vault);
        let mut command = self.command("secret-tool");
        command
            .args(args)
            .args(["service", "io.github.tokenry", "username", &id.to_string()])
            .args(more);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut tool = command.spawn().expect(PACKAGES);
        tool.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = tool.wait_with_output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        while let Some(process) = self.processes.pop() {
            end(process);
        }
        let folder = self.path("");
        let left = || {
            let processes = fs::read_dir("/proc").unwrap().flatten();
            processes
                .filter(|entry| {
                    let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
                    environment
                        .windows(folder.len())
                        .any(|part| part == folder.as_bytes())
                })
                .count()
        };
        if !thread::panicking() {
            wait("nothing of the session is left running", || left() == 0);
        }
    }
}

/// Ends a process and whatever it started.
fn end(mut head: Child) {
    let group = rustix::process::Pid::from_child(&head);
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    let _ = head.wait();
}

pub(crate) fn outcome(mut step: Child) -> String {
    let mut text = String::new();
    step.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(step.wait().unwrap().success());
    text.trim().to_owned()
}

pub(crate) fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "waited in vain: {what}"
        );
        thread::sleep(Duration::from_millis(20));
    }
}
