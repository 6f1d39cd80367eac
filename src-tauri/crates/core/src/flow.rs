//! Sign-ins.

use crate::{
    AppId, CaptureError, Captured, ConnectionId, CredentialId, FlowId, KnownTargets, ProviderId, Redirect,
    Scopes, Secret, fill_address,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

/// A program of a user, in a login or terminal session, as far as it can be known again. `tokenry` is a new process each
/// time, so that the process itself would be of no use. The paths are labels, not proofs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Its user.
    pub uid: u32,
    /// The path of its program.
    pub program: String,
    /// The file that it interprets, where it is an interpreter that was given one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// The number of its session and when that began. `None` where it cannot be seen: in a container, for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<(u32, u64)>,
    /// The command of ours that it had connect for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helper: Option<String>,
}

/// A sign-in on another device (RFC 8628).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeviceSignIn {
    /// What the provider knows this sign-in by. It never leaves the engine.
    pub device_code: Secret,
    /// What the user types there.
    pub user_code: String,
    /// The page where they type it.
    pub verification_uri: Url,
    /// The same page with the code in its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_uri_complete: Option<Url>,
    /// How many seconds Tokenry waits between two requests for the tokens.
    pub interval: u32,
}

/// One consent flow, as recorded before the browser opens. The answer goes to what stands here and nowhere else
/// (OAuth 2.1 §7.15).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Flow {
    /// Its id.
    pub id: FlowId,
    /// The connection it will make or renew.
    pub connection: ConnectionId,
    /// Whether that connection existed before; then another account must not overwrite it.
    pub renews: bool,
    /// The connection it makes instead, where another account than that of the renewed one signs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub further: Option<ConnectionId>,
    /// Whether the connection is renewed although the provider does not tell who signed in: the user said that it is the
    /// same account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_unknown_account: bool,
    /// The provider.
    pub provider: ProviderId,
    /// The label the new connection gets.
    pub label: Option<String>,
    /// The expected issuer.
    pub issuer: Option<String>,
    /// What else the issuer may be called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuer_aliases: Vec<String>,
    /// Where the code is exchanged, as the provider's settings had it: the response may bring a value in it.
    pub token_endpoint: String,
    /// The hosts that such a value may name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captured_hosts: Vec<String>,
    /// The exact redirect URI that was sent.
    pub redirect_uri: String,
    /// How the answer comes back.
    pub redirect: Redirect,
    /// The scopes asked for.
    pub scopes: Scopes,
    /// The resource asked for (RFC 8707 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Ties the answer to this flow; 256 bits, used once.
    pub state: Secret,
    /// The PKCE verifier (RFC 7636 §4.1); `None` where the provider has no PKCE.
    pub verifier: Option<Secret>,
    /// Ties the id token to this flow (OpenID Connect Core §3.1.2.1); `None` where `openid` was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Secret>,
    /// The private key that its tokens are to be bound to (RFC 9449); `None` for bearer tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_key: Option<Secret>,
    /// Where the browser is sent.
    pub authorization_url: Url,
    /// When the provider forgets the pushed request that this address refers to (RFC 9126 §2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_until: Option<Timestamp>,
    /// The audiences and resources that the sign-in asks for.
    #[serde(default, skip_serializing_if = "KnownTargets::is_empty")]
    pub targets: KnownTargets,
    /// The app that started it, if an app did: then only that app, or the person, may bring its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<AppId>,
    /// The program that started it, if one did: then another one learns only that it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_from: Option<Origin>,
    /// The credential that holds the client secret for the exchange, where that is not the provider's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_from: Option<CredentialId>,
    /// The code of a sign-in on another device. Then no browser of ours brings an answer: there is no redirect URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceSignIn>,
    /// When it ends: ten minutes after it was made, or when its device code does.
    pub expires_at: Timestamp,
}

impl Flow {
    /// Where the code is exchanged, with the values that the response brought.
    ///
    /// # Errors
    /// [`CaptureError`], where one is missing, does not fit, or names a host that the flow does not.
    pub fn token_endpoint(&self, client_id: &str, captured: &Captured) -> Result<Url, CaptureError> {
        fill_address(&self.token_endpoint, captured, client_id, &self.captured_hosts)
    }
}
