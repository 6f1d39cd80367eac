//! `tokenry curl`: runs curl with the token of a connection, at the addresses that the connection serves and nowhere else.

mod options;

use super::exec::{readable, token};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::helpers::serving;
use crate::token_args::CurlArgs;
use options::addresses;
use rustix::fd::{AsRawFd, IntoRawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use tokenry_contract::{Connection, ErrorCode};
use zeroize::Zeroizing;

/// Replaces this process by curl; returns only when something is wrong.
///
/// curl reads the header from a descriptor of its own, so that the token is no argument and standard input stays free for
/// what is sent. It drops such a header when it is redirected to another host.
pub(crate) fn run(args: &CurlArgs, engine: &Engine) -> Result<(), Failure> {
    let addresses = addresses(&args.arguments).map_err(|wrong| unusable(&wrong))?;
    let connection: Connection = engine.get(&["v1", "connections", &args.connection])?;
    for address in &addresses {
        let found = serving(address, engine)?;
        if !found.iter().any(|one| one.connection_id == connection.id) {
            return Err(not_served(&args.connection, address));
        }
    }
    let token = token(&args.connection, &args.scopes, engine)?;
    let header = Zeroizing::new(format!("Authorization: Bearer {}\n", token.as_str()));
    let descriptor = readable(&header)?;
    let mut command = Command::new("curl");
    command
        // First, or a configuration file could name further addresses and options that print what is sent.
        .arg("-q")
        .args(["-H", &format!("@/dev/fd/{}", descriptor.as_raw_fd())])
        .args(&args.arguments);
    // A proxy that the environment names would read what goes over http, which is for this machine only.
    if addresses.iter().any(|address| is_http(address)) {
        command.args(["--noproxy", "*"]);
    }
    // It stays open until curl has it.
    let _ = descriptor.into_raw_fd();
    let error = command.exec();
    Err(Failure::new(
        ErrorCode::NotFound,
        format!("curl cannot be started: {error}"),
        "Install curl and try again.",
    ))
}

fn is_http(address: &str) -> bool {
    let scheme = address.get(..7);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
}

fn not_served(name: &str, address: &str) -> Failure {
    // Without the path and the query, which may hold a secret.
    let end = address
        .match_indices('/')
        .nth(2)
        .map_or(address.len(), |(at, _)| at);
    let origin = &address[..end];
    Failure::new(
        ErrorCode::PermissionDenied,
        format!("{name} does not serve {origin}, so its token is not sent there"),
        format!("If it should, run: tokenry bind {origin} --connection {name}"),
    )
}

fn unusable(what: &str) -> Failure {
    Failure::new(ErrorCode::ValidationError, what, "See `tokenry curl --help`.")
}
