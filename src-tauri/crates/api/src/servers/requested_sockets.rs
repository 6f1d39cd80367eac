//! Opens and closes the sockets beside the engine's own, as requests and the user's setting say.

use super::{
    Error,
    agents::{self, AgentState},
    server::Server,
    socket::{BoundSocket, MissingFolder, bind, serve_forward},
    supervisor::{Supervised, Supervisor},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokenry_core::{AgentProtocol, OIDC_AGENT_SOCKET, OsRandom, Random, hex};
use tokenry_engine::{Engine, Forward, SocketReport, SocketRequests};
use tokio::{net::UnixListener, sync::watch};

/// Starts the supervisor of the sockets, which are in `folder`, that of the engine's own socket.
pub async fn supervise_sockets(engine: Engine, folder: &Path) -> Supervisor {
    let state = State {
        engine: engine.clone(),
        folder: folder.to_owned(),
        requests: engine.socket_requests(),
        is_chosen: false,
        agents: BTreeMap::new(),
        forwards: BTreeMap::new(),
    };
    Supervisor::start(engine, state).await
}

struct State {
    engine: Engine,
    folder: PathBuf,
    requests: watch::Receiver<SocketRequests>,
    /// The user's setting, as it was when the vault was last unlocked.
    is_chosen: bool,
    agents: BTreeMap<AgentProtocol, OpenSocket>,
    forwards: BTreeMap<u64, OpenSocket>,
}

impl Supervised for State {
    async fn requested(&mut self) -> bool {
        self.requests.changed().await.is_ok()
    }

    async fn update(&mut self) {
        let requests = self.requests.borrow_and_update().clone();
        if let Ok(chosen) = self.engine.chosen().await {
            self.is_chosen = chosen.oidc_agent;
        }
        let mut report = SocketReport {
            number: requests.number,
            ..SocketReport::default()
        };
        for protocol in AgentProtocol::ALL.iter().copied() {
            let is_chosen = self.is_chosen && protocol == AgentProtocol::OidcAgent;
            if is_chosen || requests.agents.contains(&protocol) {
                let opened = self.agent(protocol).await.map_err(|error| logged(&error));
                report.agents.insert(protocol, opened);
            } else if let Some(socket) = self.agents.remove(&protocol) {
                socket.close().await;
            }
        }
        let is_over = |number: &u64| !requests.forwards.contains_key(number);
        let over: Vec<_> = self.forwards.keys().copied().filter(is_over).collect();
        for number in over {
            if let Some(socket) = self.forwards.remove(&number) {
                socket.close().await;
            }
        }
        for (number, forward) in requests.forwards {
            let opened = self.forward(number, forward).await;
            let opened = opened.map_err(|error| logged(&error));
            report.forwards.insert(number, opened);
        }
        self.engine.report_sockets(report);
    }

    async fn close(self) {
        for socket in self.agents.into_values().chain(self.forwards.into_values()) {
            socket.close().await;
        }
    }
}

impl State {
    /// The socket, which is bound again when its file was removed.
    async fn agent(&mut self, protocol: AgentProtocol) -> Result<PathBuf, Error> {
        if let Some(open) = self.agents.get(&protocol).filter(|open| open.socket.exists()) {
            return Ok(open.socket.path().to_owned());
        }
        let state = Arc::new(AgentState::new(self.engine.clone(), protocol));
        let path = match protocol {
            AgentProtocol::OidcAgent => self.folder.join(OIDC_AGENT_SOCKET),
            AgentProtocol::Pizauth => pizauth_socket()?,
        };
        let open = OpenSocket::bind(&path, |listener| {
            Server::start(listener, Arc::default(), move |stream, accepted| {
                agents::serve(stream, accepted, state.clone())
            })
        })
        .await?;
        if let Some(earlier) = self.agents.insert(protocol, open) {
            earlier.close().await;
        }
        Ok(path)
    }

    /// One that was removed is not bound again: ssh would not know its place.
    async fn forward(&mut self, number: u64, forward: Forward) -> Result<PathBuf, Error> {
        if let Some(open) = self.forwards.get(&number) {
            return Ok(open.socket.path().to_owned());
        }
        let mut name = [0; 12];
        OsRandom.fill(&mut name);
        let path = self.folder.join(format!("ssh-{}.sock", *hex(&name)));
        let engine = self.engine.clone();
        let open =
            OpenSocket::bind(&path, |listener| serve_forward(engine, listener, number, forward)).await?;
        self.forwards.insert(number, open);
        Ok(path)
    }
}

/// The place in which pizauth's clients look for it.
fn pizauth_socket() -> Result<PathBuf, Error> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime
        .filter(|path| path.is_absolute())
        .ok_or(Error::NoRuntimeFolder)?;
    Ok(runtime.join("pizauth/pizauth.sock"))
}

fn logged(error: &Error) -> String {
    tracing::error!("{error}");
    error.to_string()
}

/// One socket and its connections.
struct OpenSocket {
    socket: BoundSocket,
    server: Server,
}

impl OpenSocket {
    async fn bind(path: &Path, serve: impl FnOnce(UnixListener) -> Server) -> Result<Self, Error> {
        let (socket, listener) = bind(path, MissingFolder::CreateLast).await?;
        let server = serve(listener);
        Ok(Self { socket, server })
    }

    async fn close(mut self) {
        self.socket.remove();
        self.server.close().await;
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.socket.remove();
    }
}
