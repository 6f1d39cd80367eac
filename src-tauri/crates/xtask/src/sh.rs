//! Running other programs.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The error says what failed and what to do.
pub(crate) type Result<T = ()> = std::result::Result<T, String>;

/// A program with its arguments, in the workspace's folder, without standard input: CI cannot answer a prompt.
pub(crate) fn command<I, S>(program: impl AsRef<OsStr>, args: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(crate::repo::root())
        .stdin(Stdio::null());
    command
}

/// The cargo that runs us, with `line` split at spaces as its arguments.
pub(crate) fn cargo(line: &str) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = command(cargo, line.split_whitespace());
    if crate::repo::is_ci() {
        // Built once and thrown away: what makes the next build fast would only make this one slower.
        command
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "none");
    }
    // Set by `cargo run` for us; a build script of ours would take them for its own.
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|n| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Runs it with its output on ours.
pub(crate) fn run(command: &mut Command) -> Result {
    let status = command.status().map_err(|e| not_started(command, &e))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{}` failed ({status}).", shown(command)))
    }
}

/// Runs it and returns its standard output; its words go to ours.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| not_started(command, &e))?;
    if !output.status.success() {
        return Err(format!("`{}` failed ({}).", shown(command), output.status));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| format!("`{}` printed something that is no text.", shown(command)))
}

/// Waits for a child that was asked to end, and kills it after `timeout`.
pub(crate) fn end(child: &mut Child, timeout: Duration) {
    let deadline = Instant::now() + timeout;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() >= deadline {
            // It may have ended in between.
            let _ = child.kill();
            let _ = child.wait();
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The command line as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let root = format!("{}/", crate::repo::root().display());
    words
        .map(|word| word.to_string_lossy().replace(&root, ""))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Where `PATH` has `program`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = [
        format!("{program}{}", std::env::consts::EXE_SUFFIX),
        format!("{program}.cmd"),
    ];
    let candidates =
        std::env::split_paths(&path).flat_map(|folder| names.clone().map(|name| folder.join(name)));
    candidates.into_iter().find(|file| is_executable(file))
}

/// Whether there is a program at this path.
#[cfg(unix)]
pub(crate) fn is_executable(file: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Whether there is a program at this path.
#[cfg(not(unix))]
pub(crate) fn is_executable(file: &std::path::Path) -> bool {
    file.is_file()
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` could not be started: {error}.", shown(command))
}
