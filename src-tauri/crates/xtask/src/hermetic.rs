//! A test run leaves nothing behind: no file in the work tree or the temporary folder, no handler in the
//! user's own folders, no process.

use crate::sh::{self, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A process of the tests ends within this time after them.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A Unix socket's path may have 107 bytes, and the tests put theirs below the temporary folder.
const MAX_TEMPORARY_FOLDER_CHARS: usize = 40;

/// The state before the tests.
pub(crate) struct Surroundings {
    /// The tests' folder for temporary files. Their processes have its path in the environment or the arguments, which
    /// distinguishes them from other processes.
    temporary: PathBuf,
    tree: BTreeSet<String>,
    user_files: BTreeSet<String>,
}

impl Surroundings {
    /// Records the work tree and the user's folders, and creates the folder for temporary files.
    ///
    /// # Errors
    /// When git cannot list the work tree, or the folder cannot be created.
    pub(crate) fn look() -> Result<Self> {
        let temporary = temporary_folder();
        fs::create_dir(&temporary).map_err(|e| format!("{} cannot be made: {e}.", temporary.display()))?;
        Ok(Self {
            temporary,
            tree: work_tree()?,
            user_files: user_files(),
        })
    }

    /// Sets the temporary folder of the tests that `command` starts.
    pub(crate) fn give<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("TMPDIR", &self.temporary)
    }

    /// Compares with the state before the tests.
    ///
    /// # Errors
    /// Names every difference.
    pub(crate) fn compare(&self) -> Result {
        let processes = self.processes();
        let mut wrong: Vec<String> = processes
            .into_iter()
            .map(|process| format!("process: {process}"))
            .collect();
        wrong.extend(
            work_tree()?
                .difference(&self.tree)
                .map(|line| format!("work tree: {line}")),
        );
        wrong.extend(
            user_files()
                .difference(&self.user_files)
                .map(|file| format!("user's file: {file}")),
        );
        let left = entries(&self.temporary).flat_map(|entry| files_below(&entry));
        wrong.extend(left.map(|file| format!("temporary file: {}", file.display())));
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!(
            "the tests left something behind:\n  {}",
            wrong.join("\n  ")
        ))
    }

    /// The tests' processes that still run after the timeout.
    fn processes(&self) -> Vec<String> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let alive = processes_below(&self.temporary);
            if alive.is_empty() || Instant::now() >= deadline {
                return alive;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Surroundings {
    fn drop(&mut self) {
        // Its content is reported already.
        let _ = fs::remove_dir_all(&self.temporary);
    }
}

/// Runs a command in a new session if ours is outside of the process namespace, as in a container that was entered from
/// outside: tests check what a permission request says about a program's session.
pub(crate) fn in_a_session(command: Command) -> Command {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name come state, parent, process group and session (proc_pid_stat(5)).
    let session = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_ascii_whitespace().nth(3));
    if session != Some("0") {
        return command;
    }
    let mut inside = sh::command("setsid", ["--wait"]);
    inside.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => inside.env(name, value),
            None => inside.env_remove(name),
        };
    }
    inside
}

fn temporary_folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("tkt{}", std::process::id()));
    if cfg!(unix) && folder.as_os_str().len() > MAX_TEMPORARY_FOLDER_CHARS {
        return Path::new("/tmp").join(format!("tkt{}", std::process::id()));
    }
    folder
}

fn work_tree() -> Result<BTreeSet<String>> {
    let status = sh::read(&mut sh::command(
        "git",
        ["status", "--porcelain", "--untracked-files=all"],
    ))?;
    Ok(status.lines().map(str::to_owned).collect())
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
    let own = [
        config.join("mimeapps.list"),
        data.join("io.github.tokenry"),
        config.join("io.github.tokenry"),
    ];
    entries(&data.join("applications"))
        .chain(own)
        .filter_map(|file| stamp(&file))
        .collect()
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
}

/// The files below a folder, which say what program made it; the folder itself when it is empty, or no folder.
fn files_below(entry: &Path) -> Vec<PathBuf> {
    // A symbolic link is a file here: what it points to is not ours.
    let is_folder = fs::symlink_metadata(entry).is_ok_and(|meta| meta.is_dir());
    let files: Vec<PathBuf> = if is_folder {
        entries(entry).flat_map(|entry| files_below(&entry)).collect()
    } else {
        Vec::new()
    };
    if files.is_empty() {
        return vec![entry.to_owned()];
    }
    files
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

/// Processes that have the folder's path in their environment or arguments.
fn processes_below(folder: &Path) -> Vec<String> {
    let own = std::process::id();
    let pids =
        entries(Path::new("/proc")).filter_map(|entry| entry.file_name()?.to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != own)
        .filter_map(|pid| describe(pid, folder))
        .collect()
}

fn describe(pid: u32, folder: &Path) -> Option<String> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let line = fs::read(process.join("cmdline")).ok()?;
    // A process that has ended, or hides its environment, has none.
    let environment = fs::read(process.join("environ")).unwrap_or_default();
    let path = folder.as_os_str().as_encoded_bytes();
    let holds = |text: &[u8]| text.windows(path.len()).any(|window| window == path);
    (holds(&line) || holds(&environment)).then(|| {
        format!(
            "{pid} {}",
            String::from_utf8_lossy(&line).replace('\0', " ").trim_end()
        )
    })
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_process_that_the_tests_left_is_found_until_it_ends() {
        let folder = folder("process");
        let mut child = Command::new("sleep")
            .arg("60")
            .env_clear()
            .env("HOME", folder.join("user"))
            .spawn()
            .unwrap();
        // Right after its start a process has neither arguments nor an environment.
        let begun = Instant::now();
        let mut found = Vec::new();
        while found.is_empty() && begun.elapsed() < TIMEOUT {
            found = processes_below(&folder);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let found_later = processes_below(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, [format!("{} sleep 60", child.id())]);
        assert!(found_later.is_empty());
    }

    #[test]
    fn what_was_left_is_told_by_its_files() {
        let folder = folder("left");
        fs::create_dir_all(folder.join("cache/empty")).unwrap();
        fs::write(folder.join("cache/dconf"), "").unwrap();
        let mut found = files_below(&folder);
        found.sort();
        let expected = [folder.join("cache/dconf"), folder.join("cache/empty")];
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, expected);
        assert_eq!(files_below(&folder), [folder]);
    }

    #[test]
    fn a_file_that_changed_is_another_file() {
        let folder = folder("file");
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
