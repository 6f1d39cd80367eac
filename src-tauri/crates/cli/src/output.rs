//! Data goes to standard output, messages go to standard error.

use crate::failure::Failure;
use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, stat};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use tokenry_contract::{ErrorCode, sanitize_for_display};

/// The color of a text on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Plain,
    Dim,
    Good,
    Busy,
    Bad,
}

/// Whether colors are used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) colour: bool,
}

impl Style {
    pub(crate) fn paint(self, text: &str, colour: Colour) -> String {
        let code = match colour {
            Colour::Plain => return text.to_owned(),
            Colour::Dim => 2,
            Colour::Good => 32,
            Colour::Busy => 33,
            Colour::Bad => 31,
        };
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// Bright white on black, whatever the colors of the terminal are.
    pub(crate) fn inverse(self, text: &str) -> String {
        match self.colour {
            true => format!("\u{1b}[40;97m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    fn of_stdout() -> Self {
        Self::of(&io::stdout())
    }

    pub(crate) fn of_stderr() -> Self {
        Self::of(&io::stderr())
    }

    /// Colour on a terminal, unless NO_COLOR or a dumb terminal says otherwise.
    fn of(stream: &impl IsTerminal) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self {
            colour: stream.is_terminal() && !refused && !dumb,
        }
    }
}

/// The output format.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Writes data to standard output: as JSON on one line, or as `human` formats it.
    pub(crate) fn data<T: Serialize>(
        &self,
        value: &T,
        human: impl FnOnce(Style) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            self.json_line(value)
        } else {
            write_out(human(Style::of_stdout()).as_bytes())
        }
    }

    /// Reports success: the response as JSON to standard output, or a message to standard error.
    pub(crate) fn done<T: Serialize>(&self, value: &T, words: &str) -> Result<(), Failure> {
        if self.json {
            return self.json_line(value);
        }
        self.say(words);
        Ok(())
    }

    /// Writes a message, unless the output is JSON.
    pub(crate) fn say(&self, words: &str) {
        if !self.json {
            write_err(&(sanitize_for_display(words) + "\n"));
        }
    }

    /// Reports a failure.
    pub(crate) fn fail(&self, failure: &Failure) {
        if failure.is_silent() {
            return;
        }
        write_err(&if self.json {
            format!("{}\n", failure.json())
        } else {
            failure.words()
        });
    }

    fn json_line<T: Serialize>(&self, value: &T) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(value).map_err(Failure::invalid_response)?;
        line.push(b'\n');
        write_out(&line)
    }
}

/// Fails when standard output was closed before this program started. For commands that print a secret.
///
/// Rust's runtime opens `/dev/null` for reading and writing in place of a closed standard stream, so writing to it
/// would appear to work. A shell's `>/dev/null` opens it for writing only. Daemons often open it for both, so other
/// commands do not check.
pub(crate) fn check_out() -> Result<(), Failure> {
    if is_closed().unwrap_or(false) {
        return Err(unwritable(
            "it is closed, or it is /dev/null opened for reading and writing",
        ));
    }
    Ok(())
}

fn is_closed() -> io::Result<bool> {
    let out = io::stdout();
    let is_device = FileType::from_raw_mode(fstat(&out)?.st_mode) == FileType::CharacterDevice;
    let is_null = is_device && fstat(&out)?.st_rdev == stat("/dev/null")?.st_rdev;
    Ok(is_null && fcntl_getfl(&out)?.contains(OFlags::RDWR))
}

fn unwritable(why: &str) -> Failure {
    Failure::new(
        ErrorCode::Internal,
        format!("Cannot write to standard output: {why}."),
        "Redirect it to a file or a pipe that can be written to.",
    )
}

/// Writes to standard output, all of it and now.
pub(crate) fn write_out(bytes: &[u8]) -> Result<(), Failure> {
    if bytes.is_empty() {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::output_closed(),
            _ => unwritable(&error.to_string()),
        })
}

/// Writes to standard error. A failure is ignored.
pub(crate) fn write_err(words: &str) {
    let _ = io::stderr().lock().write_all(words.as_bytes());
}
