//! The token of an app. With it a command acts as that app, instead of as a program that needs consent.

use crate::failure::Failure;
use crate::secret_input::{self, SecretText};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tokenry_contract::ErrorCode;

/// Names the file for programs that cannot add an option, like git or a mail program.
pub(crate) const VARIABLE: &str = "TOKENRY_APP_TOKEN_FILE";
/// The bits of a file's mode that give other users access.
const OTHERS: u32 = 0o077;

/// The token in the file that the option names, or else the environment variable.
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
        let text = format!("Cannot use the app token in {}: {what}.", path.display());
        Failure::new(ErrorCode::ValidationError, text, next)
    };
    let is_a_token = |text: &str| text.starts_with("tokenry_");
    if path.to_str().is_some_and(is_a_token) && !path.exists() {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "--app-token-file expects a file name, not the token itself.",
            "Other users can see arguments: register the app again, and write its token to a file.",
        ));
    }
    let unreadable = |error: io::Error| {
        wrong(
            &error.to_string(),
            "Name the file that holds the output of `tokenry app add NAME`.",
        )
    };
    let file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if about.is_file() && about.mode() & OTHERS != 0 {
        let next = format!(
            "Run `chmod 600 {}`. If others may have read it, register the app again.",
            path.display()
        );
        return Err(wrong("other users can read this file", &next));
    }
    let token = secret_input::from_file(file, "App token")?;
    // It becomes part of a header.
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong(
            "it is not a token",
            "The file must contain the token only.",
        ));
    }
    Ok(token)
}
