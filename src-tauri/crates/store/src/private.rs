//! Folders and files that nobody but their owner may read, from their first moment on.

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

/// A new file (mode 0600) that was not there before, opened for writing.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    options().write(true).create_new(true).open(path)
}

/// How a file of ours is opened: private if it is made, and never through a link that somebody put there.
pub(crate) fn options() -> OpenOptions {
    #[cfg_attr(not(unix), allow(unused_mut))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options
}

/// Makes sure of a file that is there: a plain one, ours, and closed to others. `false` when there is none.
pub(crate) fn make_sure(path: &Path) -> Result<bool, Error> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(damage::io(path)(error)),
    };
    if !found.is_file() {
        return Err(damage::damaged(path, "it is not a plain file"));
    }
    is_ours(path, &found)?;
    #[cfg(unix)]
    if mode(&found) & 0o077 != 0 {
        set_mode(path, 0o600)?;
    }
    Ok(true)
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
