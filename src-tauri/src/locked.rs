//! What the shell does when the vault is locked, beyond what the engine does.

use crate::clipboard;
use tauri::AppHandle;
use tokenry_engine::{Engine, residue};

/// From now on, until the engine ends.
pub(crate) fn watch(app: &AppHandle, engine: &Engine) {
    let (app, engine) = (app.clone(), engine.clone());
    tauri::async_runtime::spawn(async move {
        loop {
            tokio::select! {
                () = engine.locked() => {}
                () = engine.finished() => return,
            }
            clipboard::take_away(&app);
            // The window's requests came in on the main thread.
            if let Err(error) = app.run_on_main_thread(residue::wipe_while_shut) {
                tracing::debug!("the stack of the main thread was not wiped: {error}");
            }
        }
    });
}
