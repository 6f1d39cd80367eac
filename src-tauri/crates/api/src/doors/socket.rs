//! The socket's way in: HTTP/1.1 over a Unix socket, for the programs of the same user.

mod bind;
mod guard;
mod keep;
mod peer;
mod watch;

use super::{
    Error, bearer,
    connection::{self, Manners},
    house::House,
    patience::{Pace, Patient},
};
use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
};
use bind::Missing;
use keep::{Keeper, Shared};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokenry_contract::profile;
use tokenry_core::Peer;
use tokenry_engine::Engine;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{Notify, oneshot},
    task::JoinHandle,
};
use tower::ServiceExt;

/// The open door. Dropping it closes it at once; [`SocketDoor::close`] lets answers under way finish.
pub struct SocketDoor {
    path: PathBuf,
    shared: Shared,
    stop: Option<oneshot::Sender<()>>,
    keeper: JoinHandle<()>,
}

/// Opens the door at `path` and serves this engine there; in the profile itself when nothing can be made at `path`,
/// as without the folder that a login session has. A socket that somebody removes is bound again. The profile's lock
/// file always names the one that is served.
///
/// # Errors
/// When the path is too long, its folder is open to others, or something that is alive or not ours is there. What
/// is there is left alone then.
pub async fn serve_socket(engine: Engine, path: &Path) -> Result<SocketDoor, Error> {
    let spare = profile::spare_socket(engine.folder()).filter(|spare| spare != path);
    let (bound, listener) = match (bind::bind(path, Missing::MakeAll).await, &spare) {
        (Err(Error::Io { .. }), Some(spare)) => bind::bind(spare, Missing::MakeAll).await?,
        (bound, _) => bound?,
    };
    engine.listens_at(bound.path());
    let visitors = Visitors {
        router: crate::router(engine.clone()),
        engine,
    };
    let at = bound.path().to_owned();
    let house = visitors.house(listener);
    let shared = Shared::new(bound);
    let keeper = Keeper::new(path.to_owned(), spare, shared.clone(), house, visitors);
    let (stop, stopped) = oneshot::channel();
    Ok(SocketDoor {
        path: at,
        shared,
        stop: Some(stop),
        keeper: tokio::spawn(keeper.run(stopped)),
    })
}

impl SocketDoor {
    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the socket away, so that nobody new comes, and ends when the answers under way are sent, two seconds
    /// later at the latest.
    pub async fn close(mut self) {
        self.shared.close();
        drop(self.stop.take());
        let _ = (&mut self.keeper).await;
    }
}

impl Drop for SocketDoor {
    fn drop(&mut self) {
        self.shared.close();
        self.keeper.abort();
    }
}

/// What serves those who come in.
struct Visitors {
    router: Router,
    engine: Engine,
}

impl Visitors {
    fn house(&self, listener: UnixListener) -> House {
        let (router, engine) = (self.router.clone(), self.engine.clone());
        House::open(listener, move |stream, leave| {
            visit(stream, leave, router.clone(), engine.clone())
        })
    }
}

async fn visit(stream: UnixStream, leave: Arc<Notify>, router: Router, engine: Engine) {
    let Some(peer) = peer::peer(&stream) else {
        tracing::warn!("a connection of another user was closed");
        return;
    };
    let pace = Arc::new(Pace::default());
    let stream = Patient::new(stream, pace.clone());
    let kept = true;
    connection::serve(stream, Manners { kept, pace, leave }, |request| {
        answer(&router, &engine, &peer, request)
    })
    .await;
}

async fn answer(router: &Router, engine: &Engine, peer: &Peer, mut request: Request) -> Response {
    if let Err(refused) = guard::check(&request) {
        return refused.into_response();
    }
    match bearer::caller(engine, request.uri().path(), request.headers(), peer, None).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            router.clone().oneshot(request).await.into_response()
        }
        Err(refused) => refused.into_response(),
    }
}
