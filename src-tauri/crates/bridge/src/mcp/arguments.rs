//! The command line of `tokenry mcp`, which is also that of mcp-remote where it makes sense.

use super::sign_in::ClientOptions;
use crate::arguments::{Command, invalid, text, unexpected};
use crate::failure::Failure;
use crate::upstream;
use lexopt::{Arg, Parser, ValueExt};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use std::io::Read;
use std::path::PathBuf;
use tokenry_contract::MCP;
use url::Url;
use zeroize::Zeroizing;

/// Larger than any description of a client.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Headers of the transport and of the connection.
const OWN_HEADERS: [HeaderName; 8] = [
    header::HOST,
    header::ACCEPT,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    HeaderName::from_static("mcp-session-id"),
    HeaderName::from_static("last-event-id"),
];

/// Parts of the names of headers whose value is a secret.
const SECRET_NAMES: [&str; 6] = ["auth", "token", "key", "secret", "password", "cookie"];

/// How messages reach the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Transport {
    /// Streamable HTTP, or the older one where the server does not speak it.
    #[default]
    HttpFirst,
    SseFirst,
    HttpOnly,
    SseOnly,
}

/// `tokenry mcp`.
#[derive(Debug, PartialEq)]
pub(crate) struct McpArguments {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) transport: Transport,
    pub(super) client: ClientOptions,
    pub(super) wait: Option<u32>,
    pub(super) app_token_file: Option<PathBuf>,
    /// What the user should know about the options.
    pub(super) notes: Vec<&'static str>,
}

/// Reads the arguments. `env` is the environment, for the values of headers.
pub(crate) fn parse(mut parser: Parser, env: &dyn Fn(&str) -> Option<String>) -> Result<Command, Failure> {
    let (mut url, mut port) = (None, None);
    let mut parsed = Options::default();
    while let Some(argument) = parser.next().map_err(invalid)? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Print(MCP.help())),
            Arg::Value(value) if url.is_none() => {
                url = Some(upstream::address(&value.string().map_err(invalid)?)?);
            }
            // The port of the redirect, for mcp-remote.
            Arg::Value(value) if port.is_none() => {
                let number: Result<u16, _> = value.parse();
                port = Some(number.map_err(|_| Failure::usage("unexpected argument; see --help"))?);
                parsed
                    .notes
                    .push("the port of the redirect is not needed: Tokenry has its own.");
            }
            Arg::Long("header") => {
                let (name, value) = header_of(&text(&mut parser)?, env)?;
                parsed.headers.append(name, value);
            }
            Arg::Long("transport") => parsed.transport = transport(&text(&mut parser)?)?,
            Arg::Long("resource") => parsed.client.resource = Some(resource(&text(&mut parser)?)?),
            Arg::Long("static-oauth-client-info") => client_info(&text(&mut parser)?, &mut parsed)?,
            Arg::Long("static-oauth-client-metadata") => client_metadata(&text(&mut parser)?, &mut parsed)?,
            Arg::Long("wait") => parsed.wait = Some(seconds(&text(&mut parser)?)?),
            Arg::Long("app-token-file") => {
                parsed.app_token_file = Some(parser.value().map_err(invalid)?.into());
            }
            Arg::Long("allow-http") => {}
            Arg::Long("debug" | "enable-proxy" | "silent") => {
                parsed
                    .notes
                    .push("an option of mcp-remote is not needed, and ignored.");
            }
            Arg::Long("host" | "auth-timeout") => {
                text(&mut parser)?;
                parsed
                    .notes
                    .push("an option of mcp-remote is not needed, and ignored.");
            }
            Arg::Long("ignore-tool") => {
                return Err(Failure::usage(
                    "--ignore-tool is an option of mcp-remote that Tokenry does not have: leave tools out in the client",
                ));
            }
            other => return Err(unexpected(&other, &MCP)),
        }
    }
    Ok(Command::Mcp(Box::new(McpArguments {
        url: url.ok_or_else(|| Failure::usage("the address of the server is missing; see --help"))?,
        headers: parsed.headers,
        transport: parsed.transport,
        client: parsed.client,
        wait: parsed.wait,
        app_token_file: parsed.app_token_file,
        notes: parsed.notes,
    })))
}

