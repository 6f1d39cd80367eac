//! The token of an app, by which a command calls as that app instead of as a program that is asked about.

use crate::failure::Failure;
use crate::secret_input::{self, SecretText};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tokenry_contract::ErrorCode;

/// Names the file for whoever cannot add an option: git, or a mail program.
pub(crate) const VARIABLE: &str = "TOKENRY_APP_TOKEN_FILE";
/// The bits of a file's mode that let others than its owner at it.
const OTHERS: u32 = 0o077;

/// The token in the file that the option names, or else the environment.
///
/// # Errors
/// When it cannot be read, others can read it too, or it holds no token.
pub(crate) fn given(option: Option<&Path>) -> Result<Option<SecretText>, Failure> {
    let variable = || std::env::var_os(VARIABLE).filter(|value: &OsString| !value.is_empty());
    let path = option
        .map(Path::to_owned)
        .or_else(|| variable().map(PathBuf::from));
    path.map(|path| read(&path)).transpose()
}

fn read(path: &Path) -> Result<SecretText, Failure> {
    let wrong = |what: &str, next: &str| {
        let text = format!("The app's token in {} cannot be used: {what}.", path.display());
        Failure::new(ErrorCode::ValidationError, text, next)
    };
    let is_a_token = |text: &str| text.starts_with("tokenry_");
    if path.to_str().is_some_and(is_a_token) && !path.exists() {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "The option takes the name of a file, and not the app's token itself.",
            "Others can see arguments: register the app anew, and write its token into a file.",
        ));
    }
    let unreadable = |error: io::Error| {
        wrong(
            &error.to_string(),
            "Name the file that `tokenry app add NAME` was written to.",
        )
    };
    let file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if about.is_file() && about.mode() & OTHERS != 0 {
        let next = format!(
            "`chmod 600 {}`; if others may have read it, register the app anew.",
            path.display()
        );
        return Err(wrong("other users can read the file", &next));
    }
    let token = secret_input::from_file(file, "The app's token")?;
    // It becomes a line of a request's head.
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong(
            "it is no token",
            "The file holds the token and nothing else.",
        ));
    }
    Ok(token)
}
