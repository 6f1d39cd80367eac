//! Errors of the command line. An argument in the wrong position may be a secret, so no error repeats a value.

use crate::args::Cli;
use clap::Parser;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use std::ffi::OsString;

/// Replaces a value in an error.
const HIDDEN: &str = "(not shown)";

/// Reads the command line. Help, and an error, are printed and end the program.
pub(crate) fn parsed(arguments: Vec<OsString>) -> Cli {
    Cli::try_parse_from(arguments).unwrap_or_else(|error| without_values(error).exit())
}

fn without_values(mut error: Error) -> Error {
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidSubcommand] {
        if matches!(error.get(kind), Some(ContextValue::String(value)) if !value.is_empty()) {
            error.insert(kind, ContextValue::String(HIDDEN.to_owned()));
        }
    }
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg)
    {
        let shown = option_name(typed).unwrap_or(HIDDEN).to_owned();
        error.insert(ContextKind::InvalidArg, ContextValue::String(shown));
        // One of the tips would repeat the argument.
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(Vec::new()));
    }
    error
}

/// The name of a long option, without its value.
fn option_name(typed: &str) -> Option<&str> {
    let name = typed.split('=').next().unwrap_or(typed);
    let letters = name.strip_prefix("--")?;
    let is_plain = |b: u8| b.is_ascii_lowercase() || b == b'-';
    (letters.len() <= 40 && letters.bytes().all(is_plain)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(arguments: &[&str]) -> String {
        let all = std::iter::once("tokenry").chain(arguments.iter().copied());
        let error = Cli::try_parse_from(all).err().unwrap();
        without_values(error).to_string()
    }

    #[test]
    fn no_error_of_the_command_line_repeats_a_value() {
        const SECRET: &str = "S3cr3t.c4n4ry";
        let with = |before: &str| format!("{before}{SECRET}");
        let cases: [(&[&str], &str); 20] = [
            (
                &["credential", "add", "x", "--type", "raw", "--field", &with("a=")],
                "never given as an argument",
            ),
            (
                &["credential", "edit", "x", "--field", SECRET],
                "never given as an argument",
            ),
            (
                &["credential", "add", "x", "--type", SECRET],
                "possible values: default, raw",
            ),
            (
                &["credential", "add", "x", "--type", "raw", SECRET],
                "unexpected argument",
            ),
            (
                &["credential", "add", "x", "--type", "raw", &with("--value=")],
                "'--value'",
            ),
            (
                &["credential", "add", "x", "--type", "raw", &with("-p")],
                "unexpected argument",
            ),
            (&["credential", SECRET], "unrecognized subcommand"),
            (&[SECRET], "unrecognized subcommand"),
            (&["unlock", SECRET], "unexpected argument"),
            (&["unlock", "--passphrase-fd", SECRET], "--passphrase-fd"),
            (&["unlock", &with("--passphrase=")], "'--passphrase'"),
            (&["approve", "--code-fd", SECRET], "--code-fd"),
            (&["approve", "q", "--decision", SECRET], "expected one of"),
            (
                &["provider", "add", "--client-secret-fd", SECRET],
                "--client-secret-fd",
            ),
            (
                &["provider", "add", &with("--client-secret-stdin=")],
                "--client-secret-stdin",
            ),
            (&["provider", "add", &with("--client-secret=")], "--client-secret"),
            (
                &["provider", "add", "--set", &with("use_pkce=")],
                "expected true or false",
            ),
            (&["provider", "add", "--set", SECRET], "no `=`"),
            (
                &["app", "grant", "x", "--scope", "s", "--until", SECRET],
                "2027-01-31",
            ),
            (&["events", "--limit", SECRET], "--limit"),
        ];
        for (arguments, says) in cases {
            let text = told(arguments);
            assert!(!text.contains("c4n4ry") && text.contains(says), "{text}");
        }
    }

    #[test]
    fn a_slip_in_an_option_is_still_told_with_the_one_that_was_meant() {
        let text = told(&["provider", "add", "--client-sekret-stdin"]);
        assert!(
            text.contains("'--client-sekret-stdin'") && text.contains("'--client-secret-stdin'"),
            "{text}"
        );
        assert!(told(&["conect", "x"]).contains("'connect'"));
    }
}
