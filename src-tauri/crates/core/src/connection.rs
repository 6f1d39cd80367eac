//! Connections and their tokens.

use crate::{
    AppId, Captured, ConnectionId, CredentialId, KnownTargets, ProviderId, ReauthReason, Scopes, Secret,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The project that always exists.
pub const DEFAULT_PROJECT: &str = "default";

/// One account at one provider: a credential of type `oauth2_refresh`. Its tokens are a record of their own,
/// [`Tokens`], so that a list never opens them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// The provider it belongs to.
    pub provider: ProviderId,
    /// The person's own word for it ("work"); unique among the provider's connections.
    pub label: Option<String>,
    /// Whose account it is, when the provider said so.
    pub account: Option<Account>,
    /// Where it stands.
    pub status: ConnectionStatus,
    /// The scopes asked for.
    pub requested_scopes: Scopes,
    /// The scopes the provider granted.
    pub granted_scopes: Scopes,
    /// When the access token ends; `None` while the provider has not said, which is unknown and not for ever.
    pub expires_at: Option<Timestamp>,
    /// When the next refresh is due.
    pub refresh_at: Option<Timestamp>,
    /// Whether there is a refresh token.
    pub refreshable: bool,
    /// When tokens were last fetched.
    pub last_refreshed_at: Option<Timestamp>,
    /// When a token was last handed out.
    pub last_used_at: Option<Timestamp>,
    /// What is going wrong at the moment. Never changes the status by itself.
    pub trouble: Option<LastFailure>,
    /// What the provider said when it ended or refused the grant, cleaned; while [`ConnectionStatus::NeedsReauth`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_words: Option<String>,
    /// The app that started its first sign-in, if an app did: then it is that app's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<AppId>,
    /// The credential that holds the client secret it is refreshed with, where that is not the provider's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_from: Option<CredentialId>,
    /// Whether its provider gives tokens with fewer scopes, as far as an answer has shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrows: Option<bool>,
    /// Whether a refresh brings another refresh token, as far as an answer has shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotates: Option<bool>,
    /// Whether a narrowed answer brought a new refresh token, so that only a plain refresh can tell whether the access
    /// token and the scopes of the grant are still good.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubtful: bool,
    /// Whether a narrowed token was asked for with the refresh token since the last plain refresh.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub narrowed: bool,
    /// Whether a request for a narrowed token has cost scopes of the grant; a new sign-in does not change that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub loses_scopes: bool,
    /// The scopes that were granted and that a refresh no longer brought; a new sign-in clears them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<LostScopes>,
    /// The audiences and resources of earlier sign-ins and of tokens that the provider gave.
    #[serde(default, skip_serializing_if = "KnownTargets::is_empty")]
    pub targets: KnownTargets,
    /// The resource that its sign-in named (RFC 8707 §2). A refresh repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The values that its sign-in brought, which addresses and parameters of the provider need.
    #[serde(default, skip_serializing_if = "Captured::is_empty")]
    pub captured: Captured,
    /// The addresses that the user bound to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<String>,
    /// When a resource rejected the access token and no refresh could bring another one; a new token clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_at: Option<Timestamp>,
    /// When the user last signed in to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_in_at: Option<Timestamp>,
    /// How long its refresh token lives, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_life: Option<RefreshTokenLife>,
    /// The sign-ins that its provider ended; the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended_lives: Vec<EndedLife>,
    /// The connection that was cut off, whose tokens this one holds until the provider has revoked them; while
    /// [`ConnectionStatus::Disconnecting`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revokes_for: Option<ConnectionId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Connection {
    /// A connection that waits for its tokens.
    pub fn pending(
        id: ConnectionId,
        provider: ProviderId,
        label: Option<String>,
        requested_scopes: Scopes,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            provider,
            label,
            account: None,
            status: ConnectionStatus::Pending,
            requested_scopes,
            granted_scopes: Scopes::default(),
            expires_at: None,
            refresh_at: None,
            refreshable: false,
            last_refreshed_at: None,
            last_used_at: None,
            trouble: None,
            provider_words: None,
            started_by: None,
            client_secret_from: None,
            narrows: None,
            rotates: None,
            doubtful: false,
            narrowed: false,
            loses_scopes: false,
            lost: None,
            targets: KnownTargets::default(),
            resource: None,
            captured: Captured::new(),
            bindings: Vec::new(),
            rejected_at: None,
            signed_in_at: None,
            refresh_token_life: None,
            ended_lives: Vec::new(),
            revokes_for: None,
            created_at: now,
            updated_at: now,
        }
    }
}

