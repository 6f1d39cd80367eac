//! The browser that the calling terminal names, which the engine, another process, knows nothing of.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a browser is given to say that it cannot be opened here.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether this terminal is on another machine than the screen that its user sits at.
pub(crate) fn is_far_away() -> bool {
    ["SSH_CONNECTION", "SSH_TTY"]
        .iter()
        .any(|name| set(name).is_some())
}

/// Opens an address in a browser that `BROWSER` names: commands with colons between them, of which the first that
/// works is taken. `None` when the variable names none; else whether one was opened. Nothing of it goes through a
/// shell.
pub(crate) fn open(url: &str) -> Option<bool> {
    let named = set("BROWSER")?.into_string().ok()?;
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Some(false);
    }
    let mut commands = named
        .split(':')
        .filter_map(|command| words(command, url))
        .peekable();
    commands.peek()?;
    Some(commands.any(|words| starts(&words)))
}

fn set(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The program and its arguments: the address stands where `%s` is, or at the end.
fn words(command: &str, url: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    words.first()?;
    let marked = words.iter().any(|word| word.contains("%s"));
    for word in words.iter_mut().skip(1) {
        *word = word.replace("%s", url);
    }
    if !marked {
        words.push(url.to_owned());
    }
    Some(words)
}

/// One that goes on longer than a moment has found its screen, and may stay for as long as its window is open.
fn starts(words: &[String]) -> bool {
    let started = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut browser) = started else { return false };
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match browser.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(10)),
            Err(_) => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_stands_where_the_command_says_or_at_its_end() {
        let url = "https://a.example/?x=1&y='$(id)'";
        assert_eq!(words("firefox", url).unwrap(), ["firefox", url]);
        assert_eq!(
            words("code --open-url %s --wait", url).unwrap(),
            ["code", "--open-url", url, "--wait"]
        );
        assert_eq!(
            words("open --url=%s", url).unwrap(),
            ["open", &format!("--url={url}")]
        );
        assert_eq!(words("  ", url), None);
    }
}
