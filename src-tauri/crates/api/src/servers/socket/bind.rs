//! Binds the socket: checks its folder, and removes a stale socket.

use crate::servers::Error;
use std::{
    fs::{self, DirBuilder, File, Metadata},
    io,
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
    time::Duration,
};
use tokenry_contract::profile::SOCKET_PATH_MAX;
use tokio::net::{UnixListener, UnixStream};

/// A listener that takes longer than this to accept the probe's connection counts as alive and busy.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// The socket file that this process made. It is recognised by its inode, so that no other file is ever removed.
pub(in crate::servers) struct BoundSocket {
    path: PathBuf,
    inode: Option<(u64, u64)>,
}

impl BoundSocket {
    pub(in crate::servers) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file at the path is still the one that this process made.
    pub(in crate::servers) fn exists(&self) -> bool {
        let found = fs::symlink_metadata(&self.path)
            .ok()
            .map(|found| (found.dev(), found.ino()));
        self.inode.is_some() && self.inode == found
    }

    /// Removes the file if it is still the one that this process made.
    pub(in crate::servers) fn remove(&mut self) {
        if self.exists() {
            let _ = fs::remove_file(&self.path);
        }
        self.inode = None;
    }
}

/// What to do when the folder of the socket is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::servers) enum MissingFolder {
    /// Create it and all folders above it.
    CreateAll,
    /// Create it in an existing folder. The folder of a login session that has ended is not ours to create.
    CreateLast,
    /// Create nothing: a profile that was removed stays removed.
    Refuse,
}

/// Binds a socket of mode 0600 in a folder of mode 0700 that belongs to our user.
pub(in crate::servers) async fn bind(
    path: &Path,
    missing: MissingFolder,
) -> Result<(BoundSocket, UnixListener), Error> {
    if path.as_os_str().len() > SOCKET_PATH_MAX {
        return Err(Error::PathTooLong {
            path: path.to_owned(),
        });
    }
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let folder = path
        .parent()
        .ok_or_else(|| io(io::ErrorKind::InvalidInput.into()))?;
    let folder = private_folder(folder, missing)?;
    // Two engines that start at once would both find a stale socket, and the slower one would remove the other's new
    // socket. The lock of the folder makes one wait for the other; it ends with the file handle.
    lock(&folder).await.map_err(io)?;
    remove_stale_socket(path).await?;
    let listener = listen(path).map_err(io)?;
    listener.set_nonblocking(true).map_err(io)?;
    let found = fs::symlink_metadata(path).map_err(io)?;
    let bound = BoundSocket {
        path: path.to_owned(),
        inode: Some((found.dev(), found.ino())),
    };
    Ok((bound, UnixListener::from_std(listener).map_err(io)?))
}

/// The folder, created when it is missing. A folder that other users can enter is refused and not changed: it may be a
/// home directory.
fn private_folder(folder: &Path, missing: MissingFolder) -> Result<File, Error> {
    let io = |source| Error::Io {
        path: folder.to_owned(),
        source,
    };
    let create = |recursive| DirBuilder::new().recursive(recursive).mode(0o700).create(folder);
    let created = match missing {
        MissingFolder::CreateAll => create(true),
        MissingFolder::CreateLast => create(false),
        MissingFolder::Refuse => Ok(()),
    };
    match created {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io(error)),
        _ => {}
    }
    let opened = File::open(folder).map_err(io)?;
    let found = opened.metadata().map_err(io)?;
    let refused = |what| {
        Err(Error::OpenFolder {
            path: folder.to_owned(),
            what,
        })
    };
    if !is_ours(&found) {
        return refused("belongs to another user");
    }
    if found.mode() & 0o077 != 0 {
        return refused("is open to other users");
    }
    Ok(opened)
}

async fn lock(folder: &File) -> io::Result<()> {
    for _ in 0..40 {
        match folder.try_lock() {
            Ok(()) => return Ok(()),
            Err(fs::TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other("another program holds the lock of the folder"))
}

/// Makes sure that nothing is at the path: a stale socket of our user is removed, anything else stays.
async fn remove_stale_socket(path: &Path) -> Result<(), Error> {
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(io)?,
    };
    let not_ours = |what| {
        Err(Error::NotOurs {
            path: path.to_owned(),
            what,
        })
    };
    if found.is_symlink() {
        return not_ours("a symbolic link");
    }
    if !found.file_type().is_socket() {
        return not_ours("not a socket");
    }
    if !is_ours(&found) {
        return not_ours("another user's socket");
    }
    match probe(path).await.map_err(io)? {
        Probe::Alive(pid) => Err(Error::InUse {
            path: path.to_owned(),
            pid,
        }),
        Probe::Stale => fs::remove_file(path).map_err(io),
    }
}

enum Probe {
    Alive(Option<u32>),
    Stale,
}

async fn probe(path: &Path) -> io::Result<Probe> {
    match tokio::time::timeout(PROBE_TIMEOUT, UnixStream::connect(path)).await {
        Ok(Ok(stream)) => Ok(Probe::Alive(super::peer::pid(&stream))),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(Probe::Stale),
        // The queue of its listener is full: the process may be stopped, but it is there.
        Ok(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(Probe::Alive(None)),
        Ok(Err(error)) => Err(error),
        Err(_) => Ok(Probe::Alive(None)),
    }
}

fn is_ours(found: &Metadata) -> bool {
    found.uid() == rustix::process::geteuid().as_raw()
}

/// Linux gives the file the mode of the unbound socket less the umask. So the mode is 0600 from the start, and the umask of
/// the process stays as it is.
#[cfg(target_os = "linux")]
fn listen(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    use rustix::{
        fs::{Mode, fchmod},
        net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with},
    };
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    bind(&socket, &SocketAddrUnix::new(path)?)?;
    listen(&socket, 256)?;
    Ok(socket.into())
}

/// On other systems the folder keeps other users out until the mode is set.
#[cfg(not(target_os = "linux"))]
fn listen(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    let listener = std::os::unix::net::UnixListener::bind(path)?;
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(listener)
}
