//! The profile's lock file.

use crate::{
    Error, damage,
    private::{self, Access},
};
use std::{
    fs::{File, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
};

/// The most bytes of the file: a process id, and the path of a socket.
const MAX_BYTES: u64 = 4096;

/// Says which process is the engine of a profile. Held until it is dropped or the process ends, however it ends.
///
/// The file is never deleted: another process could hold a lock on the deleted one, and both be the engine.
#[derive(Debug)]
pub struct ProfileLock(File);

impl ProfileLock {
    /// Takes the lock of the profile in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// [`Error::HeldBy`] at once when another process has it; otherwise as [`Store::open`](crate::Store::open).
    pub fn take(folder: &Path) -> Result<Self, Error> {
        let folder = private::folder(folder)?;
        let path = folder.join("tokenry.lock");
        let gone = || damage::io(&path)(std::io::ErrorKind::NotFound.into());
        let mut file = private::open(&path, Access::WriteOrMake)?.ok_or_else(gone)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::HeldBy {
                    path: folder,
                    pid: stated(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(damage::io(&path)(error)),
        }
        state(&mut file, None).map_err(damage::io(&path))?;
        Ok(Self(file))
    }

    /// Says where the engine listens: callers whose environment names another place find it here.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn listens_at(&mut self, socket: &Path) -> std::io::Result<()> {
        state(&mut self.0, Some(socket))
    }
}

impl Drop for ProfileLock {
    /// Takes the pid out first, so that it cannot name a stranger once the process is gone.
    fn drop(&mut self) {
        let _ = self.0.set_len(0);
    }
}

/// The process, and the socket, one a line. Written over the old content before the rest is cut off: a reader
/// finds a whole first line at any time.
fn state(file: &mut File, socket: Option<&Path>) -> std::io::Result<()> {
    let mut text = format!("{}\n", std::process::id()).into_bytes();
    // A path with a line end in it would be read as another one.
    let socket = socket.map(|path| path.as_os_str().as_encoded_bytes());
    if let Some(path) = socket.filter(|path| !path.contains(&b'\n')) {
        text.extend_from_slice(path);
        text.push(b'\n');
    }
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)
}

/// The process that the file names, for messages: nothing is decided by it.
fn stated(file: &mut File) -> Option<u32> {
    let mut bytes = Vec::new();
    file.rewind().ok()?;
    file.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    let first = bytes.split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(first).ok()?.trim().parse().ok()
}
