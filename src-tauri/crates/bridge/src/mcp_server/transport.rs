//! The standard streams of the MCP server, with one message in each line.
//!
//! The transport of `rmcp` does not answer a line that is not JSON, omits the `id` from the answer to an invalid request, and
//! its session ends when a notification comes before `initialize`. This one answers as JSON-RPC 2.0 (5 and 5.1) says.

use crate::json_rpc::{BYTE_ORDER_MARK, INVALID_REQUEST, MAX_LINE_BYTES, PARSE_ERROR};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, GetMeta, ProtocolVersion, ServerJsonRpcMessage};
use rmcp::service::RoleServer;
use rmcp::transport::Transport;
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// Reads messages from `R` and writes them to `W`.
pub(super) struct LineTransport<R, W> {
    input: BufReader<R>,
    /// What is read of the next line. `receive` can be dropped while it waits for the rest.
    line: Vec<u8>,
    /// Whether the rest of a line that is too long is still to come.
    is_skipping: bool,
    output: Arc<Mutex<W>>,
    /// The answer to an invalid line, on its way. A task writes it, because `receive` can be dropped meanwhile.
    refusal: Option<JoinHandle<io::Result<()>>>,
    has_session: bool,
}

impl<R: AsyncRead, W> LineTransport<R, W> {
    pub(super) fn new(input: R, output: W) -> Self {
        Self {
            input: BufReader::new(input),
            line: Vec::new(),
            is_skipping: false,
            output: Arc::new(Mutex::new(output)),
            refusal: None,
            has_session: false,
        }
    }
}

impl<R: AsyncRead + Unpin, W> LineTransport<R, W> {
    /// The next line, or an empty one instead of a line that is too long. `None` at the end.
    async fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let left = MAX_LINE_BYTES + 1 - self.line.len();
            let mut limited = (&mut self.input).take(left as u64);
            let is_end = limited.read_until(b'\n', &mut self.line).await? == 0;
            let is_whole = self.line.ends_with(b"\n");
            let is_too_long = self.line.len() > MAX_LINE_BYTES;
            if !is_whole && !is_too_long && !is_end {
                continue;
            }
            let line = std::mem::take(&mut self.line);
            if self.is_skipping {
                self.is_skipping = !is_whole && !is_end;
            } else if is_too_long {
                self.is_skipping = !is_whole;
                return Ok(Some(Vec::new()));
            } else if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
            if is_end {
                return Ok(None);
            }
        }
    }
}

impl<R, W> Transport<RoleServer> for LineTransport<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let output = self.output.clone();
        async move { write(output, serde_json::to_vec(&message)?).await }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if let Some(refusal) = &mut self.refusal {
                let written = refusal.await;
                self.refusal = None;
                written.ok()?.ok()?;
            }
            match read(&self.next_line().await.ok()??) {
                Line::Message(message) => {
                    self.has_session |= starts_session(&message);
                    if self.has_session || matches!(*message, ClientJsonRpcMessage::Request(_)) {
                        return Some(*message);
                    }
                }
                Line::Ignored => {}
                Line::Invalid(answer) => {
                    let answer = answer.to_string().into_bytes();
                    self.refusal = Some(tokio::spawn(write(self.output.clone(), answer)));
                }
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.output.lock().await.shutdown().await
    }
}

async fn write<W: AsyncWrite + Unpin>(output: Arc<Mutex<W>>, mut line: Vec<u8>) -> io::Result<()> {
    line.push(b'\n');
    let mut output = output.lock().await;
    output.write_all(&line).await?;
    output.flush().await
}

/// Whether `rmcp` starts its session with this message: `initialize`, or a request that names a version of the protocol
/// without it. Before that, it ends at everything but a request.
fn starts_session(message: &ClientJsonRpcMessage) -> bool {
    let ClientJsonRpcMessage::Request(request) = message else {
        return false;
    };
    match &request.request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        request => {
            let meta = request.get_meta();
            let version = meta.protocol_version();
            version.is_some_and(|version| ProtocolVersion::KNOWN_VERSIONS.contains(&version))
                && meta
                    .missing_required_keys(&ProtocolVersion::V_2026_07_28)
                    .is_empty()
        }
    }
}

enum Line {
    Message(Box<ClientJsonRpcMessage>),
    /// A notification or a response that is invalid: neither gets an answer.
    Ignored,
    /// It gets this answer.
    Invalid(Value),
}

