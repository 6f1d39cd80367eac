//! `tokenry mcp`: clients of the official SDK reach remote MCP servers through it, with tokens of one connection.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::accounts::{PASSPHRASE, stop, token};
use tokenry_e2e::mcp::{script, with_browser};
use tokenry_e2e::process::{Running, program};
use tokenry_e2e::profile::Profile;
use tokenry_testkit::http::{Connection, Request};
use url::{Position, Url};

struct Stage {
    profile: Profile,
    /// Where the server is, without a path.
    server: String,
    process: Option<Running>,
    engine: Option<Running>,
}

impl Stage {
    /// A server with its own authorization server, an engine that knows nothing of it, and a user who agrees.
    fn new() -> Self {
        let mut profile = Profile::headless();
        with_browser(&mut profile);
        let engine = profile.serve_with_passphrase(PASSPHRASE);
        let mut server = script(&profile, "server.mjs", &[]);
        let ready: Value = serde_json::from_str(&server.line()).unwrap();
        Self {
            server: ready["address"].as_str().unwrap().to_owned(),
            profile,
            process: Some(server),
            engine: Some(engine),
        }
    }

    /// The SDK's client of `tokenry mcp` at this path of the server.
    fn client(&self, path: &str, options: &[&str]) -> Client {
        let tokenry = program("tokenry");
        let url = format!("{}{path}", self.server);
        let arguments = of_readme(&url);
        let command = [tokenry.to_str().unwrap(), &arguments[0], &arguments[1]];
        Client(script(
            &self.profile,
            "stdio_client.mjs",
            &[&command, options].concat(),
        ))
    }

    fn ask(&self, method: &str, path: &str) -> String {
        let url = Url::parse(&self.server).unwrap();
        let request = Request::new(method, path)
            .host(&url[Position::BeforeHost..Position::AfterPort])
            .close();
        let addresses = url.socket_addrs(|| None).unwrap();
        let answer = Connection::tcp(&addresses).unwrap().ask(&request).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    fn stats(&self) -> Value {
        serde_json::from_str(&self.ask("GET", "/stats")).unwrap()
    }
}

/// The arguments that the README has for the configuration of a client, for this server.
fn of_readme(url: &str) -> Vec<String> {
    let readme = include_str!("../../README.md");
    let mut blocks = readme.split("```json\n").skip(1);
    let block = blocks
        .find(|block| block.contains("mcpServers") && block.contains("files"))
        .unwrap();
    let block: Value = serde_json::from_str(block.split("```").next().unwrap()).unwrap();
    let server = &block["mcpServers"]["files"];
    assert_eq!(server["command"], "tokenry");
    let arguments = server["args"].as_array().unwrap().iter();
    arguments
        .map(|argument| {
            argument
                .as_str()
                .unwrap()
                .replace("https://mcp.example.com/mcp", url)
        })
        .collect()
}

struct Client(Running);

impl Client {
    #[track_caller]
    fn next(&mut self) -> Value {
        serde_json::from_str(&self.0.line()).unwrap()
    }

    /// Waits until the client has initialized the session.
    #[track_caller]
    fn connected(mut self) -> Self {
        let first = self.next();
        assert_eq!(first["connected"], "files", "{first}; {}", self.0.stderr());
        self
    }

    fn send(&mut self, tool: &str, arguments: &Value) {
        let line = json!({ "tool": tool, "arguments": arguments });
        self.0.write(&format!("{line}\n"));
    }

    #[track_caller]
    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.send(tool, arguments);
        self.next()
    }

    #[track_caller]
    fn echoes(&mut self, text: &str) {
        let answer = self.call("echo", &json!({ "text": text }));
        assert_eq!(answer["text"], text, "{answer}; {}", self.0.stderr());
    }

    /// The client closes the session. Returns the standard error of the bridge.
    fn end(self) -> String {
        self.0.wait().success().stderr
    }
}

