//! Messages of JSON-RPC, as far as a bridge has to know them. It passes them on as they are.

use crate::failure::Failure;
use crate::json_rpc::{BYTE_ORDER_MARK, INVALID_REQUEST, PARSE_ERROR};
use hyper::body::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

/// The code of an error that the bridge reports: one for the implementation (JSON-RPC 2.0, 5.1).
const BRIDGE_ERROR: i32 = -32_000;

/// Why a line of the client is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    TooLong,
    NotJson,
    /// JSON, and no message.
    Invalid,
}

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
    error: Option<IgnoredAny>,
}

/// The heads of a message, or of those of a batch.
fn heads(bytes: &[u8]) -> Option<Vec<Head>> {
    // The reader of JSON does not look into strings that it skips.
    let text = std::str::from_utf8(bytes).ok()?;
    match text.trim_start().as_bytes().first()? {
        b'{' => Some(vec![serde_json::from_str(text).ok()?]),
        b'[' => serde_json::from_str(text).ok(),
        _ => None,
    }
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
    /// Reads a line.
    ///
    /// # Errors
    /// When it is not JSON, or neither a message nor a batch.
    pub(super) fn read(bytes: Bytes) -> Result<Self, Unreadable> {
        let is_message = |head: &Head| head.method.is_some() || head.id.is_some() || head.error.is_some();
        let heads = heads(&bytes).filter(|heads| !heads.is_empty() && heads.iter().all(is_message));
        let mut heads = heads.ok_or_else(|| match is_json(&bytes) {
            true => Unreadable::Invalid,
            false => Unreadable::NotJson,
        })?;
        let is_batch = bytes.trim_ascii_start().starts_with(b"[");
        let requests = heads.iter_mut().filter(|head| head.method.is_some());
        let requests = requests.filter_map(|head| head.id.take()).collect();
        let method = heads.pop().filter(|_| !is_batch).and_then(|head| head.method);
        let is_cancelled = method.as_deref() == Some("notifications/cancelled");
        let cancels = is_cancelled
            .then(|| serde_json::from_slice::<Cancelled>(&bytes).ok())
            .flatten()
            .map(|cancelled| cancelled.params.request_id);
        Ok(Self {
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

fn is_json(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes);
    text.is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// The ids that a message of the server answers, or those of a batch. `None` when it is not JSON-RPC: the client gets nothing
/// else (MCP, Transports, stdio).
pub(super) fn answers(bytes: &[u8]) -> Option<Vec<Value>> {
    let answers = heads(bytes)?.into_iter().filter(|head| head.method.is_none());
    Some(answers.filter_map(|head| head.id).collect())
}

/// The error of a server that names no request, as the answer to this one. A server that refuses a request before it has read
/// its id sends such an error.
pub(super) fn error_without_id(bytes: &[u8], id: &Value) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Refusal {
        id: Option<Value>,
        error: Value,
    }
    let refusal: Refusal = serde_json::from_slice(bytes).ok()?;
    let is_error = refusal.error.get("code").is_some_and(Value::is_i64);
    (refusal.id.is_none() && is_error).then(|| {
        json!({ "jsonrpc": "2.0", "id": id, "error": refusal.error })
            .to_string()
            .into_bytes()
    })
}

/// Takes the byte order mark away.
pub(super) fn without_mark(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    bytes
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

/// The answer to a line that is not passed on (JSON-RPC 2.0, 5.1).
pub(super) fn unreadable(why: Unreadable) -> Vec<u8> {
    let (code, why) = match why {
        Unreadable::TooLong => (PARSE_ERROR, "a message is longer than 16 MiB"),
        Unreadable::NotJson => (PARSE_ERROR, "a line is not JSON"),
        Unreadable::Invalid => (INVALID_REQUEST, "a line is not a message of JSON-RPC"),
    };
    let error = json!({ "code": code, "message": format!("tokenry mcp: {why}") });
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

    fn read(text: &str) -> Result<Message, Unreadable> {
        Message::read(Bytes::from(text.to_owned()))
    }

    #[test]
    fn a_request_has_a_method_and_an_id_of_any_kind() {
        let ids = |text: &str| {
            read(text)
                .ok()
                .map(|message| Value::from(message.requests).to_string())
        };
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
            (r#"{"id":null,"error":{"code":1,"message":""}}"#, Some("[]")),
        ] {
            assert_eq!(ids(text).as_deref(), ids_of, "{text}");
        }
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
    fn a_line_that_is_not_json_differs_from_one_that_is_no_message() {
        for text in ["", "  ", "{", "garbage", "{\"method\":\"a\u{0}\"}", "{} {}"] {
            assert_eq!(read(text).err(), Some(Unreadable::NotJson), "{text}");
        }
        let bytes = Bytes::from_static(b"{\"method\":\"\xff\"}");
        assert_eq!(Message::read(bytes).err(), Some(Unreadable::NotJson));
        for text in [
            "1",
            "\"a\"",
            "null",
            "{}",
            "[]",
            "[1]",
            "[{}]",
            r#"{"method":1}"#,
            r#"{"id":1,"id":2,"method":"a"}"#,
        ] {
            assert_eq!(read(text).err(), Some(Unreadable::Invalid), "{text}");
        }
    }

    #[test]
    fn an_answer_has_an_id_and_no_method() {
        let of = |text: &[u8]| answers(text).map(|ids| Value::from(ids).to_string());
        for (text, ids) in [
            (&br#"{"id":"a","result":null}"#[..], Some(r#"["a"]"#)),
            (br#"{"id":"a","method":"b"}"#, Some("[]")),
            (
                br#" [{"id":1,"result":1},{"method":"b"},{"id":2,"error":{}}]"#,
                Some("[1,2]"),
            ),
            (b"[", None),
            (b"", None),
            (b"not json", None),
            (b"7", None),
            (b"{\"id\":1,\"result\":\"\xff\"}", None),
            (b"{\"id\":1,\"result\":1}{", None),
        ] {
            assert_eq!(of(text).as_deref(), ids, "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(
            of(&without_mark(b"\xef\xbb\xbf{}".to_vec())).as_deref(),
            Some("[]")
        );
        assert_eq!(
            version(br#"{"id":1,"result":{"protocolVersion":"2025-06-18"}}"#).as_deref(),
            Some("2025-06-18")
        );
        assert_eq!(version(br#"{"id":1,"error":{}}"#), None);
    }

    #[test]
    fn an_error_without_an_id_is_one_of_the_request_that_it_answers() {
        let of = |text: &str| error_without_id(text.as_bytes(), &json!(7));
        let error = of(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32602,"message":"no","data":[1]}}"#);
        let error: Value = serde_json::from_slice(&error.unwrap()).unwrap();
        let expected = json!({"code": -32602, "message": "no", "data": [1]});
        assert_eq!((&error["id"], &error["error"]), (&json!(7), &expected));
        assert!(of(r#"{"error":{"code":1,"message":"no"}}"#).is_some());
        for other in [
            r#"{"id":1,"error":{"code":1}}"#,
            r#"{"error":"no"}"#,
            r#"{"result":1}"#,
            "no",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
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
