//! A provider's fields, from a file, flags and a secret that is read apart.

use crate::failure::Failure;
use crate::provider_args::{Given, Source};
use crate::secret_input::{self, SecretText};
use serde_json::{Map, Value};
use std::io::Read;
use std::path::Path;
use tokenry_contract::ErrorCode;
use zeroize::Zeroizing;

/// More than any provider has.
const FILE_MAX: u64 = 256 * 1024;

/// What the file says, then what the flags say, then the secret.
pub(super) fn collect(given: &Given, source: &Source) -> Result<Map<String, Value>, Failure> {
    let from_stdin = source.from.as_deref() == Some(Path::new("-"));
    if from_stdin && (source.client_secret_stdin || source.client_secret_fd == Some(0)) {
        return Err(wrong(
            "Standard input cannot be both the file and the client secret",
            "",
        ));
    }
    let mut fields = source.from.as_deref().map(read).transpose()?.unwrap_or_default();
    if let Ok(Value::Object(flags)) = serde_json::to_value(given) {
        fields.extend(flags);
    }
    if let Some(secret) = secret(source)? {
        fields.insert("client_secret".to_owned(), Value::String(secret.to_string()));
    }
    if fields.is_empty() {
        return Err(wrong(
            "Nothing is to be changed",
            "Give a field, as in: --display-name NAME",
        ));
    }
    Ok(fields)
}

fn secret(source: &Source) -> Result<Option<SecretText>, Failure> {
    let what = "Client secret";
    match source.client_secret_fd {
        Some(fd) => secret_input::from_fd(fd, what).map(Some),
        None if source.client_secret_stdin => secret_input::from_stdin(what).map(Some),
        None => Ok(None),
    }
}

fn read(file: &Path) -> Result<Map<String, Value>, Failure> {
    let name = if file == Path::new("-") {
        "Standard input".into()
    } else {
        file.to_string_lossy()
    };
    let failed = |error: std::io::Error| wrong(&format!("{name} cannot be read: {error}"), "");
    let mut bytes = Zeroizing::new(Vec::new());
    if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(FILE_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
    } else {
        let file = std::fs::File::open(file).map_err(failed)?;
        file.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    }
    if bytes.len() as u64 > FILE_MAX {
        return Err(wrong(&format!("{name} has more than {FILE_MAX} bytes"), ""));
    }
    parse(&bytes, &name)
}

fn parse(bytes: &[u8], name: &str) -> Result<Map<String, Value>, Failure> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(wrong(&format!("{name} is no JSON object"), "")),
        // Syntax errors of JSON quote nothing of what they read.
        Err(error) => Err(wrong(&format!("{name} is not well-formed JSON: {error}"), "")),
    }
}

fn wrong(what: &str, next: &str) -> Failure {
    let next = if next.is_empty() {
        "Correct it and try again."
    } else {
        next
    };
    Failure::new(ErrorCode::ValidationError, format!("{what}."), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_json_is_told_by_its_place_and_never_quoted() {
        let text = "{\"client_secret\": \"s3cr3t-canary\",\n \"name\" \"x\"}";
        let words = parse(text.as_bytes(), "p.json").unwrap_err().words();
        assert!(words.contains("p.json") && words.contains("line 2"), "{words}");
        for text in [
            "{\"client_secret\": s3cr3t-canary}",
            "\"s3cr3t-canary\"",
            "s3cr3t-canary",
            "{\"s3cr3t-canary",
        ] {
            let words = parse(text.as_bytes(), "p.json").unwrap_err().words();
            assert!(!words.contains("s3cr3t"), "{words}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "1", "null", "{}{}", "\u{feff}{}"] {
            assert!(parse(text.as_bytes(), "p.json").is_err(), "{text}");
        }
        assert!(parse(&[b'['; 100_000], "p.json").is_err());
    }
}
