//! Copies secrets to the clipboard, and clears it after a while, when the vault is locked, or when the app ends.

use crate::state::Shell;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tauri::{AppHandle, Manager};
use tauri_plugin_clipboard_manager::{ClipboardExt, Error};
use tokenry_core::Secret;

/// How long a secret stays on the clipboard.
const CLIPBOARD_TTL: Duration = Duration::from_secs(45);

/// The number of secrets that were copied, and the last one until it is cleared.
#[derive(Default)]
pub(crate) struct Clipboard(Mutex<(u64, Option<Secret>)>);

/// Copies a text.
pub(crate) fn copy(app: &AppHandle, text: &str) -> Result<(), Error> {
    app.clipboard().write_text(text)
}

/// Copies a secret, and clears it later unless something else was copied since.
pub(crate) fn copy_secret(app: &AppHandle, secret: Secret) -> Result<(), Error> {
    copy(app, secret.expose())?;
    let number = {
        let kept = app.state::<Clipboard>();
        let mut kept = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = (kept.0 + 1, Some(secret));
        kept.0
    };
    // The vault may have been locked since the permission was given.
    let is_open = app
        .state::<Shell>()
        .engine_now()
        .is_some_and(|engine| engine.is_open());
    if !is_open {
        clear(app);
        return Ok(());
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(CLIPBOARD_TTL).await;
        let is_the_last = {
            let kept = app.state::<Clipboard>();
            let kept = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.0 == number
        };
        if is_the_last {
            clear(&app);
        }
    });
    Ok(())
}

/// Clears the last secret, unless something else was copied since.
pub(crate) fn clear(app: &AppHandle) {
    let secret = {
        let kept = app.state::<Clipboard>();
        let mut kept = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1.take()
    };
    let Some(secret) = secret else { return };
    let still_there = app
        .clipboard()
        .read_text()
        .is_ok_and(|text| text == secret.expose());
    if still_there && let Err(error) = app.clipboard().clear() {
        tracing::warn!("could not clear a secret from the clipboard: {error}");
    }
}
