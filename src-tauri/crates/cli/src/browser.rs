//! The browser of the calling terminal. The engine is another process and does not know it.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A browser that still runs after this time has opened.
const BROWSER_TIMEOUT: Duration = Duration::from_millis(500);

/// Whether this terminal is an SSH session, so that its user sits at another machine.
pub(crate) fn is_far_away() -> bool {
    ["SSH_CONNECTION", "SSH_TTY"]
        .iter()
        .any(|name| set(name).is_some())
}

/// Whether no browser can be opened for the user of this terminal: `BROWSER` names none, and this is an SSH session or a
/// Linux system without a display.
pub(crate) fn is_missing() -> bool {
    let has_display = !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| set(name).is_some());
    set("BROWSER").is_none() && (is_far_away() || !has_display)
}

/// Opens a URL with the first command of `BROWSER` that works; colons separate the commands. Returns `None` when the
/// variable is empty, otherwise whether a browser was opened. No shell is involved.
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

/// The program and its arguments: the URL replaces `%s`, or is added at the end.
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

/// A browser that keeps running has opened its window.
fn starts(words: &[String]) -> bool {
    let started = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut browser) = started else { return false };
    let deadline = Instant::now() + BROWSER_TIMEOUT;
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
