//! The way in for programs that speak TCP only: HTTP/1.1 on 127.0.0.1, and on no other address. Web pages and other
//! users can reach a port too, so here nobody is let in without a token.

mod file;
mod guard;
mod head;
mod keep;

pub use keep::{KeptLoopback, keep_loopback};

use super::{
    Error,
    bearer::{self, OwnToken},
    connection::{self, Manners},
    house::{Arrival, House},
    patience::{Pace, Patient},
    rooms::Place,
    strangers::Strangers,
};
use crate::{error::Refused, oauth::Issuer};
use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
};
use file::Told;
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

/// Where a port is looked for, and how often: below the ports that systems give to outgoing connections, so that it
/// is free again at the next start.
const PORTS: std::ops::Range<u16> = 20_000..30_000;
const TRIES: usize = 16;

/// The open door. Dropping it closes it at once; [`LoopbackDoor::close`] lets answers under way finish.
pub struct LoopbackDoor {
    told: Told,
    port: u16,
    house: House,
}

/// Opens the door and serves this engine there: at the port of the last time if that is free, else at another one
/// that is kept from then on. Where it is, and the token of this run, is told by `loopback.json` in `folder`, which
/// only our own user can read.
///
/// # Errors
/// When no port can be had, or the file cannot be written.
pub async fn serve_loopback(engine: Engine, folder: &Path) -> Result<LoopbackDoor, Error> {
    let before = engine.chosen().await.ok().and_then(|chosen| chosen.loopback_port);
    let listener = bind(before).await.map_err(|source| Error::Port { source })?;
    let address = listener.local_addr().map_err(|source| Error::Port { source })?;
    let port = address.port();
    if before != Some(port)
        && let Err(error) = engine.remember_loopback_port(port).await
    {
        tracing::warn!("the port of the loopback door will be another one next time: {error}");
    }
    let (own, token) = OwnToken::fresh();
    let told = Told::write(folder, port, &token).map_err(|source| Error::Io {
        path: file::path(folder),
        source,
    })?;
    let hall = Arc::new(Hall {
        router: crate::router(engine.clone()),
        engine,
        own,
        strangers: Strangers::default(),
        address,
        issuer: Issuer(format!("http://{address}")),
    });
    let house = House::open(listener, Arc::default(), move |stream, arrival| {
        visit(stream, arrival, hall.clone())
    });
    Ok(LoopbackDoor { told, port, house })
}

impl LoopbackDoor {
    /// Where it is on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Takes the file away and lets nobody in any more; ends when the answers under way are sent, two seconds later
    /// at the latest.
    pub async fn close(mut self) {
        self.told.remove();
        self.house.close().await;
    }
}

async fn bind(before: Option<u16>) -> io::Result<TcpListener> {
    let at = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    if let Some(port) = before
        && let Ok(listener) = at(port).await
    {
        return Ok(listener);
    }
    for _ in 0..TRIES {
        let mut number = [0; 2];
        OsRandom.fill(&mut number);
        let port = PORTS.start + u16::from_le_bytes(number) % (PORTS.end - PORTS.start);
        if let Ok(listener) = at(port).await {
            return Ok(listener);
        }
    }
    at(0).await
}

/// What every visit needs.
struct Hall {
    router: Router,
    engine: Engine,
    own: OwnToken,
    strangers: Strangers,
    address: SocketAddr,
    issuer: Issuer,
}

async fn visit(stream: TcpStream, arrival: Arrival, hall: Arc<Hall>) {
    let Ok(from) = stream.peer_addr() else { return };
    let Some(peer) = tokenry_peer::of_tcp(from, hall.address).await else {
        hall.strangers.turned_away("the loopback door");
        return;
    };
    let Arrival {
        leave,
        rooms,
        unknown,
    } = arrival;
    drop(unknown);
    let _ = stream.set_nodelay(true);
    let pace = Arc::new(Pace::default());
    let place = match rooms.enter(peer, &pace) {
        Ok(place) => place,
        Err(full) => {
            // What does not fit into the socket at once is not waited for.
            let _ = stream.try_write(&Refused::TooBusy(full.to_string()).into_bytes());
            return;
        }
    };
    let mut stream = Patient::new(stream, pace.clone(), place.is_narrow());
    let head = tokio::select! {
        head = head::read(&mut stream) => head,
        () = leave.notified() => return,
        _ = pace.asked_to_leave() => return,
    };
    match head {
        Ok(Head::Clear(bytes)) => stream.read_again(bytes),
        Ok(Head::Refused(answer)) => {
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
            return;
        }
        Err(_) => return,
    }
    // One request for each connection: then there is no next one that could be smuggled into the first.
    let manners = Manners {
        kept: false,
        pace,
        leave,
        engine: hall.engine.clone(),
    };
    connection::serve(stream, manners, |request| answer(&hall, &place, request)).await;
}

async fn answer(hall: &Hall, place: &Place, mut request: Request) -> Response {
    if let Err(refused) = guard::check(&request, hall.address.port()) {
        return refused.into_response();
    }
    let (path, headers) = (request.uri().path(), request.headers());
    if let Err(full) = place.admits(request.method(), path) {
        return Refused::TooBusy(full.to_string()).into_response();
    }
    match bearer::caller(&hall.engine, path, headers, place.peer(), Some(&hall.own)).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(hall.issuer.clone());
            hall.router.clone().oneshot(request).await.into_response()
        }
        Err(refused) => refused.into_response(),
    }
}
