//! Converts between the types of the domain and those of the API.

mod app;
mod backup;
mod connection;
mod credential;
mod discovery;
mod engine;
mod event;
mod flow;
mod prompt;
mod provider;

pub use app::app;
pub(crate) use app::{grant, new_grant};
pub(crate) use backup::{daily, job};
pub(crate) use connection::{
    auth_status, challenge, connection, connection_change, disconnected, rejected, step_up,
};
pub(crate) use credential::{credential, credential_change, entered, initialise, new_credential, redacted};
pub(crate) use discovery::discovered;
pub(crate) use engine::status;
pub use event::change;
pub(crate) use event::event;
pub(crate) use flow::{connect_options, connect_query, device_options, flow, started, started_on_device};
pub(crate) use prompt::{answer, prompt, proof, scope_words};
pub(crate) use provider::{preview, provider};

use tokenry_core::Scopes;

fn list(scopes: &Scopes) -> Vec<String> {
    scopes.iter().map(str::to_owned).collect()
}
