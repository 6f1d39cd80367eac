use crate::failure::Failure;
use std::ffi::OsString;
use tokenry_engine::{Asking, VaultChoice};

const HELP: &str = "\
The Tokenry engine with no window. `tokenry serve` starts it.

Usage: tokenry-serve [OPTIONS]

Options:
      --vault <auto|keyring|passphrase>  What opens the vault [default: auto]
      --passphrase-fd <N>                Read the passphrase from file descriptor N, up to the end of its first line
      --approve <ask|never|all>          What is done about what needs a person's consent: ask through
                                         `tokenry approve`, refuse it, or allow all of it [default: ask]
      --loopback                         Open the door on 127.0.0.1, whatever the settings say
      --background                       For the command that starts this engine: write the approval code to
                                         standard output, and end with an error when the vault cannot be opened
                                         without a question
      --stay-locked                      With --background, go on with a vault that is not open
  -h, --help                             Print help
  -V, --version                          Print version
";

/// What to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Print this.
    Say(String),
    /// Be the engine.
    Serve(Arguments),
}

/// How to be the engine.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) vault: VaultChoice,
    pub(crate) passphrase_fd: Option<u32>,
    pub(crate) loopback: bool,
    pub(crate) background: bool,
    pub(crate) stay_locked: bool,
    pub(crate) approve: Asking,
}

/// Reads the arguments. An argument is repeated in an error only when it is one of our own words, since a secret
/// may have been put in the wrong place.
pub(crate) fn parse(given: impl Iterator<Item = OsString>) -> Result<Command, Failure> {
    let mut arguments = Arguments::default();
    let mut given = given.map(|word| {
        word.into_string()
            .map_err(|_| Failure::usage("an argument is not UTF-8"))
    });
    while let Some(word) = given.next().transpose()? {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let mut value = |of: &str| match value.clone() {
            Some(value) => Ok(value),
            None => given
                .next()
                .transpose()?
                .ok_or_else(|| Failure::usage(format!("{of} needs a value"))),
        };
        match name {
            "--vault" => {
                arguments.vault = value(name)?
                    .parse()
                    .map_err(|wrong| Failure::usage(format!("--vault {wrong}")))?;
            }
            "--passphrase-fd" => {
                let number = value(name)?.parse();
                arguments.passphrase_fd = Some(
                    number
                        .map_err(|_| Failure::usage("--passphrase-fd must be a file descriptor, like 0"))?,
                );
            }
            "--approve" => {
                arguments.approve = match value(name)?.as_str() {
                    "ask" => Asking::Possible,
                    "never" => Asking::Never,
                    "all" => Asking::AllowAll,
                    _ => return Err(Failure::usage("--approve must be ask, never or all")),
                };
            }
            "--loopback" if word == name => arguments.loopback = true,
            "--background" if word == name => arguments.background = true,
            "--stay-locked" if word == name => arguments.stay_locked = true,
            "-h" | "--help" => return Ok(Command::Say(HELP.to_owned())),
            "-V" | "--version" => {
                return Ok(Command::Say(format!(
                    "tokenry-serve {}\n",
                    env!("CARGO_PKG_VERSION")
                )));
            }
            _ => {
                return Err(Failure::usage(
                    "there is an argument that tokenry-serve does not know; see --help",
                ));
            }
        }
    }
    if arguments.vault == VaultChoice::Keyring && arguments.passphrase_fd.is_some() {
        return Err(Failure::usage("--passphrase-fd has no use with --vault keyring"));
    }
    Ok(Command::Serve(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

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
                "--stay-locked",
            ][..],
            &[
                "--stay-locked",
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
                background: true,
                stay_locked: true,
                approve: Asking::Never,
            };
            assert_eq!(parsed(words).unwrap(), Command::Serve(expected));
        }
        assert_eq!(parsed(&[]).unwrap(), Command::Serve(Arguments::default()));
    }

    #[test]
    fn what_is_not_known_is_refused_and_not_repeated() {
        for words in [
            &["hunter2"][..],
            &["--passphrase", "hunter2"],
            &["--passphrase=hunter2"],
            &["--vault", "hunter2"],
            &["--passphrase-fd", "hunter2"],
            &["--passphrase-fd", "-1"],
            &["--background=hunter2"],
            &["--approve", "hunter2"],
            &["--loopback=hunter2"],
            &["--vault"],
            &["--vault", "keyring", "--passphrase-fd", "0"],
        ] {
            let failure = parsed(words).unwrap_err();
            assert!(
                failure.is_usage() && !failure.to_string().contains("hunter2"),
                "{words:?}: {failure}"
            );
        }
    }
}
