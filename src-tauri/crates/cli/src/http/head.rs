//! The first lines of an answer (RFC 9112, 4 and 5).

use super::HttpError;

/// How the body is delimited (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

/// What we need of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) framing: Framing,
}

/// Judges everything before the empty line.
pub(super) fn parse(head: &[u8]) -> Result<Head, HttpError> {
    let head = std::str::from_utf8(head).map_err(|_| HttpError::Malformed("its head is no text"))?;
    let mut lines = head.split("\r\n");
    let status = status(lines.next().unwrap_or_default())?;
    let mut length = None;
    let mut chunked = false;
    for line in lines {
        let (name, value) = header(line)?;
        if name.eq_ignore_ascii_case("content-length") {
            let new = decimal(value)?;
            if length.is_some_and(|old| old != new) {
                return Err(HttpError::Malformed("it has two lengths"));
            }
            length = Some(new);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if chunked || !value.eq_ignore_ascii_case("chunked") {
                return Err(HttpError::Malformed("its transfer encoding is unknown"));
            }
            chunked = true;
        }
    }
    Ok(Head {
        status,
        framing: framing(status, length, chunked)?,
    })
}

fn framing(status: u16, length: Option<usize>, chunked: bool) -> Result<Framing, HttpError> {
    match (length, chunked) {
        _ if status == 204 || status == 304 => Ok(Framing::Length(0)),
        (Some(_), true) => Err(HttpError::Malformed("it has a length and chunks")),
        (Some(length), false) => Ok(Framing::Length(length)),
        (None, true) => Ok(Framing::Chunked),
        (None, false) => Ok(Framing::UntilClose),
    }
}

fn status(line: &str) -> Result<u16, HttpError> {
    let code = line
        .strip_prefix("HTTP/1.1 ")
        .ok_or(HttpError::Malformed("it is no HTTP/1.1"))?;
    match code.as_bytes() {
        [a @ b'2'..=b'5', b, c] | [a @ b'2'..=b'5', b, c, b' ', ..]
            if b.is_ascii_digit() && c.is_ascii_digit() =>
        {
            let digit = |byte: &u8| u16::from(byte - b'0');
            Ok(digit(a) * 100 + digit(b) * 10 + digit(c))
        }
        _ => Err(HttpError::Malformed("its status is none")),
    }
}

fn header(line: &str) -> Result<(&str, &str), HttpError> {
    let (name, value) = line
        .split_once(':')
        .ok_or(HttpError::Malformed("a header has no colon"))?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) || value.contains(['\r', '\n', '\0']) {
        return Err(HttpError::Malformed("a header is malformed"));
    }
    Ok((name, value.trim_matches([' ', '\t'])))
}

// `parse` alone would take a sign.
fn decimal(text: &str) -> Result<usize, HttpError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HttpError::Malformed("its length is no number"));
    }
    text.parse().map_err(|_| HttpError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_framing_is_known_by_its_header() {
        let framing = |head: &[u8]| parse(head).unwrap().framing;
        assert_eq!(
            framing(b"HTTP/1.1 200 OK\r\nContent-LENGTH:  12 "),
            Framing::Length(12)
        );
        assert_eq!(
            framing(b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked"),
            Framing::Chunked
        );
        assert_eq!(framing(b"HTTP/1.1 200"), Framing::UntilClose);
        assert_eq!(framing(b"HTTP/1.1 204 No Content"), Framing::Length(0));
        assert_eq!(parse(b"HTTP/1.1 503 Later").unwrap().status, 503);
    }

    #[test]
    fn a_head_that_can_be_read_in_two_ways_is_refused() {
        for head in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
            b"HTTP/1.1 200 OK\r\nContent-Length: +1",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0x1",
            b"HTTP/1.1 200 OK\r\nContent-Length:",
            b"HTTP/1.1 200 OK\r\nContent-Length : 1",
            b"HTTP/1.1 200 OK\r\n Content-Length: 1",
            b"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 1",
            b"HTTP/1.1 200 OK\r\nA\0: b",
            b"HTTP/1.1 200 OK\r\nno colon",
        ] {
            assert!(parse(head).is_err(), "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_length_beyond_every_machine_is_too_large() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999";
        assert!(matches!(parse(head), Err(HttpError::TooLarge)));
    }

    #[test]
    fn what_is_no_http_1_1_is_refused() {
        for head in [
            &b""[..],
            b"SSH-2.0-OpenSSH",
            b"HTTP/1.0 200 OK",
            b"HTTP/2 200",
            b"HTTP/1.1 100 Continue",
            b"HTTP/1.1 2000 OK",
            b"HTTP/1.1 20x OK",
            b"HTTP/1.1  200 OK",
            b"HTTP/1.1 \xff\xfe",
        ] {
            assert!(
                matches!(parse(head), Err(HttpError::Malformed(_))),
                "{}",
                String::from_utf8_lossy(head)
            );
        }
    }
}
