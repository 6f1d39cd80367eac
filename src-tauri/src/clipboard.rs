//! The clipboard, where a secret stays for a while and not longer: until its time is over, the vault is locked, or the
//! app ends.

use crate::state::Shell;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tauri::{AppHandle, Manager};
use tauri_plugin_clipboard_manager::{ClipboardExt, Error};
use tokenry_core::Secret;

/// How long a secret stays on the clipboard.
const STAYS: Duration = Duration::from_secs(45);

/// What was put on the clipboard last and is to be taken away again, and how many there have been.
#[derive(Default)]
pub(crate) struct Clipboard(Mutex<(u64, Option<Secret>)>);

pub(crate) fn put(app: &AppHandle, text: &str) -> Result<(), Error> {
    app.clipboard().write_text(text)
}

/// Puts a secret there, and takes it away again unless something else was copied since.
pub(crate) fn put_for_a_while(app: &AppHandle, secret: Secret) -> Result<(), Error> {
    put(app, secret.expose())?;
    let number = {
        let kept = app.state::<Clipboard>();
        let mut kept = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = (kept.0 + 1, Some(secret));
        kept.0
    };
    // It may have been locked between the permission and now.
    let is_open = app
        .state::<Shell>()
        .engine_now()
        .is_some_and(|engine| engine.is_open());
    if !is_open {
        take_away(app);
        return Ok(());
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(STAYS).await;
        let is_the_last = {
            let kept = app.state::<Clipboard>();
            let kept = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.0 == number
        };
        if is_the_last {
            take_away(&app);
        }
    });
    Ok(())
}

/// Takes away what was put there, unless something else was copied since.
pub(crate) fn take_away(app: &AppHandle) {
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
        tracing::warn!("a secret stays on the clipboard: {error}");
    }
}
