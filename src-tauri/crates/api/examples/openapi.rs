//! Prints the OpenAPI document.

#![allow(clippy::print_stdout)]

fn main() -> Result<(), serde_json::Error> {
    println!("{}", tokenry_api::openapi().to_pretty_json()?);
    Ok(())
}
