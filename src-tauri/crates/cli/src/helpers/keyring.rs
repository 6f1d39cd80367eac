//! `keyring`: what pip, uv and other programs run for the password of a package index.

use super::address::plain;
use super::served::Use;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::output::{check_out, write_out};
use clap::{Args, ValueEnum};
use tokenry_contract::ErrorCode;
use zeroize::Zeroizing;

/// Any name is good where the index looks at the token alone.
const ANY_USER_NAME: &str = "oauth2";

#[derive(Args)]
pub(crate) struct KeyringArgs {
    /// get
    operation: String,
    /// The address of a package index
    service: Option<String>,
    /// A user name, which tells accounts apart
    user: Option<String>,
    /// What to print: the token, or a line with a user name before it
    #[arg(long, value_enum, default_value_t = Mode::Password)]
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    Password,
    Creds,
}

/// Prints a token. Where no connection serves the address, it ends with exit code 1 and says nothing, as such a program
/// does without a password.
pub(crate) fn run(args: &KeyringArgs, engine: impl Fn() -> Result<Engine, Failure>) -> Result<(), Failure> {
    if args.operation != "get" {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "Tokenry answers `get` alone in place of a keyring: it stores no password for other programs.",
            "Answer \"no\" if your program offers to save a password.",
        ));
    }
    check_out()?;
    let service = args.service.as_deref().and_then(plain);
    let address = service.ok_or_else(Failure::nothing_found)?;
    let engine = engine()?;
    let index = Use {
        user: args.user.as_deref(),
        ..Use::new(&address, &["package"])
    };
    let (serving, answer) = index.token(&engine)?.ok_or_else(Failure::nothing_found)?;
    let token = Zeroizing::new(answer.access_token);
    let user = serving.user_names.get("package").or(args.user.as_ref());
    let user = user.map_or(ANY_USER_NAME, String::as_str);
    write_out(printed(args.mode, user, &token)?.as_bytes())
}

fn printed(mode: Mode, user: &str, token: &str) -> Result<Zeroizing<String>, Failure> {
    if user.contains(|c: char| c.is_control()) {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "The user name holds a control character, and cannot be printed in a line.",
            "Correct it in the address of the package index.",
        ));
    }
    let mut text = Zeroizing::new(String::with_capacity(user.len() + token.len() + 2));
    if mode == Mode::Creds {
        *text += user;
        *text += "\n";
    }
    *text += token;
    *text += "\n";
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: KeyringArgs,
    }

    fn read(line: &str) -> KeyringArgs {
        Line::try_parse_from(line.split(' '))
            .unwrap_or_else(|error| panic!("{line}: {error}"))
            .args
    }

    #[test]
    fn the_option_may_stand_before_and_after_the_operation() {
        for line in [
            "keyring get https://a.example/simple/ --mode creds",
            "keyring --mode creds get https://a.example/simple/",
        ] {
            let args = read(line);
            assert_eq!(
                (args.mode, args.operation.as_str()),
                (Mode::Creds, "get"),
                "{line}"
            );
            assert_eq!(args.service.as_deref(), Some("https://a.example/simple/"));
        }
        let args = read("keyring get a.example me");
        assert_eq!((args.mode, args.user.as_deref()), (Mode::Password, Some("me")));
    }

    #[test]
    fn the_user_name_is_a_line_before_the_token_and_cannot_be_two() {
        assert_eq!(printed(Mode::Password, "me", "t").unwrap().as_str(), "t\n");
        assert_eq!(printed(Mode::Creds, "me", "t").unwrap().as_str(), "me\nt\n");
        for user in ["a\nb", "a\rb", "a\u{0}b", "\u{1b}[2J"] {
            assert!(printed(Mode::Creds, user, "t").is_err(), "{user:?}");
        }
    }

    #[test]
    fn nothing_is_stored_or_deleted_and_no_engine_is_asked() {
        for line in [
            "keyring set a.example me",
            "keyring del a.example me",
            "keyring diagnose",
        ] {
            let result = run(&read(line), || panic!("no engine is needed"));
            assert_eq!(result.unwrap_err().exit_code(), 10, "{line}");
        }
    }

    #[test]
    fn a_service_that_is_no_address_has_no_password() {
        for service in ["file:///x", "https://a\\@b", "https://"] {
            let args = KeyringArgs {
                service: Some(service.to_owned()),
                ..read("keyring get x me")
            };
            let failure = run(&args, || panic!("no engine is needed")).unwrap_err();
            assert!(failure.is_silent() && failure.exit_code() == 1, "{service}");
        }
    }
}
