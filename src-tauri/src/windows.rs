//! The main window: how it opens, its size, and what it may not do.

use crate::{
    consent, deep_link,
    notices::{self, Notices},
    state::Shell,
    tray,
    webview::{self, Restarts},
};
use serde::{Deserialize, Serialize};
use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tauri::{
    AppHandle, LogicalSize, Manager, WebviewUrl, WebviewWindowBuilder, Window, WindowEvent,
    webview::{NewWindowResponse, PageLoadEvent},
};
use tokenry_contract::WindowNotice;
use tokenry_core::Caller;
use url::Url;

pub(crate) const MAIN: &str = "main";
/// In logical pixels.
const MIN_SIZE_PX: (f64, f64) = (480.0, 500.0);

/// The state of the main window.
#[derive(Default)]
pub(crate) struct Main {
    state: Mutex<State>,
    restarts: Mutex<Restarts>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is open, or was never shown.
    #[default]
    Open,
    /// The user closes it and was asked whether the engine keeps running.
    Asked,
    /// It closes, and the engine keeps running.
    Kept,
    /// The user closed it.
    Closed,
}

impl Main {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the engine keeps running when the window closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Closing {
    /// It keeps running, and starting the app again shows the window.
    Keep,
    /// It ends.
    End,
    /// The window stays open.
    Stay,
}

/// The size of the window when it was last closed, in logical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Remembered {
    width: f64,
    height: f64,
    maximized: bool,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            width: 1000.0,
            height: 700.0,
            maximized: false,
        }
    }
}

impl Remembered {
    /// Whatever the file says, the window is visible and fits on a screen.
    fn sane(self) -> Self {
        let within = |value: f64, least: f64, usual: f64| {
            if value.is_finite() && (least..=10_000.0).contains(&value) {
                value
            } else {
                usual
            }
        };
        let usual = Self::default();
        Self {
            width: within(self.width, MIN_SIZE_PX.0, usual.width),
            height: within(self.height, MIN_SIZE_PX.1, usual.height),
            maximized: self.maximized,
        }
    }
}

pub(crate) fn show_at_start(app: &AppHandle) {
    if app.state::<Shell>().hidden {
        deep_link::register(app);
    } else {
        show_logged(app);
    }
}

/// [`show`], with a failure logged.
pub(crate) fn show_logged(app: &AppHandle) {
    if let Err(error) = show(app) {
        tracing::error!("could not show the window: {error}");
    }
}

/// Brings the window to the front, and opens it when it is closed.
pub(crate) fn show(app: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(MAIN) {
        window.unminimize()?;
        window.show()?;
        return window.set_focus();
    }
    let shape = remembered(app);
    let builder = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()));
    webview::without_storage(builder)
        .title("Tokenry")
        .inner_size(shape.width, shape.height)
        .min_inner_size(MIN_SIZE_PX.0, MIN_SIZE_PX.1)
        .maximized(shape.maximized)
        .devtools(false)
        .on_navigation(is_ours)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_page_load(|window, page| {
            if page.event() == PageLoadEvent::Finished {
                deep_link::register(window.app_handle());
            }
        })
        .build()
        .map(|window| {
            *app.state::<Main>().state() = State::Open;
            let app = app.clone();
            webview::on_process_end(&window, move || may_reload(&app));
        })
}

/// Called when the process that renders the window has ended. Returns whether the page may be reloaded; if not, the window
/// closes, because it would show a frame that does not respond.
fn may_reload(app: &AppHandle) -> bool {
    let main = app.state::<Main>();
    app.state::<Notices>().stop_listening();
    let may_reload = main
        .restarts
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .allow_one_more(Instant::now());
    if may_reload {
        notices::about_the_window(app, WindowNotice::Reloaded);
    } else {
        tracing::error!("the web process of the window keeps ending; start Tokenry again to open the window");
        *main.state() = State::Kept;
        if let Some(window) = app.get_webview_window(MAIN)
            && let Err(error) = window.destroy()
        {
            tracing::error!("could not close the window: {error}");
        }
    }
    may_reload
}

/// Whether a window may navigate there: only to our own pages.
pub(crate) fn is_ours(url: &Url) -> bool {
    // Windows and Android serve our pages under a host name. On other systems any program may listen at `tauri.localhost`.
    let by_name = cfg!(any(windows, target_os = "android"));
    url.scheme() == "tauri" || (by_name && url.host_str() == Some("tauri.localhost") && url.port().is_none())
}

