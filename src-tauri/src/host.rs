//! What the engine needs from the app: a browser, the URL scheme, a window.

use crate::windows;
use tauri::AppHandle;
use tokenry_engine::{Host, HostError, NoWindowHost, SchemeState};
use url::Url;

/// A host with a window.
pub(crate) struct WindowHost {
    app: AppHandle,
}

impl WindowHost {
    pub(crate) fn new(app: AppHandle) -> Self {
        Self { app }
    }
}

impl Host for WindowHost {
    fn open_browser(&self, url: &Url) -> Result<(), HostError> {
        NoWindowHost.open_browser(url)
    }

    fn scheme_is_ours(&self) -> SchemeState {
        NoWindowHost.scheme_is_ours()
    }

    fn show_window(&self) -> Result<(), HostError> {
        windows::show(&self.app).map_err(|error| HostError(format!("could not show the window ({error})")))
    }
}
