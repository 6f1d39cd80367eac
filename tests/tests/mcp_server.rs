//! `tokenry mcp-server`: a client of the official SDK uses a connection through it, and never sees a token.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::accounts::{connected, token};
use tokenry_e2e::mcp::script;
use tokenry_e2e::process::{Running, program};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::Sandbox;
use tokenry_e2e::token_server::server;

const README: &str = include_str!("../../README.md");

struct Stage {
    _sandbox: Sandbox,
    profile: Profile,
    /// The address of an API that repeats what it receives.
    api: String,
    _server: Running,
    _engine: Running,
}

impl Stage {
    fn new() -> Self {
        let (sandbox, profile, engine) = connected("work");
        let (server, ready) = server("api.py", &profile, profile.scratch(), &sandbox, &[]);
        Self {
            api: format!("{}/v1", ready["address"].as_str().unwrap()),
            _sandbox: sandbox,
            profile,
            _server: server,
            _engine: engine,
        }
    }

    fn agent(&self) -> Agent {
        let command = configured();
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        let mut client = Agent(script(&self.profile, "stdio_client.mjs", &command));
        assert_eq!(client.next()["connected"], "tokenry");
        client
    }
}

/// The program and its arguments, as the README has them in the configuration of a client.
fn configured() -> Vec<String> {
    let (_, block) = README.split_once("```json\n{ \"mcpServers\"").unwrap();
    let block = format!("{{ \"mcpServers\"{}", block.split("```").next().unwrap());
    let server = &serde_json::from_str::<Value>(&block).unwrap()["mcpServers"]["tokenry"];
    assert_eq!(server["command"], "tokenry");
    let arguments = server["args"].as_array().unwrap().iter();
    let words = arguments.map(|word| word.as_str().unwrap().to_owned());
    std::iter::once(program("tokenry").to_str().unwrap().to_owned())
        .chain(words)
        .collect()
}

struct Agent(Running);

impl Agent {
    #[track_caller]
    fn next(&mut self) -> Value {
        serde_json::from_str(&self.0.line()).unwrap()
    }

    /// What a tool answers: text, which is JSON where it worked.
    #[track_caller]
    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.0
            .write(&format!("{}\n", json!({"tool": tool, "arguments": arguments})));
        let answer = self.next();
        let text = answer["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
        serde_json::from_str(text).unwrap_or_else(|_| text.into())
    }

    /// What is said of a call that does not fit.
    #[track_caller]
    fn refused(&mut self, tool: &str, arguments: &Value) -> String {
        self.0
            .write(&format!("{}\n", json!({"tool": tool, "arguments": arguments})));
        self.next()["error"].as_str().unwrap().to_owned()
    }
}

#[test]
fn an_agent_uses_a_connection_and_sees_no_token_even_where_the_server_repeats_it() {
    let stage = Stage::new();
    let mut agent = stage.agent();
    let listed = agent.call("list_connections", &json!({}));
    assert_eq!(listed[0]["connection"], "work", "{listed}");
    assert_eq!(listed[0]["status"], "active");

    let echo = format!("{}/echo?x=1", stage.api);
    let unbound = agent.call("request", &json!({"connection": "work", "url": echo}));
    assert!(unbound.as_str().unwrap().contains("tokenry bind"), "{unbound}");
    stage
        .profile
        .tokenry(&["bind", &stage.api, "--connection", "work"])
        .success();
    let sent = json!({
        "connection": "work", "url": echo, "method": "POST", "body": "{\"a\":1}", "headers": {"Accept": "application/json"},
    });
    let answer = agent.call("request", &sent);
    assert_eq!(answer["status"], 200, "{answer}");
    let received: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&received["method"], &received["path"], &received["length"]),
        (&json!("POST"), &json!("/v1/echo?x=1"), &json!(7))
    );
    assert_eq!(received["headers"]["authorization"], "Bearer (token removed)");
    assert_eq!(received["headers"]["accept-encoding"], "identity");
    assert!(answer["headers"].get("set-cookie").is_none(), "{answer}");
    let secret = token(&stage.profile, "work");
    assert!(!answer.to_string().contains(&secret));

    let moved = agent.call(
        "request",
        &json!({"connection": "work", "url": format!("{}/moved", stage.api)}),
    );
    assert_eq!(
        moved["status"], 302,
        "a redirect is the agent's to follow: {moved}"
    );
    let log = stage
        .profile
        .tokenry(&["--json", "events", "--connection", "work"])
        .success()
        .stdout;
    assert!(log.matches("token_handed_out").count() >= 2, "{log}");
}

#[test]
fn a_call_that_does_not_fit_is_refused_and_the_server_goes_on() {
    let stage = Stage::new();
    stage
        .profile
        .tokenry(&["bind", &stage.api, "--connection", "work"])
        .success();
    let mut agent = stage.agent();
    let echo = format!("{}/echo", stage.api);
    for (tool, arguments) in [
        ("no_such_tool", json!({})),
        ("request", json!({})),
        ("request", json!({"connection": 1, "url": echo})),
        (
            "request",
            json!({"connection": "work", "url": echo, "token": "x"}),
        ),
        ("sign_in", json!({"connection": ["work"]})),
    ] {
        agent.refused(tool, &arguments);
    }
    for (arguments, told) in [
        (
            json!({"connection": "work", "url": "file:///etc/passwd"}),
            "https",
        ),
        (
            json!({"connection": "work", "url": "http://api.example.com/"}),
            "http",
        ),
        (
            json!({"connection": "work", "url": format!("{}/../v2", stage.api)}),
            "tokenry bind",
        ),
        (
            json!({"connection": "nothing", "url": echo}),
            "no connection called",
        ),
        (
            json!({"connection": "work", "url": echo, "headers": {"authorization": "x"}}),
            "header",
        ),
        (
            json!({"connection": "work", "url": echo, "method": "CONNECT"}),
            "method",
        ),
    ] {
        let answer = agent.call("request", &arguments);
        assert!(
            answer.as_str().is_some_and(|text| text.contains(told)),
            "{arguments}: {answer}"
        );
    }
    let unknown = agent.call("sign_in", &json!({"connection": "nothing"}));
    assert!(
        unknown.as_str().unwrap().contains("list_connections"),
        "{unknown}"
    );
    let good = agent.call("request", &json!({"connection": "work", "url": echo}));
    assert_eq!(good["status"], 200);
}

#[test]
fn an_agent_asks_for_a_new_sign_in_and_does_not_see_its_address() {
    let stage = Stage::new();
    let mut agent = stage.agent();
    let asked = agent.call("sign_in", &json!({"connection": "work"}));
    assert_eq!(asked["status"], "waiting for the user", "{asked}");
    assert!(!asked.to_string().contains("state="), "{asked}");
    let log = stage
        .profile
        .tokenry(&["--json", "events", "--connection", "work"]);
    assert!(log.success().stdout.contains("flow_started"));
}
