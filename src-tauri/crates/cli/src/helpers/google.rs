//! `tokenry google-credential`: an external account of Google whose subject token a program gives ("executable-sourced").

use super::id_token::{WebToken, web_token};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::output::{check_out, write_out};
use clap::Args;
use rustix::fs::fstat;
use serde_json::json;
use std::io::{IsTerminal, stderr, stdout};
use tokenry_contract::ErrorCode;
use zeroize::Zeroizing;

const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

#[derive(Args)]
pub(crate) struct GoogleArgs {
    /// The connection whose ID token Google gets
    #[arg(long, value_name = "NAME")]
    connection: String,
    /// Give the access token instead, where it is a JSON Web Token
    #[arg(long)]
    access_token: bool,
}

/// Prints the response that Google's libraries read: also of a failure, which they show to their user only in this form
/// and with exit code 0.
pub(crate) fn run(args: &GoogleArgs, engine: impl Fn() -> Result<Engine, Failure>) -> Result<(), Failure> {
    let variable = |name: &str| std::env::var(format!("GOOGLE_EXTERNAL_ACCOUNT_{name}")).ok();
    let is_set = |name: &str| variable(name).is_some_and(|value| value == "1");
    if is_set("INTERACTIVE") || is_set("REVOKE") {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "Google's interactive mode takes tokens from a file, and Tokenry writes no token to a file.",
            "Leave `interactive_timeout_millis` out of the credential configuration: Tokenry asks by itself.",
        ));
    }
    check_out()?;
    keep_apart();
    let asked = variable("TOKEN_TYPE");
    let answered = token_type(asked.as_deref()).and_then(|kind| {
        let token = web_token(&args.connection, args.access_token, &engine()?)?;
        Ok(response(kind, &token))
    });
    let text = answered.unwrap_or_else(|failure| Zeroizing::new(refusal(&failure)));
    write_out(text.as_bytes())
}

/// Google's library for Python reads standard error as part of the response, which a message would spoil.
fn keep_apart() {
    let (Ok(out), Ok(err)) = (fstat(stdout()), fstat(stderr())) else {
        return;
    };
    let is_one = (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino);
    if is_one
        && !stderr().is_terminal()
        && let Ok(null) = std::fs::File::options().write(true).open("/dev/null")
    {
        let _ = rustix::stdio::dup2_stderr(&null);
    }
}

/// The token type to name in the response: the one that the configuration names.
fn token_type(asked: Option<&str>) -> Result<&'static str, Failure> {
    match asked {
        None | Some("" | ID_TOKEN) => Ok(ID_TOKEN),
        Some(JWT) => Ok(JWT),
        Some(_) => Err(Failure::new(
            ErrorCode::ValidationError,
            "The credential configuration asks for a type of token that Tokenry has not.",
            format!("Set `subject_token_type` to {ID_TOKEN} or {JWT}."),
        )),
    }
}

fn response(kind: &str, token: &WebToken) -> Zeroizing<String> {
    // The token is base64url with dots: it needs no escape.
    let end = token.ends_at.map(|end| format!(",\"expiration_time\":{end}"));
    Zeroizing::new(format!(
        "{{\"version\":1,\"success\":true,\"token_type\":\"{kind}\",\"id_token\":\"{}\"{}}}\n",
        token.text.as_str(),
        end.unwrap_or_default()
    ))
}

fn refusal(failure: &Failure) -> String {
    let code = failure.code().map_or("no_engine", ErrorCode::slug);
    let refusal = json!({"version": 1, "success": false, "code": code, "message": failure.line()});
    format!("{refusal}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn told(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_response_names_the_type_that_was_asked_for_and_the_end() {
        let mut token = WebToken {
            text: Zeroizing::new("e30.e30.c2ln".to_owned()),
            ends_at: Some(1_800_000_000),
        };
        let kind = token_type(Some(JWT)).unwrap();
        assert_eq!(
            told(&response(kind, &token)),
            json!({"version": 1, "success": true, "token_type": JWT, "id_token": "e30.e30.c2ln",
                "expiration_time": 1_800_000_000})
        );
        token.ends_at = None;
        let answer = told(&response(token_type(None).unwrap(), &token));
        assert_eq!(
            (&answer["token_type"], &answer["expiration_time"]),
            (&json!(ID_TOKEN), &Value::Null)
        );
    }

    #[test]
    fn an_unknown_token_type_is_refused_in_googles_form_and_not_repeated() {
        for asked in ["urn:ietf:params:oauth:token-type:saml2", "S3cr3t", "\u{0}\r\n"] {
            let answer = told(&refusal(&token_type(Some(asked)).unwrap_err()));
            assert_eq!(
                (&answer["version"], &answer["success"]),
                (&json!(1), &json!(false))
            );
            assert_eq!(answer["code"], "validation_error");
            assert!(!answer.to_string().contains(asked), "{answer}");
        }
    }

    #[test]
    fn a_failure_without_an_engine_says_so_in_googles_form() {
        let answer = told(&refusal(&Failure::no_engine("None\nruns.", "Start one.")));
        assert_eq!(answer["code"], "no_engine");
        assert_eq!(answer["message"], "None runs. Start one.");
    }
}
