//! The Sandbox: a real authorization server on loopback, to connect to without an account anywhere.

use crate::repo;
use crate::sh::{self, Result};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Stdio};
use std::time::Duration;

/// The server; it ends when this is dropped, and by itself when we are killed: its standard input ends then.
pub(crate) struct Sandbox {
    child: Child,
    lifeline: Option<ChildStdin>,
    /// What it said when it was ready.
    pub(crate) ready: Value,
}

impl Sandbox {
    /// Starts it on a free port and waits until it is ready.
    ///
    /// # Errors
    /// When Node cannot start it, or it ends before it says that it is ready.
    pub(crate) fn start() -> Result<Self> {
        let script = repo::root().join("tests/support/sandbox.mjs");
        let mut child = sh::command("node", [script.as_os_str()])
            .args(["--port", "0", "--stdin-lifeline"])
            .env("NODE_NO_WARNINGS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("the Sandbox could not be started: {e}."))?;
        let lifeline = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().ok_or("the Sandbox has no standard output.")?);
        let mut sandbox = Self {
            child,
            lifeline,
            ready: Value::Null,
        };
        let mut line = String::new();
        output
            .read_line(&mut line)
            .map_err(|e| format!("the Sandbox's first line cannot be read: {e}."))?;
        sandbox.ready = serde_json::from_str(&line).map_err(|e| {
            format!(
                "the Sandbox's first line should be JSON and is not ({e}): {}",
                line.trim()
            )
        })?;
        // Its later output is not used, but the pipe must not fill up.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Ok(sandbox)
    }

    /// The file for `tokenry provider add --from`.
    ///
    /// # Errors
    /// When the server did not say where its endpoints are.
    pub(crate) fn provider(&self) -> Result<Value> {
        provider(&self.ready)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        sh::end(&mut self.child, Duration::from_secs(2));
    }
}

/// Name of the provider in the development profile.
pub(crate) const PROVIDER: &str = "sandbox";

fn provider(ready: &Value) -> Result<Value> {
    let text = |name: &str| {
        ready[name]
            .as_str()
            .ok_or(format!("the Sandbox did not say its `{name}`; it said {ready}."))
    };
    Ok(json!({
        "name": PROVIDER,
        "display_name": "Sandbox",
        "client_id": "tokenry-sandbox",
        "issuer": text("issuer")?,
        "authorization_endpoint": text("authorization_endpoint")?,
        "token_endpoint": text("token_endpoint")?,
        "revocation_endpoint": text("revocation_endpoint")?,
        "userinfo_endpoint": text("userinfo_endpoint")?,
        "token_endpoint_auth_method": "none",
        "default_scopes": ["openid", "profile", "email", "offline_access"],
        // The server drops `offline_access` silently when consent is not asked for.
        "authorize_params": {"prompt": "consent"},
        "authorization_response_iss_parameter_supported": true,
        "rotation": {"kind": "strict"}, "narrowing": "refresh",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> Value {
        json!({
            "issuer": "http://127.0.0.1:1",
            "authorization_endpoint": "http://127.0.0.1:1/auth",
            "token_endpoint": "http://127.0.0.1:1/token",
            "revocation_endpoint": "http://127.0.0.1:1/token/revocation",
            "userinfo_endpoint": "http://127.0.0.1:1/me",
        })
    }

    #[test]
    fn the_provider_points_at_the_server_that_was_started() {
        let made = provider(&ready()).unwrap();
        assert_eq!(made["token_endpoint"], "http://127.0.0.1:1/token");
        assert_eq!(made["name"], PROVIDER);
    }

    #[test]
    fn an_endpoint_that_the_server_left_out_is_named() {
        let mut incomplete = ready();
        incomplete["userinfo_endpoint"].take();
        assert!(provider(&incomplete).unwrap_err().contains("`userinfo_endpoint`"));
    }
}
