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
    min_valid: Option<u32>,
    engine: &Engine,
    output: &Output,
) -> Result<(), Failure> {
    let request = TokenRequest {
        min_valid_seconds: min_valid,
    };
    let answer: TokenAnswer = engine
        .send_body(Method::Post, &["v1", "connections", name, "token"], &request)
        .map_err(|failure| names::explain(failure, engine, Kind::Connection, name))?;
    if output.is_json() {
        return output.done(&answer, "");
    }
    let mut line = Zeroizing::new(answer.access_token.into_bytes());
    line.push(b'\n');
    write_out(&line)
}
