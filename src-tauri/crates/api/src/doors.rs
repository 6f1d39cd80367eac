//! The ways in. A door finds out who is calling, turns strangers away, and leaves the rest to the router.

#[cfg(unix)]
mod bearer;
#[cfg(unix)]
mod connection;
mod error;
#[cfg(unix)]
mod house;
#[cfg(unix)]
mod loopback;
#[cfg(unix)]
mod patience;
#[cfg(unix)]
mod rooms;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod strangers;
mod window;

pub use error::Error;
#[cfg(unix)]
pub use loopback::{KeptLoopback, LoopbackDoor, keep_loopback, serve_loopback};
#[cfg(unix)]
pub use socket::{SocketDoor, serve_socket};
pub use window::{WindowAnswer, WindowDoor};
