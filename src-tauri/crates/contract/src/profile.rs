//! Where the profile and the socket are, for whoever serves them and whoever calls.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// The name of our folders, and the scheme of our deep link.
pub const APP_ID: &str = "io.github.tokenry";

/// The most bytes a socket's path may have: `sun_path` less its final NUL.
pub const SOCKET_PATH_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

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

/// The engine's socket: in the profile when `TOKENRY_HOME` moves it or there is no `XDG_RUNTIME_DIR`, else in
/// `$XDG_RUNTIME_DIR/io.github.tokenry`.
///
/// # Errors
/// Those of [`folder`], and [`ProfileError::SocketPathTooLong`].
pub fn socket() -> Result<PathBuf, ProfileError> {
    socket_in(&|name| std::env::var_os(name))
}

/// [`folder`] in an environment that is given.
///
/// # Errors
/// As [`folder`].
pub fn folder_in(env: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf, ProfileError> {
    if let Some(home) = set(env, "TOKENRY_HOME") {
        return std::path::absolute(&home).map_err(|_| ProfileError::NoWorkingFolder(home));
    }
    if let Some(data) = whole(env, "XDG_DATA_HOME") {
        return Ok(data.join(APP_ID));
    }
    let home = whole(env, "HOME").ok_or(ProfileError::NoHome)?;
    Ok(home.join(".local/share").join(APP_ID))
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
    .join("engine.sock");
    if path.as_os_str().len() > SOCKET_PATH_MAX {
        return Err(ProfileError::SocketPathTooLong(path));
    }
    Ok(path)
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
    fn a_home_that_is_not_whole_starts_at_the_working_folder() {
        let folder = folder_in(&env(&[("TOKENRY_HOME", "dev/profile")])).unwrap();
        assert_eq!(folder, std::env::current_dir().unwrap().join("dev/profile"));
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
