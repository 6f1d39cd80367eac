//! The nouns of Tokenry: providers, connections, events, and the words for what can go wrong with them.
//!
//! What must never be true of this crate: that it reads or writes anything. Files, sockets, the network and the
//! keyring belong to other rooms; even time and randomness come in through [`Clock`] and [`Random`].
#![deny(missing_docs)]

mod address;
mod app;
mod clock;
mod connection;
mod credential;
mod event;
mod flow;
mod hex;
mod id;
mod issuer;
mod json;
mod name;
mod narrowing;
mod provider;
mod random;
mod scope;
mod secret;
mod served_address;
mod settings;
mod text;

pub use address::{is_loopback, is_private, is_private_ip, is_resource, read_address};
pub use app::{App, Grant};
pub use clock::{Clock, SystemClock, later};
pub use connection::{
    Account, AsideTokens, Connection, ConnectionStatus, DEFAULT_PROJECT, EndedLife, KeptIdToken, LastFailure,
    LostScopes, NarrowedToken, Narrowing, RefreshTokenLife, RepeatedRefusal, ReplacedToken, Tokens,
};
pub use credential::Credential;
pub use event::{AppCaller, Caller, Event, Helper, Peer, Remote, Rule};
pub use flow::{DeviceSignIn, Flow, Origin};
pub use hex::{from_hex, hex};
pub use id::{
    AppId, ConnectionId, CredentialId, EventId, FlowId, GrantId, IssuedId, JobId, PromptId, ProviderId,
    RequestId, RestoreId,
};
pub use issuer::{is_template_of, issuer_matches};
pub use jiff::Timestamp;
pub use json::json_problem;
pub use name::{InvalidName, Name};
pub use narrowing::KnownTargets;
pub use provider::{
    CaptureError, CaptureSource, Captured, FoundAuthMethod, MAX_CAPTURED_BYTES, Problems, Provider,
    ProviderPatch, Registration, StoredPreset, fill_address, fill_text, is_plain_path, is_reserved_parameter,
    parameter_name, placeholders,
};
pub use random::{OsRandom, Random};
pub use scope::Scopes;
pub use secret::{Secret, same_bytes, same_secret};
pub use served_address::{ServedAddress, read_target};
pub use settings::{AutoLock, Settings};
pub use text::{clean, is_miscopied, sentence, trimmed, within};
/// The vocabulary of the API, which is the vocabulary of the domain too.
pub use tokenry_contract::{
    AccountSource, AgentProtocol, ApiScope, BodyFormat, CallerKind, CredentialType, DeepLinkForm,
    DiscoveredKind, ErrorCode as Code, EventKind, ExchangeStep, FLOW_LIFETIME_SECONDS, FlowStatus, GrantType,
    HttpMethod, LoopbackHost, NarrowingMethod, OIDC_AGENT_SOCKET, Offered, Operation, Outcome,
    PromptChangeKind, ProviderSettings, ReauthReason, Redirect, RegistrationMethod, RevocationMethod,
    Revoked, Rotation, SlotKind, TokenEndpointAuthMethod, UnknownScope, VaultState, setting_text,
};
/// Presets, which the API shows as they are.
pub use tokenry_contract::{
    ApplyPreset, CatalogQuery, ClientType, Preset, PresetChoice, PresetSummary, PresetUpdate, PreviewPreset,
};
/// Reports that hold names and counts alone: the API answers with them as they are.
pub use tokenry_contract::{
    Audit, AuditEntry, AuditRule, CheckReport, CheckResult, CheckedItem, CheckedPart, CopiedRecords,
    LogCheck, LogProblem, LogProblemKind, NamedBy, RevokeAnswer, RevokedConnection, SalvageAnswer,
    ServingConnection, VaultCheck, VaultProblem,
};
