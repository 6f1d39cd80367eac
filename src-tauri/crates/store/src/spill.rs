//! Where one sealed record goes when the database cannot take it.

use crate::{Error, damage, private};
use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
};

const SUFFIX: &str = ".spill";

/// More than any record has; what is larger was not written by us.
const MOST: u64 = 1 << 20;

/// Keeps sealed bytes in a file of their own (mode 0600) in the profile's folder. When this returns, they are on
/// the disk, whole; a spill of the same name from before is replaced.
///
/// `name` is 1 to 64 of `a-z`, `0-9` and `-`.
///
/// # Errors
/// [`Error::BadName`]; [`Error::DiskFull`], [`Error::ReadOnly`], [`Error::Io`], and then there is no such file or
/// the one from before.
pub fn spill(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let folder = private::folder(folder)?;
    let path = path(&folder, name)?;
    let draft = path.with_extension("spill.new");
    private::remove(&draft)?;
    let written = private::create(&draft)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&draft, &path));
    if let Err(error) = written {
        private::remove(&draft)?;
        return Err(damage::io(&path)(error));
    }
    private::sync_folder(&folder)
}

/// What was spilled and not yet removed, as (name, sealed bytes), in the order of the names.
///
/// # Errors
/// [`Error::Damaged`] for a file of more than 1 MiB; [`Error::OtherUser`], [`Error::Io`].
pub fn spilled(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(damage::io(folder))? {
        let entry = entry.map_err(damage::io(folder))?;
        let file_name = entry.file_name();
        let Some(name) = file_name.to_str().and_then(name_of) else {
            continue;
        };
        found.push((name.to_owned(), read(&entry.path())?));
    }
    found.sort();
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

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    private::make_sure(path)?;
    let file = private::options()
        .read(true)
        .open(path)
        .map_err(damage::io(path))?;
    let mut bytes = Vec::new();
    file.take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(damage::io(path))?;
    if bytes.len() as u64 > MOST {
        return Err(damage::damaged(path, "it is too large"));
    }
    Ok(bytes)
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
