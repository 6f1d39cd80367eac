//! A system bus of a test's own, with logind as `python-dbusmock` plays it; and services on the session bus.

use crate::desktop_session::{DesktopSession, start_bus};
use crate::folder::Folder;
use crate::process::{Running, wait_for};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use zbus::blocking::{Connection, connection::Builder};
use zbus::zvariant::{DynamicType, Value};

/// The session that the programs of a test belong to.
pub const SESSION_ID: &str = "c1";
const LOGIND: &str = "org.freedesktop.login1";
const MANAGER_PATH: &str = "/org/freedesktop/login1";
const MOCK: &str = "org.freedesktop.DBus.Mock";

/// A running bus with logind on it, and two sessions: ours, and one of another user.
pub struct SystemBus {
    // Dropped in this order: the service before its bus.
    logind: Option<Running>,
    bus: Option<Running>,
    env: BTreeMap<String, OsString>,
    folder: Folder,
}

impl SystemBus {
    /// Starts it. [`SystemBus::env`] holds what programs need to find it.
    pub fn start() -> Self {
        let folder = Folder::new();
        let mut env = BTreeMap::from([("XDG_SESSION_ID".to_owned(), SESSION_ID.into())]);
        env.extend(std::env::var_os("PATH").map(|path| ("PATH".to_owned(), path)));
        let mut system = Self {
            logind: None,
            bus: None,
            env,
            folder,
        };
        system.start_again();
        system
    }

    /// Ends the bus and its service, as an upgrade of the bus does.
    pub fn stop(&mut self) {
        drop(self.logind.take());
        drop(self.bus.take());
    }

    /// Starts both at the same address.
    pub fn start_again(&mut self) {
        let socket = self.folder.path().join("system-bus");
        let _ = std::fs::remove_file(&socket);
        let mut env = self.env.clone();
        self.bus = Some(start_bus(&self.folder.path().join("bus.conf"), &socket, &mut env));
        // Without the bus's id, which changes: the address of a system bus has none.
        let address = format!("unix:path={}", socket.display());
        self.env
            .insert("DBUS_SYSTEM_BUS_ADDRESS".to_owned(), address.into());
        self.logind = Some(mock(&self.env, &["--system", "--template", "logind"]));
        let bus = self.connect();
        wait_for("logind", || has_owner(&bus, LOGIND).then_some(()));
        let add = |id: &str, user: u32| {
            let session = (id, "seat0", user, "tester", id == SESSION_ID);
            call(&bus, LOGIND, MANAGER_PATH, MOCK, "AddSession", &session);
        };
        add(SESSION_ID, rustix::process::getuid().as_raw());
        add("c2", 54_321);
    }

    /// The variables of programs that shall find it.
    pub fn env(&self) -> &BTreeMap<String, OsString> {
        &self.env
    }

    /// A new connection to it.
    pub fn connect(&self) -> Connection {
        connection(&self.env["DBUS_SYSTEM_BUS_ADDRESS"])
    }

    /// The path of a session.
    pub fn session_path(id: &str) -> String {
        format!("{MANAGER_PATH}/session/{id}")
    }

    /// How many programs hold a suspend back.
    pub fn inhibitors(&self) -> usize {
        let manager = "org.freedesktop.login1.Manager";
        let reply = call(
            &self.connect(),
            LOGIND,
            MANAGER_PATH,
            manager,
            "ListInhibitors",
            &(),
        );
        type Inhibitor = (String, String, String, String, u32, u32);
        reply.body().deserialize::<Vec<Inhibitor>>().unwrap().len()
    }

    /// Lets logind say that the machine is about to suspend, or is back.
    pub fn prepare_for_sleep(&self, begins: bool) {
        self.emit("PrepareForSleep", "b", begins);
    }

    /// Lets logind's manager emit a signal with one value.
    pub fn emit(&self, signal: &str, signature: &str, value: impl Into<Value<'static>>) {
        let signal = (
            "org.freedesktop.login1.Manager",
            signal,
            signature,
            vec![value.into()],
        );
        call(&self.connect(), LOGIND, MANAGER_PATH, MOCK, "EmitSignal", &signal);
    }

    /// The unique name of the connection that this process has.
    pub fn connection_of(&self, pid: u32) -> String {
        let bus = self.connect();
        let proxy = zbus::blocking::fdo::DBusProxy::new(&bus).unwrap();
        let names = proxy.list_names().unwrap();
        let is_its = |name: &zbus::names::OwnedBusName| {
            let of = proxy.get_connection_unix_process_id(name.as_ref());
            name.starts_with(':') && of.is_ok_and(|of| of == pid)
        };
        names
            .into_iter()
            .find(is_its)
            .expect("it is not connected to the bus")
            .to_string()
    }

    /// Lets logind ask a session to lock its screen.
    pub fn lock_session(&self, id: &str) {
        let session = "org.freedesktop.login1.Session";
        call(
            &self.connect(),
            LOGIND,
            &Self::session_path(id),
            session,
            "Lock",
            &(),
        );
    }

    /// Changes a property of a session.
    pub fn set_property(&self, id: &str, name: &str, value: impl Into<Value<'static>>) {
        let changed = std::collections::HashMap::from([(name, value.into())]);
        let change = ("org.freedesktop.login1.Session", changed);
        call(
            &self.connect(),
            LOGIND,
            &Self::session_path(id),
            MOCK,
            "UpdateProperties",
            &change,
        );
    }
}

/// A screen saver on the session bus.
pub struct ScreenSaver {
    name: &'static str,
    bus: Connection,
    _mock: Running,
}

impl ScreenSaver {
    /// One with this name, as GNOME, KDE and others have it.
    pub fn start(session: &DesktopSession, name: &'static str) -> Self {
        let mock = mock(session.env(), &["--session", name, &path_of(name), name]);
        let bus = connection(&session.env()["DBUS_SESSION_BUS_ADDRESS"]);
        wait_for("the screen saver", || has_owner(&bus, name).then_some(()));
        Self {
            name,
            bus,
            _mock: mock,
        }
    }

    /// Lets it say that the screen was locked, or unlocked.
    pub fn active_changed(&self, active: impl Into<Value<'static>>, signature: &str) {
        let signal = (self.name, "ActiveChanged", signature, vec![active.into()]);
        call(
            &self.bus,
            self.name,
            &path_of(self.name),
            MOCK,
            "EmitSignal",
            &signal,
        );
    }
}

fn path_of(name: &str) -> String {
    format!("/{}", name.replace('.', "/"))
}

/// Debian's own Python: another one that is first in the path does not have its packages.
fn mock(env: &BTreeMap<String, OsString>, arguments: &[&str]) -> Running {
    let own = PathBuf::from("/usr/bin/python3");
    let mut command = std::process::Command::new(own);
    command
        .env_clear()
        .envs(env)
        .args(["-m", "dbusmock"])
        .args(arguments);
    Running::start(command)
}

/// A connection to the bus at this address.
pub fn connection(address: &OsString) -> Connection {
    Builder::address(address.to_str().unwrap())
        .unwrap()
        .build()
        .unwrap()
}

/// Calls a method, and waits for its reply.
pub fn call<B: serde::Serialize + DynamicType>(
    bus: &Connection,
    to: &str,
    path: &str,
    interface: &str,
    method: &str,
    body: &B,
) -> zbus::Message {
    bus.call_method(Some(to), path, Some(interface), method, body)
        .unwrap()
}

fn has_owner(bus: &Connection, name: &str) -> bool {
    let proxy = zbus::blocking::fdo::DBusProxy::new(bus).unwrap();
    proxy.name_has_owner(name.try_into().unwrap()).unwrap()
}
