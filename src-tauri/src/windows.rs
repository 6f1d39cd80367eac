//! The main window: how it is made, where it was last, and what it may not do.

use crate::{
    consent, deep_link,
    notices::{self, Notices},
    state::Shell,
    tray,
    web::{self, Restarts},
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
use url::Url;

const MAIN: &str = "main";
const SMALLEST: (f64, f64) = (480.0, 500.0);

/// What has become of the main window.
#[derive(Default)]
pub(crate) struct Main {
    state: Mutex<State>,
    restarts: Mutex<Restarts>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is there, or was never shown.
    #[default]
    Open,
    /// The user closes it and was asked what is to become of the engine.
    Asked,
    /// It goes, and the engine goes on.
    Kept,
    /// The user closed it.
    Closed,
}

impl Main {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to become of the engine when the window closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Closing {
    /// It goes on, and starting the app again shows the window.
    Keep,
    /// It ends.
    End,
    /// The window stays open.
    Stay,
}

/// How the window was when it was last closed, in logical pixels.
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
    /// Whatever stands in the file, the window can be seen and fits on some screen.
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
            width: within(self.width, SMALLEST.0, usual.width),
            height: within(self.height, SMALLEST.1, usual.height),
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

/// [`show`], where nobody is there to be told of a failure but the log.
pub(crate) fn show_logged(app: &AppHandle) {
    if let Err(error) = show(app) {
        tracing::error!("the window could not be shown: {error}");
    }
}

/// Brings the window to the front, and makes it when there is none.
pub(crate) fn show(app: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(MAIN) {
        window.unminimize()?;
        window.show()?;
        return window.set_focus();
    }
    let shape = remembered(app);
    let builder = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()));
    web::keeping_nothing(builder)
        .title("Tokenry")
        .inner_size(shape.width, shape.height)
        .min_inner_size(SMALLEST.0, SMALLEST.1)
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
            web::on_process_end(&window, move || draw_anew(&app));
        })
}

/// The process that draws the window has ended: without another one the window would show a picture that answers
/// nothing. Whether it may be started once more.
fn draw_anew(app: &AppHandle) -> bool {
    let main = app.state::<Main>();
    app.state::<Notices>().no_one_listens();
    let again = main
        .restarts
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .one_more(Instant::now());
    if again {
        notices::about_the_window(app, WindowNotice::Reloaded);
    } else {
        tracing::error!(
            "the window's web process ends again and again; start Tokenry again to see the window"
        );
        *main.state() = State::Kept;
        if let Some(window) = app.get_webview_window(MAIN)
            && let Err(error) = window.destroy()
        {
            tracing::error!("the window could not be closed: {error}");
        }
    }
    again
}

/// Whether a window may go there: to our own pages and nowhere else.
pub(crate) fn is_ours(url: &Url) -> bool {
    // Windows and Android serve our pages under a host name. Elsewhere anybody may listen at `tauri.localhost`.
    let by_name = cfg!(any(windows, target_os = "android"));
    url.scheme() == "tauri" || (by_name && url.host_str() == Some("tauri.localhost") && url.port().is_none())
}

/// Whether the main window was there and its person closed it.
pub(crate) fn was_closed(app: &AppHandle) -> bool {
    *app.state::<Main>().state() == State::Closed
}

/// Called for every window from the start: a handler that a new window is given afterwards misses what happens to it
/// in between, a closing above all.
pub(crate) fn on_event(window: &Window, event: &WindowEvent) {
    match window.label() {
        MAIN => on_event_of_main(window, event),
        consent::LABEL => consent::on_event(window.app_handle(), event),
        _ => {}
    }
    // The web processes end with the last window; the engine goes on in the tray.
    if let WindowEvent::Destroyed = event {
        web::end_processes_soon(window.app_handle());
    }
}

fn on_event_of_main(window: &Window, event: &WindowEvent) {
    let (app, main) = (window.app_handle(), window.state::<Main>());
    match event {
        WindowEvent::CloseRequested { api, .. } => {
            if let Err(error) = remember(window) {
                tracing::warn!("the window's size was not kept: {error}");
            }
            // A page that does not listen cannot ask; and whoever closes it twice means it.
            let can_ask = !tray::is_there(app) && window.state::<Notices>().are_heard();
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
            let mut state = main.state();
            if *state != State::Kept {
                *state = State::Closed;
            }
        }
        _ => {}
    }
}

/// The user's answer to what is to become of the engine.
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

    /// security.md, "Webview": navigation is blocked.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_window_goes_to_our_own_scheme_and_to_no_server_of_that_name() {
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
    fn a_window_that_could_not_be_seen_gets_its_usual_size() {
        for hostile in [(0.0, 0.0), (-5.0, 700.0), (1e9, 1e9), (f64::NAN, f64::INFINITY)] {
            let shape = Remembered {
                width: hostile.0,
                height: hostile.1,
                maximized: false,
            }
            .sane();
            assert!(shape.width >= SMALLEST.0 && shape.width <= 10_000.0);
            assert!(shape.height >= SMALLEST.1 && shape.height <= 10_000.0);
        }
    }
}
