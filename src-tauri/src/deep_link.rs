//! Deep links: registers the URL scheme, and passes links to the engine, which checks them. The webview never gets one.

use std::sync::atomic::{AtomicBool, Ordering};
use tauri::AppHandle;
use tauri_plugin_deep_link::DeepLinkExt;
use tokenry_core::Caller;
use tokenry_engine::Engine;

/// Registers this program for our URL scheme, once. This starts other programs, so it runs after the window is open and in a
/// thread of its own.
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
            tracing::warn!("could not register the URL scheme, so deep links may not open Tokenry: {error}");
        }
    });
}

/// Passes a link to the engine as the user, who opens links. The activity log shows the outcome.
pub(crate) async fn arrived(engine: &Engine, link: &str) {
    if let Err(error) = engine.deep_link(&Caller::Ui, link).await {
        tracing::info!("a deep link was rejected: {error}");
    }
}

/// macOS passes links to the running app. On other systems they are the argument of a second process.
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
