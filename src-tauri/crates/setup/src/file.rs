//! Configuration files of other programs: read as they are, and replaced in one step.

use crate::error::SetupError;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The largest file that is changed.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// The most links that lead to one file, as on Linux.
const MAX_LINKS: usize = 40;

/// The mode of a new file. Such files often hold secrets later.
const NEW_FILE_MODE: u32 = 0o600;

/// The text of a file, `None` when there is none.
///
/// # Errors
/// When it is not a regular file of the user, when it is too large, or when it is not UTF-8.
pub(crate) fn read(path: &Path) -> Result<Option<String>, SetupError> {
    let target = target(path)?;
    let found = match target.symlink_metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SetupError::file(path, format!("cannot be read: {error}"))),
    };
    if found.is_dir() {
        return Err(SetupError::file(path, "is a folder, and should be a file"));
    }
    if !found.is_file() {
        return Err(SetupError::file(path, "is not a regular file"));
    }
    let unreadable = |error: io::Error| SetupError::file(path, format!("cannot be read: {error}"));
    let mut bytes = Vec::new();
    let file = File::open(&target).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(SetupError::file(path, "is larger than 16 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|_| SetupError::file(path, "is not UTF-8"))?;
    if text.contains('\0') {
        return Err(SetupError::file(path, "is not a text: it holds a NUL"));
    }
    Ok(Some(text))
}

/// The file that a path leads to. It may not exist. Configuration files are often links into a repository.
pub(crate) fn target(path: &Path) -> Result<PathBuf, SetupError> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        match target.read_link() {
            Ok(next) => target = target.parent().unwrap_or(Path::new("/")).join(next),
            // It is no link, or it does not exist.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::NotFound
                ) =>
            {
                return Ok(target);
            }
            Err(error) => return Err(SetupError::file(path, format!("cannot be read: {error}"))),
        }
    }
    Err(SetupError::file(path, "is a link that leads to itself"))
}

/// Fails when the file cannot be replaced: before the user is asked.
pub(crate) fn check_writable(path: &Path) -> Result<(), SetupError> {
    let target = target(path)?;
    let Ok(found) = target.symlink_metadata() else {
        return Ok(());
    };
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(SetupError::file(path, "belongs to another user"));
    }
    if found.mode() & 0o200 == 0 {
        return Err(SetupError::file(path, "is read-only"));
    }
    let folder = target.parent().unwrap_or(Path::new("/"));
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK)
        .map_err(|_| SetupError::file(path, "is in a folder that you cannot write to"))
}

/// Replaces the text of a file in one step, through links, with the mode that it has. Returns the folders that it had to
/// create, the innermost last.
///
/// # Errors
/// When the file is no longer as it was read (`before`), or cannot be written. It is unchanged then.
pub(crate) fn replace(path: &Path, before: Option<&str>, after: &str) -> Result<Vec<PathBuf>, SetupError> {
    if read(path)?.as_deref() != before {
        return Err(SetupError::Changed {
            path: path.to_owned(),
        });
    }
    check_writable(path)?;
    let target = target(path)?;
    let unwritable = |error: io::Error| SetupError::file(path, format!("cannot be written: {error}"));
    let folders = create_folders(target.parent().unwrap_or(Path::new("/"))).map_err(unwritable)?;
    let found = target.metadata().ok();
    let mode = found
        .as_ref()
        .map_or(NEW_FILE_MODE, |found| found.mode() & 0o7777);
    let draft = draft(&target);
    let written = write_new(&draft, after.as_bytes(), mode)
        .and_then(|()| match found {
            // The group may differ from the one that a new file gets.
            Some(found) => keep_group(&draft, &found),
            None => Ok(()),
        })
        .and_then(|()| fs::rename(&draft, &target));
    if let Err(error) = written {
        let _ = fs::remove_file(&draft);
        return Err(unwritable(error));
    }
    Ok(folders)
}

/// Removes a file that is still as it was read.
pub(crate) fn remove(path: &Path, before: &str) -> Result<(), SetupError> {
    if read(path)?.as_deref() != Some(before) {
        return Err(SetupError::Changed {
            path: path.to_owned(),
        });
    }
    check_writable(path)?;
    fs::remove_file(target(path)?)
        .map_err(|error| SetupError::file(path, format!("cannot be removed: {error}")))
}

/// Creates a folder and those above it. Returns those that are new.
pub(crate) fn create_folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let missing: Vec<PathBuf> = folder
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .map(Path::to_owned)
        .collect();
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    Ok(missing.into_iter().rev().collect())
}

/// Writes a file that does not exist yet, and waits until it is on the disk.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(NEW_FILE_MODE);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()
}

/// Gives the new file the group of the old one. Where that is not allowed, the group loses its rights instead.
fn keep_group(draft: &Path, found: &fs::Metadata) -> io::Result<()> {
    let now = draft.metadata()?;
    if now.gid() == found.gid() || std::os::unix::fs::chown(draft, None, Some(found.gid())).is_ok() {
        return Ok(());
    }
    fs::set_permissions(draft, fs::Permissions::from_mode(found.mode() & 0o707))
}

/// A name in the same folder that no other call uses.
pub(crate) fn draft(target: &Path) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.tokenry-{}-{number}", std::process::id()))
}