#[derive(Default)]
struct Options {
    headers: HeaderMap,
    transport: Transport,
    client: ClientOptions,
    wait: Option<u32>,
    app_token_file: Option<PathBuf>,
    notes: Vec<&'static str>,
}

fn transport(text: &str) -> Result<Transport, Failure> {
    match text {
        "http-first" => Ok(Transport::HttpFirst),
        "sse-first" => Ok(Transport::SseFirst),
        "http-only" => Ok(Transport::HttpOnly),
        "sse-only" => Ok(Transport::SseOnly),
        _ => Err(Failure::usage(
            "--transport must be http-first, sse-first, http-only or sse-only",
        )),
    }
}

fn seconds(text: &str) -> Result<u32, Failure> {
    let seconds = text.parse().ok().filter(|seconds| *seconds <= 300);
    seconds.ok_or_else(|| Failure::usage("--wait must be a number of seconds, at most 300"))
}

fn resource(text: &str) -> Result<String, Failure> {
    let uri: Result<Url, _> = text.parse();
    match uri {
        Ok(uri) if uri.fragment().is_none() && uri.password().is_none() => Ok(text.to_owned()),
        _ => Err(Failure::usage(
            "--resource must be an absolute URI without a fragment",
        )),
    }
}

/// A header, with the values of variables in it. A secret is in a variable: other users can see arguments.
fn header_of(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<(HeaderName, HeaderValue), Failure> {
    let wrong = |what: &str| Failure::usage(format!("--header {what}; use 'NAME: VALUE'"));
    let (name, value) = text.split_once(':').ok_or_else(|| wrong("has no colon"))?;
    let name: HeaderName = name.trim().parse().map_err(|_| wrong("has an invalid name"))?;
    if OWN_HEADERS.contains(&name) {
        return Err(Failure::usage(format!("--header cannot set {name}")));
    }
    let is_secret = SECRET_NAMES.iter().any(|part| name.as_str().contains(part));
    if is_secret && !value.contains("${") {
        return Err(Failure::usage(format!(
            "the value of {name} could be a secret, and other users can see arguments: put it into an environment \
             variable, and use --header '{name}: ${{VARIABLE}}'"
        )));
    }
    let value = substituted(value.trim(), env)?;
    let mut value = HeaderValue::from_str(&value).map_err(|_| wrong("has an invalid value"))?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn substituted(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Zeroizing<String>, Failure> {
    let mut whole = Zeroizing::new(String::new());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        whole.push_str(before);
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let value = Some(name).filter(|_| is_name).and_then(env).map(Zeroizing::new);
        let Some(value) = value else {
            return Err(Failure::usage(
                "--header names an environment variable that is not set",
            ));
        };
        whole.push_str(&value);
        rest = after;
    }
    whole.push_str(rest);
    Ok(whole)
}

/// A JSON object, or the one in a file.
fn object(text: &str, option: &str) -> Result<Map<String, Value>, Failure> {
    let file = text.strip_prefix('@');
    let content = match file {
        None => Zeroizing::new(text.to_owned()),
        Some(path) => {
            let mut content = Zeroizing::new(String::new());
            let read = std::fs::File::open(path)
                .and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut content));
            read.map_err(|error| Failure::usage(format!("{option}: cannot read the file: {error}")))?;
            content
        }
    };
    // The error of serde_json could quote a secret.
    serde_json::from_str(&content)
        .map_err(|_| Failure::usage(format!("{option} must be @FILE or a JSON object")))
}

fn client_info(text: &str, options: &mut Options) -> Result<(), Failure> {
    const OPTION: &str = "--static-oauth-client-info";
    let info = object(text, OPTION)?;
    let string = |name: &str| {
        info.get(name)
            .and_then(Value::as_str)
            .filter(|value| !value.is_empty())
    };
    if string("client_secret").is_some() && !text.starts_with('@') {
        return Err(Failure::usage(format!(
            "{OPTION} holds a secret, and other users can see arguments: write the JSON to a file that only you can \
             read, and use {OPTION} @FILE"
        )));
    }
    if string("client_id").is_none() {
        return Err(Failure::usage(format!("{OPTION} has no client_id")));
    }
    for name in ["client_id", "client_secret", "token_endpoint_auth_method"] {
        if let Some(value) = string(name) {
            options.client.settings.insert(name.to_owned(), value.into());
        }
    }
    Ok(())
}

