//! Chunks (RFC 9112, 7.1), read from a buffer that is filled as they are needed.

use super::HttpError;
use super::answer::Source;
use zeroize::Zeroizing;

/// A chunk's first line: a size, and extensions that nobody uses.
const LINE_MAX: usize = 256;
/// Fields after the last chunk that nobody reads.
const TRAILERS_MAX: usize = 32;

/// All chunks as one body of at most `limit` bytes.
pub(super) fn chunked(source: &mut Source<'_>, limit: usize) -> Result<Zeroizing<Vec<u8>>, HttpError> {
    let mut body = Zeroizing::new(Vec::new());
    loop {
        let size = size(&source.line(LINE_MAX)?)?;
        if size == 0 {
            break;
        }
        if size > limit - body.len() {
            return Err(HttpError::TooLarge);
        }
        source.take_into(size, &mut body)?;
        if !source.line(LINE_MAX)?.is_empty() {
            return Err(HttpError::Malformed("a chunk is longer than it says"));
        }
    }
    for _ in 0..TRAILERS_MAX {
        if source.line(LINE_MAX)?.is_empty() {
            return Ok(body);
        }
    }
    Err(HttpError::TooLarge)
}

fn size(line: &[u8]) -> Result<usize, HttpError> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
    let digits = digits.trim_ascii_end();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(HttpError::Malformed("the size of a chunk is no number"));
    }
    let text = std::str::from_utf8(digits).unwrap_or_default();
    usize::from_str_radix(text, 16).map_err(|_| HttpError::TooLarge)
}
