//! An authorization server that misbehaves on demand, a clock that stands still, and randomness that can be
//! foreseen: what tests need to reach the branches a real server will not commit on purpose.
//!
//! What must never be true of this crate: that a program we ship depends on it, that it listens anywhere but on
//! the loopback interface, or that it answers at random. What it does follows from its [`Behaviour`], the faults
//! that were queued, and the requests it got, and from nothing else.
#![deny(missing_docs)]

mod answer;
mod authorize;
mod behaviour;
mod call;
mod client;
mod clock;
mod device;
mod fault;
mod flaw;
mod grants;
pub mod http;
mod log;
mod quirks;
mod random;
mod refresh;
mod refusal;
mod resource;
mod server;
mod service;
mod token;

pub use behaviour::{
    Account, AuthorizeAnswer, Behaviour, Client, ClientAuth, DeviceAnswer, Iss, Narrowing, Rotation,
    StateAnswer,
};
pub use clock::FixedClock;
pub use fault::{Endpoint, Fault};
pub use flaw::Flaw;
pub use grants::{Ended, Family, Issued};
pub use log::{Kind, Request};
pub use quirks::{Quirks, Revocation};
pub use random::SequenceRandom;
pub use refusal::Refusal;
pub use server::Server;
