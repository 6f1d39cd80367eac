//! Reads a passphrase from a file descriptor.

use crate::failure::Failure;
use std::{fs::File, io::Read, os::fd::AsFd};
use tokenry_core::Secret;
use zeroize::Zeroizing;

const MAX_PASSPHRASE_BYTES: usize = 1024;

/// Reads the first line of an inherited file descriptor.
pub(crate) fn from_fd(fd: u32) -> Result<Secret, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(format!(
            "file descriptor {fd}, named by --passphrase-fd, cannot be read: {error}"
        ))
    };
    let file = match fd {
        // Not the standard library's standard input, which keeps its buffer until the process ends.
        0 => std::io::stdin().as_fd().try_clone_to_owned().map(File::from),
        _ => File::open(format!("/dev/fd/{fd}")),
    };
    first_line(file.map_err(unreadable)?)
        .map_err(unreadable)?
        .ok_or_else(|| {
            Failure::usage(format!(
                "the passphrase on file descriptor {fd} must be one line of 1 to {MAX_PASSPHRASE_BYTES} bytes in UTF-8"
            ))
        })
}

fn first_line(mut from: impl Read) -> std::io::Result<Option<Secret>> {
    // One buffer of its final size: a growing buffer would leave copies behind.
    let mut bytes = Zeroizing::new([0_u8; MAX_PASSPHRASE_BYTES + 2]);
    let mut filled = 0;
    while filled < bytes.len() && !bytes[..filled].contains(&b'\n') {
        match from.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let line = bytes[..filled].split(|&b| b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() || line.len() > MAX_PASSPHRASE_BYTES {
        return Ok(None);
    }
    Ok(std::str::from_utf8(line)
        .ok()
        .map(|text| Secret::new(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<String> {
        first_line(bytes)
            .unwrap()
            .map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn the_first_line_counts_without_its_end() {
        assert_eq!(read(b"correct horse\nrest").as_deref(), Some("correct horse"));
        assert_eq!(read(b"correct horse\r\n").as_deref(), Some("correct horse"));
        assert_eq!(read(b" spaces stay ").as_deref(), Some(" spaces stay "));
        assert_eq!(
            read(&[b'x'; MAX_PASSPHRASE_BYTES]).map(|text| text.len()),
            Some(MAX_PASSPHRASE_BYTES)
        );
    }

    #[test]
    fn nothing_too_much_and_not_text_are_refused() {
        assert_eq!(read(b""), None);
        assert_eq!(read(b"\nsecond line"), None);
        assert_eq!(read(&[b'x'; MAX_PASSPHRASE_BYTES + 1]), None);
        assert_eq!(read(b"\xff\xfe\n"), None);
    }
}
