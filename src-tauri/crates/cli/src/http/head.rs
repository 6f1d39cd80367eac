//! The status line and headers of a response (RFC 9112, 4 and 5), read more strictly than httparse does by itself.

use super::HttpError;

/// The engine sends about ten headers.
const MAX_HEADERS: usize = 32;

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

/// Parses a head, the empty line at its end included.
pub(super) fn parse(head: &[u8]) -> Result<Head, HttpError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    if !has_strict_lines(head) {
        return Err(HttpError::Malformed("its lines do not end as HTTP/1.1 demands"));
    }
    match response.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(HttpError::Malformed("its head has no end")),
        Err(httparse::Error::TooManyHeaders) => return Err(HttpError::TooLarge),
        Err(_) => return Err(HttpError::Malformed("its head is not HTTP/1.1")),
    }
    let status = match (response.version, response.code) {
        (Some(1), Some(status @ 200..=599)) => status,
        _ => return Err(HttpError::Malformed("its status or version is unknown")),
    };
    let mut length = None;
    let mut chunked = false;
    for header in response.headers {
        if header.name.eq_ignore_ascii_case("content-length") {
            let new = decimal(header.value)?;
            if length.is_some_and(|old| old != new) {
                return Err(HttpError::Malformed("it has two lengths"));
            }
            length = Some(new);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if chunked || !header.value.eq_ignore_ascii_case(b"chunked") {
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

/// Whether it is text, no line comes before the status line, and each line ends with CR LF. httparse is lenient here.
fn has_strict_lines(head: &[u8]) -> bool {
    let is_line = |line: &str| !line.contains(['\r', '\n']);
    std::str::from_utf8(head)
        .is_ok_and(|text| text.starts_with("HTTP/1.1 ") && text.split("\r\n").all(is_line))
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

// `parse` alone would take a sign.
fn decimal(value: &[u8]) -> Result<usize, HttpError> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(HttpError::Malformed("its length is not a number"));
    }
    let text = std::str::from_utf8(value).unwrap_or_default();
    text.parse().map_err(|_| HttpError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the empty line that ends a head.
    fn parse(head: &[u8]) -> Result<Head, HttpError> {
        super::parse(&[head, b"\r\n\r\n"].concat())
    }

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
            b"HTTP/1.1 200 OK\nContent-Length: 1",
            b"HTTP/1.1 200 OK\r\nA: b\r\r\nContent-Length: 1",
            b"HTTP/1.1 200 OK\r\nA: b\n\nContent-Length: 1",
            b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nContent-Length: 1",
            b"HTTP/1.1 200 OK\r\nA: \xff",
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
            b"\r\nHTTP/1.1 200 OK",
            b"HTTP/1.1 600 No",
            b"HTTP/1.1 99 No",
        ] {
            assert!(
                matches!(parse(head), Err(HttpError::Malformed(_))),
                "{}",
                String::from_utf8_lossy(head)
            );
        }
    }

    #[test]
    fn a_head_with_more_headers_than_the_limit_is_too_large() {
        let head = |count| [b"HTTP/1.1 200 OK".to_vec(), b"\r\nA: b".repeat(count)].concat();
        assert!(parse(&head(MAX_HEADERS)).is_ok());
        assert!(matches!(parse(&head(MAX_HEADERS + 1)), Err(HttpError::TooLarge)));
    }
}
