//! Sockets that speak the protocols of other programs' agents, for clients of those. The host opens one on request, and
//! what arrives there is decided and logged like a request at the engine's own socket.

mod connection;
mod oidc;
mod pizauth;
mod tokens;

pub(super) use connection::{AgentState, serve};
