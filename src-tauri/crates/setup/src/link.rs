//! Links to `tokenry`: whether one can be created at a path, and whether the undo removes it.

use crate::edit::Edit;
use crate::error::SetupError;
use crate::file;
use crate::record::{Entry, Record};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Whether there is a link at this path that leads to our program, by whatever way.
pub(crate) fn leads_to(path: &Path, target: &Path) -> bool {
    let Ok(found) = path.read_link() else {
        return false;
    };
    let same = |path: &Path| path.canonicalize().ok();
    found == target || (same(path).is_some() && same(path) == same(target))
}

/// Whether the link is there already. A link of ours that leads to an older path of Tokenry is replaced.
///
/// # Errors
/// When something that is not ours is at its path.
pub(crate) fn is_there(path: &Path, target: &Path, record: &Record) -> Result<bool, SetupError> {
    if leads_to(path, target) {
        return Ok(true);
    }
    let blocked = |why: String| {
        let next = "Move it away or rename it, and try again. Nothing was changed.";
        Err(SetupError::blocked(path, why, next))
    };
    match path.read_link() {
        Ok(found) if is_recorded(path, &found, record) => Ok(false),
        Ok(found) => blocked(format!("is a link to {}, which is not Tokenry", found.display())),
        Err(_) if path.symlink_metadata().is_err() => Ok(false),
        Err(_) => blocked("exists, and is not a link of Tokenry".to_owned()),
    }
}

/// Whether Tokenry made the link that leads there.
fn is_recorded(path: &Path, found: &Path, record: &Record) -> bool {
    record.entries.iter().any(|entry| {
        let is_same = matches!(&entry.edit, Edit::Link { target } if target == found);
        is_same && entry.is_ours && entry.path == path
    })
}

/// Creates the link, unless it is there. Returns the folders that it had to create.
pub(crate) fn create(path: &Path, target: &Path, record: &Record) -> Result<Vec<PathBuf>, SetupError> {
    // The path may have changed since the user saw the plan.
    if is_there(path, target, record)? {
        return Ok(Vec::new());
    }
    let failed = |error: io::Error| SetupError::file(path, format!("cannot be created: {error}"));
    let folders = file::create_folders(path.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
    if path.is_symlink() {
        let draft = file::draft(path);
        symlink(target, &draft)
            .and_then(|()| fs::rename(&draft, path))
            .map_err(failed)?;
    } else {
        symlink(target, path).map_err(failed)?;
    }
    Ok(folders)
}

/// Whether the undo of these entries removes the link of this one.
pub(crate) fn is_removed(entry: &Entry, target: &Path, record: &Record, dropped: &[u64]) -> bool {
    entry.is_ours
        && entry.path.read_link().is_ok_and(|found| found == target)
        && !record.is_needed(entry, dropped)
}
