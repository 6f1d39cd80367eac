//! Finds the engine of this profile: at the socket that the environment names, or else at the one that the profile's
//! lock file names. A cron job has another environment, and a session's folder is removed at its end.

use crate::failure::Failure;
use crate::peer;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokenry_contract::profile::{self, Holder};

/// An engine that runs binds its socket again within this time.
const REBIND_TIMEOUT: Duration = Duration::from_secs(3);

/// A connection to the engine.
pub(crate) struct Found {
    pub(crate) stream: UnixStream,
    pub(crate) socket: PathBuf,
}

/// The engine, if it listens. `socket` is the path from the environment.
pub(crate) fn engine(socket: &Path) -> Result<Option<Found>, Failure> {
    if let Some(socket) = profile::forwarded_socket() {
        let found = peer::connect_forwarded(&socket)?;
        return Ok(found.map(|stream| Found { stream, socket }));
    }
    let here = peer::connect(socket);
    if let Ok(Some(stream)) = here {
        let socket = socket.to_owned();
        return Ok(Some(Found { stream, socket }));
    }
    let told = holder().and_then(|holder| holder.socket);
    if let Some(socket) = told.filter(|told| told != socket)
        && let Ok(Some(stream)) = peer::connect(&socket)
    {
        return Ok(Some(Found { stream, socket }));
    }
    here.map(|_| None)
}

/// The same, and waits for an engine that runs but does not listen.
pub(crate) fn engine_soon(socket: &Path) -> Result<Option<Found>, Failure> {
    let deadline = Instant::now() + REBIND_TIMEOUT;
    loop {
        let found = engine(socket)?;
        if found.is_some() || running().is_none() || Instant::now() > deadline {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The failure when no engine listens and none is started.
pub(crate) fn absent(socket: &Path) -> Failure {
    if let Some(forwarded) = profile::forwarded_socket() {
        return Failure::no_engine(
            format!(
                "Nothing listens at {}, which TOKENRY_SOCKET names.",
                forwarded.display()
            ),
            "The ssh connection that forwarded it has ended: connect again with `tokenry ssh-forward`, or unset \
             TOKENRY_SOCKET.",
        );
    }
    match running() {
        Some(holder) => out_of_reach(&holder, socket),
        None => Failure::no_engine(
            format!("No engine is running at {}.", socket.display()),
            "Run `tokenry unlock` to start one, or open the Tokenry window.",
        ),
    }
}

/// The failure when the engine runs but does not listen.
pub(crate) fn out_of_reach(holder: &Holder, socket: &Path) -> Failure {
    let pid = holder.pid;
    let socket = holder.socket.as_deref().unwrap_or(socket).display();
    Failure::no_engine(
        format!("The engine of this profile (process {pid}) is running but does not listen at {socket}."),
        format!("End it with `kill {pid}` and try again."),
    )
}

/// The engine's process, if it runs.
pub(crate) fn running() -> Option<Holder> {
    if profile::forwarded_socket().is_some() {
        return None;
    }
    holder().filter(|holder| is_ours(holder.pid))
}

fn holder() -> Option<Holder> {
    profile::holder(&profile::folder().ok()?)
}

/// Whether this process is one of our programs: the id of a killed engine may belong to another program by now.
#[cfg(target_os = "linux")]
fn is_ours(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("tokenry"))
}

#[cfg(not(target_os = "linux"))]
fn is_ours(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}
