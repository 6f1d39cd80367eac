//! The command line arguments, which are read before GTK starts.

use lexopt::{Arg, Parser};
use std::ffi::OsString;
use std::process::ExitCode;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// Start, with a deep link if one was opened, and without a window if `hidden`.
    Start { link: Option<String>, hidden: bool },
    /// Print this and exit.
    Print(String),
}

const HELP: &str = "tokenry-desktop: the Tokenry window

Usage: tokenry-desktop [--hidden] [LINK]

  --hidden   start in the tray, without a window
  LINK       a deep link that begins with io.github.tokenry: (passed by the system)

The command line program is `tokenry`.";

/// Reads the arguments, without the program's name. No error repeats a link, which holds a code.
pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Arguments, String> {
    let mut parser = Parser::from_args(arguments);
    let (mut link, mut hidden) = (None, false);
    while let Some(argument) = parser
        .next()
        .map_err(|_| "an option does not take a value; see --help")?
    {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Arguments::Print(HELP.to_owned())),
            Arg::Short('V') | Arg::Long("version") => {
                let version = concat!("tokenry-desktop ", env!("CARGO_PKG_VERSION"));
                return Ok(Arguments::Print(version.to_owned()));
            }
            Arg::Long("hidden") => hidden = true,
            Arg::Long(name) => return Err(format!("unknown option --{name}; see --help")),
            Arg::Short(name) => return Err(format!("unknown option -{name}; see --help")),
            Arg::Value(_) if link.is_some() => return Err("more than one link; see --help".to_owned()),
            // Only the engine checks links, as raw text.
            Arg::Value(text) => {
                let text = text.into_string();
                link = Some(text.map_err(|_| "the link is not UTF-8; see --help")?);
            }
        }
    }
    Ok(Arguments::Start { link, hidden })
}

/// Environment variables of the web engine that let another program control or inspect the window.
#[cfg(not(feature = "automation"))]
const AUTOMATION: [&str; 4] = [
    "TAURI_WEBVIEW_AUTOMATION",
    "WEBKIT_INSPECTOR_SERVER",
    "WEBKIT_INSPECTOR_HTTP_SERVER",
    "TAURI_AUTOMATION",
];

/// Starts this program again without these variables, if one is set. Removing them from the environment of the running
/// process would not be safe, because other threads may read it.
#[cfg(all(unix, not(feature = "automation")))]
pub(crate) fn without_automation() -> Option<ExitCode> {
    use std::os::unix::process::CommandExt;
    if AUTOMATION.iter().all(|name| std::env::var_os(name).is_none()) {
        return None;
    }
    let Ok(program) = std::env::current_exe() else {
        return Some(ExitCode::FAILURE);
    };
    let mut again = std::process::Command::new(program);
    again.args(std::env::args_os().skip(1));
    for name in AUTOMATION {
        again.env_remove(name);
    }
    let _failed = again.exec();
    Some(ExitCode::FAILURE)
}

#[cfg(any(not(unix), feature = "automation"))]
pub(crate) fn without_automation() -> Option<ExitCode> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(list: &[&str]) -> Result<Arguments, String> {
        read(list.iter().map(OsString::from))
    }

    #[test]
    fn a_link_is_passed_unchanged_and_an_unknown_option_is_named() {
        let link = "io.github.tokenry:/cb/x?code=1&state=2";
        assert_eq!(
            args(&[link]),
            Ok(Arguments::Start {
                link: Some(link.to_owned()),
                hidden: false
            })
        );
        assert_eq!(
            args(&["--hidden"]),
            Ok(Arguments::Start {
                link: None,
                hidden: true
            })
        );
        assert!(args(&["--hiden"]).unwrap_err().contains("--hiden"));
        assert!(args(&["-x"]).unwrap_err().contains("-x"));
    }

    #[test]
    fn odd_arguments_are_refused_and_no_value_is_repeated() {
        for odd in [
            &["--hidden=secret"][..],
            &["--hiden=secret"],
            &["--", "io.github.tokenry:/cb/x", "secret"],
            &["io.github.tokenry:/cb/x", "--hidden=secret"],
        ] {
            let error = args(odd).unwrap_err();
            assert!(!error.contains("secret"), "{odd:?}: {error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_argument_that_is_not_utf_8_is_refused() {
        use std::os::unix::ffi::OsStringExt;
        for odd in [&b"\xff"[..], b"--\xff", b"-\xff", b"--hidden=\xff"] {
            let odd = OsString::from_vec(odd.to_vec());
            assert!(read([odd.clone()].into_iter()).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn an_error_about_links_does_not_repeat_a_link() {
        let wrong = args(&["io.github.tokenry:/cb/x?code=secret", "io.github.tokenry:/cb/y"]).unwrap_err();
        assert!(!wrong.contains("secret"));
    }
}
