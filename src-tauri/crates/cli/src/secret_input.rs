//! Reads secrets from standard input, a prompt without echo, or a file descriptor; never from an argument.

use crate::failure::Failure;
use crate::output::write_err;
use crate::{hidden, interrupt};
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr, tcsetattr,
};
use serde::{Serialize, Serializer};
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::fd::AsFd;
use tokenry_contract::ErrorCode;
use zeroize::Zeroizing;

/// More than any passphrase, secret or redirect URL has.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// A paste has ended when nothing arrives for this long, in tenths of a second.
const PASTE_PAUSE: u8 = 2;

/// A secret, or a text that is read like one.
pub(crate) type SecretText = Zeroizing<String>;

/// A secret as a field of a body.
pub(crate) struct Sent(pub(crate) SecretText);

impl Serialize for Sent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Standard input, which may contain a secret. The standard library's keeps its buffer until the process ends.
pub(crate) fn standard_input() -> io::Result<File> {
    hidden::from_now_on();
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// All of standard input without its last line end; at a terminal, one line from a prompt without echo.
pub(crate) fn from_stdin(what: &str) -> Result<SecretText, Failure> {
    if io::stdin().is_terminal() {
        return hidden_line(what);
    }
    let stdin = standard_input().map_err(|error| unreadable(what, &error.to_string()))?;
    text(read(stdin, what)?, what)
}

/// All of an inherited file descriptor without its last line end.
pub(crate) fn from_fd(fd: u32, what: &str) -> Result<SecretText, Failure> {
    if fd == 0 {
        return from_stdin(what);
    }
    // An inherited descriptor can be opened again by its name, without unsafe code.
    hidden::from_now_on();
    let file = File::open(format!("/dev/fd/{fd}"))
        .map_err(|error| unreadable(what, &format!("file descriptor {fd}: {error}")))?;
    from_file(file, what)
}

/// All of a file without its last line end.
pub(crate) fn from_file(file: File, what: &str) -> Result<SecretText, Failure> {
    text(read(file, what)?, what)
}

/// Refuses characters that no client secret, password or API key contains (RFC 6749 appendix A.2): they come from
/// copying. The last line end is already removed.
pub(crate) fn check_one_line(secret: &SecretText, what: &str) -> Result<(), Failure> {
    let wrong = match secret
        .chars()
        .find(|c| c.is_control() || ('\u{2028}'..='\u{2029}').contains(c))
    {
        None => return Ok(()),
        Some('\n' | '\r' | '\u{2028}' | '\u{2029}') => "a line end inside it",
        Some(_) => "a control character",
    };
    Err(Failure::new(
        ErrorCode::ValidationError,
        format!("{what} contains {wrong}."),
        "Check how it was copied, and send only the value.",
    ))
}

/// A new secret, which a terminal prompts for twice.
pub(crate) fn new_from_fd(fd: u32, what: &str) -> Result<SecretText, Failure> {
    let secret = from_fd(fd, &format!("New {what}"))?;
    if fd == 0 && io::stdin().is_terminal() && *hidden_line("Repeat passphrase")? != *secret {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "The passphrases do not match.",
            "Nothing was changed. Try again.",
        ));
    }
    Ok(secret)
}

/// One line of standard input, with echo. Returns `None` at its end. Input that was typed before the prompt appeared
/// is discarded.
pub(crate) fn shown_line(prompt: &str) -> Result<Option<SecretText>, Failure> {
    // An error means that standard input is not a terminal.
    let _ = tcflush(io::stdin(), QueueSelector::IFlush);
    write_err(prompt);
    line("Input")
}

/// Text that the user pastes at a terminal, perhaps several lines: everything until a line ends and nothing follows.
/// Returns `None` at the end of standard input.
pub(crate) fn pasted(prompt: &str) -> Result<Option<SecretText>, Failure> {
    write_err(prompt);
    let mut text = Zeroizing::new(Vec::with_capacity(16 * 1024));
    loop {
        match line("Input")? {
            Some(line) => text.extend_from_slice(line.as_bytes()),
            None if text.is_empty() => return Ok(None),
            None => break,
        }
        let rest = rest_of_paste().map_err(|error| unreadable("Input", &error.to_string()))?;
        text.push(b'\n');
        text.extend_from_slice(&rest);
        if rest.is_empty() || rest.ends_with(b"\n") || text.len() as u64 > MAX_SECRET_BYTES {
            break;
        }
    }
    utf8(text, "Input").map(Some)
}