#[test]
fn ten_clients_at_once_share_one_provider_one_sign_in_and_one_refresh() {
    let stage = Stage::new();
    let clients: Vec<_> = (0..10).map(|_| stage.client("/mcp", &[])).collect();
    let mut clients: Vec<_> = clients.into_iter().map(Client::connected).collect();
    clients.iter_mut().for_each(|client| client.echoes("one"));
    let stats = stage.stats();
    assert_eq!(
        (&stats["registrations"], &stats["signIns"]),
        (&1.into(), &1.into()),
        "{stats}"
    );

    stage.ask("POST", "/expire");
    let said = json!({ "text": "two" });
    clients.iter_mut().for_each(|client| client.send("echo", &said));
    for client in &mut clients {
        assert_eq!(client.next()["text"], "two");
    }
    let stats = stage.stats();
    assert_eq!(
        (&stats["signIns"], &stats["refreshes"], &stats["reused"]),
        (&1.into(), &1.into(), &0.into())
    );
    let secret = {
        let listed = stage.profile.tokenry(&["--json", "list"]).success().json();
        let all: Vec<_> = listed.as_array().unwrap().iter().collect();
        assert_eq!(all.len(), 1, "{listed}");
        token(&stage.profile, all[0]["name"].as_str().unwrap())
    };
    for client in clients {
        let stderr = client.end();
        assert!(!stderr.contains(&secret), "{stderr}");
    }
    assert_eq!(stage.stats()["ended"], 10, "each session is ended");
}

#[test]
fn an_answer_whose_stream_breaks_is_resumed_and_the_server_can_speak_by_itself() {
    let stage = Stage::new();
    let mut client = stage.client("/mcp", &[]).connected();
    let answer = client.call("broken", &json!({}));
    assert_eq!(answer["text"], "whole", "{answer}");
    assert_eq!(stage.stats()["resumed"], 1);
    assert_eq!(client.call("announce", &json!({}))["text"], "soon");
    assert_eq!(client.next()["said"], "announced");
    client.end();
}

#[test]
fn a_session_that_the_server_has_forgotten_begins_anew_unseen_by_the_client() {
    let stage = Stage::new();
    let mut client = stage.client("/mcp", &[]).connected();
    client.echoes("one");
    stage.ask("POST", "/forget");
    client.echoes("two");
    assert_eq!(stage.stats()["sessions"], 2);
    assert_eq!(client.call("announce", &json!({}))["text"], "soon");
    assert_eq!(
        client.next()["said"],
        "announced",
        "it listens to the new session"
    );
    client.end();
}

#[test]
fn the_older_transport_is_used_where_the_server_speaks_no_other_or_it_is_chosen() {
    let stage = Stage::new();
    for options in [
        &[][..],
        &["--transport", "sse-first"],
        &["--transport", "sse-only"],
    ] {
        let mut client = stage.client("/sse", options).connected();
        client.echoes("older");
        stage.ask("POST", "/expire");
        client.echoes("again");
        client.end();
    }
    let mut only = stage.client("/sse", &["--transport", "http-only"]);
    assert!(only.next()["error"].is_string());
    let mut first = stage.client("/mcp", &["--transport", "sse-first"]).connected();
    first.echoes("newer");
    first.end();
}

#[test]
fn a_server_that_needs_no_token_is_used_without_one() {
    let stage = Stage::new();
    let mut client = stage.client("/open", &[]).connected();
    client.echoes("open");
    client.end();
    assert_eq!(
        stage.profile.tokenry(&["--json", "list"]).success().json(),
        json!([])
    );
}

#[test]
fn a_client_goes_on_while_the_engine_restarts() {
    let mut stage = Stage::new();
    let mut client = stage.client("/mcp", &[]).connected();
    stop(stage.engine.take().unwrap()).success();
    client.echoes("without an engine");
    stage.engine = Some(stage.profile.serve_with_passphrase(PASSPHRASE));
    stage.ask("POST", "/expire");
    client.echoes("with another engine");
    assert_eq!(stage.stats()["signIns"], 1);
    client.end();
}

#[test]
fn errors_are_answers_with_the_id_of_the_request_and_lines_without_secrets() {
    let stage = Stage::new();
    let url = format!("{}/nothing-here", stage.server);
    let failed = stage
        .profile
        .tokenry(&["mcp", &url, "--header", "X-Auth: ${UNSET}"]);
    assert_eq!(failed.code, 2, "{failed:?}");
    let mut bridge = stage.profile.tokenry_running(&["mcp", &url]);
    bridge.write("not json\n{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"initialize\"}\n");
    let first: Value = serde_json::from_str(&bridge.line()).unwrap();
    assert_eq!(
        (&first["id"], &first["error"]["code"]),
        (&Value::Null, &(-32700).into())
    );
    let second: Value = serde_json::from_str(&bridge.line()).unwrap();
    assert_eq!(second["id"], "a");
    assert_eq!(second["error"]["data"]["tokenry"], "not_found", "{second}");
    let ended = bridge.wait().success();
    assert!(ended.stderr.contains("tokenry mcp:"), "{ended:?}");
}

