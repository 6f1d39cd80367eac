//! The paths of the profile and of the socket, for the engine and for its callers.

use std::ffi::OsString;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The name of our folders, and the scheme of our deep link.
pub const APP_ID: &str = "io.github.tokenry";

/// The most bytes a socket's path may have: `sun_path` less its final NUL.
pub const SOCKET_PATH_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The file in the profile that names the engine's process and its socket, one a line.
pub const LOCK_FILE: &str = "tokenry.lock";

/// The name of the socket in its folder.
const SOCKET_NAME: &str = "engine.sock";

/// The variable that names a socket which another machine forwards here.
pub const SOCKET_VARIABLE: &str = "TOKENRY_SOCKET";

/// Why there is no profile or no socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileError {
    /// Neither `TOKENRY_HOME` nor `HOME` says where to put it.
    NoHome,
    /// `TOKENRY_HOME` starts nowhere, and the working folder cannot be told.
    NoWorkingFolder(PathBuf),
    /// The operating system takes no socket path of this length.
    SocketPathTooLong(PathBuf),
}

impl std::error::Error for ProfileError {}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHome => f.write_str(
                "There is no folder for the profile: HOME is not set. Set TOKENRY_HOME to a folder of yours.",
            ),
            Self::NoWorkingFolder(home) => write!(
                f,
                "TOKENRY_HOME is {}, and there is no working folder to start from. Set it to a whole path.",
                home.display()
            ),
            Self::SocketPathTooLong(path) => write!(
                f,
                "The path of the socket has {} bytes and may have {SOCKET_PATH_MAX}: {}. Set TOKENRY_HOME to a \
                 folder with a shorter path.",
                path.as_os_str().len(),
                path.display()
            ),
        }
    }
}

/// The folder of everything Tokenry keeps: `$TOKENRY_HOME`, else `$XDG_DATA_HOME/io.github.tokenry`, else
/// `~/.local/share/io.github.tokenry`. It may not exist yet.
///
/// # Errors
/// [`ProfileError::NoHome`] and [`ProfileError::NoWorkingFolder`].
pub fn folder() -> Result<PathBuf, ProfileError> {
    folder_in(&|name| std::env::var_os(name))
}

/// The folder for what is known of a profile outside of it: `$XDG_STATE_HOME/io.github.tokenry`, else
/// `~/.local/state/io.github.tokenry`, also where `TOKENRY_HOME` moves the profile. `None` without a home folder.
pub fn state() -> Option<PathBuf> {
    state_in(&|name| std::env::var_os(name))
}

/// The engine's socket: in the profile when `TOKENRY_HOME` moves it or there is no `XDG_RUNTIME_DIR`, else in
/// `$XDG_RUNTIME_DIR/io.github.tokenry`.
///
/// # Errors
/// Those of [`folder`], and [`ProfileError::SocketPathTooLong`].
pub fn socket() -> Result<PathBuf, ProfileError> {
    socket_in(&|name| std::env::var_os(name))
}

/// The socket that another machine forwards here, if there is one: `TOKENRY_SOCKET`, as `tokenry ssh-forward` sets it.
pub fn forwarded_socket() -> Option<PathBuf> {
    whole(&|name| std::env::var_os(name), SOCKET_VARIABLE)
}

