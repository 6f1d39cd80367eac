//! The types of the API: requests, responses, error codes and the vocabulary, as plain serde types.
//!
//! What must never be true of this crate: that an answer type has a field for a refresh token, a client secret or
//! a private key of a provider, or that any type but [`TokenAnswer`] has one for an access token. The tokens of
//! [`OAuthTokenAnswer`] are ours: they open this API and nothing else. It knows no other crate of ours, so the command
//! line can link it without the engine.

mod api_scope;
mod app;
mod closest;
mod connection;
mod credential;
mod engine;
mod error;
mod event;
mod flow;
mod members;
mod oauth;
mod operation;
pub mod profile;
mod prompt;
mod provider;
mod provider_settings;
mod text;
mod versori;

pub use api_scope::{ApiScope, UnknownScope};
pub use app::{App, CreateApp, CreateGrant, CreatedApp, Grant, Settings, UpdateSettings};
pub use closest::closest;
pub use connection::{
    Account, ConnectRequest, Connection, ConnectionStatus, DisconnectAnswer, LastFailure, PatchConnection,
    ReauthReason, Revoked, TokenAnswer, TokenRequest,
};
pub use credential::{
    CreateCredential, Credential, CredentialQuery, CredentialType, StartAnswer, UpdateCredential,
};
pub use engine::{EngineStatus, SlotKind, UnlockRequest, Vault, VaultState};
pub use error::{Details, ErrorBody, ErrorCode, ErrorEnvelope};
pub use event::{CallerKind, Change, Event, EventKind, EventPage, EventQuery, Outcome, Rule, WindowNotice};
pub use flow::{
    AuthorizeAnswer, AuthorizeQuery, AuthorizeRequest, CallbackAnswer, CallbackRequest, ExchangeRequest,
    Flow, FlowQuery, FlowStatus, Success,
};
pub use members::Members;
pub use oauth::{
    OAuthAuthorizeQuery, OAuthConsentRequest, OAuthDecision, OAuthErrorAnswer, OAuthIntrospection,
    OAuthMetadata, OAuthScopes, OAuthTokenAnswer, OAuthTokenForm, OAuthTokenRequest,
};
pub use operation::Operation;
pub use prompt::{
    AnswerPrompt, Prompt, PromptChange, PromptChangeKind, PromptChoice, PromptCredentialChoice,
    PromptDecision, ScopeWords,
};
pub use provider::{
    CreateProvider, DeleteProviderQuery, OAuthProvider, OAuthProviderAuthStatus, ProviderSettingsPatch,
    UpdateProvider,
};
pub use provider_settings::{
    GrantType, NarrowingMethod, ProviderSettings, Redirect, Rotation, TokenEndpointAuthMethod, setting_text,
};
pub use text::sanitize_for_display;
pub use versori::{
    InitialiseAnswer, InitialiseCredential, InitialiseRequest, OAuth2CallbackQuery, RedactedCredential,
    RedactedType,
};
