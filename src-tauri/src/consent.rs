//! The consent window, which shows one prompt at a time.
//!
//! What must never be true of it: that it allows anything without the user, or before the user can have read the prompt; that
//! a script of another window can answer.

mod arming;
pub(crate) mod commands;

use crate::{state::Shell, webview, windows};
use arming::{Arming, TooEarly};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindowBuilder, WindowEvent};
use tokenry_core::Caller;
use tokenry_engine::{Change, Engine, Prompt, PromptAnswer, Proof};
use tokio::sync::broadcast::error::RecvError;

pub(crate) const LABEL: &str = "consent";
/// In logical pixels. A longer prompt scrolls, so that the buttons stay in place; with large text the user enlarges the
/// window.
const SIZE_PX: (f64, f64) = (480.0, 600.0);
const MIN_SIZE_PX: (f64, f64) = (360.0, 360.0);
/// For a closed window to be destroyed.
const DESTROY_TIMEOUT: Duration = Duration::from_secs(2);
const DESTROY_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The state of the window.
#[derive(Default)]
pub(crate) struct Consent {
    arming: Mutex<Arming>,
    restarts: Mutex<webview::Restarts>,
}

impl Consent {
    fn arming(&self) -> MutexGuard<'_, Arming> {
        self.arming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_allow(&self, id: &str) -> Result<(), TooEarly> {
        self.arming().may_allow(id, Instant::now())
    }
}

/// Shows the window while a prompt is open, until the engine ends.
pub(crate) fn watch(app: &AppHandle, engine: &Engine) {
    let (app, engine) = (app.clone(), engine.clone());
    tauri::async_runtime::spawn(async move {
        let mut changes = engine.changes();
        loop {
            follow(&app, &engine).await;
            loop {
                match changes.recv().await {
                    Ok(Change::Prompts | Change::Engine) | Err(RecvError::Lagged(_)) => break,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return close(&app).await,
                }
            }
        }
    });
}

async fn follow(app: &AppHandle, engine: &Engine) {
    if open_prompts(engine).is_empty() {
        return close(app).await;
    }
    if app.get_webview_window(LABEL).is_none()
        && let Err(error) = show(app)
    {
        // The prompt is denied after a minute without an answer.
        tracing::error!("could not show the consent window: {error}");
    }
}

fn open_prompts(engine: &Engine) -> Vec<Prompt> {
    engine.prompts(&Caller::Consent).unwrap_or_default()
}

fn show(app: &AppHandle) -> tauri::Result<()> {
    app.state::<Consent>().arming().opened();
    let builder = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("consent.html".into()));
    webview::without_storage(builder)
        .title("Permission request - Tokenry")
        .inner_size(SIZE_PX.0, SIZE_PX.1)
        .min_inner_size(MIN_SIZE_PX.0, MIN_SIZE_PX.1)
        .maximizable(false)
        .minimizable(false)
        .always_on_top(true)
        .center()
        .content_protected(true)
        .devtools(false)
        .on_navigation(windows::is_ours)
        .on_new_window(|_, _| tauri::webview::NewWindowResponse::Deny)
        .build()
        .map(|window| {
            let app = app.clone();
            webview::on_process_end(&window, move || may_reload(&app));
        })
}

/// Called when the process that renders the window has ended: the prompt it showed has to be read again. Returns whether the
/// page may be reloaded; if not, the window closes, and the prompt is denied without an answer.
fn may_reload(app: &AppHandle) -> bool {
    let consent = app.state::<Consent>();
    consent.arming().showed(None, Instant::now());
    let may_reload = consent
        .restarts
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .allow_one_more(Instant::now());
    if !may_reload {
        let app = app.clone();
        tauri::async_runtime::spawn(async move { close(&app).await });
    }
    may_reload
}

/// Handles an event of the window.
pub(crate) fn on_event(app: &AppHandle, event: &WindowEvent) {
    match event {
        WindowEvent::CloseRequested { api, .. } => {
            // The next prompt may be shown in it; without one, `deny` closes it.
            api.prevent_close();
            deny(app);
        }
        WindowEvent::Focused(focused) => {
            app.state::<Consent>().arming().focused(*focused, Instant::now());
        }
        _ => {}
    }
}

/// Closing the window denies the prompt that it shows; before it shows one, the first prompt.
fn deny(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let Some(engine) = app.state::<Shell>().engine_now() else {
            return close(&app).await;
        };
        let shown = app.state::<Consent>().arming().on_screen().map(str::to_owned);
        let prompts = open_prompts(&engine);
        let prompt = match shown {
            Some(id) => prompts.into_iter().find(|prompt| prompt.id.to_string() == id),
            None => prompts.into_iter().next(),
        };
        if let Some(Prompt { id, number, .. }) = prompt {
            let denied = engine
                .answer(&Caller::Consent, id, &Proof::Number(number), PromptAnswer::Deny)
                .await;
            if let Err(error) = denied {
                tracing::warn!("could not deny a prompt: {error}");
            }
        }
        if open_prompts(&engine).is_empty() {
            close(&app).await;
        }
    });
}

/// Closes the window, and waits until its label is free for the next one.
async fn close(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    if let Err(error) = window.destroy() {
        tracing::error!("could not close the consent window: {error}");
    }
    let destroyed = async {
        while app.get_webview_window(LABEL).is_some() {
            tokio::time::sleep(DESTROY_POLL_INTERVAL).await;
        }
    };
    let _ = tokio::time::timeout(DESTROY_TIMEOUT, destroyed).await;
}
