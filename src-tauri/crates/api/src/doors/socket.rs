//! The socket's way in: HTTP/1.1 over a Unix socket, for the programs of the same user.

mod bind;
mod guard;
mod peer;

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
use bind::Bound;
use std::{path::Path, sync::Arc};
use tokenry_core::Peer;
use tokenry_engine::Engine;
use tokio::{net::UnixStream, sync::Notify};
use tower::ServiceExt;

/// The open door. Dropping it closes it at once; [`SocketDoor::close`] lets answers under way finish.
pub struct SocketDoor {
    bound: Bound,
    house: House,
}

/// Opens the door at `path` and serves this engine there.
///
/// # Errors
/// When the path is too long, its folder is open to others, or something that is alive or not ours is there. What
/// is there is left alone then.
pub async fn serve_socket(engine: Engine, path: &Path) -> Result<SocketDoor, Error> {
    let (bound, listener) = bind::bind(path).await?;
    let router = crate::router(engine.clone());
    let house = House::open(listener, move |stream, leave| {
        visit(stream, leave, router.clone(), engine.clone())
    });
    Ok(SocketDoor { bound, house })
}

impl SocketDoor {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.bound.path()
    }

    /// Takes the socket away, so that nobody new comes, and ends when the answers under way are sent, two seconds
    /// later at the latest.
    pub async fn close(mut self) {
        self.bound.remove();
        self.house.close().await;
    }
}

impl Drop for SocketDoor {
    fn drop(&mut self) {
        self.bound.remove();
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