/// Whether the main window was open and the user closed it.
pub(crate) fn was_closed(app: &AppHandle) -> bool {
    *app.state::<Main>().state() == State::Closed
}

/// Handles the events of all windows. It is registered at the start: a handler that is added to a new window would miss its
/// first events, a closing above all.
pub(crate) fn on_event(window: &Window, event: &WindowEvent) {
    match window.label() {
        MAIN => on_event_of_main(window, event),
        consent::LABEL => consent::on_event(window.app_handle(), event),
        _ => {}
    }
    // The web processes end with the last window; the engine keeps running in the tray.
    if let WindowEvent::Destroyed = event {
        webview::end_processes_soon(window.app_handle());
    }
}

fn on_event_of_main(window: &Window, event: &WindowEvent) {
    let (app, main) = (window.app_handle(), window.state::<Main>());
    match event {
        WindowEvent::CloseRequested { api, .. } => {
            if let Err(error) = remember(window) {
                tracing::warn!("could not save the size of the window: {error}");
            }
            // A page that is not subscribed cannot ask the user, and a second close is meant.
            let can_ask = !tray::is_there(app) && window.state::<Notices>().has_listener();
            let mut state = main.state();
            if can_ask && *state == State::Open {
                *state = State::Asked;
                drop(state);
                api.prevent_close();
                notices::about_the_window(app, WindowNotice::ClosingWithoutTray);
            } else {
                *state = State::Closed;
            }
        }
        WindowEvent::Destroyed => {
            dismiss_unlock_requests(app);
            let mut state = main.state();
            if *state != State::Kept {
                *state = State::Closed;
            }
        }
        _ => {}
    }
}

/// A user who closes the window without unlocking the vault does not want to unlock it now.
fn dismiss_unlock_requests(app: &AppHandle) {
    if let Some(engine) = app.state::<Shell>().engine_now()
        && let Err(error) = engine.dismiss_unlock_requests(&Caller::Ui)
    {
        tracing::warn!("could not dismiss the requests that wait for an unlock: {error}");
    }
}

/// The user's answer whether the engine keeps running.
pub(crate) fn answer_closing(app: &AppHandle, answer: Closing) -> tauri::Result<()> {
    let main = app.state::<Main>();
    let mut state = main.state();
    if *state != State::Asked {
        return Ok(());
    }
    *state = match answer {
        Closing::Keep => State::Kept,
        Closing::End => State::Closed,
        Closing::Stay => State::Open,
    };
    drop(state);
    match (answer, app.get_webview_window(MAIN)) {
        (Closing::Keep, Some(window)) => window.destroy(),
        (Closing::End, _) => {
            app.exit(0);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn remember(window: &Window) -> Result<(), Box<dyn std::error::Error>> {
    let size: LogicalSize<f64> = window.inner_size()?.to_logical(window.scale_factor()?);
    let shape = Remembered {
        width: size.width,
        height: size.height,
        maximized: window.is_maximized()?,
    };
    std::fs::write(file(window.app_handle()), serde_json::to_vec(&shape)?)?;
    Ok(())
}

fn remembered(app: &AppHandle) -> Remembered {
    let kept = std::fs::read(file(app))
        .ok()
        .and_then(|text| serde_json::from_slice::<Remembered>(&text).ok());
    kept.unwrap_or_default().sane()
}

fn file(app: &AppHandle) -> PathBuf {
    app.state::<Shell>().profile.folder.join("window.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SECURITY.md, "Webview": navigation is blocked.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_window_navigates_to_our_own_scheme_only() {
        let ours = |url: &str| is_ours(&Url::parse(url).unwrap());
        assert!(ours("tauri://localhost/index.html"));
        for other in [
            "http://tauri.localhost/",
            "http://tauri.localhost:8080/",
            "https://tauri.localhost/",
            "https://example.com/",
            "file:///etc/passwd",
            "about:blank",
            "data:text/html,x",
        ] {
            assert!(!ours(other), "{other}");
        }
    }

    #[test]
    fn an_invisible_size_is_replaced_by_the_default() {
        for hostile in [(0.0, 0.0), (-5.0, 700.0), (1e9, 1e9), (f64::NAN, f64::INFINITY)] {
            let shape = Remembered {
                width: hostile.0,
                height: hostile.1,
                maximized: false,
            }
            .sane();
            assert!(shape.width >= MIN_SIZE_PX.0 && shape.width <= 10_000.0);
            assert!(shape.height >= MIN_SIZE_PX.1 && shape.height <= 10_000.0);
        }
    }
}
