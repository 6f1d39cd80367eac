//! Folders and files that only their owner may read, from their creation on.

use crate::{Error, damage};
use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// Every file of ours in the folder begins with this.
pub(crate) const PREFIX: &str = "tokenry.";

/// Makes the profile's folder (mode 0700) or makes sure of it, and gives its real path.
pub(crate) fn folder(folder: &Path) -> Result<PathBuf, Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(damage::io(folder))?;
    let folder = folder.canonicalize().map_err(damage::io(folder))?;
    let found = fs::metadata(&folder).map_err(damage::io(&folder))?;
    is_ours(&folder, &found)?;
    close_to_others(&folder, &found)?;
    is_writable(&folder)?;
    Ok(folder)
}

/// How a file is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// For reading, when it is there.
    Read,
    /// For reading and writing, when it is there.
    Write,
    /// The same, and it is made when it is not there.
    WriteOrMake,
}

/// The one way to open a file of ours: never through a link, and only a plain file of our own user that is closed to
/// others (mode 0600), as the opened file itself says. `None`: it is not there.
pub(crate) fn open(path: &Path, access: Access) -> Result<Option<File>, Error> {
    let mut options = options();
    options.read(true).write(access != Access::Read);
    let opened = options
        .create(access == Access::WriteOrMake)
        .truncate(false)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A link, a folder and a pipe are refused by the system in words of its own.
        Err(error) => {
            make_sure(path)?;
            return Err(damage::io(path)(error));
        }
    };
    let found = file.metadata().map_err(damage::io(path))?;
    is_private(path, &found, |mode| {
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
            .map_err(damage::io(path))?;
        #[cfg(not(unix))]
        let _ = mode;
        Ok(())
    })?;
    Ok(Some(file))
}

/// A new file (mode 0600) that was not there before, opened for writing. A link in its place is in the way.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    options().write(true).create_new(true).open(path)
}

/// Private if it is created, never through a link, and without waiting for the other end of a pipe.
fn options() -> OpenOptions {
    #[cfg_attr(not(unix), allow(unused_mut))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    options
}

/// Makes sure of a file that is there, for what opens it by its path, as SQLite does (which follows no link either): a
/// plain one, ours, and closed to others. `false` when there is none.
pub(crate) fn make_sure(path: &Path) -> Result<bool, Error> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(damage::io(path)(error)),
    };
    is_private(path, &found, |mode| {
        #[cfg(unix)]
        set_mode(path, mode)?;
        #[cfg(not(unix))]
        let _ = mode;
        Ok(())
    })?;
    Ok(true)
}

/// A plain file, ours, and closed to others; `close` gives it the mode that does.
fn is_private(
    path: &Path,
    found: &Metadata,
    close: impl FnOnce(u32) -> Result<(), Error>,
) -> Result<(), Error> {
    if !found.is_file() {
        return Err(damage::damaged(path, "it is not a plain file"));
    }
    is_ours(path, found)?;
    #[cfg(unix)]
    let is_open = mode(found) & 0o077 != 0;
    #[cfg(not(unix))]
    let is_open = false;
    if is_open { close(0o600) } else { Ok(()) }
}

/// Whether there is a file with something in it.
pub(crate) fn holds_bytes(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.len() > 0)
}

/// Removes a file if it is there, and says whether it was.
pub(crate) fn remove(path: &Path) -> Result<bool, Error> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(damage::io(path)(error)),
    }
}

/// Makes names that were added to or taken from a folder survive a power cut.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Error> {
    // Windows has no such call; its file systems journal their names.
    #[cfg(unix)]
    File::open(folder)
        .and_then(|f| f.sync_all())
        .map_err(damage::io(folder))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(unix)]
fn mode(found: &Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(found) & 0o7777
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> Result<(), Error> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(path, mode).map_err(damage::io(path))
}

fn is_ours(path: &Path, found: &Metadata) -> Result<(), Error> {
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::uid(found) != rustix::process::geteuid().as_raw() {
        return Err(Error::OtherUser {
            path: path.to_owned(),
        });
    }
    #[cfg(not(unix))]
    let _ = (path, found);
    Ok(())
}

/// A folder of ours alone is closed. One that holds other things is not: TOKENRY_HOME may have been set to
/// somebody's home or to a shared folder, and closing that would break other programs.
fn close_to_others(folder: &Path, found: &Metadata) -> Result<(), Error> {
    #[cfg(unix)]
    if mode(found) & 0o077 != 0 {
        if !is_ours_alone(folder)? {
            return Err(Error::SharedFolder {
                path: folder.to_owned(),
            });
        }
        set_mode(folder, 0o700)?;
    }
    #[cfg(not(unix))]
    let _ = (folder, found);
    Ok(())
}

#[cfg(unix)]
fn is_ours_alone(folder: &Path) -> Result<bool, Error> {
    let mut empty = true;
    for entry in fs::read_dir(folder).map_err(damage::io(folder))? {
        let entry = entry.map_err(damage::io(folder))?;
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(PREFIX.as_bytes())
        {
            return Ok(true);
        }
        empty = false;
    }
    Ok(empty)
}

fn is_writable(folder: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    {
        use rustix::fs::{Access, AtFlags, CWD, accessat};
        accessat(CWD, folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
            .map_err(|errno| damage::io(folder)(errno.into()))?;
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
