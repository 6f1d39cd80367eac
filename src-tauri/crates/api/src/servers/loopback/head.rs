//! Checks the head of a request strictly, before the HTTP library parses it.

use crate::servers::connection::MAX_HEAD_BYTES;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\nX-Content-Type-Options: nosniff\r\n\
    Cross-Origin-Resource-Policy: same-origin\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const HEAD_TOO_LARGE: &[u8] =
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nX-Content-Type-Options: nosniff\r\n\
    Cross-Origin-Resource-Policy: same-origin\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The head of a request.
pub(super) enum Head {
    /// It has one meaning only. With the bytes that were read after it.
    Unambiguous(Vec<u8>),
    /// It is rejected with this response.
    Rejected(&'static [u8]),
}

/// Reads the head of the first request and checks its bytes before the HTTP library parses them. The library is lenient: it
/// accepts lines that end with a bare LF, and ignores a repeated Content-Length and one after a Transfer-Encoding (RFC 9112
/// §2.2, §5.2, §6.3). A proxy in between could have read those differently.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Head> {
    let mut bytes = Vec::with_capacity(1024);
    let mut checked = 0;
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match end(&bytes, checked) {
            Ok(Some(end)) if is_unambiguous(&bytes[..end]) => return Ok(Head::Unambiguous(bytes)),
            Ok(Some(_)) | Err(BareLineEnd) => return Ok(Head::Rejected(BAD_REQUEST)),
            Ok(None) if bytes.len() > MAX_HEAD_BYTES => return Ok(Head::Rejected(HEAD_TOO_LARGE)),
            // The last byte may be the CR of a line end.
            Ok(None) => checked = bytes.len() - 1,
        }
    }
}

/// A CR or LF that is not part of a CRLF.
struct BareLineEnd;

/// Where the head ends, if it does: after the last line before the empty one. Bytes before `from` were checked already.
fn end(bytes: &[u8], from: usize) -> Result<Option<usize>, BareLineEnd> {
    for at in from..bytes.len() {
        match bytes[at] {
            b'\n' if at == 0 || bytes[at - 1] != b'\r' => return Err(BareLineEnd),
            b'\n' if bytes[..at - 1].ends_with(b"\r\n") => return Ok(Some(at - 1)),
            b'\r' if bytes.get(at + 1).is_some_and(|next| *next != b'\n') => return Err(BareLineEnd),
            _ => {}
        }
    }
    Ok(None)
}

fn is_unambiguous(head: &[u8]) -> bool {
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    // The library is strict about the request line.
    if lines.next().is_none_or(<[u8]>::is_empty) {
        return false;
    }
    let (mut lengths, mut codings) = (0, 0);
    for line in lines.filter(|line| !line.is_empty()) {
        let Some((name, value)) = field(line) else {
            return false;
        };
        if name.eq_ignore_ascii_case(b"content-length") {
            lengths += 1;
            if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
                return false;
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            codings += 1;
            if !value.eq_ignore_ascii_case(b"chunked") {
                return false;
            }
        }
    }
    lengths + codings <= 1
}

/// The name and value of a header line. `None` for a folded line (obs-fold), which begins with a space, and for a space
/// before the colon (RFC 9112 §5.1).
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let is_name = !name.is_empty()
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte));
    let is_value = value
        .iter()
        .all(|byte| !byte.is_ascii_control() || *byte == b'\t');
    (is_name && is_value).then(|| (name, value.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn judge(bytes: &[u8]) -> Option<bool> {
        let mut rest = bytes;
        match read(&mut rest).await {
            Ok(Head::Unambiguous(read)) => {
                assert!(bytes.starts_with(&read));
                Some(true)
            }
            Ok(Head::Rejected(_)) => Some(false),
            Err(_) => None,
        }
    }

    /// SECURITY.md, "Local interfaces": a head that two parsers could understand differently is rejected.
    #[tokio::test]
    async fn only_an_unambiguous_head_is_accepted() {
        for good in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length:5 \r\n\r\nhello",
            "POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n0\n\n",
        ] {
            assert_eq!(judge(good.as_bytes()).await, Some(true), "{good:?}");
        }
        for bad in [
            "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\tb: c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\n: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n1",
            "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n1",
            "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n1",
            "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n1",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
        ] {
            assert_eq!(judge(bad.as_bytes()).await, Some(false), "{bad:?}");
        }
        assert_eq!(judge(b"GET / HTTP/1.1\r\nHost: a\r\n").await, None);
    }

    #[tokio::test]
    async fn a_line_end_may_arrive_in_two_pieces() {
        let text = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for cut in 1..text.len() {
            let mut pieces = (&text[..cut]).chain(&text[cut..]);
            assert!(
                matches!(read(&mut pieces).await, Ok(Head::Unambiguous(_))),
                "{cut}"
            );
        }
        let mut pieces = (&b"GET / HTTP/1.1\r"[..]).chain(&b"X: b\r\n\r\n"[..]);
        assert!(matches!(read(&mut pieces).await, Ok(Head::Rejected(BAD_REQUEST))));
    }

    #[tokio::test]
    async fn a_head_without_an_end_is_rejected_at_the_limit() {
        let endless = vec![b'a'; MAX_HEAD_BYTES * 2];
        assert!(matches!(
            read(&mut endless.as_slice()).await,
            Ok(Head::Rejected(HEAD_TOO_LARGE))
        ));
    }
}
