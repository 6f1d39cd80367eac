//! Reads the file of another tool: bounded, never anything but a regular file, and without waiting for a pipe.

use super::Found;
use crate::failure::Failure;
use crate::secret_input::{SecretText, standard_input};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use tokenry_contract::ErrorCode;
use zeroize::Zeroizing;

/// More than any of these files has.
const MAX_BYTES: u64 = 1024 * 1024;

/// The text of a file. A link is followed, as the tool does. Warns when others may read it.
pub(super) fn read(path: &Path, found: &mut Found) -> Result<SecretText, Failure> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags.bits().cast_signed());
    let file = options
        .open(path)
        .map_err(|error| unreadable(path, &error.to_string()))?;
    let about = file
        .metadata()
        .map_err(|error| unreadable(path, &error.to_string()))?;
    if !about.is_file() {
        return Err(unreadable(path, "it is not a regular file"));
    }
    warn_of_access(path, &about, found);
    text(file, &path.display().to_string())
}

/// The text of standard input.
pub(super) fn read_stdin() -> Result<SecretText, Failure> {
    let name = "Standard input";
    let file = standard_input().map_err(|error| wrong(&format!("{name} cannot be read: {error}.")))?;
    text(file, name)
}

fn warn_of_access(path: &Path, about: &Metadata, found: &mut Found) {
    let mode = about.mode() & 0o777;
    if mode & 0o077 != 0 {
        found.warn(format!(
            "Other users may read {} (mode {mode:04o}): `chmod 600` it if it holds secrets.",
            path.display()
        ));
    }
}

fn text(file: File, name: &str) -> Result<SecretText, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error: io::Error| wrong(&format!("{name} cannot be read: {error}.")))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(wrong(&format!("{name} is longer than 1 MiB.")));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.trim_start_matches('\u{feff}').to_owned())),
        Err(_) => Err(wrong(&format!("{name} is not UTF-8."))),
    }
}

fn unreadable(path: &Path, why: &str) -> Failure {
    wrong(&format!("{} cannot be read: {why}.", path.display()))
}

fn wrong(message: &str) -> Failure {
    let next = "Name the right file: `tokenry import TOOL FILE`.";
    Failure::new(ErrorCode::ValidationError, message, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn only_a_bounded_regular_file_of_text_is_read() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::write(at("open"), "\u{feff}a").unwrap();
        std::fs::set_permissions(at("open"), std::fs::Permissions::from_mode(0o644)).unwrap();
        symlink(at("open"), at("link")).unwrap();
        let mut found = Found::default();
        assert_eq!(*read(&at("link"), &mut found).unwrap(), "a");
        assert!(found.warnings[0].contains("0644"), "{:?}", found.warnings);
        std::fs::write(at("large"), vec![b'a'; 1024 * 1024 + 1]).unwrap();
        std::fs::write(at("bytes"), b"\xff\xfe").unwrap();
        symlink("/dev/zero", at("device")).unwrap();
        symlink(at("loop"), at("loop")).unwrap();
        for odd in ["large", "bytes", "device", "loop", "missing", "."] {
            assert!(read(&at(odd), &mut found).is_err(), "{odd}");
        }
    }
}
