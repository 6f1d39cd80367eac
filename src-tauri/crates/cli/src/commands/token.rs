//! `tokenry token`: prints an access token.

use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::names::{self, Kind};
use crate::output::{Output, check_out, write_out};
use crate::secret_input;
use crate::token_args::TokenArgs;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokenry_contract::{
    ErrorCode, RejectedAnswer, RejectedOutcome, RejectedToken, TokenAnswer, TokenRequest,
};
use zeroize::Zeroizing;

/// The member that is printed, and one that marks a token response. The others are skipped: each page of code that is
/// not touched makes this command faster.
#[derive(Deserialize)]
struct TokenAlone {
    access_token: String,
    token_type: String,
    id_token: Option<String>,
}

/// Prints the token alone; with `--json`, the whole response.
pub(crate) fn run(args: &TokenArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    if args.rejected {
        check_out()?;
        report(&args.name, engine, output)?;
    }
    print(&args.name, &request(args), engine, output)
}

/// Prints the token that this request brings.
pub(crate) fn print(
    name: &str,
    request: &TokenRequest,
    engine: &Engine,
    output: &Output,
) -> Result<(), Failure> {
    check_out()?;
    if output.is_json() {
        let answer: TokenAnswer = ask(name, request, engine)?;
        return output.done(&answer, "");
    }
    let answer: TokenAlone = ask(name, request, engine)?;
    let is_bound = answer.token_type.eq_ignore_ascii_case("DPoP") && answer.id_token.is_none();
    let access_token = Zeroizing::new(answer.access_token);
    let token = answer.id_token.map(Zeroizing::new).unwrap_or(access_token);
    let mut line = Zeroizing::new(token.as_bytes().to_vec());
    line.push(b'\n');
    write_out(&line)?;
    if is_bound {
        output.say(&format!(
            "This token is bound to a key: send it as `Authorization: DPoP`, each time with a proof from `tokenry dpop {name} METHOD URL`."
        ));
    }
    Ok(())
}

/// Reports the token on standard input as rejected: by its fingerprint, so that the token itself is not sent.
fn report(name: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let token = secret_input::from_stdin("Rejected token")?;
    let token = token.trim();
    if token.is_empty() {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "There was no token on standard input.",
            "Pipe the rejected token to `tokenry token NAME --rejected`.",
        ));
    }
    let outcome = rejected(name, token, engine)
        .map_err(|failure| names::explain(failure, engine, Kind::Connection, name))?;
    output.say(match outcome {
        RejectedOutcome::Refreshed => "Refreshed.",
        RejectedOutcome::SignIn => "Sign in again in the browser.",
        RejectedOutcome::Newer => "This was not the current token.",
    });
    Ok(())
}

/// Reports a token of a connection as rejected.
pub(crate) fn rejected(connection: &str, token: &str, engine: &Engine) -> Result<RejectedOutcome, Failure> {
    let digest = Sha256::digest(token.as_bytes());
    let report = RejectedToken {
        fingerprint: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        challenge: None,
    };
    let segments = ["v1", "connections", connection, "rejected"];
    let answer: RejectedAnswer = engine.send_body(Method::Post, &segments, &report)?;
    Ok(answer.outcome)
}

/// The request that the options describe.
fn request(args: &TokenArgs) -> TokenRequest {
    TokenRequest {
        min_valid_seconds: args.min_valid,
        scope: (!args.scopes.is_empty()).then(|| args.scopes.join(" ")),
        audience: args.audience.clone(),
        resource: args.resource.clone(),
        allow_unknown_target: args.allow_unknown_target.then_some(true),
        id_token: args.id_token.then_some(true),
    }
}

/// Asks for a token of this connection.
pub(crate) fn ask<T: DeserializeOwned>(
    name: &str,
    request: &TokenRequest,
    engine: &Engine,
) -> Result<T, Failure> {
    let segments = ["v1", "connections", name, "token"];
    // Usually there are no options, and no body is written.
    let answer = engine.retrying(|| match *request == TokenRequest::default() {
        true => engine.send(Method::Post, &segments),
        false => engine.send_body(Method::Post, &segments, request),
    });
    answer.map_err(|failure| names::explain(failure, engine, Kind::Connection, name))
}
