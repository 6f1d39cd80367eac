//! A desktop on Wayland, with no X server at all: sway without a screen. It refuses to run as root, so a test that does
//! runs all of it as another user.

use crate::folder::Folder;
use crate::process::{Running, program, wait_for};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A user who is not root, whatever it is called here.
const OTHER_USER: u32 = 65_534;

/// A compositor and a session bus of a test's own.
pub struct WaylandSession {
    // Dropped in this order.
    _compositor: Running,
    _bus: Running,
    env: BTreeMap<&'static str, OsString>,
    root: Folder,
}

impl WaylandSession {
    /// Starts both, and puts our programs where their user can read them.
    ///
    /// # Panics
    /// When one of them does not start.
    pub fn start() -> Self {
        let root = Folder::new();
        let_through(root.path());
        let mut env = BTreeMap::from([
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("WLR_BACKENDS", "headless".into()),
            ("WLR_LIBINPUT_NO_DEVICES", "1".into()),
            ("WLR_RENDERER", "pixman".into()),
        ]);
        for (name, folder) in [
            ("HOME", "home"),
            ("XDG_RUNTIME_DIR", "run"),
            ("XDG_DATA_HOME", "home/data"),
            ("XDG_CONFIG_HOME", "home/config"),
            ("XDG_CACHE_HOME", "home/cache"),
            ("XDG_STATE_HOME", "home/state"),
            ("TMPDIR", "tmp"),
        ] {
            let path = root.path().join(folder);
            fs::create_dir_all(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
            env.insert(name, path.into());
        }
        let bin = root.path().join("bin");
        fs::create_dir(&bin).unwrap();
        for name in ["tokenry", "tokenry-desktop"] {
            let (from, to) = (program(name), bin.join(name));
            if fs::hard_link(&from, &to).is_err() {
                fs::copy(&from, &to).unwrap();
            }
        }
        let socket = root.path().join("run/bus");
        let bus_config = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\"/><allow own=\"*\"/>\
             <allow receive_sender=\"*\"/></policy></busconfig>",
            socket.display()
        );
        fs::write(root.path().join("bus.conf"), bus_config).unwrap();
        fs::write(root.path().join("sway.conf"), "xwayland disable\n").unwrap();
        give(root.path());
        let mut bus = as_user("dbus-daemon", &env, root.path());
        bus.args(["--nofork", "--print-address=1", "--config-file"])
            .arg(root.path().join("bus.conf"));
        let mut bus = Running::start(bus);
        env.insert("DBUS_SESSION_BUS_ADDRESS", bus.line().into());
        let mut compositor = as_user("sway", &env, root.path());
        compositor.arg("-c").arg(root.path().join("sway.conf"));
        let compositor = Running::start(compositor);
        let run = root.path().join("run");
        let named = |is_it: fn(&str) -> bool| {
            let names = fs::read_dir(&run).unwrap().flatten();
            let mut names = names.filter_map(|entry| entry.file_name().into_string().ok());
            names.find(|name| is_it(name))
        };
        let display = wait_for("the compositor's display", || {
            named(|name| name.starts_with("wayland-") && !name.ends_with(".lock"))
        });
        let control = wait_for("the compositor's control socket", || {
            named(|name| name.starts_with("sway-ipc."))
        });
        env.insert("WAYLAND_DISPLAY", display.into());
        env.insert("SWAYSOCK", run.join(control).into());
        Self {
            _compositor: compositor,
            _bus: bus,
            env,
            root,
        }
    }

    /// One of our programs, to be run in this session.
    pub fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = as_user(
            self.root.path().join("bin").join(name),
            &self.env,
            self.root.path(),
        );
        command.args(arguments);
        command
    }

    /// The window with this title, as the compositor knows it.
    pub fn window(&self, title: &str) -> Option<Value> {
        let mut ask = as_user("swaymsg", &self.env, self.root.path());
        ask.args(["-r", "-t", "get_tree"]);
        let tree = Running::start(ask).wait().success().json();
        find(&tree, title)
    }
}

fn find(node: &Value, title: &str) -> Option<Value> {
    if node["name"] == title && !node["pid"].is_null() {
        return Some(node.clone());
    }
    let below = ["nodes", "floating_nodes"].into_iter();
    let mut below = below.filter_map(|kind| node[kind].as_array()).flatten();
    below.find_map(|node| find(node, title))
}

fn as_user(program: impl Into<PathBuf>, env: &BTreeMap<&'static str, OsString>, folder: &Path) -> Command {
    let mut command = Command::new(program.into());
    command.env_clear().envs(env).current_dir(folder);
    if rustix::process::geteuid().is_root() {
        command.uid(OTHER_USER).gid(OTHER_USER);
    }
    command
}

/// Lets the user who runs the session pass through the test run's own temporary folder, without listing it.
fn let_through(root: &Path) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let is_ours = |folder: &&Path| {
        let name = folder.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("tk"))
    };
    for folder in root.ancestors().skip(1).take_while(is_ours) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).unwrap();
    }
}

/// Gives a folder and what is in it to the user who runs the session. A program stays whose it is: it may be a link.
fn give(path: &Path) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    chown(path, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    if path.is_dir() && !path.ends_with("bin") {
        for entry in fs::read_dir(path).unwrap().flatten() {
            give(&entry.path());
        }
    }
}
