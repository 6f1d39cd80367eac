//! A test run leaves nothing behind: no file in the work tree, no handler in the user's own folders, no process.

use crate::repo;
use crate::sh::{self, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The variable that everything started by the tests inherits, so that it can be told from what runs anyway.
const MARK: &str = "TOKENRY_TEST_RUN";

/// How long a process may take to end after the tests have.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was there before the tests.
pub(crate) struct Surroundings {
    mark: String,
    tree: String,
    user_files: BTreeSet<String>,
}

impl Surroundings {
    /// Looks at the work tree and at the user's own folders.
    ///
    /// # Errors
    /// When git cannot say what the work tree holds.
    pub(crate) fn look() -> Result<Self> {
        Ok(Self {
            mark: format!("{}", std::process::id()),
            tree: work_tree()?,
            user_files: user_files(),
        })
    }

    /// Marks what `command` starts as ours.
    pub(crate) fn mark<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env(MARK, &self.mark)
    }

    /// Looks again.
    ///
    /// # Errors
    /// Names every difference.
    pub(crate) fn compare(&self) -> Result {
        let mut wrong = Vec::new();
        let tree = work_tree()?;
        let old: BTreeSet<&str> = self.tree.lines().collect();
        wrong.extend(
            tree.lines()
                .filter(|line| !old.contains(line))
                .map(|line| format!("work tree: {line}")),
        );
        let files = user_files();
        wrong.extend(
            files
                .difference(&self.user_files)
                .map(|file| format!("user's file: {file}")),
        );
        wrong.extend(
            self.processes()
                .into_iter()
                .map(|process| format!("process: {process}")),
        );
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!(
            "the tests left something behind:\n  {}",
            wrong.join("\n  ")
        ))
    }

    /// The marked processes that are still alive when patience is at an end.
    fn processes(&self) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let wanted = format!("{MARK}={}", self.mark);
        loop {
            let alive = marked(&wanted);
            if alive.is_empty() || Instant::now() >= deadline {
                return alive;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn work_tree() -> Result<String> {
    sh::read(&mut sh::command(
        "git",
        ["status", "--porcelain", "--untracked-files=all"],
    ))
}

/// The user's registered handlers and default applications, each with its size and time of change.
fn user_files() -> BTreeSet<String> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let Some(home) = set("HOME") else {
        return BTreeSet::new();
    };
    let data = set("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share"));
    let config = set("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
    let applications = fs::read_dir(data.join("applications"))
        .into_iter()
        .flatten()
        .flatten();
    let files = applications
        .map(|entry| entry.path())
        .chain([config.join("mimeapps.list")]);
    files.filter_map(|file| stamp(&file)).collect()
}

fn stamp(file: &Path) -> Option<String> {
    let meta = fs::metadata(file).ok()?;
    let changed = meta.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!(
        "{} ({} bytes, changed at {} ms)",
        file.display(),
        meta.len(),
        changed.as_millis()
    ))
}

/// Processes whose environment holds `variable`, and those of our programs that hide theirs.
fn marked(variable: &str) -> Vec<String> {
    let own = std::process::id();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != own)
        .filter_map(|pid| describe(pid, variable))
        .collect()
}

fn describe(pid: u32, variable: &str) -> Option<String> {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let environment = fs::read(folder.join("environ"));
    let is_ours = match &environment {
        Ok(bytes) => bytes
            .split(|byte| *byte == 0)
            .any(|entry| entry == variable.as_bytes()),
        Err(_) => false,
    };
    let line = fs::read(folder.join("cmdline")).ok()?;
    // A program that is not dumpable hides its environment from all but root, but not what it was started as.
    let hidden = environment.is_err() && line.starts_with(repo::target().as_os_str().as_encoded_bytes());
    if !(is_ours || hidden) || line.is_empty() {
        return None;
    }
    Some(format!(
        "{pid} {}",
        String::from_utf8_lossy(&line).replace('\0', " ").trim_end()
    ))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_the_tests_left_is_found_by_its_mark_until_it_ends() {
        let mark = format!("{}-left", std::process::id());
        let mut child = Command::new("sleep").arg("60").env(MARK, &mark).spawn().unwrap();
        let wanted = format!("{MARK}={mark}");
        let found = marked(&wanted);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found, [format!("{} sleep 60", child.id())]);
        assert!(marked(&wanted).is_empty());
    }

    #[test]
    fn a_file_that_changed_is_another_file() {
        let folder = std::env::temp_dir().join(format!("xtask-hermetic-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("mimeapps.list");
        fs::write(&file, "a").unwrap();
        let before = stamp(&file);
        fs::write(&file, "ab").unwrap();
        let after = stamp(&file);
        fs::remove_dir_all(&folder).unwrap();
        assert!(before.is_some());
        assert_ne!(before, after);
        assert_eq!(stamp(&file), None);
    }
}
