//! The ways in. A door finds out who is calling, turns strangers away, and leaves the rest to the router.

#[cfg(unix)]
pub(crate) mod socket;
pub(crate) mod window;

mod error;

pub use error::Error;
