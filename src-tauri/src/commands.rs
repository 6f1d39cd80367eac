//! The commands of the main window: requests, changes, copying of secrets that the window itself must not hold, opening
//! the browser, and closing.

use crate::{
    clipboard,
    host::WindowHost,
    notices::Notices,
    state::Shell,
    windows::{self, Closing},
};
use serde_json::Value;
use std::collections::BTreeMap;
use tauri::{AppHandle, Manager, State, ipc::Channel};
use tokenry_api::servers::InProcessResponse;
use tokenry_contract::{App, CreateApp, ErrorBody, ErrorCode, ErrorEnvelope, PreviewPreset};
use tokenry_core::Caller;
use tokenry_engine::{AppView, Change, Host};
use tokio::sync::broadcast::error::RecvError;
use url::Url;

/// Any operation of the API, as the user.
#[tauri::command]
pub(crate) async fn request(
    shell: State<'_, Shell>,
    method: String,
    path: String,
    body: Option<Value>,
) -> Result<InProcessResponse, ErrorEnvelope> {
    Ok(shell.running().await?.window.handle(&method, &path, body).await)
}

/// Sends the changes from now on until the window closes or its page is reloaded, and the notices that wait for it.
#[tauri::command]
pub(crate) async fn subscribe(
    app: AppHandle,
    shell: State<'_, Shell>,
    channel: Channel<tokenry_contract::Change>,
) -> Result<(), ErrorEnvelope> {
    let mut changes = shell.running().await?.engine.changes();
    let listening = app.clone();
    let listener = tauri::async_runtime::spawn(async move {
        let notices = listening.state::<Notices>();
        loop {
            let change = tokio::select! {
                change = changes.recv() => match change {
                    // Kept for a window that is not open yet, and sent below.
                    Ok(Change::LinkRefused(..)) => continue,
                    Ok(change) => tokenry_api::change(change),
                    // Some changes were lost, so the window has to load everything again.
                    Err(RecvError::Lagged(_)) => tokenry_contract::Change::Engine,
                    Err(RecvError::Closed) => return,
                },
                notice = notices.next() => notice,
            };
            if channel.send(change).is_err() {
                return;
            }
        }
    });
    app.state::<Notices>().listen(listener);
    Ok(())
}

/// The answer of the user who closes the window when no tray icon can open it again.
#[tauri::command]
pub(crate) async fn close_window(app: AppHandle, answer: Closing) -> Result<(), ErrorEnvelope> {
    windows::answer_closing(&app, answer).map_err(|error| {
        envelope(
            ErrorCode::Internal,
            format!("could not close the window ({error})"),
        )
    })
}

/// Copies the access token of a connection. The window only learns whether that worked.
#[tauri::command]
pub(crate) async fn copy_token(
    app: AppHandle,
    shell: State<'_, Shell>,
    connection: String,
) -> Result<(), ErrorEnvelope> {
    let engine = shell.running().await?.engine;
    let token = engine
        .token(&Caller::Ui, &connection, std::time::Duration::ZERO)
        .await;
    let token = token.map_err(|error| tokenry_api::envelope(&error))?;
    clipboard::copy_secret(&app, token.access_token).map_err(no_clipboard)
}

/// Copies the value of a credential's field. The window only learns whether that worked.
#[tauri::command]
pub(crate) async fn copy_credential(
    app: AppHandle,
    shell: State<'_, Shell>,
    credential: String,
    field: String,
) -> Result<(), ErrorEnvelope> {
    let engine = shell.running().await?.engine;
    let value = engine.credential_value(&Caller::Ui, &credential, &field).await;
    let value = value.map_err(|error| tokenry_api::envelope(&error))?;
    clipboard::copy_secret(&app, value).map_err(no_clipboard)
}

/// Registers an app. Its own token, which is shown only once, is copied to the clipboard; the window gets the app.
#[tauri::command]
pub(crate) async fn create_app(
    app: AppHandle,
    shell: State<'_, Shell>,
    body: CreateApp,
) -> Result<App, ErrorEnvelope> {
    let engine = shell.running().await?.engine;
    let registered = engine
        .register_app(&Caller::Ui, &body.name, body.redirect_uris, body.public)
        .await;
    let (registered, token) = registered.map_err(|error| tokenry_api::envelope(&error))?;
    if let Some(token) = token
        && let Err(error) = clipboard::copy_secret(&app, token)
    {
        // Without its token the app could never authenticate itself, so it is removed.
        if let Err(error) = engine.remove_app(&Caller::Ui, &registered.id.to_string()).await {
            tracing::error!(
                "could not remove the app {}, whose token is lost: {error}",
                registered.name
            );
        }
        return Err(no_clipboard(error));
    }
    let grants = Vec::new();
    Ok(tokenry_api::app(AppView {
        app: registered,
        grants,
    }))
}

/// Copies the link of an open sign-in.
#[tauri::command]
pub(crate) async fn copy_link(
    app: AppHandle,
    shell: State<'_, Shell>,
    flow: String,
) -> Result<(), ErrorEnvelope> {
    let engine = shell.running().await?.engine;
    let id = flow
        .parse()
        .map_err(|_| envelope(ErrorCode::ValidationError, "flow must be an id".to_owned()))?;
    let view = engine.flow(&Caller::Ui, id, std::time::Duration::ZERO).await;
    let url = view.map_err(|error| tokenry_api::envelope(&error))?.browser_url;
    let url = url.ok_or_else(|| {
        envelope(
            ErrorCode::FlowExpired,
            "this sign-in has ended; start a new one".to_owned(),
        )
    })?;
    clipboard::copy(&app, url.as_str()).map_err(no_clipboard)
}

/// Opens the page where a client is registered by hand. The address is that of a preset: the window cannot name one.
#[tauri::command]
pub(crate) async fn open_registration(
    app: AppHandle,
    shell: State<'_, Shell>,
    preset: String,
    variables: BTreeMap<String, String>,
) -> Result<(), ErrorEnvelope> {
    let engine = shell.running().await?.engine;
    let wanted = PreviewPreset {
        name: None,
        variables,
    };
    let provider = engine.preview_preset(&Caller::Ui, &preset, wanted);
    let provider = provider.map_err(|error| tokenry_api::envelope(&error))?;
    let page = provider
        .settings
        .register_url
        .and_then(|url| Url::parse(&url).ok());
    let page = page.filter(|url| url.scheme() == "https").ok_or_else(|| {
        envelope(
            ErrorCode::NotFound,
            format!("the preset {preset} names no page for registration"),
        )
    })?;
    let opened = WindowHost::new(app).open_browser(&page);
    opened.map_err(|error| envelope(ErrorCode::Internal, format!("{error}; copy the address instead")))
}

fn no_clipboard(error: tauri_plugin_clipboard_manager::Error) -> ErrorEnvelope {
    let message = format!("could not copy to the clipboard ({error}); use the command line instead");
    envelope(ErrorCode::Internal, message)
}

/// An error of the shell itself, in the envelope of the API.
pub(crate) fn envelope(code: ErrorCode, message: String) -> ErrorEnvelope {
    ErrorEnvelope {
        error: ErrorBody {
            code,
            message,
            request_id: String::new(),
            details: None,
        },
    }
}
