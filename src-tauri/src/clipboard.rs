//! The clipboard, where a token stays for a while and not longer.

use std::time::Duration;
use tauri::AppHandle;
use tauri_plugin_clipboard_manager::{ClipboardExt, Error};
use tokenry_core::Secret;

/// How long a token stays on the clipboard.
const STAYS: Duration = Duration::from_secs(45);

pub(crate) fn put(app: &AppHandle, text: &str) -> Result<(), Error> {
    app.clipboard().write_text(text)
}

/// Puts a secret there, and takes it away again unless something else was copied since.
pub(crate) fn put_for_a_while(app: &AppHandle, secret: Secret) -> Result<(), Error> {
    put(app, secret.expose())?;
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(STAYS).await;
        let still_there = app
            .clipboard()
            .read_text()
            .is_ok_and(|text| text == secret.expose());
        if still_there && let Err(error) = app.clipboard().clear() {
            tracing::warn!("a token stays on the clipboard: {error}");
        }
    });
    Ok(())
}