fn client_metadata(text: &str, options: &mut Options) -> Result<(), Failure> {
    let metadata = object(text, "--static-oauth-client-metadata")?;
    if let Some(scope) = metadata.get("scope").and_then(Value::as_str) {
        let scopes: Vec<Value> = scope.split_whitespace().map(Value::from).collect();
        options
            .client
            .settings
            .insert("default_scopes".to_owned(), scopes.into());
    }
    if metadata.keys().any(|name| name != "scope") {
        options
            .notes
            .push("of --static-oauth-client-metadata only the scope is used: Tokenry registers itself by its own name.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<McpArguments, Failure> {
        let env = |name: &str| (name == "TOKEN").then(|| "c4n4ry".to_owned());
        match parse(Parser::from_args(words.iter()), &env)? {
            Command::Mcp(arguments) => Ok(*arguments),
            other => panic!("{other:?}"),
        }
    }

    const URL: &str = "https://mcp.example.com/mcp";

    #[test]
    fn the_command_line_of_mcp_remote_is_understood() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("client.json");
        std::fs::write(
            &file,
            r#"{"client_id": "me", "client_secret": "c4n4ry", "other": 1}"#,
        )
        .unwrap();
        let file = format!("@{}", file.display());
        let read = read(&[
            URL,
            "9696",
            "--header",
            "Authorization:Bearer ${TOKEN}",
            "--header",
            "X-Region: eu",
            "--transport",
            "sse-only",
            "--static-oauth-client-info",
            &file,
            "--static-oauth-client-metadata",
            r#"{"scope": "a b"}"#,
            "--resource",
            "https://mcp.example.com/",
            "--allow-http",
            "--debug",
            "--host",
            "127.0.0.1",
        ])
        .unwrap();
        assert_eq!(read.url.as_str(), URL);
        assert_eq!(read.headers["authorization"], "Bearer c4n4ry");
        assert_eq!(read.headers["x-region"], "eu");
        assert_eq!(read.transport, Transport::SseOnly);
        let settings =
            serde_json::json!({"client_id": "me", "client_secret": "c4n4ry", "default_scopes": ["a", "b"]});
        assert_eq!(Value::from(read.client.settings.clone()), settings);
        assert_eq!(read.client.resource.as_deref(), Some("https://mcp.example.com/"));
        assert_eq!(read.notes.len(), 3);
        assert!(!format!("{:?}", read.headers).contains("c4n4ry"));
    }

    #[test]
    fn a_secret_as_an_argument_is_refused_and_not_repeated() {
        for words in [
            &["--header", "Authorization: Bearer c4n4ry"][..],
            &["--header", "X-API-Key: c4n4ry"],
            &[
                "--static-oauth-client-info",
                r#"{"client_id": "a", "client_secret": "c4n4ry"}"#,
            ],
            &["--static-oauth-client-info", "c4n4ry"],
            &["--static-oauth-client-info", r#"{"client_secret": "c4n4ry"}"#],
            &["--static-oauth-client-info", "@/c4n4ry-is-not-there"],
            &["--static-oauth-client-metadata", "[\"c4n4ry\"]"],
            &["--header", "c4n4ry"],
            &["--header", "c4n4ry x: y"],
            &["--header", "X-Auth: ${OTHER} c4n4ry"],
            &["--header", "X-Auth: ${} c4n4ry"],
            &["--header", "Host: c4n4ry"],
            &["--header", "X-A: c4n4ry\nX-B: c"],
            &["--transport", "c4n4ry"],
            &["--wait", "c4n4ry"],
            &["--resource", "c4n4ry"],
            &["--ignore-tool", "c4n4ry"],
            &["--c4n4ry"],
            &["c4n4ry"],
            &["1", "c4n4ry"],
        ] {
            let failure = read(&[&[URL], words].concat()).unwrap_err();
            assert!(!failure.to_string().contains("c4n4ry"), "{words:?}: {failure}");
        }
        for url in [
            "http://mcp.example.com/mcp",
            "https://me:c4n4ry@mcp.example.com",
            "c4n4ry",
        ] {
            let failure = read(&[url, "--allow-http"]).unwrap_err();
            assert!(!failure.to_string().contains("c4n4ry"), "{failure}");
        }
        assert!(read(&[]).is_err());
    }
}
