//! Messages of JSON-RPC, as far as a bridge has to know them. It passes them on as they are.

use crate::failure::Failure;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

/// The code of an error that the bridge reports: one for the implementation (JSON-RPC 2.0, 5.1).
const BRIDGE_ERROR: i32 = -32_000;
const PARSE_ERROR: i32 = -32_700;

/// A message, or a batch of them, in one line.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) bytes: Bytes,
    /// The ids of its requests.
    pub(super) requests: Vec<Value>,
    /// The method, if it is one message.
    method: Option<String>,
    /// The request that it cancels.
    cancels: Option<Value>,
}

#[derive(Deserialize)]
struct Head {
    id: Option<Value>,
    method: Option<String>,
}

/// `notifications/cancelled`.
#[derive(Deserialize)]
struct Cancelled {
    params: CancelledParams,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CancelledParams {
    request_id: Value,
}

impl Message {
    /// Reads a line. `None` when it is not JSON, or not an object.
    pub(super) fn read(bytes: Bytes) -> Option<Self> {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace())?;
        let mut heads: Vec<Head> = match first {
            b'{' => vec![serde_json::from_slice(&bytes).ok()?],
            _ => serde_json::from_slice(&bytes).ok()?,
        };
        let requests = heads.iter_mut().filter(|head| head.method.is_some());
        let requests = requests.filter_map(|head| head.id.take()).collect();
        let method = match (first, heads.pop()) {
            (b'{', Some(head)) => head.method,
            _ => None,
        };
        let is_cancelled = method.as_deref() == Some("notifications/cancelled");
        let cancels = is_cancelled
            .then(|| serde_json::from_slice::<Cancelled>(&bytes).ok())
            .flatten()
            .map(|cancelled| cancelled.params.request_id);
        Some(Self {
            bytes,
            requests,
            method,
            cancels,
        })
    }

    pub(super) fn is_initialize(&self) -> bool {
        self.method.as_deref() == Some("initialize")
    }

    /// The id of the request that it cancels, if it does.
    pub(super) fn cancels(&self) -> Option<&Value> {
        self.cancels.as_ref()
    }

    pub(super) fn is_initialized(&self) -> bool {
        self.method.as_deref() == Some("notifications/initialized")
    }
}

/// The id that a message answers, if it is an answer.
pub(super) fn answered(bytes: &[u8]) -> Option<Value> {
    let head: Head = serde_json::from_slice(bytes).ok()?;
    head.id.filter(|_| head.method.is_none())
}

/// The version of the protocol that an answer to `initialize` names.
pub(super) fn version(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        result: Chosen,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Chosen {
        protocol_version: String,
    }
    let answer: Answer = serde_json::from_slice(bytes).ok()?;
    Some(answer.result.protocol_version)
}

/// The error with which a request fails.
pub(super) fn error(id: &Value, failure: &Failure) -> Vec<u8> {
    let error = json!({
        "code": BRIDGE_ERROR,
        "message": format!("tokenry mcp: {}", failure.line()),
        "data": { "tokenry": failure.code().map_or("no_engine", tokenry_contract::ErrorCode::slug) },
    });
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
        .to_string()
        .into_bytes()
}

/// The answer to a line that cannot be read.
pub(super) fn unreadable(why: &str) -> Vec<u8> {
    let error = json!({ "code": PARSE_ERROR, "message": format!("tokenry mcp: {why}") });
    json!({ "jsonrpc": "2.0", "id": null, "error": error })
        .to_string()
        .into_bytes()
}

/// A message in one line: a line end in JSON is between its parts, where a space means the same.
pub(super) fn in_one_line(bytes: &mut [u8]) {
    for byte in bytes {
        if matches!(*byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Message> {
        Message::read(Bytes::from(text.to_owned()))
    }

    #[test]
    fn a_request_has_a_method_and_an_id_of_any_kind() {
        let ids = |text: &str| read(text).map(|message| Value::from(message.requests).to_string());
        for (text, ids_of) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#, Some("[1]")),
            (r#" {"method":"a","id":"x","params":{"id":7}}"#, Some(r#"["x"]"#)),
            (r#"{"method":"a"}"#, Some("[]")),
            (r#"{"method":"a","id":null}"#, Some("[]")),
            (r#"{"id":1,"result":{}}"#, Some("[]")),
            (
                r#"[{"id":1,"method":"a"},{"id":2,"result":1},{"method":"b"},{"id":3,"method":"c"}]"#,
                Some("[1,3]"),
            ),
            ("[]", Some("[]")),
            ("", None),
            ("  ", None),
            ("1", None),
            ("\"a\"", None),
            ("{", None),
            (r#"{"id":1,"id":2,"method":"a"}"#, None),
            (r#"{"method":1}"#, None),
            ("[1]", None),
            ("{\"method\":\"a\u{0}\"}", None),
        ] {
            assert_eq!(ids(text).as_deref(), ids_of, "{text}");
        }
        assert!(Message::read(Bytes::from_static(b"{\"method\":\"\xff\"}")).is_none());
        assert!(read(r#"{"method":"initialize","id":0}"#).unwrap().is_initialize());
        assert!(
            !read(r#"[{"method":"initialize","id":0}]"#)
                .unwrap()
                .is_initialize()
        );
        assert!(
            read(r#"{"method":"notifications/initialized"}"#)
                .unwrap()
                .is_initialized()
        );
    }

    #[test]
    fn an_answer_has_an_id_and_no_method() {
        assert_eq!(answered(br#"{"id":"a","result":null}"#), Some("a".into()));
        assert_eq!(answered(br#"{"id":"a","method":"b"}"#), None);
        assert_eq!(answered(b"["), None);
        assert_eq!(
            version(br#"{"id":1,"result":{"protocolVersion":"2025-06-18"}}"#).as_deref(),
            Some("2025-06-18")
        );
        assert_eq!(version(br#"{"id":1,"error":{}}"#), None);
    }

    #[test]
    fn a_message_of_several_lines_becomes_one_line_of_the_same_meaning() {
        let mut text = b"{\r\n \"a\": \"b\\n\"\n}".to_vec();
        in_one_line(&mut text);
        let value: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value, json!({"a": "b\n"}));
        assert!(!text.contains(&b'\n') && !text.contains(&b'\r'));
    }
}
