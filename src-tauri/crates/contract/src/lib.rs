//! The types of the API: requests, responses, error codes and the vocabulary, as plain serde types.
//!
//! What must never be true of this crate: that an answer type has a field for a refresh token, a client secret or
//! a private key of a provider, or that any type but [`TokenAnswer`] has one for an access token. The tokens of
//! [`OAuthTokenAnswer`] are ours: they open this API and nothing else. It knows no other crate of ours, so the command
//! line can link it without the engine.

mod agent_socket;
mod api_scope;
mod app;
mod audit;
mod backup;
mod bridge_command;
mod catalog;
mod check_report;
mod client_metadata;
mod closest;
mod connection;
mod credential;
mod csv;
mod cut_off;
mod discovery;
mod engine;
mod error;
mod event;
mod flow;
mod forward;
mod helper;
mod members;
mod oauth;
mod operation;
pub mod profile;
mod prompt;
mod provider;
mod provider_settings;
mod resolve;
mod settings;
mod text;
mod vault;
mod vault_check;
mod versori;

// Every public type of a module is part of the API, so no list of names is needed here.
pub use agent_socket::*;
pub use api_scope::*;
pub use app::*;
pub use audit::*;
pub use backup::*;
pub use bridge_command::*;
pub use catalog::*;
pub use check_report::*;
pub use client_metadata::*;
pub use closest::*;
pub use connection::*;
pub use credential::*;
pub use csv::*;
pub use cut_off::*;
pub use discovery::*;
pub use engine::*;
pub use error::*;
pub use event::*;
pub use flow::*;
pub use forward::*;
pub use helper::*;
pub use members::*;
pub use oauth::*;
pub use operation::*;
pub use prompt::*;
pub use provider::*;
pub use provider_settings::*;
pub use resolve::*;
pub use settings::*;
pub use text::*;
pub use vault::*;
pub use vault_check::*;
pub use versori::*;
