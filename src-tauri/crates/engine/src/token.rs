//! Access tokens: who gets one, when it is refreshed, and what a provider's response changes.

pub(crate) mod apply_response;
mod dpop;
pub(crate) mod id_token;
pub(crate) mod narrowing;
pub(crate) mod partial_response;
pub(crate) mod refresh;
pub(crate) mod refresh_timing;
pub(crate) mod refresh_token_life;
pub(crate) mod rejected;
pub(crate) mod request;
pub(crate) mod scheduler;
pub(crate) mod step_up;
pub(crate) mod while_locked;

pub use dpop::ProofRequest;
