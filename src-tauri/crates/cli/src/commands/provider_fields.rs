//! Collects a provider's settings from a file, options, and a secret that is read separately.

use super::provider_file::{self, Use};
use crate::failure::Failure;
use crate::provider_args::Source;
use crate::secret_input::{self, SecretText};
use serde_json::{Map, Value};
use std::io::Read;
use std::path::Path;
use tokenry_contract::ErrorCode;
use zeroize::Zeroizing;

/// More than any provider has.
const MAX_FILE_BYTES: u64 = 256 * 1024;
const SECRET: &str = "Client secret";

/// The settings of the file, overridden by the options, and the secret.
pub(super) fn collect(
    given: impl FnOnce(&mut Map<String, Value>),
    source: &Source,
    to: Use,
) -> Result<Map<String, Value>, Failure> {
    let from_stdin = source.from.as_deref() == Some(Path::new("-"));
    if from_stdin && (source.client_secret_stdin || source.client_secret_fd == Some(0)) {
        return Err(wrong(
            "Standard input cannot hold both the file and the client secret",
            "",
        ));
    }
    let read = source.from.as_deref().map(|file| read(file, to));
    let mut fields = read.transpose()?.unwrap_or_default();
    given(&mut fields);
    if let Some(secret) = secret(source)? {
        secret_input::check_one_line(&secret, SECRET)?;
        fields.insert("client_secret".to_owned(), Value::String(secret.to_string()));
    }
    if fields.is_empty() && to == Use::Edit {
        return Err(wrong(
            "There is nothing to change",
            "Name a setting, for example: --display-name NAME",
        ));
    }
    Ok(fields)
}

fn secret(source: &Source) -> Result<Option<SecretText>, Failure> {
    match source.client_secret_fd {
        Some(fd) => secret_input::from_fd(fd, SECRET).map(Some),
        None if source.client_secret_stdin => secret_input::from_stdin(SECRET).map(Some),
        None => Ok(None),
    }
}

fn read(file: &Path, to: Use) -> Result<Map<String, Value>, Failure> {
    if file.to_string_lossy().trim_start().starts_with('{') {
        // The argument is not repeated: it may contain a client secret.
        return Err(wrong(
            "--from expects a file name, not its content",
            "To send JSON by standard input, use: --from - < FILE.json",
        ));
    }
    let name = if file == Path::new("-") {
        "Standard input".into()
    } else {
        file.to_string_lossy()
    };
    let failed = |error: std::io::Error| wrong(&format!("{name} cannot be read: {error}"), "");
    let mut bytes = Zeroizing::new(Vec::new());
    if file == Path::new("-") {
        secret_input::standard_input()
            .map_err(failed)?
            .take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
    } else {
        let file = std::fs::File::open(file).map_err(failed)?;
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
    }
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(wrong(&format!("{name} has more than {MAX_FILE_BYTES} bytes"), ""));
    }
    provider_file::parse(&bytes, &name, to)
}

pub(super) fn wrong(what: &str, next: &str) -> Failure {
    let next = if next.is_empty() {
        "Correct it and try again."
    } else {
        next
    };
    Failure::new(ErrorCode::ValidationError, format!("{what}."), next)
}
