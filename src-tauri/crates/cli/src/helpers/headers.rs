//! `tokenry credential-helper`: the headers of a request, for Bazel and other programs that follow the specification of
//! credential helpers.

use super::address::plain;
use super::served::Use;
use super::{request, unreadable};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::output::{check_out, write_out};
use serde::Deserialize;
use tokenry_contract::{ErrorCode, TokenAnswer};
use zeroize::Zeroizing;

/// What a host can be for that takes a token in a header. git and registries of containers want it in another way.
const KINDS: &[&str] = &["api", "mcp", "package"];

/// No header is needed, as far as Tokenry knows.
const NO_HEADERS: &str = "{\"headers\":{}}\n";

/// What such a program wants to know. Other members are ignored, as the specification says.
#[derive(Deserialize)]
struct HeadersRequest {
    uri: String,
}

/// Runs an operation.
pub(crate) fn run(operation: &str, engine: impl Fn() -> Result<Engine, Failure>) -> Result<(), Failure> {
    if operation != "get" {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "A credential helper has the operation `get` alone.",
            "Correct the command in the configuration of the program that runs it.",
        ));
    }
    check_out()?;
    let address = address(&Zeroizing::new(request()?))?;
    let engine = engine()?;
    // A program that asks for every host gets on without a token where none belongs.
    let Some((_, answer)) = Use::new(&address, KINDS).token(&engine)? else {
        return write_out(NO_HEADERS.as_bytes());
    };
    write_out(response(&answer)?.as_bytes())
}

/// The address that the program wants to use. An error repeats nothing of the request.
fn address(text: &str) -> Result<String, Failure> {
    let request: HeadersRequest =
        serde_json::from_str(text).map_err(|_| unreadable("it is not a JSON object with a `uri`"))?;
    plain(&request.uri)
        .ok_or_else(|| unreadable("no token can be sent to its `uri`, which must be a plain https address"))
}

fn response(answer: &TokenAnswer) -> Result<Zeroizing<String>, Failure> {
    let header = Zeroizing::new(format!("Bearer {}", answer.access_token));
    let quoted = Zeroizing::new(serde_json::to_string(header.as_str()).map_err(Failure::invalid_response)?);
    let expires = answer.expires_at.map(|end| format!(",\"expires\":\"{end}\""));
    Ok(Zeroizing::new(format!(
        "{{\"headers\":{{\"Authorization\":[{}]}}{}}}\n",
        quoted.as_str(),
        expires.unwrap_or_default()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_its_uri_whatever_else_is_in_it() {
        for (text, read) in [
            (r#"{"uri":"https://a.example/x"}"#, "https://a.example/x"),
            (r#"{"new":[1],"uri":"grpcs://a.example"}"#, "https://a.example"),
            (" {\"uri\" : \"https://a.example\"} \n", "https://a.example"),
        ] {
            assert_eq!(address(text).unwrap(), read, "{text}");
        }
    }

    #[test]
    fn a_hostile_request_is_refused_and_not_repeated() {
        for text in [
            "",
            "S3cr3t",
            "{}",
            "[]",
            r#"{"uri":1}"#,
            r#"{"uri":["S3cr3t"]}"#,
            r#"{"uri":"S3cr3t","uri":"https://a.example"}"#,
            r#"{"uri":"https://a.example"}{"uri":"https://b.example"}"#,
            r#"{"uri":"https://a.example\r\nS3cr3t: 1"}"#,
            r#"{"uri":"https://a.example\u0000"}"#,
            r#"{"uri":"https://evil.example\\@a.example"}"#,
            r#"{"uri":"file:///S3cr3t"}"#,
            "\u{feff}{\"uri\":\"https://a.example\"}",
        ] {
            let failure = address(text).unwrap_err();
            assert!(!failure.words().contains("S3cr3t"), "{text}");
        }
    }

    #[test]
    fn a_token_is_a_bearer_header_with_its_end() {
        let mut answer = TokenAnswer {
            access_token: "a\"b".into(),
            token_type: "Bearer".into(),
            expires_at: Some("2027-01-31T12:00:00Z".parse().unwrap()),
            scope: None,
            id_token: None,
        };
        assert_eq!(
            response(&answer).unwrap().as_str(),
            "{\"headers\":{\"Authorization\":[\"Bearer a\\\"b\"]},\"expires\":\"2027-01-31T12:00:00Z\"}\n"
        );
        answer.expires_at = None;
        let text = response(&answer).unwrap();
        assert_eq!(
            text.as_str(),
            "{\"headers\":{\"Authorization\":[\"Bearer a\\\"b\"]}}\n"
        );
    }
}
