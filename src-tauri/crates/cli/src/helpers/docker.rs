//! `docker-credential-tokenry`: the credential helper of docker, podman and skopeo (docker/docker-credential-helpers).

use super::address::is_plain;
use super::served::{ANY_USER_NAME, Use, serving};
use super::{request, unreadable};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::output::{Output, write_out};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use tokenry_contract::{Connection, ErrorCode, ServingConnection};
use zeroize::Zeroizing;

/// The clients compare these texts.
const NOT_FOUND: &str = "credentials not found in native keychain";
const NO_ADDRESS: &str = "no credentials server URL";

/// Runs an operation of docker. Its clients show the error that is on standard output.
pub(crate) fn run(
    operation: &str,
    engine: impl Fn() -> Result<Engine, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    let done = match operation {
        "get" => server_url().and_then(|server| get(&server, &engine()?)),
        "store" => stored_url().and_then(|server| store(&server, &engine()?, output)),
        "erase" => server_url().map(|server| erase(&server, output)),
        "list" => engine().and_then(|engine| list(&engine)),
        "version" => tell(concat!(
            "docker-credential-tokenry (tokenry) ",
            env!("CARGO_PKG_VERSION")
        )),
        _ => Err(Failure::new(
            ErrorCode::ValidationError,
            "Unknown operation of a docker credential helper.",
            "Docker uses get, store, erase, list and version.",
        )),
    };
    done.or_else(|failure| {
        if !failure.is_silent() {
            tell(&failure.line())?;
        }
        Err(failure.told())
    })
}

fn tell(text: &str) -> Result<(), Failure> {
    write_out(format!("{text}\n").as_bytes())
}

/// Ends with exit code 1, and a text that the client compares.
fn ended(text: &str) -> Failure {
    tell(text).err().unwrap_or_else(Failure::problem_found)
}

/// The server URL on standard input.
fn server_url() -> Result<String, Failure> {
    checked(&Zeroizing::new(request()?))
}

/// The same of a credential to store. Its other values are not read.
fn stored_url() -> Result<String, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Credential {
        #[serde(rename = "ServerURL")]
        server_url: String,
    }
    let text = Zeroizing::new(request()?);
    let credential: Result<Credential, _> = serde_json::from_str(&text);
    // An error of serde_json could quote the password.
    let credential = credential.map_err(|_| unreadable("it is not a credential as docker writes it"))?;
    checked(&credential.server_url)
}

fn checked(text: &str) -> Result<String, Failure> {
    let server = text.trim_ascii();
    if server.is_empty() {
        return Err(ended(NO_ADDRESS));
    }
    if !is_plain(server) {
        return Err(unreadable("it is not a server URL as docker writes it"));
    }
    Ok(server.to_owned())
}

/// The addresses that a server URL can mean. Docker leaves the scheme out, and uses http on this machine only.
fn addresses(server: &str) -> Vec<String> {
    if server.contains("://") {
        return vec![server.to_owned()];
    }
    let mut addresses = vec![format!("https://{server}")];
    if is_loopback(server) {
        addresses.push(format!("http://{server}"));
    }
    addresses
}

fn is_loopback(server: &str) -> bool {
    let authority = server.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
        || host.parse().is_ok_and(|address: Ipv6Addr| address.is_loopback())
}

