//! The token that callers of the proxy send: random, for one run, and no token of the API.

use crate::failure::Failure;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// 32 bytes in base64url.
const TOKEN_LENGTH: u64 = 43;

/// The token of one run.
pub(super) struct CallerToken(Zeroizing<String>);

impl CallerToken {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub(super) fn new() -> Result<Self, Failure> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice())
            .map_err(|error| Failure::internal(format!("The system gives no random bytes: {error}.")))?;
        Ok(Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether a request has it, and no second one.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return false;
        };
        let Some((scheme, token)) = value.as_bytes().split_at_checked(7) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(b"bearer ") && token.ct_eq(self.0.as_bytes()).into()
    }

    /// Writes it to a file that only the user can read.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write_to(&self, path: &Path) -> Result<TokenFile, Failure> {
        let write = || -> std::io::Result<()> {
            // One that a proxy left behind when it was killed.
            if is_of_a_proxy(path) {
                std::fs::remove_file(path)?;
            }
            let mut file: File = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)?;
            writeln!(file, "{}", self.expose())
        };
        let written = write().map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Failure::usage(format!(
                "--token-file names {}, which exists; name a new file",
                path.display()
            )),
            _ => Failure::usage(format!(
                "--token-file cannot be written at {}: {error}",
                path.display()
            )),
        });
        written.map(|()| TokenFile(path.to_owned()))
    }
}

/// Whether a file holds the token of a proxy and nothing else.
fn is_of_a_proxy(path: &Path) -> bool {
    let is_file =
        std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() == TOKEN_LENGTH + 1);
    let is_token = |text: String| {
        let token = text.strip_suffix('\n').unwrap_or_default();
        token.len() as u64 == TOKEN_LENGTH
            && token
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    is_file && std::fs::read_to_string(path).is_ok_and(is_token)
}

/// The file with the token, which is removed when the proxy ends.
pub(super) struct TokenFile(PathBuf);

impl TokenFile {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_authorization_header_with_the_token_is_enough_and_nothing_less() {
        let token = CallerToken(Zeroizing::new("abc".to_owned()));
        let is_in = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            token.is_in(&headers)
        };
        assert!(is_in(&["Bearer abc"]) && is_in(&["bearer abc"]));
        for wrong in [
            &[][..],
            &["abc"],
            &["Bearer ab"],
            &["Bearer abcd"],
            &["Bearer"],
            &["Bearer "],
            &["Basic abc"],
            &["Bearer abc", "Bearer abc"],
            &["Bearer abc", "Basic x"],
        ] {
            assert!(!is_in(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn each_run_has_another_token_in_a_file_of_the_user_alone() {
        let token = CallerToken::new().unwrap();
        assert_eq!(token.expose().len(), 43);
        assert_ne!(token.expose(), CallerToken::new().unwrap().expose());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let left = CallerToken::new().unwrap();
        std::fs::write(&path, format!("{}\n", left.expose())).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let written = token.write_to(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().trim(), token.expose());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(written);
        assert!(!path.exists());
        std::os::unix::fs::symlink(folder.path().join("other"), &path).unwrap();
        assert!(token.write_to(&path).is_err(), "never through a link");
    }

    #[test]
    fn a_file_with_anything_but_the_token_of_a_proxy_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine");
        for text in ["keep", "", &"x".repeat(44), &format!("{}=\n", "x".repeat(42))] {
            std::fs::write(&path, text).unwrap();
            let refused = CallerToken::new().unwrap().write_to(&path).map(drop).unwrap_err();
            assert!(refused.to_string().contains("exists"), "{refused}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
