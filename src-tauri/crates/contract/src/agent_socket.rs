//! Sockets that speak the protocol of another program's agent, for its clients.

use serde::{Deserialize, Serialize};

/// The protocol of an agent whose clients get tokens from Tokenry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AgentProtocol {
    /// That of oidc-agent.
    OidcAgent,
    /// That of pizauth.
    Pizauth,
}

/// The name of the socket for oidc-agent's clients, beside the engine's own.
pub const OIDC_AGENT_SOCKET: &str = "oidc-agent.sock";

impl AgentProtocol {
    /// All of them.
    pub const ALL: &[Self] = &[Self::OidcAgent, Self::Pizauth];

    /// Its word in a path.
    pub fn slug(self) -> &'static str {
        match self {
            Self::OidcAgent => "oidc_agent",
            Self::Pizauth => "pizauth",
        }
    }
}

/// A socket for the clients of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentSocket {
    pub protocol: AgentProtocol,
    /// Where it is.
    pub path: String,
}
