//! The main window: how it is made, where it was last, and what it may not do.

use crate::{consent, deep_link, state::Shell, web};
use serde::{Deserialize, Serialize};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};
use tauri::{
    AppHandle, LogicalSize, Manager, WebviewUrl, WebviewWindowBuilder, Window, WindowEvent,
    webview::{NewWindowResponse, PageLoadEvent},
};
use url::Url;

const MAIN: &str = "main";
const SMALLEST: (f64, f64) = (480.0, 500.0);

/// Whether its person closed the main window.
#[derive(Default)]
pub(crate) struct Main {
    closed: AtomicBool,
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
        .build()?;
    app.state::<Main>().closed.store(false, Ordering::Relaxed);
    Ok(())
}

/// Whether a window may go there: to our own pages and nowhere else.
pub(crate) fn is_ours(url: &Url) -> bool {
    url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost")
}

/// Whether the main window was there and its person closed it.
pub(crate) fn was_closed(app: &AppHandle) -> bool {
    app.state::<Main>().closed.load(Ordering::Relaxed)
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
    if let WindowEvent::CloseRequested { .. } | WindowEvent::Destroyed = event {
        window.state::<Main>().closed.store(true, Ordering::Relaxed);
    }
    if let WindowEvent::CloseRequested { .. } = event
        && let Err(error) = remember(window)
    {
        tracing::warn!("the window's size was not kept: {error}");
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
