//! Reads a chunked body (RFC 9112, 7.1).

use super::HttpError;
use super::response::Source;
use zeroize::Zeroizing;

/// The first line of a chunk: its size, and extensions, which are ignored.
const MAX_LINE_BYTES: usize = 256;
/// Trailer fields after the last chunk, which are ignored.
const MAX_TRAILERS: usize = 32;

/// All chunks as one body of at most `limit` bytes.
pub(super) fn chunked(source: &mut Source<'_>, limit: usize) -> Result<Zeroizing<Vec<u8>>, HttpError> {
    let mut body = Zeroizing::new(Vec::new());
    loop {
        let size = size(&source.line(MAX_LINE_BYTES)?)?;
        if size == 0 {
            break;
        }
        if size > limit - body.len() {
            return Err(HttpError::TooLarge);
        }
        source.take_into(size, &mut body)?;
        if !source.line(MAX_LINE_BYTES)?.is_empty() {
            return Err(HttpError::Malformed("a chunk is longer than it says"));
        }
    }
    for _ in 0..MAX_TRAILERS {
        if source.line(MAX_LINE_BYTES)?.is_empty() {
            return Ok(body);
        }
    }
    Err(HttpError::TooLarge)
}

fn size(line: &[u8]) -> Result<usize, HttpError> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
    let digits = digits.trim_ascii_end();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(HttpError::Malformed("the size of a chunk is not a number"));
    }
    let text = std::str::from_utf8(digits).unwrap_or_default();
    usize::from_str_radix(text, 16).map_err(|_| HttpError::TooLarge)
}
