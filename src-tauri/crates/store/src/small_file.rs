//! Files of a few bytes or one record: read whole, and replaced whole or not at all.

use crate::{
    Error, damage,
    private::{self, Access},
};
use std::{
    ffi::OsStr,
    fs,
    io::{Read, Write},
    path::Path,
};

/// A folder of ours alone (mode 0700), made if it is not there; gives its real path.
///
/// # Errors
/// [`Error::OtherUser`], [`Error::SharedFolder`], [`Error::ReadOnly`], [`Error::Io`].
pub fn private_folder(folder: &Path) -> Result<std::path::PathBuf, Error> {
    private::folder(folder)
}

/// The bytes of a file of ours; `None` when there is no such file.
///
/// # Errors
/// [`Error::Damaged`] for a file that is longer than `most`, a link, or anything else that is not a plain file;
/// [`Error::OtherUser`], [`Error::ReadOnly`], [`Error::Io`].
pub fn read_file(path: &Path, most: u64) -> Result<Option<Vec<u8>>, Error> {
    let Some(file) = private::open(path, Access::Read)? else {
        return Ok(None);
    };
    // A length that is too large is known without reading: a file can hold gigabytes of nothing.
    let length = file.metadata().map_err(damage::io(path))?.len();
    let mut bytes = Vec::new();
    if length <= most {
        file.take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(damage::io(path))?;
    }
    if length.max(bytes.len() as u64) > most {
        return Err(damage::damaged(
            path,
            &format!("it is too large: {length} bytes, and Tokenry writes {most} at most"),
        ));
    }
    Ok(Some(bytes))
}

/// Puts these bytes in the place of a file in a folder of ours (mode 0600). When this returns, they are on the disk;
/// when it fails, the file is as it was.
///
/// # Errors
/// [`Error::DiskFull`], [`Error::ReadOnly`], [`Error::Io`].
pub fn replace_file(folder: &Path, name: &OsStr, bytes: &[u8]) -> Result<(), Error> {
    let path = folder.join(name);
    let mut draft = name.to_owned();
    draft.push(".new");
    let draft = folder.join(draft);
    private::remove(&draft)?;
    let written = private::create(&draft)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&draft, &path));
    if let Err(error) = written {
        private::remove(&draft)?;
        return Err(damage::io(&path)(error));
    }
    private::sync_folder(folder)
}
