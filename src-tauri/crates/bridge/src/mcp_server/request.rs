//! One request with a token, and what an agent may see of its answer.

use crate::engine::Engine;
use crate::failure::Failure;
use crate::redaction;
use crate::token::{Choice, Token, TokenSource};
use crate::upstream;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokenry_contract::ErrorCode;
use tokio::time::timeout;

/// The methods that an agent can use.
pub(super) const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// The longest body that is sent.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;
/// The longest part of an answer that an agent is shown.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// How long the whole answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Headers of a request that are ours, or those of the connection.
const REFUSED: [HeaderName; 10] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
    HeaderName::from_static("cookie2"),
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
];

/// Headers of an answer that are for the client alone. One could hold a token.
const REMOVED: [HeaderName; 6] = [
    header::SET_COOKIE,
    HeaderName::from_static("set-cookie2"),
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("authentication-info"),
];

/// The arguments of the tool.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiRequest {
    connection: String,
    url: String,
    method: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

impl ApiRequest {
    /// Asks the engine for a token, for this request alone, and sends it. The engine says whether the connection serves the
    /// address, asks the user and writes the log.
    ///
    /// # Errors
    /// Those of the engine, a request that is refused, and a server that cannot be reached.
    pub(super) async fn send(self, engine: Arc<Engine>) -> Result<Value, Failure> {
        let url = upstream::address(&self.url)?;
        let method = self.method()?;
        let mut headers = self.checked_headers()?;
        let body = self.body.unwrap_or_default();
        if body.len() > MAX_REQUEST_BYTES {
            return Err(refused("The body is longer than 1 MiB."));
        }
        let source = TokenSource::new(engine, &url, Choice::Named(self.connection));
        let token = source.token().await?;
        headers.insert(header::AUTHORIZATION, token.header.clone());
        let request = upstream::client(&url)?
            .request(method, url)
            .headers(headers)
            .body(body);
        let answered = timeout(TIMEOUT, async { shown(request.send().await?, &token).await });
        match answered.await {
            Ok(Ok(answer)) => {
                if answer["status"] == 401 {
                    // The next request has another token, if a refresh brings one.
                    let _ = source.rejected(&token, None).await;
                }
                Ok(answer)
            }
            Ok(Err(error)) => Err(unreachable(&upstream::cause(&error))),
            Err(_) => Err(unreachable("it took longer than 60 s")),
        }
    }

    fn method(&self) -> Result<Method, Failure> {
        let name = self.method.as_deref().unwrap_or("GET").to_ascii_uppercase();
        if !METHODS.contains(&name.as_str()) {
            return Err(refused("This method is not supported."));
        }
        name.parse().map_err(|_| refused("This method is not supported."))
    }

    fn checked_headers(&self) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::new();
        if self.body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in &self.headers {
            let name: HeaderName = name
                .parse()
                .map_err(|_| refused("A header has an invalid name."))?;
            if REFUSED.contains(&name) || name.as_str().starts_with("proxy-") {
                return Err(refused(
                    "A header is refused: Tokenry sets Authorization, Cookie and Host itself.",
                ));
            }
            let value =
                HeaderValue::from_str(value).map_err(|_| refused("A header has an invalid value."))?;
            headers.insert(name, value);
        }
        // A token would not be found in a compressed body.
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        Ok(headers)
    }
}

/// What an agent sees: status, headers and a bounded body, without the token, wherever the server repeats it.
async fn shown(mut answer: Response, token: &Token) -> Result<Value, reqwest::Error> {
    let status = answer.status().as_u16();
    let mut headers = Map::new();
    for (name, value) in answer.headers() {
        if !REMOVED.contains(name) {
            let text = String::from_utf8_lossy(value.as_bytes());
            let text = redaction::removed_from(&text, token, false);
            headers.insert(name.to_string(), text.into());
        }
    }
    let compression = compression(answer.headers());
    let mut body = Vec::new();
    let mut is_cut = false;
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_BYTES {
            body.truncate(MAX_ANSWER_BYTES);
            is_cut = true;
            break;
        }
    }
    let mut seen = json!({"status": status, "headers": headers});
    match readable(body, is_cut, compression) {
        Ok(text) => {
            seen["body"] = redaction::removed_from(&text, token, is_cut).into();
            if is_cut {
                seen["cut"] = "The body is cut after 256 KiB.".into();
            }
        }
        Err(why) => seen["note"] = format!("The body is {why}, so it is left out.").into(),
    }
    Ok(seen)
}

