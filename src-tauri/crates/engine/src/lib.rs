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
mod apps;
mod authorization_server;
mod connect;
mod connections;
mod consent;
mod credentials;
mod disconnect;
mod engine;
mod error;
mod exchange;
mod floors;
mod flow_owner;
mod flows;
mod gate;
mod grants;
mod guesses;
mod host;
mod index;
mod initialise;
mod installed;
mod journal;
mod latest;
mod ledger;
mod life;
mod log;
mod loopback;
#[cfg(test)]
mod many_tests;
mod narrowing;
mod older;
mod options;
mod partial;
pub mod peer;
mod policy;
mod providers;
mod record;
mod recover;
mod refresh;
mod request;
pub mod residue;
mod resolve;
mod schedule;
mod scheduler;
mod scheme;
mod settings;
mod settle;
mod sight;
mod start;
mod state_folder;
mod steps;
mod token;
mod transaction;
mod view;

pub use apps::AppView;
pub use authorization_server::{
    ConsentDecision, Introspection, IssuedTokens, OAuthError, OAuthErrorCode, Redirect, Unredirectable,
};
pub use connect::{ConnectOptions, StartedFlow};
pub use connections::ConnectionChange;
pub use consent::{
    Answer, AuthorizationRequest, ChangeKind, Choice, CredentialChoice, FieldChange, Prompt, Proof,
};
pub use credentials::{AnyCredential, CredentialChange, CredentialView, NewCredential};
pub use disconnect::Revoked;
pub use engine::Engine;
pub use error::Error;
pub use gate::{VaultReport, VaultState};
pub use grants::NewGrant;
pub use host::{Host, HostError, NoWindowHost, SchemeState};
pub use initialise::Initialise;
pub use log::EventFilter;
pub use narrowing::Unavailable;
pub use options::{Options, VaultChoice};
pub use policy::{Asking, Decision, Operation, Question, Target, decide};
pub use providers::NewProvider;
pub use request::{in_request, request_id};
pub use settings::SettingsChange;
pub use token::TokenWish;
pub use view::{Change, ConnectionView, FlowState, FlowView, Refusal, Status, TokenView};
