//! The log of all requests.

use crate::{ClientAuth, Fault};
use serde::Serialize;
use tokenry_core::Timestamp;

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The authorization endpoint.
    Authorize,
    /// The token endpoint, `authorization_code`.
    Code,
    /// The token endpoint, `refresh_token`.
    Refresh,
    /// The token endpoint, `client_credentials`.
    ClientCredentials,
    /// The device authorization endpoint.
    Device,
    /// The token endpoint, with a device code.
    DeviceCode,
    /// The token endpoint, token exchange (RFC 8693).
    Exchange,
    /// The second exchange, for a long-lived token.
    LongLived,
    /// The userinfo endpoint.
    Userinfo,
    /// The introspection endpoint.
    Introspection,
    /// The revocation endpoint.
    Revoke,
    /// A metadata document.
    Metadata,
    /// Anything else.
    Other,
}

/// One request, as the server saw it. Written down when it arrives, before anything is done about it.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    /// When it came, by the server's clock.
    pub at: Timestamp,
    /// What it was for.
    pub kind: Kind,
    /// The client it said it was.
    pub client: Option<String>,
    /// How the client meant to prove it; `None` where no client is involved.
    pub auth: Option<ClientAuth>,
    /// The scope asked for.
    pub scope: Option<String>,
    /// How often its refresh token had been replaced before: 0 is the first of its family. `None` without a
    /// refresh token, or with one that was never given out.
    pub refresh_token_generation: Option<u32>,
    /// The position in [`Server::families`](crate::Server::families) of the family the refresh token is of.
    pub family: Option<usize>,
    /// Whether its refresh token had been replaced when it came.
    pub was_replaced: bool,
    /// The fault that was done to it.
    pub fault: Option<Fault>,
    /// Whether the server did what was asked, whatever it answered then.
    pub processed: bool,
    /// The status of the answer; `None` while there is none, and for ever when it was lost.
    pub status: Option<u16>,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path asked for.
    pub path: String,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// Query and form parameters, in order.
    pub parameters: Vec<(String, String)>,
}

impl Request {
    /// The first value of this parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first value of this header; its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}
