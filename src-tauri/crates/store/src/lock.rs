use crate::{Error, damage, private};
use std::{
    fs::{File, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

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
        private::make_sure(&path)?;
        let mut file = private::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(damage::io(&path))?;
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
        state(&mut file).map_err(damage::io(&path))?;
        Ok(Self(file))
    }
}

impl Drop for ProfileLock {
    /// Takes the pid out first, so that it cannot name a stranger once the process is gone.
    fn drop(&mut self) {
        let _ = self.0.set_len(0);
    }
}

fn state(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

/// For people's eyes only: nothing is decided by what the file says.
fn stated(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
