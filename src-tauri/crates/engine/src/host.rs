//! What the engine asks of the program that it runs in.

use crate::{Engine, Error};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use url::Url;

/// What the engine asks of the program it lives in.
pub trait Host: Send + Sync {
    /// Opens an https address (or http on a loopback address) in the person's browser, never through a shell. May take
    /// half a second.
    ///
    /// # Errors
    /// When no browser could be started.
    fn open_browser(&self, url: &Url) -> Result<(), HostError>;

    /// Whether links with our scheme come to us. Asked before a flow with a deep link starts.
    fn scheme_is_ours(&self) -> SchemeState;

    /// Brings the window to the front.
    ///
    /// # Errors
    /// When there is no window.
    fn show_window(&self) -> Result<(), HostError>;
}

impl Engine {
    /// Brings the window to the front.
    ///
    /// # Errors
    /// When there is none.
    pub fn show_window(&self) -> Result<(), Error> {
        let shown = self.inner.host.show_window();
        shown.map_err(|error| Error::Conflict(error.to_string()))
    }
}

/// Who answers links with our scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemeState {
    /// We do.
    Ours,
    /// Another program does: the name of its handler.
    Others(String),
    /// No program does.
    NotRegistered,
    /// This system does not say.
    Unknown,
}

/// Why the host could not do what it was asked, with what to do instead.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

/// A host without a window: `tokenry serve`.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoWindowHost;

impl Host for NoWindowHost {
    fn open_browser(&self, url: &Url) -> Result<(), HostError> {
        open_with_system(url)
    }

    fn scheme_is_ours(&self) -> SchemeState {
        crate::flow::scheme_handler::registered_handler()
    }

    fn show_window(&self) -> Result<(), HostError> {
        Err(HostError(
            "this engine has no window; start the desktop app".to_owned(),
        ))
    }
}

#[cfg(target_os = "linux")]
const OPENER: &str = "xdg-open";
#[cfg(target_os = "macos")]
const OPENER: &str = "open";
#[cfg(target_os = "windows")]
const OPENER: &str = "explorer";

/// How long the system's opener is given to say that it finds no browser. One that goes on longer has found one, and
/// may stay for as long as that is open.
const OPENER_TIMEOUT: Duration = Duration::from_millis(500);

/// Starts the system's opener with the address as its only argument.
fn open_with_system(url: &Url) -> Result<(), HostError> {
    if !matches!(url.scheme(), "https" | "http") {
        return Err(HostError(format!(
            "an address with the scheme {} is not opened",
            url.scheme()
        )));
    }
    opened(Command::new(OPENER).arg(url.as_str()))
}

fn opened(opener: &mut Command) -> Result<(), HostError> {
    const NEXT: &str = "copy the link into a browser yourself";
    let mut child = opener
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| HostError(format!("{OPENER} could not be started ({error}); {NEXT}")))?;
    let (tell, told) = mpsc::channel();
    // Its exit status has to be collected, or it stays behind as a zombie.
    std::thread::spawn(move || {
        let _ = tell.send(child.wait());
    });
    match told.recv_timeout(OPENER_TIMEOUT) {
        // Explorer's exit status says nothing.
        Ok(Ok(status)) if !status.success() && cfg!(not(windows)) => Err(HostError(format!(
            "no browser could be opened ({OPENER}: {status}); {NEXT}"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened_by(program: &str, arguments: &[&str]) -> Result<(), HostError> {
        opened(Command::new(program).args(arguments))
    }

    #[test]
    fn an_opener_that_finds_no_browser_is_an_error_and_one_that_stays_is_not() {
        let none = opened_by("sh", &["-c", "exit 3"]).unwrap_err().to_string();
        assert!(
            none.contains("exit status: 3") && none.contains("copy the link"),
            "{none}"
        );
        assert!(opened_by("/nowhere/at/all", &[]).is_err());
        opened_by("true", &[]).unwrap();
        opened_by("sleep", &["2"]).unwrap();
    }
}
