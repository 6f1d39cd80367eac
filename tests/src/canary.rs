//! Planted secrets, and the search for them in every form they might have leaked in.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::io::ErrorKind;
use std::path::Path;

/// How many bytes of a form are not found by chance.
pub const PIECE: usize = 16;

/// A secret that must not be found anywhere.
#[derive(Debug, Clone)]
pub struct Canary {
    name: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    /// A secret with a name for the report, in seven encodings.
    ///
    /// # Panics
    /// When the secret is shorter than 12 bytes: it would be found where it is not.
    pub fn new(name: &str, secret: &str) -> Self {
        assert!(secret.len() >= 12, "a canary needs at least 12 bytes");
        let mut forms = vec![
            ("raw", secret.as_bytes().to_vec()),
            ("hex", hex(secret)),
            (
                "percent",
                secret
                    .bytes()
                    .flat_map(|b| format!("%{b:02X}").into_bytes())
                    .collect(),
            ),
            (
                "utf-16le",
                secret.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            ),
            ("reversed", secret.bytes().rev().collect()),
            ("json", json_escaped(secret)),
        ];
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        forms.push(("percent", form.into_bytes()));
        forms.extend(base64_forms(secret));
        Self {
            name: name.to_owned(),
            forms,
        }
    }

    /// Its name in the report.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every form in pieces of [`PIECE`] bytes, as they stay behind where the rest was written over. (An allocator
    /// writes over the beginning of what was freed.)
    pub fn pieces(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut pieces = Vec::new();
        for (encoding, form) in &self.forms {
            let mut forms = vec![form.clone()];
            if matches!(*encoding, "hex" | "percent") {
                forms.extend([form.to_ascii_lowercase(), form.to_ascii_uppercase()]);
            }
            for form in forms {
                let whole = form.chunks_exact(PIECE).map(<[u8]>::to_vec);
                pieces.extend(whole.map(|piece| (*encoding, piece)));
                let last = form[form.len().saturating_sub(PIECE)..].to_vec();
                pieces.push((*encoding, last));
            }
        }
        pieces.sort_by(|a, b| a.1.cmp(&b.1));
        pieces.dedup_by(|a, b| a.1 == b.1);
        pieces
    }

    /// In which encodings these bytes hold the secret.
    pub fn found_in(&self, bytes: &[u8]) -> Vec<&'static str> {
        let lower: Vec<u8> = bytes.to_ascii_lowercase();
        let mut found: Vec<_> = self
            .forms
            .iter()
            .filter(|(encoding, form)| match *encoding {
                // Hexadecimal digits have two cases.
                "hex" | "percent" => holds(&lower, &form.to_ascii_lowercase()),
                _ => holds(bytes, form),
            })
            .map(|(encoding, _)| *encoding)
            .collect();
        found.dedup();
        found
    }

    /// Asserts that these bytes do not hold the secret.
    ///
    /// # Panics
    /// When they do; the secret itself is not shown.
    #[track_caller]
    pub fn absent_from(&self, place: &str, bytes: &[u8]) {
        let found = self.found_in(bytes);
        assert!(found.is_empty(), "{} is in {place}, as {found:?}", self.name);
    }

    /// Asserts that no file below this folder holds the secret, in its name or in its content. Says how many
    /// files were read, so that a test can see that it searched something.
    ///
    /// # Panics
    /// When one does.
    #[track_caller]
    pub fn absent_below(&self, folder: &Path) -> usize {
        let mut read = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            self.absent_from("a file's name", path.as_os_str().as_encoded_bytes());
            let kind = path.symlink_metadata().unwrap().file_type();
            if kind.is_dir() {
                read += self.absent_below(&path);
            } else if kind.is_file() {
                self.absent_from(&path.display().to_string(), &std::fs::read(&path).unwrap());
                read += 1;
            }
        }
        read
    }

    /// Asserts that neither the arguments nor the environment of a process hold the secret.
    ///
    /// # Panics
    /// When they do.
    #[track_caller]
    pub fn absent_from_process(&self, pid: u32) {
        for part in ["cmdline", "environ"] {
            match std::fs::read(format!("/proc/{pid}/{part}")) {
                Ok(bytes) => self.absent_from(&format!("{part} of process {pid}"), &bytes),
                // The engine keeps even its own user out: only root can look, and finds nothing.
                Err(error) if part == "environ" && error.kind() == ErrorKind::PermissionDenied => {}
                Err(error) => panic!("{part} of process {pid}: {error}"),
            }
        }
    }
}

