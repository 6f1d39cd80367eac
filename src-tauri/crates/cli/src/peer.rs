//! Connects to the socket, and checks that its listener is the same user (security.md, "Local interfaces").

use crate::failure::Failure;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use tokenry_contract::ErrorCode;

/// A listener accepts a connection at once, unless its queue is full.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connects to an engine of the same user. Returns `None` without a listener.
pub(crate) fn connect(socket: &Path) -> Result<Option<UnixStream>, Failure> {
    let us = rustix::process::geteuid().as_raw();
    if !folder_is_ours(socket, us)? {
        return Ok(None);
    }
    let fd = match open(socket) {
        Ok(fd) => fd,
        Err(Errno::NOENT | Errno::CONNREFUSED | Errno::NOTSOCK) => return Ok(None),
        Err(error) => return Err(unreachable(socket, error)),
    };
    judge_peer(
        peer_uid(&fd).map_err(|error| unreachable(socket, error))?,
        us,
        socket,
    )?;
    Ok(Some(UnixStream::from(fd)))
}

/// Connects to a socket that sshd made for this user, on behalf of another machine.
pub(crate) fn connect_forwarded(socket: &Path) -> Result<Option<UnixStream>, Failure> {
    let us = rustix::process::geteuid().as_raw();
    let (Ok(file), Ok(folder)) = (
        socket.symlink_metadata(),
        socket.parent().unwrap_or(socket).metadata(),
    ) else {
        return Ok(None);
    };
    judge_forwarded(
        (file.uid(), file.mode()),
        (folder.uid(), folder.mode()),
        us,
        socket,
    )?;
    let fd = match open(socket) {
        Ok(fd) => fd,
        Err(Errno::NOENT | Errno::CONNREFUSED | Errno::NOTSOCK) => return Ok(None),
        Err(error) => return Err(unreachable(socket, error)),
    };
    let peer = peer_uid(&fd).map_err(|error| unreachable(socket, error))?;
    judge_peer(peer, us, socket)?;
    Ok(Some(UnixStream::from(fd)))
}

/// Its folder may be that for temporary files, in which other users can replace nothing of ours.
fn judge_forwarded(
    (owner, mode): (u32, u32),
    (folder_owner, folder_mode): (u32, u32),
    us: u32,
    socket: &Path,
) -> Result<(), Failure> {
    let is_shared = folder_owner == 0 && folder_mode & 0o1000 != 0;
    let is_ours = folder_owner == us && folder_mode & 0o022 == 0;
    if owner == us && mode & 0o077 == 0 && (is_shared || is_ours) {
        return Ok(());
    }
    Err(refused(format!(
        "The socket {} belongs to another user, or others can reach it.",
        socket.display()
    )))
}

/// Connects with a timeout, which `UnixStream::connect` does not have.
fn open(socket: &Path) -> Result<OwnedFd, Errno> {
    let address = SocketAddrUnix::new(socket)?;
    let fd = net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    sockopt::set_socket_timeout(&fd, sockopt::Timeout::Send, Some(CONNECT_TIMEOUT))?;
    net::connect(&fd, &address)?;
    Ok(fd)
}

/// Whether the listener closed the connection, or sent what was not asked for.
pub(crate) fn has_said_something(stream: &UnixStream) -> bool {
    let mut polled = [PollFd::new(stream, PollFlags::IN)];
    poll(&mut polled, Some(&Timespec::default())) != Ok(0)
}

/// Whether the socket's folder exists. A folder of another user, or one that others can write to, is an error.
fn folder_is_ours(socket: &Path, us: u32) -> Result<bool, Failure> {
    let folder = socket.parent().unwrap_or(socket);
    let Ok(meta) = folder.metadata() else {
        return Ok(false);
    };
    judge_folder(meta.uid(), meta.mode(), us, folder)?;
    Ok(true)
}

