//! The loopback listener that catches a redirect: a port of 127.0.0.1, [::1] or `localhost` (RFC 8252 §7.3).
//!
//! What must never be true of this crate: that another user's process gets an answer; that a request to another host
//! name is answered; that a response is delivered twice, or to another flow than the one whose `state` it has.
//!
//! Many providers compare redirect URIs exactly, so a port is a fixed one, and all flows of a provider share it.
//!
//! Any web page can send a browser here, and any program of this machine can connect. So our own clients send the
//! browser to an address first that gives it a cookie, and from then on an answer without that cookie is refused.
//! Other clients open the provider's address directly; then the `state` of the answer decides.
#![deny(missing_docs)]

mod ascii;
mod connections;
mod guard;
mod page;
mod port;
mod routes;
mod shared;

#[cfg(test)]
mod tests;

pub use page::Page;
pub use port::{Listener, OpenPorts, Serving};
pub use shared::Destination;

use std::net::SocketAddr;
use std::time::Duration;
use tokenry_core::LoopbackHost;

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
    /// No port is to be had.
    #[error(
        "no port of {} can be opened for the browser to come back to ({source}); use the paste redirect",
        host.as_str()
    )]
    Bind {
        /// The host of the redirect URI.
        host: LoopbackHost,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Other programs have all the ports that were given.
    #[error("all ports are taken by other programs")]
    Taken(Vec<u16>),
    /// The operating system gave an address that is none.
    #[error("the address for the browser to come back to cannot be used; use the paste redirect")]
    Address,
}

/// Whether a connection is served: from the address of the other end and ours.
pub type ConnectionCheck = fn(SocketAddr, SocketAddr) -> BoxFuture<'static, bool>;

/// What a flow does with the requests that come to its listener.
pub trait Receiver: Send + Sync {
    /// The path of the flow's redirect URI.
    fn path(&self) -> &str;

    /// Judges the target of a request as raw text: its path and its query. The future delivers the response and returns
    /// the page with the result; it runs at most once.
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
