//! The command line of `tokenry-serve`, which is also that of `tokenry serve`.

use crate::failure::Failure;
use lexopt::{Arg, Error, Parser, ValueExt};
use std::ffi::OsString;
use tokenry_contract::closest;
use tokenry_engine::{ConsentMode, VaultChoice};

const HELP: &str = "\
The Tokenry engine without a window. `tokenry serve` runs this program with the same options.

Usage: tokenry serve [OPTIONS]
       tokenry-serve [OPTIONS]

Options:
      --vault <auto|keyring|passphrase>  How to unlock the vault [default: auto]
      --passphrase-fd <N>                Read the passphrase from file descriptor N (0 is standard input), up to the
                                         end of its first line
      --approve <ask|never|all>          Requests that need the user's consent: prompt through `tokenry approve`,
                                         deny, or allow all [default: ask]
      --loopback                         Enable the HTTP API on 127.0.0.1, whatever the settings say. The file
                                         `loopback.json` in the profile holds its port and token
      --deep-links                       Let links with our scheme (io.github.tokenry:) open `tokenry`, for providers
                                         whose redirect is a deep link. The desktop app registers itself when it starts
      --background                       Used by commands that start an engine: write the approval code to standard
                                         output, and exit with an error when unlocking the vault needs a prompt
      --stay-locked                      With --background, keep running while the vault is locked
  -h, --help                             Print help
  -V, --version                          Print version
";

/// The long options, for suggestions.
const OPTIONS: [&str; 9] = [
    "vault",
    "passphrase-fd",
    "approve",
    "loopback",
    "deep-links",
    "background",
    "stay-locked",
    "help",
    "version",
];

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Print this text.
    Print(String),
    /// Run the engine.
    Serve(Arguments),
}

/// How to run the engine.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) vault: VaultChoice,
    pub(crate) passphrase_fd: Option<u32>,
    pub(crate) loopback: bool,
    pub(crate) deep_links: bool,
    pub(crate) background: bool,
    pub(crate) stay_locked: bool,
    pub(crate) approve: ConsentMode,
}

/// Reads the arguments, without the program's name. An error quotes no argument, since a secret may be in the wrong
/// position.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Command, Failure> {
    let mut parser = Parser::from_args(arguments);
    let mut parsed = Arguments::default();
    while let Some(argument) = parser.next().map_err(invalid)? {
        match argument {
            Arg::Long("vault") => {
                parsed.vault = value(&mut parser)?
                    .parse()
                    .map_err(|wrong| Failure::usage(format!("--vault {wrong}")))?;
            }
            Arg::Long("passphrase-fd") => {
                let number = value(&mut parser)?.parse();
                parsed.passphrase_fd = Some(
                    number
                        .map_err(|_| Failure::usage("--passphrase-fd must be a file descriptor, like 0"))?,
                );
            }
            Arg::Long("approve") => {
                parsed.approve = match value(&mut parser)?.as_str() {
                    "ask" => ConsentMode::Possible,
                    "never" => ConsentMode::Never,
                    "all" => ConsentMode::AllowAll,
                    _ => return Err(Failure::usage("--approve must be ask, never or all")),
                };
            }
            Arg::Long("loopback") => parsed.loopback = true,
            Arg::Long("deep-links") => parsed.deep_links = true,
            Arg::Long("background") => parsed.background = true,
            Arg::Long("stay-locked") => parsed.stay_locked = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Print(HELP.to_owned())),
            Arg::Short('V') | Arg::Long("version") => {
                let version = concat!("tokenry-serve ", env!("CARGO_PKG_VERSION"), "\n");
                return Ok(Command::Print(version.to_owned()));
            }
            Arg::Long(name) => return Err(unknown_option(name)),
            Arg::Short(_) => return Err(Failure::usage("unknown option; see --help")),
            Arg::Value(_) => {
                return Err(Failure::usage(
                    "unexpected argument: there are only options; see --help",
                ));
            }
        }
    }
    if parsed.vault == VaultChoice::Keyring && parsed.passphrase_fd.is_some() {
        return Err(Failure::usage(
            "--passphrase-fd cannot be used with --vault keyring",
        ));
    }
    Ok(Command::Serve(parsed))
}

fn value(parser: &mut Parser) -> Result<String, Failure> {
    parser.value().and_then(ValueExt::string).map_err(invalid)
}

