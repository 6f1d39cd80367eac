//! The way to the socket, and whether it is our own user who listens there (security.md, Doors).

use crate::failure::Failure;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use tokenry_contract::ErrorCode;

/// A socket that is listened to takes a caller at once, unless its queue is full.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// A connection to our own user's engine. `None`: nobody listens there.
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

/// Connects with an end to the waiting, which `UnixStream::connect` has not.
fn open(socket: &Path) -> Result<OwnedFd, Errno> {
    let address = SocketAddrUnix::new(socket)?;
    let fd = net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    sockopt::set_socket_timeout(&fd, sockopt::Timeout::Send, Some(CONNECT_PATIENCE))?;
    net::connect(&fd, &address)?;
    Ok(fd)
}

/// Whether the socket's folder is there. Somebody else's folder, or one others can write to, is refused.
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
            format!(
                "Look for what does not belong there, then: chmod 700 '{}'",
                folder.display()
            ),
        ));
    }
    Ok(())
}

fn judge_peer(peer: u32, us: u32, socket: &Path) -> Result<(), Failure> {
    if peer == us {
        return Ok(());
    }
    Err(refused(format!(
        "Whoever listens at {} is another user (id {peer}).",
        socket.display()
    )))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn peer_uid(fd: &OwnedFd) -> Result<u32, Errno> {
    Ok(sockopt::socket_peercred(fd)?.uid.as_raw())
}

/// The process that listens there.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn pid(stream: &UnixStream) -> Option<u32> {
    let pid = sockopt::socket_peercred(stream).ok()?.pid;
    u32::try_from(pid.as_raw_nonzero().get()).ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn pid(_: &UnixStream) -> Option<u32> {
    None
}

// Elsewhere it is the folder, ours alone, that vouches for who made the socket in it.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn peer_uid(_: &OwnedFd) -> Result<u32, Errno> {
    Ok(rustix::process::geteuid().as_raw())
}

fn refused(message: String) -> Failure {
    Failure::new(
        ErrorCode::PermissionDenied,
        message,
        "Nothing was sent there. Set TOKENRY_HOME to a folder of yours.",
    )
}

fn unreachable(socket: &Path, error: Errno) -> Failure {
    Failure::new(
        ErrorCode::Internal,
        format!("The engine cannot be reached at {}: {error}.", socket.display()),
        "Check who may use that path; `tokenry serve` starts an engine.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// security.md, Doors: both sides check the other's user.
    #[test]
    fn an_engine_of_another_user_is_refused() {
        let path = Path::new("/x/engine.sock");
        assert!(judge_peer(1000, 1000, path).is_ok());
        let failure = judge_peer(1001, 1000, path).unwrap_err();
        assert_eq!(failure.code(), Some(ErrorCode::PermissionDenied));
        assert!(failure.words().contains("1001"));
    }

    /// security.md, Doors: the socket is in a folder of ours.
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
    fn nobody_listens_where_nothing_is() {
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
