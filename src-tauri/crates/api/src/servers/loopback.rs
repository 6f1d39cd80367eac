//! The loopback server: HTTP/1.1 on 127.0.0.1, for programs that speak only TCP. Web pages and other users can reach a
//! port too, so every request needs a token.

mod discovery_file;
mod head;
mod request_guard;
mod supervisor;

pub use supervisor::supervise_loopback;

use super::{
    Error,
    bearer::{self, OwnToken},
    connection::{self, ConnectionOptions},
    foreign_users::ForeignUsers,
    idle_timeout::{Activity, IdleTimeoutStream},
    server::{Accepted, Server},
    shares::Admission,
};
use crate::{error::ApiError, oauth::Issuer};
use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
};
use discovery_file::DiscoveryFile;
use head::Head;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};
use tokenry_core::{OsRandom, Random};
use tokenry_engine::Engine;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt;

/// The ports to choose from. They are below the ports that systems give to outgoing connections, so that the port is
/// free again at the next start.
const PORTS: std::ops::Range<u16> = 20_000..30_000;
/// After so many ports that are taken, the system chooses one.
const MAX_PORT_ATTEMPTS: usize = 16;

/// The running server. Dropping it closes it at once; [`LoopbackServer::close`] lets responses under way finish.
pub struct LoopbackServer {
    file: DiscoveryFile,
    port: u16,
    server: Server,
}

/// Serves this engine on 127.0.0.1: at the port of the last time if that is free, else at another one that is kept from
/// then on. `loopback.json` in `folder`, which only our own user can read, holds the port and the token of this run.
///
/// # Errors
/// When no port is free, or the file cannot be written.
pub async fn serve_loopback(engine: Engine, folder: &Path) -> Result<LoopbackServer, Error> {
    let before = engine.chosen().await.ok().and_then(|chosen| chosen.loopback_port);
    let listener = bind(before).await.map_err(|source| Error::Port { source })?;
    let address = listener.local_addr().map_err(|source| Error::Port { source })?;
    let port = address.port();
    if before != Some(port)
        && let Err(error) = engine.remember_loopback_port(port).await
    {
        tracing::warn!(
            "could not save the port of the loopback server, so it will be another one next time: {error}"
        );
    }
    let (own, token) = OwnToken::generate();
    let file = DiscoveryFile::write(folder, port, &token).map_err(|source| Error::Io {
        path: discovery_file::path(folder),
        source,
    })?;
    let state = Arc::new(LoopbackState {
        router: crate::router(engine.clone()),
        engine,
        own,
        foreign_users: ForeignUsers::default(),
        address,
        issuer: Issuer(format!("http://{address}")),
    });
    let server = Server::start(listener, Arc::default(), move |stream, accepted| {
        serve(stream, accepted, state.clone())
    });
    Ok(LoopbackServer { file, port, server })
}

impl LoopbackServer {
    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Removes the discovery file and accepts no connection any more. Returns when the responses under way are sent, two
    /// seconds later at the latest.
    pub async fn close(mut self) {
        self.file.remove();
        self.server.close().await;
    }
}

async fn bind(before: Option<u16>) -> io::Result<TcpListener> {
    let at = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    if let Some(port) = before
        && let Ok(listener) = at(port).await
    {
        return Ok(listener);
    }
    for _ in 0..MAX_PORT_ATTEMPTS {
        let mut number = [0; 2];
        OsRandom.fill(&mut number);
        let port = PORTS.start + u16::from_le_bytes(number) % (PORTS.end - PORTS.start);
        if let Ok(listener) = at(port).await {
            return Ok(listener);
        }
    }
    at(0).await
}

/// What every connection is served with.
struct LoopbackState {
    router: Router,
    engine: Engine,
    own: OwnToken,
    foreign_users: ForeignUsers,
    address: SocketAddr,
    issuer: Issuer,
}

async fn serve(stream: TcpStream, accepted: Accepted, state: Arc<LoopbackState>) {
    let Ok(from) = stream.peer_addr() else { return };
    let Some(peer) = tokenry_peer::of_tcp(from, state.address).await else {
        state.foreign_users.rejected("the loopback server");
        return;
    };
    let Accepted {
        shutdown,
        shares,
        unidentified,
    } = accepted;
    drop(unidentified);
    let _ = stream.set_nodelay(true);
    let activity = Arc::new(Activity::default());
    let admission = match shares.admit(peer, &activity) {
        Ok(admission) => admission,
        Err(reached) => {
            // What does not fit into the socket's buffer is not waited for.
            let _ = stream.try_write(&ApiError::TooBusy(reached.to_string()).into_bytes());
            return;
        }
    };
    let mut stream = IdleTimeoutStream::new(stream, activity.clone(), admission.is_reserved());
    let head = tokio::select! {
        head = head::read(&mut stream) => head,
        () = shutdown.notified() => return,
        _ = activity.close_requested() => return,
    };
    match head {
        Ok(Head::Unambiguous(bytes)) => stream.unread(bytes),
        Ok(Head::Rejected(response)) => {
            let _ = stream.write_all(response).await;
            let _ = stream.shutdown().await;
            return;
        }
        Err(_) => return,
    }
    // One request per connection: no second request can be smuggled into the first.
    let options = ConnectionOptions {
        keep_alive: false,
        activity,
        shutdown,
        engine: state.engine.clone(),
    };
    connection::serve(stream, options, |request| respond(&state, &admission, request)).await;
}

async fn respond(state: &LoopbackState, admission: &Admission, mut request: Request) -> Response {
    if let Err(error) = request_guard::check(&request, state.address.port()) {
        return error.into_response();
    }
    if let Err(reached) = admission.allows(request.method(), request.uri().path()) {
        return ApiError::TooBusy(reached.to_string()).into_response();
    }
    match bearer::identify(&state.engine, &mut request, admission.peer(), Some(&state.own)).await {
        Ok(()) => {
            request.extensions_mut().insert(state.issuer.clone());
            state.router.clone().oneshot(request).await.into_response()
        }
        Err(error) => error.into_response(),
    }
}
