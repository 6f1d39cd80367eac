//! Prints a generated document: the OpenAPI document, or with `client-metadata` the client id metadata document.

#![allow(clippy::print_stdout)]

use tokenry_contract::{CLIENT_METADATA_URL, client_metadata};

fn main() -> Result<(), serde_json::Error> {
    let text = match std::env::args().nth(1).as_deref() {
        Some("client-metadata") => serde_json::to_string_pretty(&client_metadata(CLIENT_METADATA_URL))?,
        _ => tokenry_api::openapi().to_pretty_json()?,
    };
    println!("{text}");
    Ok(())
}
