//! `tokenry provider add ADDRESS`: a provider, or an MCP server, by its address.

use super::provider_fields::wrong;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::output::Output;
use crate::provider_args::AddArgs;

/// Whether the argument is an address, and not the name of a preset.
pub(super) fn is_address(what: &str) -> bool {
    what.contains("://") || what.contains('.') || what.contains(':') || what == "localhost"
}

/// Adds the provider at this address.
pub(super) fn add(
    _address: &str,
    _args: &AddArgs,
    _engine: &Engine,
    _output: &Output,
) -> Result<(), Failure> {
    Err(wrong(
        "Tokenry cannot look up a provider by its address yet",
        "Name a preset (`tokenry catalog list`), or give the endpoints as options: `tokenry provider add --help`.",
    ))
}
