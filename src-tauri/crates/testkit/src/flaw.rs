//! Flaws in a token response whose refresh token is readable.

use crate::answer::{Answer, Content};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::Write;

/// What is wrong with a token answer whose refresh token can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// Compressed, although `identity` was asked for.
    Gzip,
    /// Compressed, and no header says so.
    GzipUnnamed,
    /// `deflate` as RFC 9110 §8.4.1.2 has it.
    Deflate,
    /// `deflate` without the zlib wrapper.
    RawDeflate,
    /// `deflate`, and `gzip` on top of it.
    Stacked,
    /// A name in Latin-1.
    NotUtf8,
    /// The whole text in UTF-16, with its mark.
    Utf16,
    /// A member of no interest comes twice.
    RepeatedMember,
    /// Something stands behind the JSON.
    JunkBehind,
    /// A notice of PHP stands before the JSON.
    NoticeBefore,
    /// The text ends behind the refresh token.
    TruncatedAfterRefreshToken,
    /// The connection breaks off behind the refresh token.
    CutAfterRefreshToken,
    /// An access token that fits in no header.
    UnfitAccessToken,
    /// No access token.
    NoAccessToken,
    /// `access_token` comes twice, with different values.
    TwoAccessTokens,
    /// An id token with these claims comes along.
    IdToken {
        /// Its payload.
        claims: Value,
    },
}

impl Flaw {
    /// An id token with this issuer, audience and subject.
    pub fn id_token(iss: &str, aud: &str, sub: &str) -> Self {
        let claims = json!({"iss": iss, "aud": aud, "sub": sub, "exp": 4_102_444_800_u64, "iat": 0});
        Self::IdToken { claims }
    }

    pub(crate) fn spoil(&self, mut answer: Answer) -> Answer {
        if answer.get("access_token").is_none() {
            return answer;
        }
        let text = first_the_tokens(&answer);
        let bytes = text.clone().into_bytes();
        let named = |answer: Answer, coding: &str| answer.header("content-encoding", coding);
        answer.content = Content::Bytes(match self {
            Self::Gzip | Self::GzipUnnamed => gzip(&bytes),
            Self::Deflate => zlib(&bytes),
            Self::RawDeflate => raw_deflate(&bytes),
            Self::Stacked => gzip(&zlib(&bytes)),
            Self::NotUtf8 => [&bytes[..bytes.len() - 1], b",\"user_name\":\"Jos\xe9\"}"].concat(),
            Self::Utf16 => {
                let units = text.encode_utf16().flat_map(u16::to_le_bytes);
                [0xff, 0xfe].into_iter().chain(units).collect()
            }
            Self::RepeatedMember => text.replacen('{', r#"{"x":1,"x":2,"#, 1).into_bytes(),
            Self::JunkBehind => (text + "\n<!-- 12 ms -->").into_bytes(),
            Self::NoticeBefore => format!("<br />\n<b>Notice</b>: x in y.php<br />\n{text}").into_bytes(),
            Self::TruncatedAfterRefreshToken => text[..after_the_tokens(&text)].to_owned().into_bytes(),
            Self::CutAfterRefreshToken => {
                answer.content = Content::CutAt(text.clone(), after_the_tokens(&text));
                return answer;
            }
            Self::UnfitAccessToken => text.replacen(":\"", ":\"\\u00e4\\r\\n", 1).into_bytes(),
            Self::NoAccessToken => text.replacen("access_token", "token", 1).into_bytes(),
            Self::TwoAccessTokens => text
                .replacen('{', r#"{"access_token":"at-twice","#, 1)
                .into_bytes(),
            Self::IdToken { claims } => {
                let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
                let token = format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(claims));
                text.replacen('{', &format!(r#"{{"id_token":"{token}","#), 1)
                    .into_bytes()
            }
        });
        match self {
            Self::Gzip => named(answer, "gzip"),
            Self::Deflate | Self::RawDeflate => named(answer, "deflate"),
            Self::Stacked => named(answer, "deflate, gzip"),
            _ => answer,
        }
    }
}

/// The access token and the refresh token, and behind them the rest.
fn first_the_tokens(answer: &Answer) -> String {
    let Content::Object(members) = &answer.content else {
        return answer.content.text();
    };
    let names = ["access_token", "refresh_token"];
    let first = names.iter().filter_map(|name| Some((*name, members.get(*name)?)));
    let rest = members
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .filter(|(name, _)| !names.contains(name));
    let pairs: Vec<_> = first
        .chain(rest)
        .map(|(name, value)| format!("{}:{value}", Value::from(name)))
        .collect();
    format!("{{{}}}", pairs.join(","))
}

/// Where the text of [`first_the_tokens`] goes on with the rest.
fn after_the_tokens(text: &str) -> usize {
    let name = text
        .find("\"refresh_token\"")
        .or_else(|| text.find("\"access_token\""));
    let name = name.unwrap_or_default();
    text[name..]
        .find(',')
        .map_or(text.len() - 1, |comma| name + comma)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    finished(encoder.write_all(bytes).and_then(|()| encoder.finish()))
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    finished(encoder.write_all(bytes).and_then(|()| encoder.finish()))
}

fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    finished(encoder.write_all(bytes).and_then(|()| encoder.finish()))
}

/// Writing into memory does not fail.
fn finished(result: std::io::Result<Vec<u8>>) -> Vec<u8> {
    result.unwrap_or_default()
}
