//! `cargo-credential-tokenry`: cargo's credential provider (The Cargo Book, "Credential Provider Protocol").

use super::address::is_plain;
use super::served::Use;
use super::{MAX_REQUEST_BYTES, unreadable};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::output::write_out;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{BufRead, Read};
use zeroize::Zeroizing;

const HELLO: &[u8] = b"{\"v\":[1]}\n";

/// One line of cargo's. Fields that are not needed are ignored: a later cargo may add some.
#[derive(Deserialize)]
struct CredentialRequest {
    v: u32,
    kind: String,
    #[serde(default)]
    operation: Option<String>,
    registry: Registry,
    #[serde(default)]
    args: Vec<String>,
}

#[derive(Deserialize)]
struct Registry {
    #[serde(rename = "index-url")]
    index_url: String,
}

/// Answers requests until cargo closes standard input. A failure is an answer, too.
pub(crate) fn run(engine: impl Fn() -> Result<Engine, Failure>) -> Result<(), Failure> {
    write_out(HELLO)?;
    let mut input = std::io::stdin().lock();
    while let Some(line) = next_line(&mut input).transpose() {
        let is_readable = line.is_ok();
        let answer = line.and_then(|line| answer(&line, &engine));
        let answer = answer.unwrap_or_else(|failure| refusal("other", &failure.line()));
        write_out(Zeroizing::new(format!("{answer}\n")).as_bytes())?;
        if !is_readable {
            // Where the next request begins is unknown.
            break;
        }
    }
    Ok(())
}

/// The next line with something in it. `None` at the end.
fn next_line(input: &mut impl BufRead) -> Result<Option<String>, Failure> {
    loop {
        let mut bytes = Vec::new();
        let mut bounded = input.take(MAX_REQUEST_BYTES + 1);
        bounded
            .read_until(b'\n', &mut bytes)
            .map_err(|error| unreadable(&error.to_string()))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.len() as u64 > MAX_REQUEST_BYTES {
            return Err(unreadable("a line is longer than 64 KiB"));
        }
        let line = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8"))?;
        if !line.trim().is_empty() {
            return Ok(Some(line));
        }
    }
}

fn answer(line: &str, engine: &impl Fn() -> Result<Engine, Failure>) -> Result<Value, Failure> {
    match read(line)? {
        Meaning::Get(address) => get(&address, &engine()?),
        Meaning::Refused(answer) => Ok(answer),
    }
}

/// What a request asks for.
#[derive(Debug, PartialEq)]
enum Meaning {
    /// A token for this address.
    Get(String),
    /// Nothing that Tokenry gives.
    Refused(Value),
}

fn read(line: &str) -> Result<Meaning, Failure> {
    // An error of serde_json could quote what it read.
    let request: CredentialRequest =
        serde_json::from_str(line).map_err(|_| unreadable("a line is not a request as cargo writes it"))?;
    if request.v != 1 {
        return Err(unreadable("it has an unknown version of the protocol"));
    }
    if !request.args.is_empty() {
        return Err(unreadable(
            "the credential provider has arguments, and takes none",
        ));
    }
    let is_get = request.kind == "get";
    let operation = request.operation.as_deref().unwrap_or_default();
    if !is_get || !["read", "publish", "yank", "unyank", "owners"].contains(&operation) {
        return Ok(Meaning::Refused(refusal("operation-not-supported", "")));
    }
    let url = &request.registry.index_url;
    let address = url.strip_prefix("sparse+").unwrap_or(url);
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    if !is_web || !is_plain(address) {
        return Ok(Meaning::Refused(refusal("url-not-supported", "")));
    }
    Ok(Meaning::Get(address.to_owned()))
}

/// A token is for everything that its connection may do, so cargo need not ask again for another operation.
fn get(address: &str, engine: &Engine) -> Result<Value, Failure> {
    let Some((_, answer)) = Use::new(address, &["registry", "package"]).token(engine)? else {
        // Cargo asks its next provider.
        return Ok(refusal("url-not-supported", ""));
    };
    let mut told = json!({
        "kind": "get",
        "token": format!("Bearer {}", answer.access_token),
        "cache": "session",
        "operation_independent": true,
    });
    if let Some(end) = answer.expires_at {
        told["cache"] = "expires".into();
        told["expiration"] = end.as_second().into();
    }
    Ok(json!({ "Ok": told }))
}

