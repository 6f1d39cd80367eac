//! The engine inside the app, from its start to its end.

use crate::{first::Profile, host::WindowHost};
use std::{sync::Arc, time::Duration};
use tauri::{AppHandle, Manager, async_runtime};
use tokenry_api::doors::{KeptLoopback, SocketDoor, WindowDoor, keep_loopback};
use tokenry_contract::{ErrorCode, ErrorEnvelope};
use tokenry_core::{Caller, Code};
use tokenry_engine::{ConsentMode, Engine, Options};
use tokio::sync::{Mutex, watch};

/// How often, and how far apart, a profile that is held is tried again: 5 s in all.
const TRIES: u32 = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// What the shell keeps beside the window.
pub(crate) struct Shell {
    pub(crate) profile: Profile,
    /// A link the app was started with, until the engine has it.
    link: Mutex<Option<String>>,
    pub(crate) hidden: bool,
    started: watch::Sender<Option<Result<Running, String>>>,
}

/// An engine with its doors.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) engine: Engine,
    pub(crate) window: Arc<WindowDoor>,
    pub(crate) consent: Arc<WindowDoor>,
    _socket: Arc<SocketDoor>,
    _loopback: Arc<KeptLoopback>,
}

impl Shell {
    pub(crate) fn new(profile: Profile, link: Option<String>, hidden: bool) -> Self {
        Self {
            profile,
            link: Mutex::new(link),
            hidden,
            started: watch::channel(None).0,
        }
    }

    /// The engine, as soon as it is there; or why it is not, as the contract's error envelope.
    pub(crate) async fn running(&self) -> Result<Running, ErrorEnvelope> {
        let mut started = self.started.subscribe();
        let result = match started.wait_for(Option::is_some).await {
            Ok(result) => result.clone(),
            Err(_) => None,
        };
        result
            .unwrap_or_else(|| Err("the engine went away; start Tokenry again".to_owned()))
            .map_err(|message| crate::commands::refusal(ErrorCode::Internal, message))
    }

    /// The engine if it is there now.
    pub(crate) fn engine_now(&self) -> Option<Engine> {
        self.started
            .borrow()
            .as_ref()
            .and_then(|result| result.as_ref().ok())
            .map(|running| running.engine.clone())
    }
}

/// Starts the engine beside the window: a keyring that asks its person something must not hold the window back.
pub(crate) fn start_engine(app: &AppHandle) {
    let app = app.clone();
    async_runtime::spawn(async move {
        let shell = app.state::<Shell>();
        let result = engine_with_doors(&app, &shell.profile).await;
        if let Err(message) = &result {
            tracing::error!("{message}");
        }
        shell.started.send_replace(Some(result.clone()));
        let Ok(running) = result else { return };
        crate::locked::watch(&app, &running.engine);
        crate::consent::watch(&app, &running.engine);
        crate::notices::watch(&app, &running.engine);
        if let Some(link) = shell.link.lock().await.take() {
            crate::deep_link::arrived(&running.engine, &link).await;
        }
        running.engine.finished().await;
        app.exit(0);
    });
}

async fn engine_with_doors(app: &AppHandle, profile: &Profile) -> Result<Running, String> {
    let engine = start_when_free(app, profile).await?;
    let socket = tokenry_api::doors::serve_socket(engine.clone(), &profile.socket)
        .await
        .map_err(|e| e.to_string())?;
    let loopback = keep_loopback(engine.clone(), profile.folder.clone(), false).await;
    let window = Arc::new(WindowDoor::new(engine.clone()));
    let consent = Arc::new(WindowDoor::consent(engine.clone()));
    Ok(Running {
        engine,
        window,
        consent,
        _socket: Arc::new(socket),
        _loopback: Arc::new(loopback),
    })
}

/// An engine that handed over may still be on its way out: the profile is tried for a little while.
async fn start_when_free(app: &AppHandle, profile: &Profile) -> Result<Engine, String> {
    let mut tries = 0;
    loop {
        let host = Arc::new(WindowHost::new(app.clone()));
        let mut options =
            Options::for_this_machine(profile.folder.clone(), host, true).map_err(|e| e.to_string())?;
        options.state = tokenry_contract::profile::state();
        options.asking = asking();
        match Engine::start(options).await {
            Err(error) if error.code() == Code::Conflict && tries < TRIES => tries += 1,
            result => return result.map_err(|e| e.to_string()),
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
}

/// In the window, always.
#[cfg(not(feature = "automation"))]
fn asking() -> ConsentMode {
    ConsentMode::Possible
}

/// A build for tests can be told to ask nobody: those that are about something else have no person to answer.
#[cfg(feature = "automation")]
fn asking() -> ConsentMode {
    match std::env::var_os("TOKENRY_APPROVE") {
        Some(word) if word == "all" => ConsentMode::AllowAll,
        _ => ConsentMode::Possible,
    }
}

/// Finishes what is under way before the process ends.
pub(crate) fn shut_down(app: &AppHandle) {
    let Some(engine) = app.state::<Shell>().engine_now() else {
        return;
    };
    async_runtime::block_on(async {
        // A provider that hangs must not keep the app from ending; its refresh is in the journal.
        let _ = tokio::time::timeout(Duration::from_secs(5), engine.shutdown()).await;
    });
}

/// The person, at the tray: lock.
pub(crate) fn lock(app: &AppHandle) {
    if let Some(engine) = app.state::<Shell>().engine_now() {
        async_runtime::spawn(async move {
            if let Err(error) = engine.lock(&Caller::Ui).await {
                tracing::error!("{error}");
            }
        });
    }
}