/// The errors of lexopt, without the values that they quote.
fn invalid(error: Error) -> Failure {
    match error {
        Error::MissingValue { option: Some(option) } => Failure::usage(format!("{option} needs a value")),
        Error::UnexpectedValue { .. } => Failure::usage("an option that takes no value has one; see --help"),
        Error::NonUnicodeValue(_) => Failure::usage("an argument is not UTF-8"),
        _ => Failure::usage("invalid arguments; see --help"),
    }
}

fn unknown_option(typed: &str) -> Failure {
    match closest(typed, OPTIONS).first() {
        Some(option) => Failure::usage(format!("unknown option; did you mean --{option}? See --help")),
        None => Failure::usage("unknown option; see --help"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn parsed(words: &[&str]) -> Result<Command, Failure> {
        parse(words.iter().map(OsString::from))
    }

    #[test]
    fn values_follow_their_option_or_an_equals_sign() {
        for words in [
            &[
                "--vault",
                "passphrase",
                "--passphrase-fd",
                "3",
                "--background",
                "--approve=never",
                "--loopback",
                "--deep-links",
                "--stay-locked",
            ][..],
            &[
                "--stay-locked",
                "--deep-links",
                "--loopback",
                "--background",
                "--approve",
                "never",
                "--passphrase-fd=3",
                "--vault=passphrase",
            ],
        ] {
            let expected = Arguments {
                vault: VaultChoice::Passphrase,
                passphrase_fd: Some(3),
                loopback: true,
                deep_links: true,
                background: true,
                stay_locked: true,
                approve: ConsentMode::Never,
            };
            assert_eq!(parsed(words).unwrap(), Command::Serve(expected));
        }
        assert_eq!(parsed(&[]).unwrap(), Command::Serve(Arguments::default()));
    }

    #[test]
    fn an_invalid_argument_is_refused_and_not_repeated() {
        for (words, says) in [
            (&["hunter2"][..], "only options"),
            (&["--passphrase", "hunter2"], "did you mean --passphrase-fd"),
            (&["--passphrase=hunter2"], "did you mean --passphrase-fd"),
            (&["--hunter2"], "unknown option; see --help"),
            (&["-phunter2"], "unknown option; see --help"),
            (
                &["--vault", "hunter2"],
                "--vault must be auto, keyring or passphrase",
            ),
            (&["--vault="], "--vault must be auto, keyring or passphrase"),
            (&["--valt", "hunter2"], "did you mean --vault"),
            (
                &["--passphrase-fd", "hunter2"],
                "--passphrase-fd must be a file descriptor",
            ),
            (
                &["--passphrase-fd", "-1"],
                "--passphrase-fd must be a file descriptor",
            ),
            (
                &["--passphrase-fd", "--loopback"],
                "--passphrase-fd must be a file descriptor",
            ),
            (&["--background=hunter2"], "takes no value"),
            (&["--loopback=hunter2"], "takes no value"),
            (&["--approve", "hunter2"], "--approve must be ask, never or all"),
            (&["--vault"], "--vault needs a value"),
            (&["--", "hunter2"], "only options"),
            (
                &["--vault", "keyring", "--passphrase-fd", "0"],
                "cannot be used with",
            ),
        ] {
            let failure = parsed(words).unwrap_err();
            let text = failure.to_string();
            assert!(
                failure.is_usage() && !text.contains("hunter2") && text.contains(says),
                "{words:?}: {failure}"
            );
        }
    }

    #[test]
    fn an_argument_that_is_not_utf_8_is_refused_wherever_it_stands() {
        let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        for words in [
            vec![bytes(b"--vault"), bytes(b"\xff")],
            vec![bytes(b"--vault=\xff")],
            vec![bytes(b"--\xff")],
            vec![bytes(b"\xff")],
        ] {
            let failure = parse(words.clone().into_iter()).unwrap_err();
            assert!(failure.is_usage(), "{words:?}: {failure}");
        }
    }

    #[test]
    fn every_option_is_in_the_help_and_can_be_suggested() {
        let in_help: Vec<&str> = HELP
            .lines()
            .filter_map(|line| {
                line.split_once("--")
                    .filter(|(before, _)| before.trim().len() <= 3)
            })
            .filter_map(|(_, rest)| rest.split([' ', '=']).next())
            .collect();
        assert_eq!(in_help, OPTIONS);
        for option in OPTIONS {
            let short = &option[1..];
            let failure = unknown_option(short).to_string();
            assert!(failure.contains(&format!("--{option}?")), "{short}: {failure}");
        }
    }
}
