//! The behaviour that a test chooses for the server.

use crate::{Fault, Quirks};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Everything about the server that can be chosen, and changed while it runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Who may ask for tokens.
    pub clients: Vec<Client>,
    /// The people who have an account here.
    pub accounts: Vec<Account>,
    /// Which of `accounts` agrees at the next authorization request.
    pub signed_in: usize,
    /// What the authorization endpoint answers.
    pub authorize: AuthorizeAnswer,
    /// What the user does with a device code (RFC 8628).
    pub device: DeviceAnswer,
    /// What it says of itself in `iss` (RFC 9207).
    pub iss: Iss,
    /// What it does with `state`.
    pub state: StateAnswer,
    /// A parameter of the answer that is sent twice.
    pub repeat: Option<String>,
    /// Parameters that are added to the answer.
    pub extra: Vec<(String, String)>,
    /// Sends the browser to `scheme://cb/x` where `scheme:/cb/x` was asked for, as some servers do.
    pub rewrite_custom_scheme: bool,
    /// Refuses an authorization request without an S256 challenge (RFC 7636).
    pub require_pkce: bool,
    /// What becomes of a refresh token that was used.
    pub rotation: Rotation,
    /// What a refresh request with `scope`, `resource` or `audience` does beyond its answer.
    pub narrowing: Narrowing,
    /// How long an access token lives, in seconds.
    pub token_life: u64,
    /// Whether a refresh token is given at all.
    pub refresh_tokens: bool,
    /// Whether a code for `openid` brings an id token, and the claims in it that are not as they should be: `null`
    /// leaves one out. None of them is signed in truth.
    pub id_tokens: Option<Map<String, Value>>,
    /// How it differs from RFC 6749.
    pub quirks: Quirks,
    /// Done at every request to the token endpoint for which no fault was queued.
    pub token_fault: Option<Fault>,
    /// The same for the userinfo endpoint.
    pub userinfo_fault: Option<Fault>,
    /// The same for the revocation endpoint.
    pub revocation_fault: Option<Fault>,
}

impl Behaviour {
    /// The default server with this rotation policy.
    pub fn rotating(rotation: Rotation) -> Self {
        Self {
            rotation,
            ..Self::default()
        }
    }
}

impl Default for Behaviour {
    /// A well-behaved server: one public client `tokenry`, one confidential client `tokenry-confidential` for
    /// each way to send its secret, one account, strict rotation, tokens that live an hour.
    fn default() -> Self {
        Self {
            clients: vec![
                Client::public("tokenry"),
                Client::confidential("tokenry-confidential", "testkit-secret", ClientAuth::Post),
                Client::confidential("tokenry-basic", "testkit-secret", ClientAuth::Basic),
            ],
            accounts: vec![Account::new("sub-1", "Ada Lovelace", "ada@example.com")],
            signed_in: 0,
            authorize: AuthorizeAnswer::Grant,
            device: DeviceAnswer::Pending,
            iss: Iss::Right,
            state: StateAnswer::Same,
            repeat: None,
            extra: Vec::new(),
            rewrite_custom_scheme: false,
            require_pkce: true,
            rotation: Rotation::Strict,
            narrowing: Narrowing::default(),
            token_life: 3600,
            refresh_tokens: true,
            id_tokens: None,
            quirks: Quirks::default(),
            token_fault: None,
            userinfo_fault: None,
            revocation_fault: None,
        }
    }
}

/// A registered client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// Its secret; `None` for a public client.
    pub secret: Option<String>,
    /// The one way in which it may prove who it is.
    pub auth: ClientAuth,
}

impl Client {
    /// A client without a secret.
    pub fn public(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            secret: None,
            auth: ClientAuth::None,
        }
    }

    /// A client with a secret.
    pub fn confidential(id: &str, secret: &str, auth: ClientAuth) -> Self {
        Self {
            id: id.to_owned(),
            secret: Some(secret.to_owned()),
            auth,
        }
    }
}

/// How a client proves who it is (RFC 6749 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// HTTP Basic.
    Basic,
    /// Id and secret in the body.
    Post,
    /// HTTP Basic with the secret as the user name and an empty password.
    UserName,
    /// The id alone.
    None,
}

/// A person's account, as the userinfo endpoint tells it (OpenID Connect Core §5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// `sub`.
    pub sub: String,
    /// `name`, when there is one.
    pub name: Option<String>,
    /// `email`, when there is one.
    pub email: Option<String>,
}

impl Account {
    /// An account with all three.
    pub fn new(sub: &str, name: &str, email: &str) -> Self {
        Self {
            sub: sub.to_owned(),
            name: Some(name.to_owned()),
            email: Some(email.to_owned()),
        }
    }
}

/// What the authorization endpoint answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizeAnswer {
    /// A code, at once: the person is signed in and agrees.
    Grant,
    /// An error answer (RFC 6749 §4.1.2.1); the texts may hold anything, markup too.
    Error {
        /// `error`.
        error: String,
        /// `error_description`.
        description: Option<String>,
    },
    /// A page that never redirects: the person went away.
    Silence,
}

impl AuthorizeAnswer {
    /// The person says no.
    pub fn denied() -> Self {
        Self::Error {
            error: "access_denied".to_owned(),
            description: None,
        }
    }
}

/// What the user does with a device code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceAnswer {
    /// Nothing yet.
    Pending,
    /// They agree.
    Grant,
    /// What the token endpoint says instead of tokens (RFC 8628 §3.5).
    Error(String),
}

/// What stands in `iss` of an authorization answer, error answers included (RFC 9207 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Iss {
    /// The issuer, and the metadata promises it.
    Right,
    /// Nothing, and the metadata does not promise it.
    Absent,
    /// Nothing, although the metadata promises it.
    PromisedAndAbsent,
    /// This text instead.
    Wrong(String),
}

/// What stands in `state` of an authorization answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateAnswer {
    /// What was sent.
    Same,
    /// Nothing.
    Absent,
    /// This text instead.
    Other(String),
}

/// What becomes of a refresh token that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It stays good, and no new one is sent.
    None,
    /// It is replaced, and works for so many seconds more; after that it ends its family.
    Grace(u64),
    /// It is replaced, and ends its whole family when it comes again (OAuth 2.1 §4.3.1).
    Strict,
}

/// What a server does with a refresh request for less than the grant, and whether it exchanges tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Narrowing {
    /// The grant holds only the narrower scope from then on, as at servers that copy the scope of the answer into the
    /// new refresh token.
    pub for_good: bool,
    /// Every refresh revokes the access tokens that the grant had before.
    pub revokes_access_tokens: bool,
    /// The refresh token is replaced before `scope` and `resource` are looked at, so a refusal uses it up.
    pub consumes_first: bool,
    /// The resources and audiences it knows; another is `invalid_target` (RFC 8707 §2). `None` takes any.
    pub targets: Option<Vec<String>>,
    /// What it answers to any limited request: this error, without looking at anything.
    pub refuses_with: Option<String>,
    /// Whether it takes the token exchange grant (RFC 8693).
    pub exchanges: bool,
}