/// [`folder`] in an environment that is given.
///
/// # Errors
/// As [`folder`].
pub fn folder_in(env: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf, ProfileError> {
    if let Some(home) = set(env, "TOKENRY_HOME") {
        return std::path::absolute(&home).map_err(|_| ProfileError::NoWorkingFolder(home));
    }
    Ok(data_home_in(env)?.join(APP_ID))
}

/// The folder for the user's data (XDG Base Directory Specification).
///
/// # Errors
/// [`ProfileError::NoHome`].
pub fn data_home() -> Result<PathBuf, ProfileError> {
    data_home_in(&|name| std::env::var_os(name))
}

fn data_home_in(env: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf, ProfileError> {
    if let Some(data) = whole(env, "XDG_DATA_HOME") {
        return Ok(data);
    }
    let home = whole(env, "HOME").ok_or(ProfileError::NoHome)?;
    Ok(home.join(".local/share"))
}

/// [`state`] in an environment that is given.
pub fn state_in(env: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let state = whole(env, "XDG_STATE_HOME").or_else(|| Some(whole(env, "HOME")?.join(".local/state")));
    Some(state?.join(APP_ID))
}

/// [`socket`] in an environment that is given.
///
/// # Errors
/// As [`socket`].
pub fn socket_in(env: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf, ProfileError> {
    let path = match (set(env, "TOKENRY_HOME"), whole(env, "XDG_RUNTIME_DIR")) {
        (None, Some(runtime)) => runtime.join(APP_ID),
        _ => folder_in(env)?,
    }
    .join(SOCKET_NAME);
    if path.as_os_str().len() > SOCKET_PATH_MAX {
        return Err(ProfileError::SocketPathTooLong(path));
    }
    Ok(path)
}

/// The socket in the profile itself, where an engine listens when it cannot listen at [`socket`]. `None` when the
/// operating system takes no path of this length.
pub fn spare_socket(folder: &Path) -> Option<PathBuf> {
    Some(folder.join(SOCKET_NAME)).filter(|path| path.as_os_str().len() <= SOCKET_PATH_MAX)
}

/// What the lock file says about the engine of a profile. The process may have ended without a chance to say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// Where it listens, once it does.
    pub socket: Option<PathBuf>,
}

/// Reads the lock file of the profile in `folder`. `None` when no engine has said anything there.
pub fn holder(folder: &Path) -> Option<Holder> {
    let path = folder.join(LOCK_FILE);
    // Nothing else is opened: a pipe would never answer.
    if !path.symlink_metadata().is_ok_and(|found| found.is_file()) {
        return None;
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .ok()?
        .take(4096)
        .read_to_end(&mut bytes)
        .ok()?;
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    // A line without an end is still being written.
    let mut line = || lines.next()?.strip_suffix(b"\n");
    let pid = std::str::from_utf8(line()?).ok()?.trim().parse().ok()?;
    let socket = line().and_then(path_of).filter(|path| path.is_absolute());
    Some(Holder { pid, socket })
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(bytes).ok().map(PathBuf::from)
}

fn set(env: &dyn Fn(&str) -> Option<OsString>, name: &str) -> Option<PathBuf> {
    env(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

// A variable of XDG's that holds no whole path is to be ignored (XDG Base Directory Specification).
fn whole(env: &dyn Fn(&str) -> Option<OsString>, name: &str) -> Option<PathBuf> {
    set(env, name).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn env(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        move |name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.into())
    }

    #[test]
    fn tokenry_home_moves_the_whole_profile_socket_included() {
        let env = env(&[
            ("TOKENRY_HOME", "/srv/t"),
            ("XDG_RUNTIME_DIR", "/run/user/7"),
            ("HOME", "/home/a"),
        ]);
        assert_eq!(folder_in(&env).unwrap(), Path::new("/srv/t"));
        assert_eq!(socket_in(&env).unwrap(), Path::new("/srv/t/engine.sock"));
    }

    #[test]
    fn without_it_the_xdg_folders_are_taken() {
        let env = env(&[
            ("XDG_DATA_HOME", "/data"),
            ("XDG_RUNTIME_DIR", "/run/user/7"),
            ("TOKENRY_HOME", ""),
        ]);
        assert_eq!(folder_in(&env).unwrap(), Path::new("/data/io.github.tokenry"));
        assert_eq!(
            socket_in(&env).unwrap(),
            Path::new("/run/user/7/io.github.tokenry/engine.sock")
        );
    }

    #[test]
    fn without_those_everything_is_under_home() {
        let env = env(&[
            ("HOME", "/home/a"),
            ("XDG_DATA_HOME", "not/whole"),
            ("XDG_RUNTIME_DIR", ""),
        ]);
        let folder = Path::new("/home/a/.local/share/io.github.tokenry");
        assert_eq!(folder_in(&env).unwrap(), folder);
        assert_eq!(socket_in(&env).unwrap(), folder.join("engine.sock"));
    }

    #[test]
    fn what_is_known_outside_of_the_profile_is_never_moved_with_it() {
        let at = |pairs| state_in(&env(pairs));
        let home = [("TOKENRY_HOME", "/srv/t"), ("HOME", "/home/a")];
        let folder = Path::new("/home/a/.local/state/io.github.tokenry");
        assert_eq!(at(&home).unwrap(), folder);
        assert_eq!(at(&home[1..]).unwrap(), folder);
        let moved = at(&[("XDG_STATE_HOME", "/state"), ("HOME", "/home/a")]);
        assert_eq!(moved.unwrap(), Path::new("/state/io.github.tokenry"));
        assert_eq!(
            at(&[("TOKENRY_HOME", "/srv/t"), ("XDG_STATE_HOME", "not/whole")]),
            None
        );
    }

    #[test]
    fn a_home_that_is_not_whole_starts_at_the_working_folder() {
        let folder = folder_in(&env(&[("TOKENRY_HOME", "dev/profile")])).unwrap();
        assert_eq!(folder, std::env::current_dir().unwrap().join("dev/profile"));
    }

    #[test]
    fn the_lock_file_names_process_and_socket_and_half_a_line_counts_for_nothing() {
        let folder = std::env::temp_dir().join(format!("tokenry-contract-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let read = |text: &str| {
            std::fs::write(folder.join(LOCK_FILE), text).unwrap();
            holder(&folder).map(|holder| (holder.pid, holder.socket))
        };
        let socket = Some(PathBuf::from("/run/a b/engine.sock"));
        assert_eq!(read("42\n/run/a b/engine.sock\n"), Some((42, socket.clone())));
        assert_eq!(read("42\n/run/a b/engine.sock\nck\n"), Some((42, socket)));
        assert_eq!(read("42\n/run/engine.so"), Some((42, None)));
        assert_eq!(read("42\nengine.sock\n"), Some((42, None)));
        assert_eq!(read("42\n"), Some((42, None)));
        for nothing in ["", "42", "\n", "x\n/run/engine.sock\n", "-1\n"] {
            assert_eq!(read(nothing), None, "{nothing:?}");
        }
        std::fs::remove_file(folder.join(LOCK_FILE)).unwrap();
        assert_eq!(holder(&folder), None);
        std::fs::create_dir(folder.join(LOCK_FILE)).unwrap();
        assert_eq!(holder(&folder), None);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn no_home_is_an_error_that_names_the_variable_to_set() {
        let error = folder_in(&env(&[])).unwrap_err();
        assert_eq!(error, ProfileError::NoHome);
        assert!(error.to_string().contains("TOKENRY_HOME"));
    }

    #[test]
    fn the_longest_socket_path_is_taken_and_one_byte_more_is_an_error_that_names_the_variable_to_set() {
        let fits = format!("/{}", "a".repeat(SOCKET_PATH_MAX - "//engine.sock".len()));
        let too_long = format!("{fits}a");
        let path = socket_in(&env(&[("TOKENRY_HOME", &fits)])).unwrap();
        assert_eq!(path.as_os_str().len(), SOCKET_PATH_MAX);
        let error = socket_in(&env(&[("TOKENRY_HOME", &too_long)])).unwrap_err();
        assert!(
            error.to_string().contains("TOKENRY_HOME")
                && error.to_string().contains(&(SOCKET_PATH_MAX + 1).to_string()),
            "{error}"
        );
    }
}
