//! Responses of a hostile server.

use super::*;
use std::io;

/// A server that sends these pieces and then closes.
struct Pieces(Vec<Vec<u8>>);

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Ok(0);
        }
        let mut piece = self.0.remove(0);
        let count = piece.len().min(into.len());
        into[..count].copy_from_slice(&piece[..count]);
        if count < piece.len() {
            self.0.insert(0, piece.split_off(count));
        }
        Ok(count)
    }
}

/// A server that repeats one text for ever.
struct Endless(&'static [u8]);

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let whole = into.len() / self.0.len() * self.0.len();
        for piece in into[..whole].chunks_mut(self.0.len()) {
            piece.copy_from_slice(self.0);
        }
        Ok(whole)
    }
}

fn whole(text: &[u8]) -> Result<Response, HttpError> {
    read_bounded(&mut Pieces(vec![text.to_vec()]), 1000)
}

/// The body, which must be the same however the text is cut into pieces.
fn body(text: &[u8]) -> Vec<u8> {
    let body = whole(text)
        .unwrap_or_else(|error| panic!("{error}"))
        .body
        .to_vec();
    let bytes = text.iter().map(|&byte| vec![byte]).collect();
    assert_eq!(
        read_bounded(&mut Pieces(bytes), 1000)
            .unwrap_or_else(|e| panic!("{e}"))
            .body
            .to_vec(),
        body
    );
    body
}

fn after(start: &[u8], endless: &'static [u8]) -> Result<Response, HttpError> {
    let mut stream = start.chain(Endless(endless));
    read_bounded(&mut stream, 100_000)
}

#[test]
fn a_body_is_read_by_its_length_by_chunks_or_to_the_end() {
    assert_eq!(body(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"), b"abc");
    assert_eq!(body(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd"), b"abc");
    assert_eq!(
        body(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n00A\r\n0123456789\r\n0\r\nT: t\r\n\r\n"),
        b"abc0123456789"
    );
    assert_eq!(body(b"HTTP/1.1 200 OK\r\n\r\nall of it"), b"all of it");
    assert_eq!(body(b"HTTP/1.1 204 No Content\r\n\r\n"), b"");
}

#[test]
fn an_answer_that_is_cut_anywhere_is_an_error() {
    for text in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ] {
        for end in 0..text.len() {
            assert!(
                matches!(whole(&text[..end]), Err(HttpError::Truncated)),
                "cut at {end}"
            );
        }
    }
}

#[test]
fn a_head_without_an_end_is_too_large() {
    assert!(matches!(
        after(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        Err(HttpError::TooLarge)
    ));
    assert!(matches!(after(b"", b"x"), Err(HttpError::TooLarge)));
}

#[test]
fn a_body_beyond_the_limit_is_too_large_however_it_is_sent() {
    for start in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186A1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
    ] {
        let name = String::from_utf8_lossy(start);
        assert!(
            matches!(after(start, b"aaaa"), Err(HttpError::TooLarge)),
            "{name}"
        );
    }
}

#[test]
fn chunks_without_an_end_are_too_large() {
    let start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert!(matches!(after(start, b"1\r\na\r\n"), Err(HttpError::TooLarge)));
    assert!(matches!(
        after(&[&start[..], b"0\r\n"].concat(), b"T: t\r\n"),
        Err(HttpError::TooLarge)
    ));
    assert!(matches!(
        after(&[&start[..], b"1;"].concat(), b"x"),
        Err(HttpError::TooLarge)
    ));
}

#[test]
fn chunks_that_do_not_add_up_are_malformed() {
    for chunks in [
        &b"2\r\nabc\r\n0\r\n\r\n"[..],
        b"-1\r\na\r\n0\r\n\r\n",
        b"+1\r\na\r\n0\r\n\r\n",
        b"0x1\r\na\r\n0\r\n\r\n",
        b" 1\r\na\r\n0\r\n\r\n",
        b"\r\na\r\n0\r\n\r\n",
        b"1 1\r\na\r\n0\r\n\r\n",
        b"\xff\r\na\r\n",
    ] {
        let text = [
            &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"[..],
            chunks,
        ]
        .concat();
        let name = String::from_utf8_lossy(chunks);
        assert!(matches!(whole(&text), Err(HttpError::Malformed(_))), "{name}");
    }
}

#[test]
fn a_length_that_is_announced_and_not_sent_takes_no_memory() {
    let text = b"HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\nabc";
    let answer = read_response(&mut Pieces(vec![text.to_vec()]));
    assert!(matches!(answer, Err(HttpError::Truncated)));
}
