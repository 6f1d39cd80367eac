//! Content codings (RFC 9110 §8.4). `Accept-Encoding: identity` is sent, and some servers compress all the same.

use crate::json;
use crate::response::{Cut, LIMIT};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::Read;
use zeroize::Zeroizing;

/// The most codings on top of each other that are taken off.
const MAX_CODINGS: usize = 4;

type Body = (Zeroizing<Vec<u8>>, Option<Cut>);

/// Takes off the codings that `Content-Encoding` names, the last one first, and a gzip that it does not name. What
/// could be read of a damaged or endless body stays, with the reason why it is not all.
pub(crate) fn decode(codings: &str, body: Zeroizing<Vec<u8>>, cut: Option<Cut>) -> Body {
    let mut layers: Vec<String> = codings
        .split(',')
        .map(|coding| coding.trim().to_ascii_lowercase())
        .filter(|coding| !coding.is_empty() && coding != "identity")
        .collect();
    if layers.is_empty() && is_gzip(&body) {
        layers.push("gzip".to_owned());
    }
    if layers.len() > MAX_CODINGS {
        return (body, Some(Cut::UnknownCoding));
    }
    let mut decoded = (body, cut);
    for coding in layers.iter().rev() {
        let (body, cut) = decoded;
        decoded = match coding.as_str() {
            "gzip" | "x-gzip" if is_gzip(&body) => inflate(MultiGzDecoder::new(&body[..]), cut),
            "deflate" if is_zlib(&body) => inflate(ZlibDecoder::new(&body[..]), cut),
            // RFC 9110 §8.4.1.2: some servers send it without the zlib wrapper.
            "deflate" if !is_readable(&body) => inflate(DeflateDecoder::new(&body[..]), cut),
            // Named, and not applied.
            _ if is_readable(&body) => (body, cut),
            "gzip" | "x-gzip" => (body, cut.or(Some(Cut::Damaged))),
            _ => return (body, Some(Cut::UnknownCoding)),
        };
    }
    decoded
}

fn is_gzip(body: &[u8]) -> bool {
    body.starts_with(&[0x1f, 0x8b])
}

/// RFC 1950 §2.2.
fn is_zlib(body: &[u8]) -> bool {
    match body {
        [method, flags, ..] => {
            method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)).is_multiple_of(31)
        }
        _ => false,
    }
}

fn is_readable(body: &[u8]) -> bool {
    json::is_blank(body) || json::starts_as_json(body) || json::looks_like_html(body) || body.is_ascii()
}

fn inflate(mut stream: impl Read, cut: Option<Cut>) -> Body {
    let mut out = Zeroizing::new(Vec::with_capacity(LIMIT));
    let mut part = Zeroizing::new([0; 8 * 1024]);
    loop {
        let length = match stream.read(&mut part[..]) {
            Ok(0) => return (out, cut),
            Ok(length) => length,
            Err(_) => return (out, cut.or(Some(Cut::Damaged))),
        };
        let room = LIMIT - out.len();
        out.extend_from_slice(&part[..length.min(room)]);
        if length > room {
            return (out, Some(Cut::TooLong));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    const TEXT: &[u8] = br#"{"access_token":"a","refresh_token":"r2"}"#;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(codings: &str, body: Vec<u8>) -> (Vec<u8>, Option<Cut>) {
        let (body, cut) = decode(codings, Zeroizing::new(body), None);
        (body.to_vec(), cut)
    }

    #[test]
    fn gzip_and_both_kinds_of_deflate_are_taken_off_also_on_top_of_each_other() {
        for (codings, body) in [
            ("", TEXT.to_vec()),
            ("identity", TEXT.to_vec()),
            ("gzip", gzip(TEXT)),
            ("X-GZIP", gzip(TEXT)),
            ("", gzip(TEXT)),
            ("deflate", zlib(TEXT)),
            ("deflate", raw(TEXT)),
            ("deflate, gzip", gzip(&zlib(TEXT))),
            ("gzip,deflate", zlib(&gzip(TEXT))),
            ("gzip, identity , gzip", gzip(&gzip(TEXT))),
            // Said, and not done.
            ("gzip", TEXT.to_vec()),
            ("deflate", TEXT.to_vec()),
            ("br", TEXT.to_vec()),
            ("aws-chunked", TEXT.to_vec()),
        ] {
            assert_eq!(decoded(codings, body), (TEXT.to_vec(), None), "{codings}");
        }
        let halves = [gzip(&TEXT[..20]), gzip(&TEXT[20..])].concat();
        assert_eq!(decoded("gzip", halves), (TEXT.to_vec(), None));
    }

    #[test]
    fn a_damaged_or_unknown_coding_is_said_to_be_one() {
        let short = gzip(TEXT);
        let (body, cut) = decoded("gzip", short[..short.len() - 9].to_vec());
        assert_eq!(cut, Some(Cut::Damaged));
        assert!(TEXT.starts_with(&body));
        let mut wrong_sum = gzip(TEXT);
        let last = wrong_sum.len() - 6;
        wrong_sum[last] ^= 1;
        assert_eq!(decoded("gzip", wrong_sum), (TEXT.to_vec(), Some(Cut::Damaged)));
        let unknown = vec![0x28, 0xb5, 0x2f, 0xfd, 0x04];
        assert_eq!(decoded("zstd", unknown.clone()).1, Some(Cut::UnknownCoding));
        assert_eq!(decoded("gzip", unknown).1, Some(Cut::Damaged));
        assert_eq!(
            decoded(&["gzip"; 5].join(","), gzip(TEXT)).1,
            Some(Cut::UnknownCoding)
        );
    }

    #[test]
    fn a_bomb_stops_at_256_kib() {
        let bomb = gzip(&vec![b' '; 64 * 1024 * 1024]);
        assert!(bomb.len() < LIMIT);
        let (body, cut) = decoded("gzip", bomb);
        assert_eq!((body.len(), cut), (LIMIT, Some(Cut::TooLong)));
        let whole = gzip(&vec![b' '; LIMIT]);
        let (body, cut) = decoded("gzip", whole);
        assert_eq!((body.len(), cut), (LIMIT, None));
    }
}
