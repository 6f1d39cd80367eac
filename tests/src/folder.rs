//! A temporary folder of one test.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long the folder waits for programs that a test ended and that still write to it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A folder with a short name, which is deleted when this is dropped.
///
/// A program that a test killed may have started others: a browser's helpers and a desktop's services end a moment
/// later, and until then they create files. One attempt to delete the folder then fails, or the folder comes back.
pub struct Folder(TempDir);

impl Folder {
    /// A folder below the one for temporary files.
    pub fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// A folder below this one.
    pub fn below(parent: &Path) -> Self {
        // The path of a Unix socket has few bytes, so the name is short.
        Self(tempfile::Builder::new().prefix("tk").tempdir_in(parent).unwrap())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            // What cannot be deleted is reported by the test run, which looks for files that were left.
            let _ = fs::remove_dir_all(self.path());
            let is_done = !self.path().exists() && !is_used(self.path());
            if is_done || Instant::now() >= deadline {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Whether another process has the folder's path in its environment, as every program of a test's profile has.
fn is_used(folder: &Path) -> bool {
    let path = folder.as_os_str().as_encoded_bytes();
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter(|entry| entry.file_name() != own.as_str())
        .filter_map(|entry| fs::read(entry.path().join("environ")).ok())
        .any(|environment| environment.windows(path.len()).any(|part| part == path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_folder_is_gone_although_a_program_still_writes_to_it() {
        let folder = Folder::new();
        let path = folder.path().to_owned();
        let mut program = Command::new("sh")
            .args(["-c", "for i in $(seq 200); do mkdir -p \"$HOME/cache/$i\"; done"])
            .env("HOME", &path)
            .spawn()
            .unwrap();
        while !path.join("cache").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        // A parent that does not wait leaves a process without an environment, as init does before it collects it.
        drop(folder);
        assert!(!path.exists());
        program.wait().unwrap();
        assert!(!path.exists());
    }
}
