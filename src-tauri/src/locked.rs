//! Clears the clipboard and the stack of the main thread when the vault is locked.

use crate::clipboard;
use tauri::AppHandle;
use tokenry_engine::{Engine, residue};

/// Runs until the engine ends.
pub(crate) fn watch(app: &AppHandle, engine: &Engine) {
    let (app, engine) = (app.clone(), engine.clone());
    tauri::async_runtime::spawn(async move {
        loop {
            tokio::select! {
                () = engine.locked() => {}
                () = engine.finished() => return,
            }
            clipboard::clear(&app);
            // The window's requests arrive on the main thread.
            if let Err(error) = app.run_on_main_thread(residue::wipe_while_shut) {
                tracing::debug!("could not wipe the stack of the main thread: {error}");
            }
        }
    });
}
