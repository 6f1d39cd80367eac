//! Where programs and configuration files are on this machine.

use crate::error::SetupError;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tokenry_contract::profile;

/// Reads a variable of the environment, which tests replace.
type Variables = Box<dyn Fn(&str) -> Option<OsString>>;

/// The user's folders, the programs on the path, and the path of `tokenry` that other programs are told.
pub struct Environment {
    variables: Variables,
    tokenry: PathBuf,
}

impl Environment {
    /// That of this process.
    ///
    /// # Errors
    /// When `tokenry` is not installed beside this program.
    pub fn of_process() -> Result<Self, SetupError> {
        let own = std::env::current_exe().unwrap_or_default();
        let own = own.with_file_name("tokenry");
        let mut environment = Self::new(Box::new(|name| std::env::var_os(name)), own);
        environment.tokenry = environment.lasting_path();
        if !is_program(&environment.tokenry) {
            let what = environment.tokenry.display().to_string();
            return Err(SetupError::NotInstalled { what });
        }
        Ok(environment)
    }

    pub(crate) fn new(variables: Variables, tokenry: PathBuf) -> Self {
        Self { variables, tokenry }
    }

    /// The path of `tokenry` that survives an update: the one on the user's path where that leads to the same file. A
    /// package or a version manager replaces what such a link leads to.
    fn lasting_path(&self) -> PathBuf {
        let same = self.tokenry.canonicalize().ok();
        let mut on_path = self.folders().into_iter().map(|folder| folder.join("tokenry"));
        let found =
            on_path.find(|path| path.is_absolute() && path.canonicalize().ok() == same && same.is_some());
        found.unwrap_or_else(|| self.tokenry.clone())
    }

    /// The absolute path of `tokenry`.
    pub(crate) fn tokenry(&self) -> &Path {
        &self.tokenry
    }

    /// The same as text, which a configuration file can hold.
    pub(crate) fn tokenry_text(&self) -> Result<&str, SetupError> {
        let text = self.tokenry.to_str();
        let text = text.filter(|text| !text.contains(|c: char| c.is_control()));
        text.ok_or_else(|| {
            SetupError::program_path(&self.tokenry, "is a path that configuration files cannot hold")
        })
    }

    pub(crate) fn variable(&self, name: &str) -> Option<OsString> {
        (self.variables)(name).filter(|value| !value.is_empty())
    }

    /// A variable that holds an absolute path.
    pub(crate) fn path_variable(&self, name: &str) -> Option<PathBuf> {
        let path = self.variable(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    }

    /// A variable that tells a tool where its file or folder is. Another path than the tool's own would be the wrong file.
    ///
    /// # Errors
    /// When the path is not absolute.
    pub(crate) fn tool_variable(&self, name: &str) -> Result<Option<PathBuf>, SetupError> {
        let path = self.variable(name).map(PathBuf::from);
        path.map(|path| absolute(path, name)).transpose()
    }

    /// The same for a tool that reads `~` as the home folder.
    pub(crate) fn expanded_variable(&self, name: &str) -> Result<Option<PathBuf>, SetupError> {
        let path = self.variable(name).map(PathBuf::from);
        match path.as_deref().and_then(|path| path.strip_prefix("~").ok()) {
            Some(rest) => Ok(Some(self.home()?.join(rest))),
            None => self.tool_variable(name),
        }
    }

    pub(crate) fn home(&self) -> Result<PathBuf, SetupError> {
        self.path_variable("HOME").ok_or(SetupError::NoHome)
    }

    /// `$XDG_CONFIG_HOME`, else `~/.config`.
    pub(crate) fn config(&self) -> Result<PathBuf, SetupError> {
        match self.path_variable("XDG_CONFIG_HOME") {
            Some(folder) => Ok(folder),
            None => Ok(self.home()?.join(".config")),
        }
    }

    /// Where the record of what was set up, and the backups, are.
    pub(crate) fn state(&self) -> Result<PathBuf, SetupError> {
        let folder = profile::state_in(&|name| self.variable(name)).ok_or(SetupError::NoHome)?;
        Ok(folder.join("setup"))
    }

    /// Where links to `tokenry` are, for clients that take a path.
    pub(crate) fn links(&self) -> Result<PathBuf, SetupError> {
        let data = match self.path_variable("XDG_DATA_HOME") {
            Some(folder) => folder,
            None => self.home()?.join(".local/share"),
        };
        Ok(data.join(profile::APP_ID).join("bin"))
    }

    /// The folders of the path.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let path = self.variable("PATH").unwrap_or_default();
        std::env::split_paths(&path).collect()
    }

    /// A program on the path.
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        let mut paths = self.folders().into_iter().map(|folder| folder.join(name));
        paths.find(|path| path.is_absolute() && is_program(path))
    }

    /// What a program writes to standard output, when it succeeds.
    pub(crate) fn output<S: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: &[S],
        input: &str,
    ) -> Option<String> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let stdin = child.stdin.take();
        let input = input.to_owned();
        // A program that writes before it has read everything would wait for us for ever.
        let writer = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().ok()?;
        let _ = writer.join();
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then_some(text)
    }
}

/// The path, if it is absolute.
pub(crate) fn absolute(path: PathBuf, variable: &str) -> Result<PathBuf, SetupError> {
    if path.is_absolute() {
        return Ok(path);
    }
    Err(SetupError::option(
        format!("{variable} holds a path that is not absolute."),
        format!("Set {variable} to a path that begins with /, or unset it, and try again."),
    ))
}

/// Whether this is a file that can be executed.
pub(crate) fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