fn holds(bytes: &[u8], form: &[u8]) -> bool {
    // The first byte alone decides almost every time, and a test build is slow at everything else.
    let first = form[0];
    bytes
        .windows(form.len())
        .any(|window| window[0] == first && window == form)
}

fn hex(secret: &str) -> Vec<u8> {
    secret
        .bytes()
        .flat_map(|b| format!("{b:02x}").into_bytes())
        .collect()
}

/// As a JSON text has it when it is careful, without the quotes.
fn json_escaped(secret: &str) -> Vec<u8> {
    let text = serde_json::Value::from(secret).to_string().replace('/', "\\/");
    text.trim_matches('"').as_bytes().to_vec()
}

/// Base64 of a text that stands at any position of a longer one: what does not depend on its neighbours.
fn base64_forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = Vec::new();
    for skip in 0..3 {
        let part = &secret.as_bytes()[skip..];
        let whole = &part[..part.len() - part.len() % 3];
        forms.push(("base64", STANDARD_NO_PAD.encode(whole).into_bytes()));
        forms.push(("base64url", URL_SAFE_NO_PAD.encode(whole).into_bytes()));
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cret/é+\"canary\"?~~";

    fn found(text: &[u8]) -> Vec<&'static str> {
        let mut bytes = b"before ".to_vec();
        bytes.extend(text);
        bytes.extend(b" after");
        Canary::new("test", SECRET).found_in(&bytes)
    }

    #[test]
    fn each_encoding_is_found() {
        assert!(found(SECRET.as_bytes()).contains(&"raw"));
        assert!(found(String::from_utf8(hex(SECRET)).unwrap().to_uppercase().as_bytes()).contains(&"hex"));
        assert!(
            found(b"s3cret%2f%C3%A9%2B%22canary%22%3F~~").is_empty(),
            "~ is encoded by forms"
        );
        assert!(found(b"s3cret%2f%C3%A9%2B%22canary%22%3F%7E%7e").contains(&"percent"));
        let utf16: Vec<u8> = SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(found(&utf16).contains(&"utf-16le"));
        assert!(found(&SECRET.bytes().rev().collect::<Vec<_>>()).contains(&"reversed"));
        assert!(found(br#"{"a":"s3cret\/\u00e9+"#).is_empty());
        assert!(found("{\"a\":\"s3cret\\/é+\\\"canary\\\"?~~\"}".as_bytes()).contains(&"json"));
    }

    #[test]
    fn base64_is_found_at_every_position_of_a_longer_text() {
        for before in ["", "a", "ab", "abc"] {
            let text = format!("{before}{SECRET}x");
            assert!(
                found(STANDARD_NO_PAD.encode(&text).as_bytes()).contains(&"base64"),
                "{before:?}"
            );
            assert!(
                found(URL_SAFE_NO_PAD.encode(&text).as_bytes()).contains(&"base64url"),
                "{before:?}"
            );
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        assert!(found(b"s3cret and a canary").is_empty());
    }

    #[test]
    fn a_folder_is_searched_to_its_depths() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("clean"), b"nothing").unwrap();
        let canary = Canary::new("test", SECRET);
        assert_eq!(canary.absent_below(folder.path()), 1);
        std::fs::write(deep.join("leak"), SECRET).unwrap();
        let caught = std::panic::catch_unwind(|| canary.absent_below(folder.path()));
        assert!(caught.is_err());
    }
}
