//! A file that is there to be deleted: on a full disk its room is what lets one more commit through.

use crate::{Error, damage, private};
use std::{fs, io::Write, path::Path};

pub(crate) const SIZE: usize = 1 << 20;
const NAME: &str = "tokenry.reserve";
const CHUNK: usize = 1 << 14;

/// Makes sure of the reserve. `false` when the disk has too little room to take it without being in the way.
pub(crate) fn take(folder: &Path) -> Result<bool, Error> {
    let path = folder.join(NAME);
    if private::make_sure(&path)? && is_allocated(&path)? {
        return Ok(true);
    }
    if !has_room(folder) {
        return Ok(false);
    }
    private::remove(&path)?;
    let filled = fill(&path);
    if filled.is_err() {
        private::remove(&path)?;
    }
    filled.map(|()| true)
}

/// Deletes the reserve; `false` when there was none.
pub(crate) fn release(folder: &Path) -> Result<bool, Error> {
    private::remove(&folder.join(NAME))
}

/// Whether there is one: then there was a database, too.
pub(crate) fn is_there(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join(NAME)).is_ok()
}

/// Real bytes that no file system can squeeze: a hole or a run of zeros would hold no room at all.
fn fill(path: &Path) -> Result<(), Error> {
    let mut file = private::create(path).map_err(damage::io(path))?;
    let mut noise: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut chunk = Vec::with_capacity(CHUNK);
    for _ in 0..SIZE / CHUNK {
        chunk.clear();
        for _ in 0..CHUNK / 8 {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            chunk.extend_from_slice(&noise.to_ne_bytes());
        }
        file.write_all(&chunk).map_err(damage::io(path))?;
    }
    file.sync_all().map_err(damage::io(path))
}

fn is_allocated(path: &Path) -> Result<bool, Error> {
    let found = fs::metadata(path).map_err(damage::io(path))?;
    #[cfg(unix)]
    let allocated = std::os::unix::fs::MetadataExt::blocks(&found) * 512;
    #[cfg(not(unix))]
    let allocated = found.len();
    Ok(found.len() == SIZE as u64 && allocated >= SIZE as u64)
}

/// Taking back the last free megabyte would only bring the next commit down.
fn has_room(folder: &Path) -> bool {
    #[cfg(unix)]
    {
        rustix::fs::statvfs(folder)
            .is_ok_and(|system| system.f_bavail.saturating_mul(system.f_frsize) >= 4 * SIZE as u64)
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        true
    }
}
