//! The loopback listener that catches a redirect: a port of 127.0.0.1 for one flow (RFC 8252 §7.3).
//!
//! What must never be true of this crate: that another user's process gets an answer; that a request to another host
//! name is answered; that a response is delivered twice.
//!
//! Any web page can send a browser here, and any program of this machine can connect. So our own clients send the
//! browser to an address first that gives it a cookie, and from then on an answer without that cookie is refused.
//! Other clients open the provider's address directly; then the `state` of the answer decides.
#![deny(missing_docs)]

mod ascii;
mod connections;
mod guard;
mod page;
mod routes;
mod shared;

#[cfg(test)]
mod tests;

pub use page::Page;

use connections::Connections;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use shared::Shared;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokenry_core::Random;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use url::Url;

/// Of how many connections it may be unknown at a time whose they are. The others wait outside.
const MAX_UNCHECKED: usize = 64;

/// How long a client may take for the head of its request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest head of a request, in bytes; an answer of 16 KiB fits, with a browser's usual headers.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// How long one connection may live: the longest exchange fits.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(120);

/// How long a closing listener waits for the browser to fetch the page with the result.
const LINGER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long it waits after that for a browser that loads the same answer once more.
const REPEAT_TIMEOUT: Duration = Duration::from_secs(3);

/// A future that was put on the heap.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why no redirect can be caught.
#[derive(Debug, thiserror::Error)]
pub enum LoopbackError {
    /// No port of 127.0.0.1 is to be had.
    #[error(
        "no port of 127.0.0.1 can be opened for the browser to come back to ({0}); use the paste redirect"
    )]
    Bind(std::io::Error),
    /// The operating system gave an address that is none.
    #[error("the address for the browser to come back to cannot be used; use the paste redirect")]
    Address,
}

/// Whether a connection is served: from the address of the other end and ours.
pub type ConnectionCheck = fn(SocketAddr, SocketAddr) -> BoxFuture<'static, bool>;

/// What a flow does with the requests that come to its listener.
pub trait Receiver: Send + Sync {
    /// Judges the target of a request as raw text: its path, which begins with `/cb/`, and its query. The future
    /// delivers the response and returns the page with the result; it runs at most once.
    ///
    /// # Errors
    /// When it is no response to this flow. Nothing has changed then.
    fn judge(&self, target: &str) -> Result<BoxFuture<'static, Page>, Rejected>;

    /// Whether the target of a request claims to be a response to this flow.
    fn is_about(&self, target: &str) -> bool;

    /// Hears why a response to this flow was not taken.
    fn refused(&self, reason: &str);
}

/// Why the target of a request is no response to a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// It names another redirect URI.
    OtherAddress,
    /// It is malformed, for the reason given.
    Malformed(String),
}

/// A port of 127.0.0.1 that is ours. Nothing is answered yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    base: Url,
    is_served: ConnectionCheck,
}

impl Listener {
    /// Takes a free port of 127.0.0.1, and of no other address (OAuth 2.1 §8.5.4). Connections that do not pass the
    /// check are closed without an answer.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn bind(is_served: ConnectionCheck) -> Result<Self, LoopbackError> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(LoopbackError::Bind)?;
        let address = socket.local_addr().map_err(LoopbackError::Bind)?;
        let base = Url::parse(&format!("http://{address}/")).map_err(|_| LoopbackError::Address)?;
        Ok(Self {
            socket,
            address,
            base,
            is_served,
        })
    }

    /// The port, for the redirect URI.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Only passes the browser on to the provider, for a flow whose answer comes back elsewhere: what the browser is
    /// started with is seen by every user of this machine, and must not hold the flow's `state`.
    pub fn forward(self, authorization_url: Url, random: &dyn Random) -> Serving {
        self.start(authorization_url, random, None)
    }

    /// Starts to answer. The receiver gets every request to `/cb/` that, once the `/begin` address was visited, brings
    /// the flow's cookie; the page that its response leads to is shown. After one that is `ok` no other is taken.
    pub fn serve(
        self,
        authorization_url: Url,
        random: &dyn Random,
        receiver: impl Receiver + 'static,
    ) -> Serving {
        self.start(authorization_url, random, Some(Box::new(receiver)))
    }

    fn start(
        self,
        authorization_url: Url,
        random: &dyn Random,
        receiver: Option<Box<dyn Receiver>>,
    ) -> Serving {
        let (open, closed) = watch::channel(());
        let shared = Shared::new(self.address, authorization_url, random, receiver, closed);
        let mut begin_url = self.base;
        begin_url.set_path(&shared.begin_path());
        tokio::spawn(run(self.socket, Arc::new(shared), self.is_served));
        Serving {
            begin_url,
            _open: open,
        }
    }
}

/// A listener that answers. Dropping it closes the listener; an answer that was accepted is finished first, and its
/// page is kept for the browser for a few seconds.
#[derive(Debug)]
pub struct Serving {
    /// Where the browser is sent first: it gives the flow's cookie and passes on to the provider.
    pub begin_url: Url,
    _open: watch::Sender<()>,
}

async fn run(socket: TcpListener, shared: Arc<Shared>, is_served: ConnectionCheck) {
    let accepting = Accepting {
        unknown: Arc::new(Semaphore::new(MAX_UNCHECKED)),
        connections: Arc::default(),
        is_served,
    };
    tokio::select! {
        () = accept(&socket, &shared, &accepting) => {}
        () = shared.closed() => {}
    }
    tokio::select! {
        () = accept(&socket, &shared, &accepting) => {}
        () = shared.settled(LINGER_TIMEOUT, REPEAT_TIMEOUT) => {}
    }
}

/// Those who came in: some are known to be ours.
struct Accepting {
    unknown: Arc<Semaphore>,
    connections: Arc<Connections>,
    is_served: ConnectionCheck,
}

async fn accept(socket: &TcpListener, shared: &Arc<Shared>, accepting: &Accepting) {
    while let Ok(unknown) = Arc::clone(&accepting.unknown).acquire_owned().await {
        match socket.accept().await {
            Ok((stream, peer)) => {
                let (shared, connections) = (Arc::clone(shared), Arc::clone(&accepting.connections));
                let check = (accepting.is_served)(peer, shared.address);
                tokio::spawn(serve_one(stream, check, shared, connections, unknown));
            }
            // Out of file descriptors, most likely: wait for some to come back.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve_one(
    stream: TcpStream,
    check: BoxFuture<'static, bool>,
    shared: Arc<Shared>,
    connections: Arc<Connections>,
    unknown: OwnedSemaphorePermit,
) {
    if !check.await {
        return;
    }
    let Some(slot) = connections.enter() else { return };
    drop(unknown);
    let slot = &slot;
    let service = service_fn(move |request| {
        slot.is_answered();
        let shared = Arc::clone(&shared);
        async move { Ok::<_, std::convert::Infallible>(routes::answer(&shared, &request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(ascii::AsciiTarget::new(stream)), service);
    // What goes wrong with one connection is of no interest to the flow.
    tokio::select! {
        _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection) => {}
        () = slot.closed() => {}
    }
}
