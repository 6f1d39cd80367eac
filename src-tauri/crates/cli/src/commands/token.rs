use crate::args::TokenArgs;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::names::{self, Kind};
use crate::output::{Output, write_out};
use tokenry_contract::{TokenAnswer, TokenRequest};
use zeroize::Zeroizing;

/// Prints the token alone; with `--json`, the whole answer.
pub(crate) fn run(
    name: &str,
    request: &TokenRequest,
    engine: &Engine,
    output: &Output,
) -> Result<(), Failure> {
    let answer: TokenAnswer = engine
        .send_body(Method::Post, &["v1", "connections", name, "token"], request)
        .map_err(|failure| names::explain(failure, engine, Kind::Connection, name))?;
    if output.is_json() {
        return output.done(&answer, "");
    }
    let mut line = Zeroizing::new(answer.access_token.into_bytes());
    line.push(b'\n');
    write_out(&line)
}

/// What the flags ask for.
pub(crate) fn request(args: &TokenArgs) -> TokenRequest {
    TokenRequest {
        min_valid_seconds: args.min_valid,
        scope: (!args.scopes.is_empty()).then(|| args.scopes.join(" ")),
        audience: args.audience.clone(),
        resource: args.resource.clone(),
    }
}