/// Everything that was pasted so far, whether or not its line has ended.
fn rest_of_paste() -> io::Result<Zeroizing<Vec<u8>>> {
    let before = tcgetattr(io::stdin())?;
    let mut unbuffered = before.clone();
    unbuffered.local_modes.remove(LocalModes::ICANON);
    unbuffered.special_codes[SpecialCodeIndex::VMIN] = 0;
    unbuffered.special_codes[SpecialCodeIndex::VTIME] = PASTE_PAUSE;
    tcsetattr(io::stdin(), OptionalActions::Now, &unbuffered)?;
    let restored = TerminalMode(before);
    let mut rest = Zeroizing::new(Vec::with_capacity(16 * 1024));
    let mut part = Zeroizing::new([0; 4096]);
    let mut stdin = standard_input()?;
    while (rest.len() as u64) < MAX_SECRET_BYTES {
        match stdin.read(&mut *part)? {
            0 => break,
            length => rest.extend_from_slice(&part[..length]),
        }
    }
    drop(restored);
    Ok(rest)
}

fn hidden_line(what: &str) -> Result<SecretText, Failure> {
    hidden_or_empty(what)?.ok_or_else(|| empty(what))
}

/// One line from a prompt without echo. Returns `None` when it is empty.
pub(crate) fn hidden_or_empty(what: &str) -> Result<Option<SecretText>, Failure> {
    // Echo is off before the prompt appears, and input that was typed already is kept.
    let silence = silence().map_err(|error| unreadable(what, &error.to_string()))?;
    let before = silence.0.clone();
    // The terminal must not stay without echo.
    let restore = move || {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
        write_err("\n");
    };
    let line = interrupt::or_else(restore, || {
        write_err(&format!("{what}: "));
        line(what)
    });
    drop(silence);
    write_err("\n");
    Ok(line?.filter(|line| !line.is_empty()))
}

/// Reads byte by byte: what follows the line is for the next reader.
fn line(what: &str) -> Result<Option<SecretText>, Failure> {
    let mut line = Zeroizing::new(Vec::with_capacity(4096));
    let stdin = standard_input().map_err(|error| unreadable(what, &error.to_string()))?;
    let (mut stdin, mut byte) = (stdin.take(MAX_SECRET_BYTES), Zeroizing::new([0]));
    while !line.ends_with(b"\n") {
        match stdin.read(&mut *byte) {
            Ok(0) => break,
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(what, &error.to_string())),
        }
    }
    if line.is_empty() {
        Ok(None)
    } else {
        utf8(line, what).map(Some)
    }
}

fn read(from: impl Read, what: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    from.take(MAX_SECRET_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(what, &error.to_string()))?;
    if bytes.len() as u64 > MAX_SECRET_BYTES {
        return Err(Failure::new(
            ErrorCode::PayloadTooLarge,
            format!("{what} is longer than {MAX_SECRET_BYTES} bytes."),
            "Check what you send.",
        ));
    }
    Ok(bytes)
}

fn text(bytes: Zeroizing<Vec<u8>>, what: &str) -> Result<SecretText, Failure> {
    Some(utf8(bytes, what)?)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| empty(what))
}

fn utf8(mut bytes: Zeroizing<Vec<u8>>, what: &str) -> Result<SecretText, Failure> {
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.starts_with('\u{feff}') => Err(Failure::new(
            ErrorCode::ValidationError,
            format!("{what} begins with a byte order mark."),
            "Save the file as UTF-8 without a byte order mark.",
        )),
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(unreadable(what, "it is not UTF-8")),
    }
}

fn empty(what: &str) -> Failure {
    Failure::new(
        ErrorCode::ValidationError,
        format!("{what} is empty."),
        "Enter it and try again.",
    )
}

fn unreadable(what: &str, why: &str) -> Failure {
    Failure::new(
        ErrorCode::ValidationError,
        format!("{what} cannot be read: {why}."),
        "Send it by standard input, or type it at a terminal.",
    )
}

/// Turns the terminal's echo off.
fn silence() -> io::Result<TerminalMode> {
    let before = tcgetattr(io::stdin())?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Now, &silent)?;
    Ok(TerminalMode(before))
}

/// Restores the terminal's mode when it is dropped.
struct TerminalMode(Termios);

impl Drop for TerminalMode {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