/// Whose account a connection is (OpenID Connect Core §5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// `sub`: never reassigned at its issuer, so this and nothing else tells two accounts apart.
    pub subject: String,
    /// A name to show.
    pub name: Option<String>,
    /// An address to show.
    pub email: Option<String>,
    /// The https address of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

impl Account {
    /// What the account is called everywhere: its address, else its name, else its subject.
    pub fn display_name(&self) -> &str {
        self.email
            .as_deref()
            .or(self.name.as_deref())
            .unwrap_or(&self.subject)
    }
}

/// How long a refresh token lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshTokenLife {
    /// When it began.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Whether a refresh starts it again; `None` is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<bool>,
    /// Whether it is only what other sign-ins at this provider have shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub observed: bool,
}

/// A sign-in whose refresh token the provider ended, by its age in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedLife {
    /// When it was last refreshed.
    pub alive_after: u64,
    /// When the provider had ended it.
    pub ended_after: u64,
}

/// Scopes that a connection held and lost without a new sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostScopes {
    /// Which.
    pub scopes: Scopes,
    /// When that was noticed.
    pub at: Timestamp,
    /// Whether a narrowed token had been fetched before, which at many servers is the cause.
    pub after_narrowing: bool,
}

/// The status of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status", content = "reason")]
pub enum ConnectionStatus {
    /// Waiting for the browser.
    Pending,
    /// Tokens are there.
    Active,
    /// A refresh is under way. Never written to disk as such.
    Refreshing,
    /// The user has to sign in again soon. Never written to disk as such.
    Expiring,
    /// The user has to sign in again.
    NeedsReauth(ReauthReason),
    /// The user paused it.
    Paused,
    /// Gone for the person; revocation at the provider is still owed.
    Disconnecting,
}

impl ConnectionStatus {
    /// Whether the user set it: what a provider answers to an earlier request does not change it.
    pub fn is_set_by_user(self) -> bool {
        matches!(
            self,
            Self::Paused | Self::Disconnecting | Self::NeedsReauth(ReauthReason::CutOff)
        )
    }

    /// The status as the API writes it; the reason is a field of its own there.
    pub fn word(self) -> tokenry_contract::ConnectionStatus {
        use tokenry_contract::ConnectionStatus as Word;
        match self {
            Self::Pending => Word::Pending,
            Self::Active => Word::Active,
            Self::Refreshing => Word::Refreshing,
            Self::Expiring => Word::Expiring,
            Self::NeedsReauth(_) => Word::NeedsReauth,
            Self::Paused => Word::Paused,
            Self::Disconnecting => Word::Disconnecting,
        }
    }

    /// Why the user has to sign in again.
    pub fn reason(self) -> Option<ReauthReason> {
        match self {
            Self::NeedsReauth(reason) => Some(reason),
            _ => None,
        }
    }
}

/// A failure that may pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    /// When it last happened.
    pub at: Timestamp,
    /// What happened, in words, cleaned.
    pub message: String,
    /// How many times in a row.
    pub attempts: u32,
    /// When the next try is; `None` when only a person can go on.
    pub next_try_at: Option<Timestamp>,
    /// Whether the provider asked for that pause; then callers keep to it, too.
    #[serde(default)]
    pub asked_by_provider: bool,
    /// The error code of the provider, where the last answer was a refusal of the provider itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_error: Option<String>,
    /// The last refusal of the provider itself, however many other failures came after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RepeatedRefusal>,
}

