//! Where one sealed record goes when the database cannot take it.

use crate::{Error, damage, private, small_file};
use std::{
    fs,
    path::{Path, PathBuf},
};

const SUFFIX: &str = ".spill";

/// More than any sealed record has (16 MiB of plaintext, and what sealing adds); what is larger was not written by us.
pub(crate) const MAX_SPILL_BYTES: u64 = (16 << 20) + 4096;

/// Keeps sealed bytes in a file of their own (mode 0600) in the profile's folder. When this returns, they are on
/// the disk, whole; a spill of the same name from before is replaced.
///
/// `name` is 1 to 64 of `a-z`, `0-9` and `-`.
///
/// # Errors
/// [`Error::BadName`]; [`Error::SpillTooLarge`] for more bytes than [`spilled`] reads; [`Error::DiskFull`],
/// [`Error::ReadOnly`], [`Error::Io`], and then there is no such file or the one from before.
pub fn spill(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let folder = private::folder(folder)?;
    let path = path(&folder, name)?;
    if bytes.len() as u64 > MAX_SPILL_BYTES {
        return Err(Error::SpillTooLarge { size: bytes.len() });
    }
    small_file::replace_file(&folder, path.file_name().unwrap_or_default(), bytes)
}

/// What was spilled and not yet removed, as (name, sealed bytes), in the order of the names.
///
/// # Errors
/// [`Error::SpillDamaged`] for a file that is larger than any of ours, or no plain file; [`Error::OtherUser`],
/// [`Error::Io`].
pub fn spilled(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let each = spilled_each(folder)?;
    each.into_iter().map(|(name, bytes)| Ok((name, bytes?))).collect()
}

/// The name of a spill, and its sealed bytes or what is wrong with it.
pub type FoundSpill = (String, Result<Vec<u8>, Error>);

/// The same, with what is wrong with each of them that cannot be read.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be read.
pub fn spilled_each(folder: &Path) -> Result<Vec<FoundSpill>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(damage::io(folder))? {
        let entry = entry.map_err(damage::io(folder))?;
        let file_name = entry.file_name();
        let Some(name) = file_name.to_str().and_then(name_of) else {
            continue;
        };
        found.push((name.to_owned(), read(&entry.path())));
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// Removes a spill once its bytes are in the database. `false` when there was none.
///
/// # Errors
/// [`Error::BadName`], [`Error::ReadOnly`], [`Error::Io`].
pub fn remove_spill(folder: &Path, name: &str) -> Result<bool, Error> {
    let removed = private::remove(&path(folder, name)?)?;
    private::sync_folder(folder)?;
    Ok(removed)
}

/// Whether there is a spilled record, whatever is in it.
pub(crate) fn is_any_in(folder: &Path) -> Result<bool, Error> {
    let mut entries = fs::read_dir(folder).map_err(damage::io(folder))?;
    Ok(entries.any(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().and_then(name_of).is_some())))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    match small_file::read_file(path, MAX_SPILL_BYTES) {
        Ok(bytes) => Ok(bytes.unwrap_or_default()),
        Err(Error::Damaged { path, detail }) => Err(Error::SpillDamaged { path, detail }),
        Err(error) => Err(error),
    }
}

fn path(folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let file_name = format!("{}{name}{SUFFIX}", private::PREFIX);
    match name_of(&file_name) {
        Some(_) => Ok(folder.join(file_name)),
        None => Err(Error::BadName),
    }
}

fn name_of(file_name: &str) -> Option<&str> {
    let name = file_name.strip_prefix(private::PREFIX)?.strip_suffix(SUFFIX)?;
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    ((1..=64).contains(&name.len()) && name.bytes().all(fits)).then_some(name)
}
