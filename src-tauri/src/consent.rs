//! The window that asks for consent: one window, and one question at a time.
//!
//! What must never be true of it: that it allows anything by itself, or sooner than its person can have read it; that
//! a script of another window gets through to an answer.

mod arming;
pub(crate) mod commands;

use crate::{state::Shell, web, windows};
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
/// In logical pixels. What does not fit is scrolled, so that the answers stay where they are; with large text the user
/// makes the window larger.
const SIZE: (f64, f64) = (480.0, 600.0);
const SMALLEST: (f64, f64) = (360.0, 360.0);
/// How long the last window may take to be gone, in milliseconds, looked at every 10 of them.
const GONE_WITHIN: u32 = 2000;

/// What the shell knows of the window.
#[derive(Default)]
pub(crate) struct Consent {
    arming: Mutex<Arming>,
    restarts: Mutex<web::Restarts>,
}

impl Consent {
    fn arming(&self) -> MutexGuard<'_, Arming> {
        self.arming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_allow(&self, id: &str) -> Result<(), TooEarly> {
        self.arming().may_allow(id, Instant::now())
    }
}

/// Shows the window as long as there is a question, for as long as the engine lives.
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
    if open_questions(engine).is_empty() {
        return close(app).await;
    }
    if app.get_webview_window(LABEL).is_none()
        && let Err(error) = show(app)
    {
        // Silence is a no: who asked hears of it in a minute.
        tracing::error!("the window that asks for consent could not be shown: {error}");
    }
}

fn open_questions(engine: &Engine) -> Vec<Prompt> {
    engine.prompts(&Caller::Consent).unwrap_or_default()
}

fn show(app: &AppHandle) -> tauri::Result<()> {
    app.state::<Consent>().arming().opened();
    let builder = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("consent.html".into()));
    web::keeping_nothing(builder)
        .title("Permission request - Tokenry")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(SMALLEST.0, SMALLEST.1)
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
            web::on_process_end(&window, move || draw_anew(&app));
        })
}

/// The process that draws the window has ended: what it showed counts for nothing. Whether it may be started again; if
/// not, the window goes, and the question is denied because nobody answers.
fn draw_anew(app: &AppHandle) -> bool {
    let consent = app.state::<Consent>();
    consent.arming().showed(None, Instant::now());
    let again = consent
        .restarts
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .one_more(Instant::now());
    if !again {
        let app = app.clone();
        tauri::async_runtime::spawn(async move { close(&app).await });
    }
    again
}

/// What happens to the window.
pub(crate) fn on_event(app: &AppHandle, event: &WindowEvent) {
    match event {
        WindowEvent::CloseRequested { api, .. } => {
            // The next question may be shown in it; when there is none, it is closed from here.
            api.prevent_close();
            deny(app);
        }
        WindowEvent::Focused(focused) => {
            app.state::<Consent>().arming().focused(*focused, Instant::now());
        }
        _ => {}
    }
}

/// Closing the window is a no to the question in it; before it shows one, to the first.
fn deny(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let Some(engine) = app.state::<Shell>().engine_now() else {
            return close(&app).await;
        };
        let shown = app.state::<Consent>().arming().on_the_screen().map(str::to_owned);
        let questions = open_questions(&engine);
        let question = match shown {
            Some(id) => questions.into_iter().find(|prompt| prompt.id.to_string() == id),
            None => questions.into_iter().next(),
        };
        if let Some(Prompt { id, number, .. }) = question {
            let denied = engine
                .answer(&Caller::Consent, id, &Proof::Number(number), PromptAnswer::Deny)
                .await;
            if let Err(error) = denied {
                tracing::warn!("a no was not taken: {error}");
            }
        }
        if open_questions(&engine).is_empty() {
            close(&app).await;
        }
    });
}

/// Closes the window, and waits until its name is free for the next.
async fn close(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    if let Err(error) = window.destroy() {
        tracing::error!("the window that asks for consent could not be closed: {error}");
    }
    for _ in 0..GONE_WITHIN / 10 {
        if app.get_webview_window(LABEL).is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
