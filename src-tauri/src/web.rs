//! The web engine's habits on Linux that do not suit a small window which is closed most of the time.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use tauri::{AppHandle, WebviewWindow, Wry};

type Builder<'a> = tauri::WebviewWindowBuilder<'a, Wry, AppHandle>;

/// How long after the window the web engine's own process has to end by itself.
#[cfg(target_os = "linux")]
const GRACE: Duration = Duration::from_secs(2);

/// A web process that ends more often than this is not started again.
const RESTARTS: usize = 3;
const WITHIN: Duration = Duration::from_secs(60);

/// When the web process of a window was started again.
#[derive(Debug, Default)]
pub(crate) struct Restarts(VecDeque<Instant>);

impl Restarts {
    /// Whether it may be once more.
    pub(crate) fn one_more(&mut self, now: Instant) -> bool {
        self.0.retain(|at| now.duration_since(*at) < WITHIN);
        let may = self.0.len() < RESTARTS;
        if may {
            self.0.push_back(now);
        }
        may
    }
}

/// Draws without the graphics card, unless the environment says otherwise: a window of text needs none, and it saves
/// a third of the window's start and of its memory. Must be called before there are threads.
#[cfg(target_os = "linux")]
pub(crate) fn draw_simply() {
    // A failure leaves things as they were.
    let _ = glib::setenv("WEBKIT_DISABLE_COMPOSITING_MODE", "1", false);
}

/// Nothing of the window is kept on disk: its folder is one in which nothing can be written.
///
/// WebKit has a mode for that, but makes a new web context for each such window, and Tauri teaches only the first one
/// our scheme: a window that is opened again would stay empty.
#[cfg(target_os = "linux")]
pub(crate) fn keeping_nothing(builder: Builder<'_>) -> Builder<'_> {
    builder.data_directory("/proc".into())
}

/// Ends the web engine's network process when the window has been gone for a moment: WebKit keeps it for ever, and
/// starts another one for the next window.
#[cfg(target_os = "linux")]
pub(crate) fn end_processes_soon(app: &AppHandle) {
    use tauri::{Manager, async_runtime};
    let app = app.clone();
    async_runtime::spawn(async move {
        tokio::time::sleep(GRACE).await;
        let later = app.clone();
        // On the thread that makes windows, so none appears between the look and the end.
        let _ = app.run_on_main_thread(move || {
            if later.webview_windows().is_empty() {
                network_processes().for_each(|id| {
                    let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
                });
            }
        });
    });
}

/// Those that this process has started.
#[cfg(target_os = "linux")]
fn network_processes() -> impl Iterator<Item = rustix::process::Pid> {
    let tasks = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let children = tasks.flat_map(|task| {
        let ids = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        ids.split_whitespace()
            .filter_map(|id| id.parse::<i32>().ok())
            .collect::<Vec<_>>()
    });
    children
        // The name is cut off after 15 letters.
        .filter(|id| {
            std::fs::read_to_string(format!("/proc/{id}/comm"))
                .is_ok_and(|name| name.starts_with("WebKitNetworkPr"))
        })
        .filter_map(rustix::process::Pid::from_raw)
}

/// Calls this when the process that draws the window has ended by itself, and loads the page anew if that says so. Else
/// the last picture would stay there.
#[cfg(target_os = "linux")]
pub(crate) fn on_process_end(window: &WebviewWindow, may_reload: impl Fn() -> bool + Send + 'static) {
    use webkit2gtk::WebViewExt;
    let label = window.label().to_owned();
    let watching = window.with_webview(move |webview| {
        webview
            .inner()
            .connect_web_process_terminated(move |view, reason| {
                tracing::error!("the web process of the window {label} has ended ({reason:?})");
                let view = view.clone();
                if may_reload() {
                    // Not inside the signal, where the view still lets go of the old process.
                    glib::idle_add_local_once(move || view.reload());
                }
            });
    });
    if let Err(error) = watching {
        tracing::warn!("an end of the window's web process will not be noticed: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn on_process_end(_: &WebviewWindow, _: impl Fn() -> bool + Send + 'static) {}

#[cfg(not(target_os = "linux"))]
pub(crate) fn draw_simply() {}

#[cfg(not(target_os = "linux"))]
pub(crate) fn keeping_nothing(builder: Builder<'_>) -> Builder<'_> {
    builder.incognito(true)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn end_processes_soon(_: &AppHandle) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_process_that_ends_again_and_again_is_not_started_for_ever() {
        let (mut restarts, start) = (Restarts::default(), Instant::now());
        for _ in 0..RESTARTS {
            assert!(restarts.one_more(start));
        }
        assert!(!restarts.one_more(start + WITHIN / 2));
        assert!(restarts.one_more(start + WITHIN), "one a day is no loop");
    }
}
