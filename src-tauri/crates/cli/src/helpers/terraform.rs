//! `terraform-credentials-tokenry`: the credentials helper of terraform and OpenTofu.

use super::address::is_plain;
use super::served::Use;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::output::write_out;
use serde_json::json;
use tokenry_contract::ErrorCode;
use zeroize::Zeroizing;

/// Runs an operation of terraform, which takes a non-zero exit code for an error and shows standard error.
pub(crate) fn run(
    operation: &str,
    host: &str,
    engine: impl Fn() -> Result<Engine, Failure>,
) -> Result<(), Failure> {
    match operation {
        "get" => get(&address(host)?, &engine()?),
        "store" => Err(refused(
            "Tokenry stores no token of terraform.",
            format!(
                "Run `tokenry bind {} --connection NAME` instead of a login.",
                address(host)?
            ),
        )),
        "forget" => Err(refused(
            "Tokenry stores no token of terraform, so there is nothing to forget.",
            format!(
                "`tokenry bind {} --remove` ends what you bound, `tokenry disconnect NAME` signs out.",
                address(host)?
            ),
        )),
        _ => Err(refused(
            "Unknown operation of a terraform credentials helper.",
            "Terraform uses get, store and forget.",
        )),
    }
}

fn refused(what: &str, next: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::ValidationError, what, next)
}

/// The address of a host, which terraform names with its port only.
fn address(host: &str) -> Result<String, Failure> {
    if host.is_empty() || host.contains('/') || !is_plain(host) {
        return Err(refused(
            "The argument is not a host name.",
            "Terraform gives a host, and maybe a port: app.terraform.io",
        ));
    }
    Ok(format!("https://{host}"))
}

fn get(address: &str, engine: &Engine) -> Result<(), Failure> {
    let Some((_, answer)) = Use::new(address, &["api"]).token(engine)? else {
        return write_out(b"{}\n");
    };
    let line = Zeroizing::new(format!("{}\n", json!({ "token": answer.access_token })));
    write_out(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_maybe_a_port() {
        for (host, expected) in [
            ("app.terraform.io", Some("https://app.terraform.io")),
            ("localhost:8443", Some("https://localhost:8443")),
            ("", None),
            ("a/b", None),
            ("https://a", None),
            ("evil@a", None),
            ("a#b", None),
            ("a?b", None),
            ("a\\b", None),
            ("a\nb", None),
            ("a\rb", None),
            ("a\0b", None),
            ("a b", None),
        ] {
            assert_eq!(address(host).ok().as_deref(), expected, "{host:?}");
        }
    }

    #[test]
    fn what_needs_a_store_and_what_is_unknown_fails_without_an_engine() {
        let engine = || -> Result<Engine, Failure> { panic!("the engine is not needed") };
        for operation in ["store", "forget", "", "GET", "list"] {
            assert!(run(operation, "app.terraform.io", engine).is_err(), "{operation}");
        }
    }
}