/// What is found for the first of the server's addresses that a connection serves.
fn first<T>(
    server: &str,
    find: impl Fn(Use<'_>) -> Result<Option<T>, Failure>,
) -> Result<Option<T>, Failure> {
    for address in addresses(server) {
        let found = find(Use::new(&address, &["registry"]))?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn user_name(serving: &ServingConnection) -> &str {
    let own = serving.user_names.get("registry");
    own.map_or(ANY_USER_NAME, String::as_str)
}

/// What docker reads.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credential<'a> {
    #[serde(rename = "ServerURL")]
    server_url: &'a str,
    username: &'a str,
    secret: &'a str,
}

fn get(server: &str, engine: &Engine) -> Result<(), Failure> {
    let Some((serving, answer)) = first(server, |registry| registry.token(engine))? else {
        return Err(ended(NOT_FOUND));
    };
    let credential = Credential {
        server_url: server,
        username: user_name(&serving),
        secret: &answer.access_token,
    };
    let line = serde_json::to_vec(&credential).map_err(Failure::invalid_response)?;
    write_out(&Zeroizing::new(line))
}

/// Nothing is stored. `docker login` stores what it got from here, too, so that is no error; a password for another
/// registry would be lost, and that is one.
fn store(server: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let Some(serving) = first(server, |registry| registry.connection(engine))? else {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            format!("Tokenry stores no password for {server}, and no connection serves it."),
            format!(
                "Run `tokenry bind {server} --connection NAME`, or choose another credential helper for it."
            ),
        ));
    };
    output.say(&format!(
        "Nothing was stored: Tokenry gives tokens of {} for {server}.",
        serving.connection_name
    ));
    Ok(())
}

/// Only a logout erases, and it names no token. Nothing is stored here, and a refresh would end no access.
fn erase(server: &str, output: &Output) {
    // A logout erases the same registry with each scheme, too.
    if !server.contains("://") {
        output.say(&format!(
            "Tokenry stores no password for {server}. `tokenry bind {server} --remove` ends what you bound, `tokenry \
             disconnect NAME` signs out."
        ));
    }
}

/// The bound hosts, with their user names. A binding with a path is for git or an API, and docker would get each.
fn list(engine: &Engine) -> Result<(), Failure> {
    let connections: Vec<Connection> = engine.get(&["v1", "connections"])?;
    let mut users = BTreeMap::new();
    for address in connections.iter().flat_map(|connection| &connection.bindings) {
        let Some(host) = whole_host(address) else {
            continue;
        };
        let found = serving(address, engine)?;
        let user = found.first().map_or(ANY_USER_NAME, user_name);
        users.insert(host.to_owned(), user.to_owned());
    }
    let mut line = serde_json::to_vec(&users).map_err(Failure::invalid_response)?;
    line.push(b'\n');
    write_out(&line)
}

/// The host and port of an address without a path.
fn whole_host(address: &str) -> Option<&str> {
    let (_, host) = address.split_once("://")?;
    let host = host.strip_suffix('/').unwrap_or(host);
    (!host.contains('/')).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_url_means_https_and_on_this_machine_http_too() {
        for (server, expected) in [
            ("ghcr.io", vec!["https://ghcr.io"]),
            ("https://index.docker.io/v1/", vec!["https://index.docker.io/v1/"]),
            ("r.example:5000/team", vec!["https://r.example:5000/team"]),
            (
                "localhost:5000",
                vec!["https://localhost:5000", "http://localhost:5000"],
            ),
            ("127.0.0.1", vec!["https://127.0.0.1", "http://127.0.0.1"]),
            ("[::1]:5000", vec!["https://[::1]:5000", "http://[::1]:5000"]),
            ("localhost.example", vec!["https://localhost.example"]),
            ("127.0.0.1.example", vec!["https://127.0.0.1.example"]),
            ("r.example/127.0.0.1", vec!["https://r.example/127.0.0.1"]),
        ] {
            assert_eq!(addresses(server), expected, "{server}");
        }
    }

    #[test]
    fn a_server_url_that_could_mean_another_host_is_refused() {
        assert_eq!(checked("ghcr.io\n").ok().as_deref(), Some("ghcr.io"));
        for text in [
            "ghcr.io\nevil.example",
            "ghcr.io\revil.example",
            "ghcr.io\0",
            "ghcr.io evil.example",
            "evil.example@ghcr.io",
            "ghcr.io\\evil.example",
            "ghcr.io#evil.example",
            "ghcr.io?x",
            "ghcr.io\u{2028}x",
        ] {
            assert!(checked(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_a_binding_of_a_whole_host_is_listed() {
        for (address, host) in [
            ("https://ghcr.io", Some("ghcr.io")),
            ("http://127.0.0.1:5000/", Some("127.0.0.1:5000")),
            ("https://github.com/acme", None),
            ("ghcr.io", None),
        ] {
            assert_eq!(whole_host(address), host, "{address}");
        }
    }
}
