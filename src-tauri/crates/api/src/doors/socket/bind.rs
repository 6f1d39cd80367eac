use crate::doors::Error;
use std::{
    fs::{self, DirBuilder, File, Metadata},
    io,
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
    time::Duration,
};
use tokenry_contract::profile::SOCKET_PATH_MAX;
use tokio::net::{UnixListener, UnixStream};

/// How long a listener may take to be connected to before it counts as alive and busy.
const KNOCK: Duration = Duration::from_secs(1);

/// The socket file that we made, known by its inode, so that nobody else's is ever removed.
pub(super) struct Bound {
    path: PathBuf,
    made: Option<(u64, u64)>,
}

impl Bound {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file at the path is still the one we made.
    pub(super) fn is_there(&self) -> bool {
        let there = fs::symlink_metadata(&self.path)
            .ok()
            .map(|found| (found.dev(), found.ino()));
        self.made.is_some() && self.made == there
    }

    /// Removes the file if it is still the one we made.
    pub(super) fn remove(&mut self) {
        if self.is_there() {
            let _ = fs::remove_file(&self.path);
        }
        self.made = None;
    }
}

/// What is done where the folder of the socket is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is made, and everything on the way to it.
    MakeAll,
    /// It is made in a folder that is there. A session's folder that went with its session is not for us to make.
    MakeOne,
    /// Nothing is made: a profile that was removed stays removed.
    Refuse,
}

/// Binds a socket of mode 0600 in a folder of ours with mode 0700.
pub(super) async fn bind(path: &Path, missing: Missing) -> Result<(Bound, UnixListener), Error> {
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
    // Two engines that start at once would both find a dead socket, and the slower one remove the other's new one.
    // The folder's lock lets one after the other; it goes with the file handle.
    lock(&folder).await.map_err(io)?;
    make_room(path).await?;
    let listener = listen(path).map_err(io)?;
    listener.set_nonblocking(true).map_err(io)?;
    let found = fs::symlink_metadata(path).map_err(io)?;
    let bound = Bound {
        path: path.to_owned(),
        made: Some((found.dev(), found.ino())),
    };
    Ok((bound, UnixListener::from_std(listener).map_err(io)?))
}

/// The folder, made when it is missing. A folder that others can enter is refused and not changed: it may be
/// somebody's home.
fn private_folder(folder: &Path, missing: Missing) -> Result<File, Error> {
    let io = |source| Error::Io {
        path: folder.to_owned(),
        source,
    };
    let make = |recursive| DirBuilder::new().recursive(recursive).mode(0o700).create(folder);
    let made = match missing {
        Missing::MakeAll => make(true),
        Missing::MakeOne => make(false),
        Missing::Refuse => Ok(()),
    };
    match made {
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
    Err(io::Error::other("another program keeps the folder locked"))
}

/// Makes sure that nothing is at the path: a dead socket of ours is removed, anything else stays.
async fn make_room(path: &Path) -> Result<(), Error> {
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
    match knock(path).await.map_err(io)? {
        Knock::Alive(pid) => Err(Error::InUse {
            path: path.to_owned(),
            pid,
        }),
        Knock::Dead => fs::remove_file(path).map_err(io),
    }
}

enum Knock {
    Alive(Option<u32>),
    Dead,
}

async fn knock(path: &Path) -> io::Result<Knock> {
    match tokio::time::timeout(KNOCK, UnixStream::connect(path)).await {
        Ok(Ok(stream)) => Ok(Knock::Alive(super::peer::pid(&stream))),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(Knock::Dead),
        // Its queue is full: frozen, perhaps, but alive.
        Ok(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(Knock::Alive(None)),
        Ok(Err(error)) => Err(error),
        Err(_) => Ok(Knock::Alive(None)),
    }
}

fn is_ours(found: &Metadata) -> bool {
    found.uid() == rustix::process::geteuid().as_raw()
}

/// Linux gives the file the mode of the unbound socket less the umask, so it is 0600 from its first moment and the
/// umask of the whole process stays as it is.
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

/// Elsewhere the folder keeps others out until the mode is set.
#[cfg(not(target_os = "linux"))]
fn listen(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    let listener = std::os::unix::net::UnixListener::bind(path)?;
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(listener)
}
