//! Links with our scheme: who opens them, and where they go. The engine judges them; the webview never sees one.

use std::sync::atomic::{AtomicBool, Ordering};
use tauri::AppHandle;
use tauri_plugin_deep_link::DeepLinkExt;
use tokenry_core::Caller;
use tokenry_engine::Engine;

/// Makes this program the one that opens our links, once. When the window is there, and from a thread of its own: it
/// starts other programs, which would hold the window back.
pub(crate) fn register(app: &AppHandle) {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    #[cfg(target_os = "macos")]
    listen(app);
    let app = app.clone();
    std::thread::spawn(move || {
        if let Err(error) = app.deep_link().register_all() {
            tracing::warn!("links with our scheme may not open Tokenry: {error}");
        }
    });
}

/// A link came, and the person is who opens links. What it was good for stands in the activity log.
pub(crate) async fn arrived(engine: &Engine, link: &str) {
    if let Err(error) = engine.deep_link(&Caller::Ui, link).await {
        tracing::info!("a link was not used: {error}");
    }
}

/// macOS hands links to the running app itself. (Elsewhere they are the argument of a second process.)
#[cfg(target_os = "macos")]
fn listen(app: &AppHandle) {
    use crate::{state::Shell, windows};
    use tauri::Manager;
    let handle = app.clone();
    app.deep_link().on_open_url(move |event| {
        let links: Vec<String> = event.urls().into_iter().map(String::from).collect();
        let app = handle.clone();
        tauri::async_runtime::spawn(async move {
            let Ok(running) = app.state::<Shell>().running().await else {
                return;
            };
            for link in links {
                arrived(&running.engine, &link).await;
            }
            windows::show_logged(&app);
        });
    });
}