fn read(line: &[u8]) -> Line {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        return invalid(PARSE_ERROR, "Parse error", &Value::Null);
    };
    let has_method = value.get("method").is_some_and(Value::is_string);
    let id = value.get("id").cloned();
    let is_response =
        value.get("method").is_none() && (value.get("result").is_some() || value.get("error").is_some());
    let is_notification = has_method && id.is_none() && value["jsonrpc"] == "2.0";
    let id = match id {
        Some(id) if id.is_string() || id.is_i64() => id,
        Some(_) if !is_response => return invalid(INVALID_REQUEST, "Invalid request", &Value::Null),
        _ => Value::Null,
    };
    match serde_json::from_value(value) {
        Ok(message) => Line::Message(Box::new(message)),
        Err(_) if is_response || is_notification => Line::Ignored,
        Err(_) => invalid(INVALID_REQUEST, "Invalid request", &id),
    }
}

fn invalid(code: i32, message: &str, id: &Value) -> Line {
    Line::Invalid(json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is received of these lines, and what they are answered.
    async fn received(lines: &str, has_session: bool) -> (Vec<ClientJsonRpcMessage>, Vec<Value>) {
        let (output, mut answers) = tokio::io::duplex(1024 * 1024);
        let mut transport = LineTransport::new(io::Cursor::new(lines.to_owned().into_bytes()), output);
        transport.has_session = has_session;
        let mut messages = Vec::new();
        while let Some(message) = transport.receive().await {
            messages.push(message);
        }
        drop(transport);
        let mut text = String::new();
        answers.read_to_string(&mut text).await.unwrap();
        let answers = text.lines().map(|line| serde_json::from_str(line).unwrap());
        (messages, answers.collect())
    }

    const PING: &str = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;

    fn answer(code: i32, id: impl Into<Value>) -> Vec<Value> {
        let message = match code {
            PARSE_ERROR => "Parse error",
            _ => "Invalid request",
        };
        let id = id.into();
        vec![json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})]
    }

    #[tokio::test]
    async fn a_line_that_is_not_json_is_answered_and_the_next_one_is_read() {
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        let long = format!("\"{}\"", "x".repeat(MAX_LINE_BYTES));
        for line in ["{", "garbage", "{\"a\":\"\u{0}\"}", &deep, &long] {
            let (messages, answers) = received(&format!("{line}\n\n  \r\n{PING}\r\n"), true).await;
            assert_eq!(answers, answer(PARSE_ERROR, Value::Null));
            assert_eq!(messages.len(), 1);
        }
        assert!(
            matches!(read(b"{\"a\":\"\xff\"}"), Line::Invalid(answer) if answer["error"]["code"] == PARSE_ERROR)
        );
        let (messages, answers) = received(&format!("{PING}\n{long}"), true).await;
        assert_eq!(
            (messages.len(), answers.len()),
            (1, 1),
            "the last line has no end"
        );
        let (messages, _) = received(&format!("\u{feff}{PING}"), true).await;
        assert_eq!(messages.len(), 1);
    }

    #[tokio::test]
    async fn an_invalid_request_is_answered_with_its_id_or_null_and_a_notification_is_not() {
        for (line, id) in [
            ("1", Value::Null),
            ("[]", Value::Null),
            ("{}", Value::Null),
            (r#"{"jsonrpc":"2.0","method":1}"#, Value::Null),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, Value::Null),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Value::Null),
            (r#"{"method":"ping"}"#, Value::Null),
            (r#"{"id":7,"method":"ping"}"#, 7.into()),
            (r#"{"jsonrpc":"1.0","id":"x","method":"ping"}"#, "x".into()),
        ] {
            let (messages, answers) = received(&format!("{line}\n{PING}\n"), true).await;
            assert_eq!(answers, answer(INVALID_REQUEST, id), "{line}");
            assert_eq!(messages.len(), 1, "{line}");
        }
        for line in [
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":7}"#,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#,
            r#"{"id":1,"result":{}}"#,
        ] {
            let (_, answers) = received(line, true).await;
            assert_eq!(answers, [Value::Null; 0], "{line}");
        }
    }

    #[tokio::test]
    async fn what_is_no_request_is_ignored_before_the_session_begins() {
        let cancelled = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
        let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#;
        let all = format!("{cancelled}\n{response}\n{error}\n");
        let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"},
        }});
        let (messages, answers) = received(&format!("{all}{PING}\n{initialize}\n{all}"), false).await;
        assert_eq!((messages.len(), answers.len()), (5, 0), "{messages:?}");
    }

    #[tokio::test]
    async fn a_line_that_comes_in_parts_is_read_whole() {
        let (mut client, input) = tokio::io::duplex(16);
        let mut transport = LineTransport::new(input, tokio::io::sink());
        let (start, end) = PING.split_at(9);
        client.write_all(start.as_bytes()).await.unwrap();
        let wait = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(wait, transport.receive()).await.is_err());
        let rest = format!("{end}\n");
        let (written, received) = tokio::join!(client.write_all(rest.as_bytes()), transport.receive());
        written.unwrap();
        assert!(received.is_some());
    }
}