/// A refusal of a plain refresh, and how often it came with the same words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatedRefusal {
    /// What two refusals with the same words have in common; not to show.
    pub key: String,
    /// How often in a row.
    pub times: u32,
}

/// The tokens of one connection. Opened for a hand-out or a refresh, and for nothing else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tokens {
    /// Handed out to callers.
    pub access_token: Secret,
    /// As it goes into an `Authorization` header: `Bearer`, or `DPoP` for a token that is bound to a key.
    pub token_type: String,
    /// When the access token ends; `None` is unknown.
    pub expires_at: Option<Timestamp>,
    /// The scopes of this access token.
    pub scopes: Scopes,
    /// Goes to the provider and nowhere else.
    pub refresh_token: Option<Secret>,
    /// The refresh token before this one, kept for a short while.
    pub replaced: Option<ReplacedToken>,
    /// When these tokens were fetched.
    pub obtained_at: Timestamp,
    /// Counts up with every write, so that an old answer cannot land on newer tokens.
    pub fence: u64,
    /// Tokens of the same grant that can do less, or are for one audience; the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub narrowed: Vec<NarrowedToken>,
    /// The id token of the grant, once it was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<KeptIdToken>,
    /// The private key that the tokens are bound to (RFC 9449); `None` for bearer tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_key: Option<Secret>,
    /// Tokens of another account that came in answer to a refresh. Never handed out and never sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<AsideTokens>,
}

/// An id token (OpenID Connect Core §2).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptIdToken {
    /// The token.
    pub token: Secret,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it came.
    pub obtained_at: Timestamp,
}

/// Tokens that are kept sealed for a while and not used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AsideTokens {
    /// Whose they are: `sub` of the id token that came with them.
    pub subject: String,
    /// The access token, if one came that could be read.
    pub access_token: Option<Secret>,
    /// The refresh token, if one came.
    pub refresh_token: Option<Secret>,
    /// When they are wiped.
    pub until: Timestamp,
}

/// What a token is limited to, beyond its grant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Narrowing {
    /// The most that it may do, sorted; `None` is whatever the grant holds.
    pub scopes: Option<Scopes>,
    /// Who it is for, as the provider calls it; no RFC has this one for a refresh, and many servers know it.
    pub audience: Option<String>,
    /// Where it will be used: an absolute URI, sent as it was given (RFC 8707 §2).
    pub resource: Option<String>,
}

impl Narrowing {
    /// Whether it is for one audience, so that the grant's own token cannot stand in for it.
    pub fn has_audience(&self) -> bool {
        self.audience.is_some() || self.resource.is_some()
    }

    /// In words, for the activity log and for a person.
    pub fn words(&self) -> String {
        let scopes = self.scopes.as_ref().map(|scopes| format!("limited to {scopes}"));
        let named = |text: &String| format!("for {}", crate::clean(text));
        let parts = [
            scopes,
            self.audience.as_ref().map(named),
            self.resource.as_ref().map(named),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// A token that can do less than its grant, or is for one audience.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NarrowedToken {
    /// What was asked for.
    pub of: Narrowing,
    /// Handed out to callers.
    pub access_token: Secret,
    /// As it goes into an `Authorization` header: `Bearer`.
    pub token_type: String,
    /// When it ends; `None` is unknown.
    pub expires_at: Option<Timestamp>,
    /// What it can do, as the answer said.
    pub scopes: Scopes,
    /// When it was fetched.
    pub obtained_at: Timestamp,
}

/// A refresh token that was replaced, and until when it is kept sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplacedToken {
    /// The old token.
    pub refresh_token: Secret,
    /// When it is wiped.
    pub until: Timestamp,
}
