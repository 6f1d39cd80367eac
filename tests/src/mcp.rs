//! An MCP server of the official Python SDK on the loopback interface, with its own authorization server.

use crate::process::Running;
use crate::{python, sandbox};
use serde_json::{Value, json};
use tokenry_testkit::http::{Connection, Request, Response};
use url::{Position, Url};

/// A running server; it ends when this is dropped.
pub struct McpServer {
    description: Value,
    _process: Running,
}

impl McpServer {
    /// Starts one.
    pub fn start() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut command = python::command("python", &[("PATH".to_owned(), path)].into());
        command
            .arg("-B")
            .arg(sandbox::support().join("mcp/server.py"))
            .arg("--stdin-lifeline");
        let mut process = Running::start(command);
        let description = serde_json::from_str(&process.line()).unwrap();
        Self {
            description,
            _process: process,
        }
    }

    /// What a user types.
    pub fn address(&self) -> &str {
        self.description["address"].as_str().unwrap()
    }

    /// Its answer to the first message of a client that has this token.
    pub fn initialize(&self, token: &str) -> Response {
        let message = json!({
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            },
        });
        let address = Url::parse(self.address()).unwrap();
        let request = Request::new("POST", address.path())
            .host(&address[Position::BeforeHost..Position::AfterPort])
            .bearer(token)
            .header("accept", "application/json, text/event-stream")
            .json(&message)
            .close();
        let addresses = address.socket_addrs(|| None).unwrap();
        Connection::tcp(&addresses).unwrap().ask(&request).unwrap()
    }
}
