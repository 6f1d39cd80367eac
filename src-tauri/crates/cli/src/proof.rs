//! Checks that the listening process is the engine of this profile, before a passphrase is sent to it. Any program of
//! the same user could listen in the socket's folder.

use crate::failure::Failure;
use crate::peer;
use std::os::unix::net::UnixStream;
use std::path::Path;
use tokenry_contract::ErrorCode;

/// Fails when the process does not hold the profile's lock, or does not run a program that is installed next to this
/// one. Of a process that hides its memory, as the engine does, the system reports only the name that it gave itself:
/// see SECURITY.md.
#[cfg(target_os = "linux")]
pub(crate) fn is_the_engine(stream: &UnixStream, socket: &Path) -> Result<(), Failure> {
    let folder = tokenry_contract::profile::folder().map_err(|error| {
        let next = "Set TOKENRY_HOME and try again.";
        Failure::new(ErrorCode::ValidationError, error.to_string(), next)
    })?;
    let lock = folder.join(tokenry_contract::profile::LOCK_FILE);
    let Some(pid) = peer::pid(stream) else {
        return Err(refused(
            format!(
                "The system does not report which process listens at {}.",
                socket.display()
            ),
            "End that process and try again: `tokenry unlock` starts an engine.".to_owned(),
        ));
    };
    let who = format!(
        "Process {pid}{} listens at {}",
        linux::shown(pid),
        socket.display()
    );
    if !linux::holds(pid, &lock) {
        return Err(refused(
            format!(
                "{who} but is not the engine: it does not hold the lock {}.",
                lock.display()
            ),
            format!(
                "Check what it is (`ps -fp {pid}`), end it with `kill {pid}`, and try again: `tokenry unlock` starts an \
                 engine."
            ),
        ));
    }
    if !linux::is_installed_beside_us(pid) {
        return Err(refused(
            format!("{who} but does not run the program that is installed next to this one."),
            format!(
                "If it is an engine of another version, or its file was replaced after it started, end it with `kill \
                 {pid}` and try again. Otherwise check what it is (`ps -fp {pid}`)."
            ),
        ));
    }
    Ok(())
}

/// Other systems do not report this; the folder's owner is the only proof of who created the socket.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_the_engine(_: &UnixStream, _: &Path) -> Result<(), Failure> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn refused(message: String, next: String) -> Failure {
    Failure::new(
        ErrorCode::PermissionDenied,
        format!("{message} The passphrase was not sent."),
        next,
    )
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::ErrorKind;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;
    use tokenry_contract::sanitize_for_display;

    /// The programs that are an engine.
    const ENGINES: [&str; 2] = ["tokenry-serve", "tokenry-desktop"];

    /// The program of a process, in parentheses, if the system reports it.
    pub(super) fn shown(pid: u32) -> String {
        let program = std::fs::read_link(format!("/proc/{pid}/exe"));
        program.map_or_else(
            |_| String::new(),
            |path| format!(" ({})", sanitize_for_display(&path.to_string_lossy())),
        )
    }

    /// Whether this process has the lock, by the system's own table. Any program of the user could have written the
    /// file's content.
    pub(super) fn holds(pid: u32, lock: &Path) -> bool {
        let Ok(file) = lock.symlink_metadata() else {
            return false;
        };
        let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
        locks.lines().any(|line| held(line) == Some((pid, file.ino())))
    }

    /// The process and the inode of a line of /proc/locks (proc_locks(5)) that tells of a whole file's lock for one
    /// process alone. The device stands there too, but not by the number that a file system of many volumes gives.
    pub(super) fn held(line: &str) -> Option<(u32, u64)> {
        let mut words = line.split_whitespace().skip(1);
        if (words.next(), words.nth(1)) != (Some("FLOCK"), Some("WRITE")) {
            return None;
        }
        let pid = words.next()?.parse().ok()?;
        let inode = words.next()?.rsplit(':').next()?.parse().ok()?;
        Some((pid, inode))
    }

    /// Whether it runs one of the files that stand beside our own program.
    pub(super) fn is_installed_beside_us(pid: u32) -> bool {
        match Path::new(&format!("/proc/{pid}/exe")).metadata() {
            Ok(running) => ENGINES.iter().any(|engine| {
                let ours = std::env::current_exe().ok();
                let file = ours.and_then(|ours| ours.with_file_name(engine).metadata().ok());
                file.is_some_and(|file| (file.dev(), file.ino()) == (running.dev(), running.ino()))
            }),
            // It hides itself, as the engine does, from other programs of its user.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
                ENGINES.contains(&name.trim_end())
            }
            Err(_) => false,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_lock_that_is_held_is_told_from_one_that_is_waited_for_and_from_other_kinds() {
            assert_eq!(
                held("1: FLOCK  ADVISORY  WRITE 4242 fe:00:131 0 EOF"),
                Some((4242, 131))
            );
            for other in [
                "1: -> FLOCK  ADVISORY  WRITE 4242 fe:00:131 0 EOF",
                "1: FLOCK  ADVISORY  READ 4242 fe:00:131 0 EOF",
                "1: POSIX  ADVISORY  WRITE 4242 fe:00:131 0 EOF",
                "1: FLOCK  ADVISORY  WRITE",
                "",
            ] {
                assert_eq!(held(other), None, "{other}");
            }
        }

        /// security.md, "Local interfaces": who is calling is more than a path.
        #[test]
        fn the_holder_of_a_lock_is_who_has_it_and_not_whom_the_file_names() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("tokenry.lock");
            std::fs::write(&path, format!("{}\n", std::process::id())).unwrap();
            let us = std::process::id();
            assert!(!holds(us, &path), "the file says so, but no process has the lock");
            let file = std::fs::File::open(&path).unwrap();
            file.lock().unwrap();
            assert!(holds(us, &path));
            assert!(!holds(us + 1, &path));
        }
    }
}
