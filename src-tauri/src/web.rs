//! The web engine's habits on Linux that do not suit a small window which is closed most of the time.

use tauri::{AppHandle, Wry};

type Builder<'a> = tauri::WebviewWindowBuilder<'a, Wry, AppHandle>;

/// How long after the window the web engine's own process has to end by itself.
#[cfg(target_os = "linux")]
const GRACE: std::time::Duration = std::time::Duration::from_secs(2);

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

#[cfg(not(target_os = "linux"))]
pub(crate) fn draw_simply() {}

#[cfg(not(target_os = "linux"))]
pub(crate) fn keeping_nothing(builder: Builder<'_>) -> Builder<'_> {
    builder.incognito(true)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn end_processes_soon(_: &AppHandle) {}
