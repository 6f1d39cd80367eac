//! Opens and closes the sockets, as requests and the user's setting say.

use super::connection::{self, AgentState};
use crate::servers::{
    Error,
    server::Server,
    socket::{BoundSocket, MissingFolder, bind},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokenry_core::AgentProtocol;
use tokenry_engine::{AgentSocketReport, AgentSocketRequests, Change, Engine};
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        oneshot, watch,
    },
    task::JoinHandle,
};

/// Opens the sockets of agents on request. Dropping it closes them at once.
pub struct AgentSupervisor {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl AgentSupervisor {
    /// Closes the sockets, and opens none any more.
    pub async fn close(mut self) {
        drop(self.stop.take());
        let _ = (&mut self.task).await;
    }
}

impl Drop for AgentSupervisor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts the supervisor. The sockets are in `folder`, which is that of the engine's own socket.
pub async fn supervise_agents(engine: Engine, folder: &Path) -> AgentSupervisor {
    let (stop, stopped) = oneshot::channel();
    let (requests, changes) = (engine.agent_socket_requests(), engine.changes());
    let mut state = State {
        engine,
        folder: folder.to_owned(),
        requests,
        is_chosen: false,
        open: BTreeMap::new(),
    };
    state.update().await;
    let task = tokio::spawn(async move {
        tokio::select! {
            () = state.follow(changes) => {}
            _ = stopped => {}
        }
        for (_, server) in std::mem::take(&mut state.open) {
            server.close().await;
        }
    });
    let stop = Some(stop);
    AgentSupervisor { stop, task }
}

struct State {
    engine: Engine,
    folder: PathBuf,
    requests: watch::Receiver<AgentSocketRequests>,
    /// The user's setting, as it was when the vault was last unlocked.
    is_chosen: bool,
    open: BTreeMap<AgentProtocol, AgentServer>,
}

impl State {
    async fn follow(&mut self, mut changes: broadcast::Receiver<Change>) {
        let engine = self.engine.clone();
        loop {
            tokio::select! {
                changed = self.requests.changed() => match changed {
                    Ok(()) => self.update().await,
                    Err(_) => return,
                },
                change = changes.recv() => match change {
                    Ok(Change::Engine) | Err(RecvError::Lagged(_)) => self.update().await,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                },
                () = engine.finished() => return,
            }
        }
    }

    async fn update(&mut self) {
        let requests = self.requests.borrow_and_update().clone();
        if let Ok(chosen) = self.engine.chosen().await {
            self.is_chosen = chosen.oidc_agent;
        }
        let mut report = AgentSocketReport {
            number: requests.number,
            ..AgentSocketReport::default()
        };
        for protocol in AgentProtocol::ALL.iter().copied() {
            let is_chosen = self.is_chosen && protocol == AgentProtocol::OidcAgent;
            if is_chosen || requests.open.contains(&protocol) {
                let opened = self.opened(protocol).await;
                let opened = opened.inspect_err(|error| tracing::error!("{error}"));
                let opened = opened.map_err(|error| error.to_string());
                report.sockets.insert(protocol, opened);
            } else if let Some(server) = self.open.remove(&protocol) {
                server.close().await;
            }
        }
        self.engine.report_agent_sockets(report);
    }

    /// The socket, which is bound again when its file was removed.
    async fn opened(&mut self, protocol: AgentProtocol) -> Result<PathBuf, Error> {
        if let Some(server) = self.open.get(&protocol).filter(|server| server.socket.exists()) {
            return Ok(server.socket.path().to_owned());
        }
        let server = AgentServer::start(self.engine.clone(), protocol, &self.folder).await?;
        let path = server.socket.path().to_owned();
        if let Some(earlier) = self.open.insert(protocol, server) {
            earlier.close().await;
        }
        Ok(path)
    }
}

/// One socket and its connections.
struct AgentServer {
    socket: BoundSocket,
    server: Server,
}

impl AgentServer {
    async fn start(engine: Engine, protocol: AgentProtocol, folder: &Path) -> Result<Self, Error> {
        let path = match protocol {
            AgentProtocol::OidcAgent => folder.join("oidc-agent.sock"),
        };
        let (socket, listener) = bind(&path, MissingFolder::CreateLast).await?;
        let state = Arc::new(AgentState::new(engine, protocol));
        let server = Server::start(listener, Arc::default(), move |stream, accepted| {
            connection::serve(stream, accepted, state.clone())
        });
        Ok(Self { socket, server })
    }

    async fn close(mut self) {
        self.socket.remove();
        self.server.close().await;
    }
}

impl Drop for AgentServer {
    fn drop(&mut self) {
        self.socket.remove();
    }
}
