//! The servers of the API. A server identifies the caller, rejects other users, and leaves the rest to the router.

#[cfg(unix)]
mod agents;
#[cfg(unix)]
mod bearer;
#[cfg(unix)]
mod connection;
mod error;
#[cfg(unix)]
mod foreign_users;
#[cfg(unix)]
mod idle_timeout;
mod in_process;
#[cfg(unix)]
mod loopback;
#[cfg(unix)]
mod requested_sockets;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod shares;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod supervisor;

pub use error::Error;
pub use in_process::{InProcessResponse, InProcessServer};
#[cfg(unix)]
pub use loopback::{LoopbackServer, serve_loopback, supervise_loopback};
#[cfg(unix)]
pub use requested_sockets::supervise_sockets;
#[cfg(unix)]
pub use socket::{SocketServer, serve_socket};
#[cfg(unix)]
pub use supervisor::Supervisor;
