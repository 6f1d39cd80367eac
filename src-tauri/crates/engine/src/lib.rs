//! The verbs of Tokenry: connect, callback, token, refresh, disconnect; the scheduler, the policy and the activity
//! log behind them.
//!
//! What must never be true of this crate: that a token is seen by anybody before it is committed; that anything but
//! a well-formed `invalid_grant` for the very token we hold ends a grant; that one caller's going away cancels what
//! others wait for; that a secret is logged.
#![deny(missing_docs)]

#[cfg(test)]
extern crate self as tokenry_engine;

/// What the integration tests stand on, for those tests that have to reach inside.
#[cfg(test)]
#[path = "../tests/engine/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "only a part of it is needed here")]
mod common;

mod activity;
mod adopt;
mod ahead;
mod connect;
mod connections;
mod disconnect;
mod engine;
mod error;
mod exchange;
mod flows;
mod gate;
mod host;
mod index;
mod journal;
mod ledger;
mod life;
mod loopback;
#[cfg(test)]
mod many_tests;
mod options;
mod policy;
mod providers;
mod record;
mod recover;
mod refresh;
mod resolve;
mod schedule;
mod scheduler;
mod settle;
mod steps;
mod token;
mod transaction;
mod view;

pub use connect::{ConnectOptions, StartedFlow};
pub use connections::ConnectionChange;
pub use disconnect::Revoked;
pub use engine::Engine;
pub use error::Error;
pub use gate::{VaultReport, VaultState};
pub use host::{Host, HostError, NoWindowHost, SchemeState};
pub use options::{Options, VaultChoice};
pub use policy::{Decision, Operation, decide};
pub use providers::NewProvider;
pub use view::{Change, ConnectionView, FlowState, FlowView, Status, TokenView};
