//! A folder that goes away with its test.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a folder is removed at most.
const TRIES: u32 = 200;

/// An engine is not always told to end before its test does, and may be writing a file into the folder while that is
/// removed. So it is removed until it stays away.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap().keep())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let mut away = 0;
        for _ in 0..TRIES {
            let _ = std::fs::remove_dir_all(&self.0);
            away = if self.0.exists() { 0 } else { away + 1 };
            if away == 2 {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
