//! Sockets that are forwarded to other hosts by ssh.

use serde::{Deserialize, Serialize};

/// A socket for the programs of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ForwardRequest {
    /// The host, as ssh takes it. Permission requests and the log name it.
    pub host: String,
    /// The connections whose tokens can be requested there; ids or names.
    pub connections: Vec<String>,
}

/// Where that socket is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForwardedSocket {
    /// On this machine. It is there until the program that requested it ends.
    pub path: String,
}
