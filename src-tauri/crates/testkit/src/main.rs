//! The misbehaving server as a program, for tests that are not written in Rust.
//!
//! It says `{"url": …}` when it is ready, then takes one command a line on standard input, answers each with one
//! line, and ends when its standard input does:
//!
//! - `{"set": {"token_life": 2, "rotation": "strict"}}` changes members of the behaviour
//! - `{"queue": "lose_answer"}` does this to the next token request
//! - `{"release": true}` lets go of what is held
//! - `{"log": true}` tells every request so far

use serde_json::{Value, json};
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use tokenry_testkit::{Behaviour, Server};

fn main() -> ExitCode {
    let server = Server::start(Behaviour::default());
    match converse(&server) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of standard output has closed it.
        Err(_) => ExitCode::FAILURE,
    }
}

fn converse(server: &Server) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", json!({"url": server.issuer()}))?;
    for line in io::stdin().lock().lines() {
        let answer = obey(server, &line?).unwrap_or_else(|wrong| json!({"error": wrong.to_string()}));
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

fn obey(server: &Server, line: &str) -> Result<Value, serde_json::Error> {
    let command: Value = serde_json::from_str(line)?;
    if let Some(changes) = command.get("set").and_then(Value::as_object) {
        let mut whole = serde_json::to_value(server.behaviour())?;
        for (name, value) in changes {
            whole[name] = value.clone();
        }
        let changed: Behaviour = serde_json::from_value(whole)?;
        server.set(|behaviour| *behaviour = changed);
    }
    if let Some(fault) = command.get("queue") {
        server.queue(serde_json::from_value(fault.clone())?);
    }
    if command.get("release").is_some() {
        server.release();
    }
    if command.get("log").is_some() {
        return Ok(json!({"log": server.log(), "families": server.families()}));
    }
    Ok(json!({"ok": true}))
}
