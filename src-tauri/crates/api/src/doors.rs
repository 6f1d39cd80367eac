//! The ways in. A door finds out who is calling, turns strangers away, and leaves the rest to the router.

mod error;
#[cfg(unix)]
mod socket;
mod window;

pub use error::Error;
#[cfg(unix)]
pub use socket::{SocketDoor, serve_socket};
pub use window::{WindowAnswer, WindowDoor};