fn refusal(kind: &str, message: &str) -> Value {
    let mut error = json!({ "kind": kind });
    if kind == "other" {
        error["message"] = message.into();
        error["caused-by"] = json!([]);
    }
    json!({ "Err": error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: &str, operation: &str, url: &str) -> String {
        json!({
            "v": 1, "kind": kind, "operation": operation, "args": [],
            "registry": {"index-url": url, "name": "private", "headers": ["WWW-Authenticate: Bearer"]},
            "name": "a-crate", "vers": "1.0.0", "cksum": "00",
        })
        .to_string()
    }

    fn refused(kind: &str) -> Meaning {
        Meaning::Refused(json!({"Err": {"kind": kind}}))
    }

    #[test]
    fn a_token_is_asked_for_by_the_address_of_the_index() {
        for (url, meaning) in [
            (
                "sparse+https://r.example/index/",
                Meaning::Get("https://r.example/index/".into()),
            ),
            (
                "https://r.example/index.git",
                Meaning::Get("https://r.example/index.git".into()),
            ),
            ("sparse+sparse+https://r.example/", refused("url-not-supported")),
            ("ssh://git@r.example/index.git", refused("url-not-supported")),
            ("file:///index", refused("url-not-supported")),
            ("https://evil@r.example/", refused("url-not-supported")),
            ("https://r.example\\evil/", refused("url-not-supported")),
            ("https://r.example/\r\nx", refused("url-not-supported")),
            ("https://r.example/\0", refused("url-not-supported")),
            ("", refused("url-not-supported")),
        ] {
            assert_eq!(read(&request("get", "read", url)).unwrap(), meaning, "{url:?}");
        }
    }

    #[test]
    fn only_a_token_for_a_known_operation_is_given() {
        let url = "sparse+https://r.example/";
        for operation in ["read", "publish", "yank", "unyank", "owners"] {
            let meaning = read(&request("get", operation, url)).unwrap();
            assert!(matches!(meaning, Meaning::Get(_)), "{operation}");
        }
        for (kind, operation) in [
            ("get", "delete"),
            ("get", ""),
            ("login", "read"),
            ("logout", ""),
            ("", "read"),
        ] {
            let meaning = read(&request(kind, operation, url)).unwrap();
            assert_eq!(meaning, refused("operation-not-supported"), "{kind} {operation}");
        }
    }

    #[test]
    fn a_line_that_is_no_request_is_refused_without_repeating_it() {
        let good = request("get", "read", "https://r.example/");
        for line in [
            "S3cr3t".to_owned(),
            "{}".into(),
            "[]".into(),
            good.replace("\"v\":1", "\"v\":2"),
            good.replace("\"v\":1", "\"v\":\"1\""),
            good.replace("\"v\":1", "\"v\":1,\"v\":1"),
            good.replace("\"kind\":\"get\"", "\"kind\":[\"S3cr3t\"]"),
            good.replace("\"args\":[]", "\"args\":[\"S3cr3t\"]"),
            good.replace("\"index-url\"", "\"url\""),
            format!("{good}{good}"),
            "[".repeat(10_000),
        ] {
            let failure = read(&line).unwrap_err();
            assert!(!failure.line().contains("S3cr3t"), "{line}");
        }
    }

    #[test]
    fn lines_end_at_the_limit_and_must_be_utf_8() {
        let lines = |mut input: &[u8]| -> Vec<Option<String>> {
            std::iter::from_fn(|| next_line(&mut input).transpose())
                .take(4)
                .map(Result::ok)
                .collect()
        };
        let line = |text: &str| Some(text.to_owned());
        assert_eq!(lines(b"a\n\r\n\nb"), [line("a\n"), line("b")]);
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"\xff\n"), [None]);
        assert_eq!(lines(&[b'x'; 64 * 1024 + 1])[0], None);
    }
}