fn judge_folder(owner: u32, mode: u32, us: u32, folder: &Path) -> Result<(), Failure> {
    if owner != us {
        return Err(refused(format!(
            "The folder {} belongs to another user.",
            folder.display()
        )));
    }
    if mode & 0o022 != 0 {
        return Err(Failure::new(
            ErrorCode::PermissionDenied,
            format!("Other users can write to the folder {}.", folder.display()),
            format!("Check its contents, then run: chmod 700 '{}'", folder.display()),
        ));
    }
    Ok(())
}

fn judge_peer(peer: u32, us: u32, socket: &Path) -> Result<(), Failure> {
    if peer == us {
        return Ok(());
    }
    Err(refused(format!(
        "The listener at {} belongs to another user (id {peer}).",
        socket.display()
    )))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn peer_uid(fd: &OwnedFd) -> Result<u32, Errno> {
    Ok(sockopt::socket_peercred(fd)?.uid.as_raw())
}

/// The process that listens.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn pid(stream: &UnixStream) -> Option<u32> {
    let pid = sockopt::socket_peercred(stream).ok()?.pid;
    u32::try_from(pid.as_raw_nonzero().get()).ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn pid(_: &UnixStream) -> Option<u32> {
    None
}

// On other systems the folder's owner is the only proof of who created the socket.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn peer_uid(_: &OwnedFd) -> Result<u32, Errno> {
    Ok(rustix::process::geteuid().as_raw())
}

fn refused(message: String) -> Failure {
    Failure::new(
        ErrorCode::PermissionDenied,
        message,
        "Nothing was sent. Set TOKENRY_HOME to a folder of your own, and unset TOKENRY_SOCKET.",
    )
}

fn unreachable(socket: &Path, error: Errno) -> Failure {
    Failure::new(
        ErrorCode::Internal,
        format!("Cannot connect to the engine at {}: {error}.", socket.display()),
        "Check the permissions of that path. `tokenry serve` starts an engine.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// security.md, "Local interfaces": both sides check the user of the other.
    #[test]
    fn an_engine_of_another_user_is_refused() {
        let path = Path::new("/x/engine.sock");
        assert!(judge_peer(1000, 1000, path).is_ok());
        let failure = judge_peer(1001, 1000, path).unwrap_err();
        assert_eq!(failure.code(), Some(ErrorCode::PermissionDenied));
        assert!(failure.words().contains("1001"));
    }

    /// security.md, "Local interfaces": the socket is in a folder of its user.
    #[test]
    fn a_folder_of_another_user_or_one_that_others_write_to_is_refused() {
        let folder = Path::new("/x");
        assert!(judge_folder(1000, 0o40700, 1000, folder).is_ok());
        assert!(judge_folder(1000, 0o40755, 1000, folder).is_ok());
        for (owner, mode) in [(0, 0o40700), (1000, 0o40770), (1000, 0o41777)] {
            assert!(
                judge_folder(owner, mode, 1000, folder).is_err(),
                "{owner} {mode:o}"
            );
        }
    }

    #[test]
    fn a_forwarded_socket_that_others_can_reach_or_replace_is_refused() {
        let judge = |file, folder| judge_forwarded(file, folder, 1000, Path::new("/tmp/x.sock")).is_ok();
        assert!(judge((1000, 0o140600), (0, 0o41777)));
        assert!(judge((1000, 0o140600), (1000, 0o40700)));
        for (file, folder) in [
            ((1001, 0o140600), (0, 0o41777)),
            ((1000, 0o140666), (0, 0o41777)),
            ((1000, 0o140600), (0, 0o40777)),
            ((1000, 0o140600), (1001, 0o41777)),
            ((1000, 0o140600), (1000, 0o40770)),
        ] {
            assert!(!judge(file, folder), "{file:?} {folder:?}");
        }
    }

    #[test]
    fn without_a_listener_there_is_no_connection() {
        let folder = tempfile::tempdir().unwrap();
        assert!(connect(&folder.path().join("engine.sock")).unwrap().is_none());
        assert!(
            connect(&folder.path().join("not/there/engine.sock"))
                .unwrap()
                .is_none()
        );
        let dead = folder.path().join("dead.sock");
        drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
        assert!(connect(&dead).unwrap().is_none());
    }
}
