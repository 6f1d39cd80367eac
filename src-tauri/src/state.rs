//! The engine of the app, from its start to its end.

use crate::{host::WindowHost, single_instance::Profile};
use std::{sync::Arc, time::Duration};
use tauri::{AppHandle, Manager, async_runtime};
use tokenry_api::servers::{
    InProcessServer, SocketServer, Supervisor, supervise_loopback, supervise_sockets,
};
use tokenry_contract::{ErrorCode, ErrorEnvelope};
use tokenry_core::{Caller, Code};
use tokenry_engine::{ConsentMode, Engine, Options};
use tokio::sync::{Mutex, watch};

/// How often, and at which interval, a profile that is in use is tried again: for 5 s.
const MAX_RETRIES: u32 = 50;
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// The state of the shell.
pub(crate) struct Shell {
    pub(crate) profile: Profile,
    /// The deep link that the app was started with, until the engine gets it.
    link: Mutex<Option<String>>,
    pub(crate) hidden: bool,
    started: watch::Sender<Option<Result<Running, String>>>,
}

/// A running engine with its servers.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) engine: Engine,
    pub(crate) window: Arc<InProcessServer>,
    pub(crate) consent: Arc<InProcessServer>,
    _socket: Arc<SocketServer>,
    _loopback: Arc<Supervisor>,
    _on_request: Arc<Supervisor>,
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

    /// The engine, as soon as it runs; or why it does not, as an error envelope.
    pub(crate) async fn running(&self) -> Result<Running, ErrorEnvelope> {
        let mut started = self.started.subscribe();
        let result = match started.wait_for(Option::is_some).await {
            Ok(result) => result.clone(),
            Err(_) => None,
        };
        result
            .unwrap_or_else(|| Err("the engine has ended; start Tokenry again".to_owned()))
            .map_err(|message| crate::commands::envelope(ErrorCode::Internal, message))
    }

    /// The engine if it runs now.
    pub(crate) fn engine_now(&self) -> Option<Engine> {
        self.started
            .borrow()
            .as_ref()
            .and_then(|result| result.as_ref().ok())
            .map(|running| running.engine.clone())
    }
}

/// Starts the engine while the window opens, because a keyring that prompts the user must not delay the window.
pub(crate) fn start_engine(app: &AppHandle) {
    let app = app.clone();
    async_runtime::spawn(async move {
        let shell = app.state::<Shell>();
        let result = engine_with_servers(&app, &shell.profile).await;
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

async fn engine_with_servers(app: &AppHandle, profile: &Profile) -> Result<Running, String> {
    let engine = start_when_free(app, profile).await?;
    let socket = tokenry_api::servers::serve_socket(engine.clone(), &profile.socket)
        .await
        .map_err(|e| e.to_string())?;
    let loopback = supervise_loopback(engine.clone(), profile.folder.clone(), false).await;
    let sockets = socket.path().parent().unwrap_or(engine.folder());
    let on_request = supervise_sockets(engine.clone(), sockets).await;
    let window = Arc::new(InProcessServer::main(engine.clone()));
    let consent = Arc::new(InProcessServer::consent(engine.clone()));
    Ok(Running {
        engine,
        window,
        consent,
        _socket: Arc::new(socket),
        _loopback: Arc::new(loopback),
        _on_request: Arc::new(on_request),
    })
}

/// Starts the engine. Another engine that was asked to end may still use the profile, so this retries for a while.
async fn start_when_free(app: &AppHandle, profile: &Profile) -> Result<Engine, String> {
    let mut retries = 0;
    loop {
        let host = Arc::new(WindowHost::new(app.clone()));
        let mut options =
            Options::for_this_machine(profile.folder.clone(), host, true).map_err(|e| e.to_string())?;
        options.state = tokenry_contract::profile::state();
        options.asking = asking();
        match Engine::start(options).await {
            Err(error) if error.code() == Code::Conflict && retries < MAX_RETRIES => retries += 1,
            result => return result.map_err(|e| e.to_string()),
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
}

/// The user is always prompted in the window.
#[cfg(not(feature = "automation"))]
fn asking() -> ConsentMode {
    ConsentMode::Possible
}

/// A build for tests can allow everything without prompts, for tests about something else.
#[cfg(feature = "automation")]
fn asking() -> ConsentMode {
    match std::env::var_os("TOKENRY_APPROVE") {
        Some(word) if word == "all" => ConsentMode::AllowAll,
        _ => ConsentMode::Possible,
    }
}

/// Finishes the requests under way before the process ends.
pub(crate) fn shut_down(app: &AppHandle) {
    let Some(engine) = app.state::<Shell>().engine_now() else {
        return;
    };
    async_runtime::block_on(async {
        // A provider that does not respond must not keep the app running; its refresh is in the journal.
        let _ = tokio::time::timeout(Duration::from_secs(5), engine.shutdown()).await;
    });
}

/// Locks the vault, from the tray menu.
pub(crate) fn lock(app: &AppHandle) {
    if let Some(engine) = app.state::<Shell>().engine_now() {
        async_runtime::spawn(async move {
            if let Err(error) = engine.lock(&Caller::Ui).await {
                tracing::error!("{error}");
            }
        });
    }
}