#[test]
fn a_header_with_a_secret_of_the_environment_goes_to_the_server_and_needs_no_sign_in() {
    let mut stage = Stage::new();
    let mut client = stage.client("/mcp", &[]).connected();
    client.echoes("signed in");
    client.end();
    let listed = stage.profile.tokenry(&["--json", "list"]).success().json();
    let secret = token(&stage.profile, listed[0]["name"].as_str().unwrap());
    stage.profile.set("MY_HEADER", format!("Bearer {secret}"));
    stop(stage.engine.take().unwrap()).success();
    let mut client = stage
        .client("/mcp", &["--header", "Authorization:${MY_HEADER}"])
        .connected();
    client.echoes("with the header");
    let stderr = client.end();
    assert!(!stderr.contains(&secret), "{stderr}");
}

#[test]
fn the_resource_and_the_scopes_of_the_command_line_are_those_of_the_sign_in() {
    let stage = Stage::new();
    let resource = format!("{}/other", stage.server);
    let metadata = json!({"scope": "files archive"}).to_string();
    let options = [
        "--resource",
        &resource,
        "--static-oauth-client-metadata",
        &metadata,
    ];
    let mut client = stage.client("/mcp", &options).connected();
    client.echoes("signed in");
    client.end();
    let last = &stage.stats()["last"];
    assert_eq!(last["resource"], resource, "{last}");
    let mut scopes: Vec<_> = last["scopes"].as_array().unwrap().iter().collect();
    scopes.sort_by_key(|scope| scope.to_string());
    assert_eq!(scopes, ["archive", "files"], "{last}");
}

#[test]
fn a_client_is_told_that_the_sign_in_was_denied_and_the_next_one_can_be_allowed() {
    let stage = Stage::new();
    stage.ask("POST", "/deny");
    let mut client = stage.client("/mcp", &[]);
    let denied = client.next()["error"].to_string();
    assert!(denied.contains("denied"), "{denied}");
    drop(client);
    let mut client = stage.client("/mcp", &[]).connected();
    client.echoes("allowed");
    client.end();
    assert_eq!(stage.stats()["signIns"], 1);
}

#[test]
fn a_thousand_calls_at_once_are_all_answered_and_have_a_limited_number_of_connections() {
    let stage = Stage::new();
    let url = format!("{}/open", stage.server);
    let tokenry = program("tokenry");
    let command = [tokenry.to_str().unwrap(), "mcp", &url];
    let mut client = script(&stage.profile, "bench_client.mjs", &command);
    client.line();
    client.write("{\"measure\": \"held\"}\n");
    assert_eq!(client.line(), "{\"answers\":1000}");
    let stats = stage.stats();
    assert_eq!(
        (&stats["held"], &stats["mostHeld"]),
        (&0.into(), &256.into()),
        "{stats}"
    );
}

#[test]
fn a_call_that_is_cancelled_while_it_waits_for_others_never_reaches_the_server() {
    let stage = Stage::new();
    let url = format!("{}/open", stage.server);
    let mut bridge = stage.profile.tokenry_running(&["mcp", &url]);
    let client = json!({"name": "test", "version": "1"});
    let initialize = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    let hold = json!({"name": "hold", "arguments": {"milliseconds": 1000}});
    let mut lines = vec![
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": initialize}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
    ];
    let call = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": hold});
    lines.extend((1..=258).map(call));
    let cancelled = json!({"requestId": 257});
    lines.push(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled}));
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    bridge.write(&text);
    let mut answered: Vec<_> = (0..258)
        .map(|_| {
            serde_json::from_str::<Value>(&bridge.line()).unwrap()["id"]
                .as_u64()
                .unwrap()
        })
        .collect();
    bridge.wait().success();
    answered.sort_unstable();
    assert_eq!(answered, (0..=256).chain([258]).collect::<Vec<_>>());
    assert_eq!(stage.stats()["calls"], 257);
}

#[test]
fn a_call_ends_with_an_error_when_its_server_is_gone() {
    let mut stage = Stage::new();
    let mut client = stage.client("/open", &[]).connected();
    client.send("hold", &json!({"milliseconds": 60_000}));
    client.send("echo", &json!({"text": "reached"}));
    let mut server = stage.process.take().unwrap();
    // The call is under way; the client sends one at a time.
    std::thread::sleep(std::time::Duration::from_millis(500));
    server.kill();
    let first = client.next();
    assert!(first["error"].is_string(), "{first}");
    assert!(client.next()["error"].is_string());
    client.end();
}
