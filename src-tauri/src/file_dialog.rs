//! The file dialogs of the system. The window gets a path; it never reads or writes a file.

use crate::{commands::envelope, windows::MAIN};
use serde::Deserialize;
use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_dialog::{DialogExt, FileDialogBuilder, FilePath};
use tokenry_contract::{ErrorCode, ErrorEnvelope};
use tokio::sync::oneshot;

/// What a path is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// A new backup. The dialog asks before it gives the path of a file that exists.
    SaveBackup,
    /// A backup to restore.
    OpenBackup,
    /// An age identity file, which the engine reads.
    Identity,
    /// The folder of the daily backups.
    Folder,
}

/// Asks the user for a path. `None` when the user closes the dialog.
#[tauri::command]
pub(crate) async fn choose_path(app: AppHandle, purpose: Purpose) -> Result<Option<String>, ErrorEnvelope> {
    let (tell, told) = oneshot::channel();
    let answer = move |path: Option<FilePath>| drop(tell.send(path));
    let dialog = of_main(&app);
    match purpose {
        Purpose::SaveBackup => dialog.set_file_name("tokenry-backup.age").save_file(answer),
        Purpose::OpenBackup => dialog.add_filter("age", &["age"]).pick_file(answer),
        Purpose::Identity => dialog.pick_file(answer),
        Purpose::Folder => dialog.pick_folder(answer),
    }
    let Some(path) = told.await.ok().flatten() else {
        return Ok(None);
    };
    let path = path
        .into_path()
        .ok()
        .and_then(|path| path.into_os_string().into_string().ok());
    path.map(Some).ok_or_else(|| {
        envelope(
            ErrorCode::ValidationError,
            "this path cannot be used: it is not a local UTF-8 path; choose another one".to_owned(),
        )
    })
}

fn of_main<R: Runtime>(app: &AppHandle<R>) -> FileDialogBuilder<R> {
    let dialog = app.dialog().file();
    match app.get_webview_window(MAIN) {
        Some(window) => dialog.set_parent(&window),
        None => dialog,
    }
}
