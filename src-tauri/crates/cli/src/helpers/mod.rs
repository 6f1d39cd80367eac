//! Tokenry as a helper of other programs: one file for each. Such a program runs `tokenry` and says what it needs in its
//! own format. An error goes to standard error, without what was read, and the program goes on without a token.

pub(crate) mod git;

use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::{Method, Request, encoded, path};
use std::io::Read;
use tokenry_contract::{ErrorCode, ServingConnection};

/// The longest request that is read.
const MAX_REQUEST_BYTES: u64 = 64 * 1024;

/// The whole of standard input.
fn request() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let mut input = std::io::stdin().lock().take(MAX_REQUEST_BYTES + 1);
    let read = input
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error.to_string()));
    read?;
    if bytes.len() as u64 > MAX_REQUEST_BYTES {
        return Err(unreadable("it is longer than 64 KiB"));
    }
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8"))
}

fn unreadable(why: &str) -> Failure {
    Failure::new(
        ErrorCode::ValidationError,
        format!("The request on standard input cannot be read: {why}."),
        "Other programs run this command; you need not.",
    )
}

/// The connections that serve an address.
pub(crate) fn serving(address: &str, engine: &Engine) -> Result<Vec<ServingConnection>, Failure> {
    let target = format!("{}?url={}", path(&["v1", "resolve"]), encoded(address));
    engine.ask(&Request::new(Method::Get, target))
}
