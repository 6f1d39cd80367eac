//! The window's door: one command carries every request, another the news, four put things on the clipboard that the
//! window itself must not hold, and one says what closing the window means.

use crate::{
    clipboard,
    notices::Notices,
    state::Shell,
    windows::{self, Closing},
};
use serde_json::Value;
use tauri::{AppHandle, Manager, State, ipc::Channel};
use tokenry_api::doors::WindowAnswer;
use tokenry_contract::{App, CreateApp, ErrorBody, ErrorCode, ErrorEnvelope};
use tokenry_core::Caller;
use tokenry_engine::{AppView, Change};
use tokio::sync::broadcast::error::RecvError;

/// Any operation of the contract, as the person.
#[tauri::command]
pub(crate) async fn request(
    shell: State<'_, Shell>,
    method: String,
    path: String,
    body: Option<Value>,
) -> Result<WindowAnswer, ErrorEnvelope> {
    Ok(shell.running().await?.window.handle(&method, &path, body).await)
}

/// What changes from now on, until the window goes or its page is loaded anew; and what it was to be told meanwhile.
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
                    // Kept for a window that is not there yet, and told below.
                    Ok(Change::LinkRefused(..)) => continue,
                    Ok(change) => tokenry_api::change(change),
                    // Too much at once: looking at everything again is right after that.
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

/// The answer of the user who closes the window where no tray shows an icon to open it again.
#[tauri::command]
pub(crate) async fn close_window(app: AppHandle, answer: Closing) -> Result<(), ErrorEnvelope> {
    windows::answer_closing(&app, answer).map_err(|error| {
        refusal(
            ErrorCode::Internal,
            format!("the window could not be closed ({error})"),
        )
    })
}

/// Puts a connection's access token on the clipboard. The window hears only whether that worked.
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
    clipboard::put_for_a_while(&app, token.access_token).map_err(no_clipboard)
}

/// Puts the value of a credential's field on the clipboard. The window hears only whether that worked.
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
    clipboard::put_for_a_while(&app, value).map_err(no_clipboard)
}

/// Registers an app. Its own token, which is told this once, goes to the clipboard; the window hears of the app.
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
        && let Err(error) = clipboard::put_for_a_while(&app, token)
    {
        // An app whose token nobody has can never prove itself: it goes again.
        if let Err(error) = engine.remove_app(&Caller::Ui, &registered.id.to_string()).await {
            tracing::error!(
                "the app {} stays without a token that anybody has: {error}",
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

/// Puts a waiting flow's link on the clipboard.
#[tauri::command]
pub(crate) async fn copy_link(
    app: AppHandle,
    shell: State<'_, Shell>,
    flow: String,
) -> Result<(), ErrorEnvelope> {
    let engine = shell.running().await?.engine;
    let id = flow
        .parse()
        .map_err(|_| refusal(ErrorCode::ValidationError, "flow is not an id".to_owned()))?;
    let view = engine.flow(&Caller::Ui, id, std::time::Duration::ZERO).await;
    let url = view.map_err(|error| tokenry_api::envelope(&error))?.browser_url;
    let url = url.ok_or_else(|| {
        refusal(
            ErrorCode::FlowExpired,
            "this sign-in is over; start again".to_owned(),
        )
    })?;
    clipboard::put(&app, url.as_str()).map_err(no_clipboard)
}

fn no_clipboard(error: tauri_plugin_clipboard_manager::Error) -> ErrorEnvelope {
    let message = format!("the clipboard did not take it ({error}); use the command line instead");
    refusal(ErrorCode::Internal, message)
}

/// An error that the engine knows nothing of, in the shape of all others.
pub(crate) fn refusal(code: ErrorCode, message: String) -> ErrorEnvelope {
    ErrorEnvelope {
        error: ErrorBody {
            code,
            message,
            request_id: String::new(),
            details: None,
        },
    }
}
