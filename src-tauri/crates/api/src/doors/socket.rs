//! The socket's way in: HTTP/1.1 over a Unix socket, for the programs of the same user.

mod bind;
mod guard;
mod keep;
mod peer;
mod watch;

use super::{
    Error, bearer,
    connection::{self, Manners},
    house::{Arrival, House},
    patience::{Pace, Patient},
    rooms::{Place, Rooms, is_stream},
    strangers::Strangers,
};
use crate::error::Refused;
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bind::Missing;
use keep::{Keeper, Shared};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokenry_contract::profile;
use tokenry_engine::Engine;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::oneshot,
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
        rooms: Arc::default(),
        strangers: Arc::default(),
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
#[derive(Clone)]
struct Visitors {
    router: Router,
    engine: Engine,
    /// Of all sockets that took each other's place.
    rooms: Arc<Rooms>,
    strangers: Arc<Strangers>,
}

impl Visitors {
    fn house(&self, listener: UnixListener) -> House {
        let visitors = self.clone();
        House::open(listener, self.rooms.clone(), move |stream, arrival| {
            visit(stream, arrival, visitors.clone())
        })
    }
}

async fn visit(stream: UnixStream, arrival: Arrival, visitors: Visitors) {
    let Some(peer) = peer::peer(&stream) else {
        visitors.strangers.turned_away("the socket");
        return;
    };
    let Arrival {
        leave,
        rooms,
        unknown,
    } = arrival;
    drop(unknown);
    let pace = Arc::new(Pace::default());
    let place = match rooms.enter(peer, &pace) {
        Ok(place) => place,
        Err(full) => {
            // What does not fit into the socket at once is not waited for.
            let _ = stream.try_write(&Refused::TooBusy(full.to_string()).into_bytes());
            return;
        }
    };
    let manners = Manners {
        kept: !place.is_narrow(),
        pace: pace.clone(),
        leave,
        engine: visitors.engine.clone(),
    };
    let stream = Patient::new(stream, pace, place.is_narrow());
    connection::serve(stream, manners, |request| answer(&visitors, &place, request)).await;
}

async fn answer(visitors: &Visitors, place: &Place, mut request: Request) -> Response {
    if let Err(refused) = guard::check(&request) {
        return refused.into_response();
    }
    let (router, engine) = (&visitors.router, &visitors.engine);
    let (method, path) = (request.method(), request.uri().path());
    if let Err(full) = place.admits(method, path) {
        return Refused::TooBusy(full.to_string()).into_response();
    }
    let ends = is_stream(method, path);
    let mut response = match bearer::caller(engine, path, request.headers(), place.peer(), None).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            router.clone().oneshot(request).await.into_response()
        }
        Err(refused) => refused.into_response(),
    };
    if ends {
        // It took a place of its own kind, which is none for other requests.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}
