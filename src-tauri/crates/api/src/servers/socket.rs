//! The socket server: HTTP/1.1 over a Unix socket, for programs of the same user.

mod bind;
mod folder_watch;
mod forward_guard;
mod peer;
mod rebind;
mod request_guard;

pub(super) use bind::{BoundSocket, MissingFolder, bind};
pub(super) use peer::peer;

use super::{
    Error, bearer,
    connection::{self, ConnectionOptions},
    foreign_users::ForeignUsers,
    idle_timeout::{Activity, IdleTimeoutStream},
    server::{Accepted, Server},
    shares::{Admission, Shares, is_stream},
};
use crate::error::ApiError;
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use rebind::{Rebinder, SharedSocket};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokenry_contract::profile;
use tokenry_engine::{Engine, Forward};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::oneshot,
    task::JoinHandle,
};
use tower::ServiceExt;

/// The running server. Dropping it closes it at once; [`SocketServer::close`] lets responses under way finish.
pub struct SocketServer {
    path: PathBuf,
    socket: SharedSocket,
    stop: Option<oneshot::Sender<()>>,
    rebinder: JoinHandle<()>,
}

/// Serves this engine at `path`; in the profile itself when no socket can be made at `path`, as without the folder of a
/// login session. A socket that is removed is bound again. The profile's lock file always names the socket that is
/// served.
///
/// # Errors
/// When the path is too long, its folder is open to other users, or something that is in use or not ours is there. What
/// is there is left alone then.
pub async fn serve_socket(engine: Engine, path: &Path) -> Result<SocketServer, Error> {
    let spare = profile::spare_socket(engine.folder()).filter(|spare| spare != path);
    let (bound, listener) = match (bind(path, MissingFolder::CreateAll).await, &spare) {
        (Err(Error::Io { .. }), Some(spare)) => bind(spare, MissingFolder::CreateAll).await?,
        (bound, _) => bound?,
    };
    engine.listens_at(bound.path());
    let state = SocketState {
        router: crate::router(engine.clone()),
        engine,
        shares: Arc::default(),
        foreign_users: Arc::default(),
        forward: None,
    };
    let bound_at = bound.path().to_owned();
    let server = state.start(listener);
    let socket = SharedSocket::new(bound);
    let rebinder = Rebinder::new(path.to_owned(), spare, socket.clone(), server, state);
    let (stop, stopped) = oneshot::channel();
    Ok(SocketServer {
        path: bound_at,
        socket,
        stop: Some(stop),
        rebinder: tokio::spawn(rebinder.run(stopped)),
    })
}

impl SocketServer {
    /// Where it was bound at its start.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the socket, so that no new connection arrives, and returns when the responses under way are sent, two
    /// seconds later at the latest.
    pub async fn close(mut self) {
        self.socket.close();
        drop(self.stop.take());
        let _ = (&mut self.rebinder).await;
    }
}

impl Drop for SocketServer {
    fn drop(&mut self) {
        self.socket.close();
        self.rebinder.abort();
    }
}

/// What every connection is served with.
#[derive(Clone)]
struct SocketState {
    router: Router,
    engine: Engine,
    /// Of all sockets that replaced each other.
    shares: Arc<Shares>,
    foreign_users: Arc<ForeignUsers>,
    /// Where the socket is forwarded to another host.
    forward: Option<(u64, Arc<Forward>)>,
}

/// Serves a socket for the programs of another host: token requests, and nothing else.
pub(super) fn serve_forward(engine: Engine, listener: UnixListener, number: u64, forward: Forward) -> Server {
    let state = SocketState {
        router: crate::router(engine.clone()),
        engine,
        shares: Arc::default(),
        foreign_users: Arc::default(),
        forward: Some((number, Arc::new(forward))),
    };
    state.start(listener)
}

impl SocketState {
    fn start(&self, listener: UnixListener) -> Server {
        let state = self.clone();
        Server::start(listener, self.shares.clone(), move |stream, accepted| {
            serve(stream, accepted, state.clone())
        })
    }
}

async fn serve(stream: UnixStream, accepted: Accepted, state: SocketState) {
    let Some(peer) = peer(&stream) else {
        state.foreign_users.rejected("the socket");
        return;
    };
    let peer = match &state.forward {
        None => peer,
        // Another program of the user than that ssh would pass for the host.
        Some((number, forward)) => match forward.requester(*number, peer) {
            Some(host) => host,
            None => return,
        },
    };
    let Accepted {
        shutdown,
        shares,
        unidentified,
    } = accepted;
    drop(unidentified);
    let activity = Arc::new(Activity::default());
    let admission = match shares.admit(peer, &activity) {
        Ok(admission) => admission,
        Err(reached) => {
            // What does not fit into the socket's buffer is not waited for.
            let _ = stream.try_write(&ApiError::TooBusy(reached.to_string()).into_bytes());
            return;
        }
    };
    let options = ConnectionOptions {
        keep_alive: !admission.is_reserved(),
        activity: activity.clone(),
        shutdown,
        engine: state.engine.clone(),
    };
    let stream = IdleTimeoutStream::new(stream, activity, admission.is_reserved());
    connection::serve(stream, options, |request| respond(&state, &admission, request)).await;
}

async fn respond(state: &SocketState, admission: &Admission, mut request: Request) -> Response {
    if let Err(error) = request_guard::check(&request) {
        return error.into_response();
    }
    if state.forward.is_some()
        && let Err(error) = forward_guard::check(&request)
    {
        return error.into_response();
    }
    let (router, engine) = (&state.router, &state.engine);
    let (method, path) = (request.method(), request.uri().path());
    if let Err(reached) = admission.allows(method, path) {
        return ApiError::TooBusy(reached.to_string()).into_response();
    }
    let is_last = is_stream(method, path);
    let mut response = match bearer::identify(engine, &mut request, admission.peer(), None).await {
        Ok(()) => router.clone().oneshot(request).await.into_response(),
        Err(error) => error.into_response(),
    };
    if is_last {
        // The connection counts as a stream from now on, so it may bring no other request.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}
