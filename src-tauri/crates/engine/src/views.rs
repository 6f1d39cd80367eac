//! What callers are shown of connections, flows, tokens and the engine.

use crate::lifecycle::vault_handle::VaultReport;
use tokenry_core::{
    Code, Connection, ConnectionId, ConnectionStatus, CredentialId, DeviceSignIn, Event, FlowId, FlowStatus,
    Name, ProviderId, Scopes, Secret, Timestamp,
};
use url::Url;

/// A connection as it is shown.
#[derive(Debug, Clone)]
pub struct ConnectionView {
    /// The record, its status as it is at this moment.
    pub connection: Connection,
    /// What people call it: `provider`, or `provider/label`.
    pub name: String,
    /// The name of its provider.
    pub provider_name: Name,
    /// The open flow, if there is one.
    pub flow: Option<FlowId>,
    /// What the user should know about it, and what to do.
    pub notice: Option<String>,
    /// When the user has to sign in again at the latest, as far as it is known.
    pub sign_in_again_before: Option<Timestamp>,
}

/// A token for a caller.
#[derive(Debug, Clone)]
pub struct TokenView {
    /// The token.
    pub access_token: Secret,
    /// As it goes into an `Authorization` header.
    pub token_type: String,
    /// Its true end; `None` is unknown.
    pub expires_at: Option<Timestamp>,
    /// What it can do.
    pub scopes: Scopes,
    /// The id token, where it was asked for.
    pub id_token: Option<Secret>,
}

/// A consent flow as it stands.
#[derive(Clone)]
pub struct FlowView {
    /// Its id.
    pub id: FlowId,
    /// The connection it makes or renews.
    pub connection: ConnectionId,
    /// Where it stands.
    pub state: FlowState,
    /// How many answers were refused while it waited.
    pub refusals: u32,
    /// Why the last one was, while it waits.
    pub refused: Option<Refusal>,
    /// The provider's own address, while it waits.
    pub authorization_url: Option<Url>,
    /// What our own clients open, while it waits.
    pub browser_url: Option<Url>,
    /// The redirect URI that was sent, while it waits.
    pub redirect_uri: Option<String>,
    /// The code for another device, while it waits. Without the device code, which only the record has.
    pub device: Option<DeviceSignIn>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// The address holds the flow's `state`, or what only the person's browser may know: its host is all that is shown.
impl std::fmt::Debug for FlowView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlowView")
            .field("id", &self.id)
            .field("connection", &self.connection)
            .field("state", &self.state)
            .field("refusals", &self.refusals)
            .field(
                "host",
                &self.authorization_url.as_ref().and_then(|url| url.host_str()),
            )
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// Why an answer to a flow was refused. The flow goes on waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What a program acts on.
    pub code: Code,
    /// What happened.
    pub message: String,
}

/// Where a flow stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowState {
    /// The browser is away.
    Waiting,
    /// The connection is there.
    Connected,
    /// It ended without one.
    Failed {
        /// What a program acts on.
        code: Code,
        /// What happened.
        message: String,
    },
    /// It was called off.
    Cancelled,
    /// Its ten minutes went by, or its code ended.
    Expired,
}

impl FlowState {
    /// The state as the API writes it; the failure is fields of its own there.
    pub fn status(&self) -> FlowStatus {
        match self {
            Self::Waiting => FlowStatus::Waiting,
            Self::Connected => FlowStatus::Connected,
            Self::Failed { .. } => FlowStatus::Failed,
            Self::Cancelled => FlowStatus::Cancelled,
            Self::Expired => FlowStatus::Expired,
        }
    }
}

/// Something changed: look again. Never a value.
#[derive(Debug, Clone)]
pub enum Change {
    /// A provider.
    Provider(ProviderId),
    /// A connection.
    Connection(ConnectionId),
    /// A flow.
    Flow(FlowId),
    /// The engine: locked, unlocked, set otherwise.
    Engine,
    /// A credential that was entered by hand.
    Credential(CredentialId),
    /// Apps, and what they may do.
    Apps,
    /// The open questions.
    Prompts,
    /// A link with our scheme was opened and belongs to no open sign-in: why, as its error says it. Never the link.
    LinkRefused(Code, String),
    /// A new line in the activity log.
    Activity(Box<Event>),
}

/// How the engine is.
#[derive(Debug, Clone)]
pub struct Status {
    /// The vault.
    pub vault: VaultReport,
    /// How many providers there are; 0 while locked.
    pub providers: u64,
    /// How many connections of each status; empty while locked.
    pub connections: Vec<(ConnectionStatus, u64)>,
    /// Whether there is a window.
    pub window: bool,
    /// Why no daily backup could be made; `None` while locked.
    pub daily_backup_failure: Option<String>,
}
