//! The web engine's habits on Linux that do not suit a small window which is closed most of the time.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use tauri::{AppHandle, WebviewWindow, Wry};

type Builder<'a> = tauri::WebviewWindowBuilder<'a, Wry, AppHandle>;

/// How long after the last window closes the network process may take to end.
#[cfg(target_os = "linux")]
const NETWORK_PROCESS_GRACE: Duration = Duration::from_secs(2);

/// A web process that ends more often than this is not started again.
const MAX_RESTARTS: usize = 3;
const RESTART_WINDOW: Duration = Duration::from_secs(60);

/// The recent restarts of the web process of a window.
#[derive(Debug, Default)]
pub(crate) struct Restarts(VecDeque<Instant>);

impl Restarts {
    /// Whether it may be restarted now.
    pub(crate) fn allow_one_more(&mut self, now: Instant) -> bool {
        self.0.retain(|at| now.duration_since(*at) < RESTART_WINDOW);
        let may = self.0.len() < MAX_RESTARTS;
        if may {
            self.0.push_back(now);
        }
        may
    }
}

/// Renders without the graphics card, unless the environment says otherwise. A window of text needs none, and this saves a
/// third of the start time and of the memory of the window. Must be called before other threads start.
#[cfg(target_os = "linux")]
pub(crate) fn disable_compositing() {
    // On failure the default stays.
    let _ = glib::setenv("WEBKIT_DISABLE_COMPOSITING_MODE", "1", false);
}

/// The window stores nothing on disk: its data folder is not writable.
///
/// WebKit has a mode for that. But it makes a new web context for each such window, and Tauri registers its scheme only with
/// the first one, so a window that is opened again would stay empty.
#[cfg(target_os = "linux")]
pub(crate) fn without_storage(builder: Builder<'_>) -> Builder<'_> {
    builder.data_directory("/proc".into())
}

/// Ends WebKit's network process after the last window has closed. WebKit would keep it, and start another one for the next
/// window.
#[cfg(target_os = "linux")]
pub(crate) fn end_processes_soon(app: &AppHandle) {
    use tauri::{Manager, async_runtime};
    let app = app.clone();
    async_runtime::spawn(async move {
        tokio::time::sleep(NETWORK_PROCESS_GRACE).await;
        let later = app.clone();
        // On the main thread, so that no window opens between the check and the signal.
        let _ = app.run_on_main_thread(move || {
            if later.webview_windows().is_empty() {
                network_processes().for_each(|id| {
                    let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
                });
            }
        });
    });
}

/// The network processes that this process has started.
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
        // The system cuts the name at 15 characters.
        .filter(|id| {
            std::fs::read_to_string(format!("/proc/{id}/comm"))
                .is_ok_and(|name| name.starts_with("WebKitNetworkPr"))
        })
        .filter_map(rustix::process::Pid::from_raw)
}

/// Calls `may_reload` when the process that renders the window has ended, and reloads the page if it returns true. Otherwise
/// the window would keep showing its last frame.
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
                    // Not in the signal handler, while the view still releases the old process.
                    glib::idle_add_local_once(move || view.reload());
                }
            });
    });
    if let Err(error) = watching {
        tracing::warn!("could not watch the web process of the window: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn on_process_end(_: &WebviewWindow, _: impl Fn() -> bool + Send + 'static) {}

#[cfg(not(target_os = "linux"))]
pub(crate) fn disable_compositing() {}

#[cfg(not(target_os = "linux"))]
pub(crate) fn without_storage(builder: Builder<'_>) -> Builder<'_> {
    builder.incognito(true)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn end_processes_soon(_: &AppHandle) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_process_that_keeps_ending_is_not_restarted_forever() {
        let (mut restarts, start) = (Restarts::default(), Instant::now());
        for _ in 0..MAX_RESTARTS {
            assert!(restarts.allow_one_more(start));
        }
        assert!(!restarts.allow_one_more(start + RESTART_WINDOW / 2));
        assert!(
            restarts.allow_one_more(start + RESTART_WINDOW),
            "the window is over"
        );
    }
}
