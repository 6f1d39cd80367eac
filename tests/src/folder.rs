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

/// Whether a program that no test can end any more has the folder's path in its environment: one whose parent ended
/// before it. A child of ours is ended by the test, sometimes after its folder.
fn is_used(folder: &Path) -> bool {
    let path = folder.as_os_str().as_encoded_bytes();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|process| !descends(*process))
        .filter_map(|process| fs::read(format!("/proc/{process}/environ")).ok())
        .any(|environment| environment.windows(path.len()).any(|part| part == path))
}

/// Whether a process is this one, or below it.
fn descends(mut process: u32) -> bool {
    let own = std::process::id();
    while process > 1 && process != own {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        process = parent.and_then(|parent| parent.trim().parse().ok()).unwrap_or(0);
    }
    process == own
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_folder_is_gone_although_an_orphan_still_writes_to_it() {
        let folder = Folder::new();
        let path = folder.path().to_owned();
        // The shell in the background has no parent once the first one has ended.
        let writes = "(for i in $(seq 300); do mkdir -p \"$HOME/cache/$i\"; done) &";
        let mut program = Command::new("sh");
        program.args(["-c", writes]).env("HOME", &path);
        assert!(program.status().unwrap().success());
        while !path.join("cache").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(folder);
        assert!(!path.exists() && !is_used(&path));
    }

    #[test]
    fn a_folder_does_not_wait_for_a_program_that_its_test_ends_later() {
        let folder = Folder::new();
        let path = folder.path().to_owned();
        let mut program = Command::new("sleep")
            .arg("60")
            .env("HOME", &path)
            .spawn()
            .unwrap();
        let waits = is_used(&path);
        drop(folder);
        program.kill().unwrap();
        program.wait().unwrap();
        assert!(!waits && !path.exists());
    }
}