/// How a body is compressed, if it is.
fn compression(headers: &HeaderMap) -> Option<&'static str> {
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let names = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let mut used = names
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"));
    let name = used.next()?;
    let known = ["gzip", "deflate", "br", "zstd", "compress"];
    let known = known
        .into_iter()
        .find(|one| name.eq_ignore_ascii_case(one.as_bytes()));
    Some(known.unwrap_or("unknown encoding"))
}

/// The text of a body, or what it is instead.
fn readable(body: Vec<u8>, is_cut: bool, compression: Option<&str>) -> Result<String, String> {
    match compression {
        Some(name) if !body.is_empty() => Err(format!("compressed ({name})")),
        _ => text_of(body, is_cut).ok_or_else(|| "not text".to_owned()),
    }
}

/// A body that was cut may end within a character.
fn text_of(body: Vec<u8>, is_cut: bool) -> Option<String> {
    String::from_utf8(body)
        .or_else(|error| {
            let valid = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            if is_cut && bytes.len() - valid < 4 {
                bytes.truncate(valid);
            }
            String::from_utf8(bytes)
        })
        .ok()
}

fn refused(what: &str) -> Failure {
    Failure::new(
        ErrorCode::ValidationError,
        what,
        "Correct the arguments of the tool.",
    )
}

fn unreachable(why: &str) -> Failure {
    Failure::new(
        ErrorCode::ProviderUnreachable,
        format!("The server did not answer: {why}."),
        "Try again later.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(value: Value) -> ApiRequest {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_header_that_could_replace_the_token_or_the_host_is_refused() {
        for name in [
            "Authorization",
            "cookie",
            "Cookie2",
            "HOST",
            "proxy-authorization",
            "Proxy-X",
            "a b",
            "",
        ] {
            let asked =
                request(json!({"connection": "a", "url": "https://a.example", "headers": {name: "x"}}));
            assert!(asked.checked_headers().is_err(), "{name}");
        }
        let broken = request(json!({"connection": "a", "url": "x", "headers": {"accept": "a\r\nb: c"}}));
        assert!(broken.checked_headers().is_err());
        let good = request(
            json!({"connection": "a", "url": "x", "headers": {"Accept": "text/plain"}, "body": "{}"}),
        );
        assert_eq!(good.checked_headers().unwrap().len(), 3);
    }

    #[test]
    fn no_compressed_answer_is_requested_and_one_that_comes_is_named() {
        let asked = request(json!({"connection": "a", "url": "x", "headers": {"Accept-Encoding": "gzip"}}));
        assert_eq!(
            asked.checked_headers().unwrap()[header::ACCEPT_ENCODING],
            "identity"
        );
        let seen = |encodings: &[&'static str], body: &[u8]| {
            let mut headers = HeaderMap::new();
            for encoding in encodings {
                headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            readable(body.to_vec(), false, compression(&headers))
        };
        for plain in [&[][..], &["identity"], &["Identity, "], &[""]] {
            assert_eq!(seen(plain, b"text").as_deref(), Ok("text"), "{plain:?}");
        }
        for (encodings, why) in [
            (&["gzip"][..], "compressed (gzip)"),
            (&["identity, BR"], "compressed (br)"),
            (&["identity", "zstd"], "compressed (zstd)"),
            (&["x"], "compressed (unknown encoding)"),
        ] {
            assert_eq!(seen(encodings, b"text"), Err(why.to_owned()), "{encodings:?}");
            assert_eq!(seen(encodings, b"").as_deref(), Ok(""), "the answer to HEAD");
        }
        assert_eq!(seen(&[], b"\xff").as_deref().unwrap_err(), "not text");
    }

    #[test]
    fn only_known_methods_are_sent() {
        for (method, is_known) in [
            ("get", true),
            ("DELETE", true),
            ("CONNECT", false),
            ("GET x", false),
            ("", false),
        ] {
            let asked = request(json!({"connection": "a", "url": "x", "method": method}));
            assert_eq!(asked.method().is_ok(), is_known, "{method}");
        }
        assert_eq!(
            request(json!({"connection": "a", "url": "x"})).method().unwrap(),
            Method::GET
        );
    }

    #[test]
    fn a_body_that_was_cut_within_a_character_is_text_and_other_bytes_are_not() {
        assert_eq!(text_of(vec![b'a', 0xe2, 0x82], true).as_deref(), Some("a"));
        assert_eq!(text_of(vec![b'a', 0xe2, 0x82], false), None);
        assert_eq!(text_of(vec![0xff, b'a', b'b', b'c', b'd'], true), None);
    }
}
