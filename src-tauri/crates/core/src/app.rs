use crate::{AppId, ConnectionId, CredentialId, GrantId, Name, Scopes};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// Another program of this machine that is known by a client id, and perhaps by a token of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct App {
    /// Its id, which is also its `client_id`.
    pub id: AppId,
    /// Its name, unique among the apps.
    pub name: Name,
    /// Where our authorization server may send its codes; compared exactly, but for the port of a loopback address
    /// (RFC 8252 §7.3).
    pub redirect_uris: Vec<String>,
    /// The keyed hash of its own token, which is its client secret too. Without one it is a public client: it can
    /// only ask for consent, every time anew (RFC 8252 §8.6).
    pub token_hash: Option<[u8; 32]>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last made use of a grant, which reading a list is not; written once a minute at most.
    pub last_used_at: Option<Timestamp>,
}

/// What an app may do, until when, and with what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// Whose it is.
    pub app: AppId,
    /// Which operations.
    pub scopes: BTreeSet<ApiScope>,
    /// With which connections, for the scopes that concern one.
    pub connections: BTreeSet<ConnectionId>,
    /// With which credentials, for `credentials:read` and `credentials:write`.
    pub credentials: BTreeSet<CredentialId>,
    /// The most that a token may do at its provider; `None` is whatever the connection holds.
    pub token_scopes: Option<Scopes>,
    /// When it ends; `None` is when the person takes it away.
    pub expires_at: Option<Timestamp>,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it was last made use of, as for the app.
    pub last_used_at: Option<Timestamp>,
}

impl Grant {
    /// Whether it still holds at this moment.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}

macro_rules! api_scopes {
    ($($name:ident = $text:literal, $words:literal;)*) => {
        /// A scope of our own API: what an app may be granted. The closed list of the contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[expect(missing_docs, reason = "each has its words, which people read")]
        pub enum ApiScope { $($name,)* }

        impl ApiScope {
            /// Every scope there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it stands in a request.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Whether it is about connections, so that a grant says which.
            pub fn concerns_connections(self) -> bool {
                use ApiScope as S;
                matches!(self, S::AuthWrite | S::ConnectionsRead | S::ConnectionsWrite | S::TokensRead)
            }

            /// Whether it is about credentials, so that a grant says which.
            pub fn concerns_credentials(self) -> bool {
                matches!(self, Self::CredentialsRead | Self::CredentialsWrite)
            }

            /// What it lets an app do, in words for a person.
            pub fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }
        }

        impl FromStr for ApiScope {
            type Err = UnknownScope;
            fn from_str(text: &str) -> Result<Self, UnknownScope> {
                match text { $($text => Ok(Self::$name),)* _ => Err(UnknownScope) }
            }
        }
    };
}

api_scopes! {
    ProvidersRead = "providers:read", "See your providers and their settings, without their secrets";
    ProvidersWrite = "providers:write", "Add, change and remove providers, which decides where secrets are sent";
    AuthWrite = "auth:write", "Start sign-ins, and refresh and disconnect the connections you choose";
    AuthWriteOwn = "auth:write:own", "Start sign-ins, and refresh and disconnect the connections it made itself";
    ConnectionsRead = "connections:read", "See the connections you choose, without their tokens";
    ConnectionsWrite = "connections:write", "Label, pause and resume the connections you choose";
    TokensRead = "tokens:read", "Get access tokens of the connections you choose, and act with them in your name";
    CredentialsRead = "credentials:read", "Read the values of the credentials you choose";
    CredentialsWrite = "credentials:write", "Add credentials, and change and delete those you choose";
    ActivityRead = "activity:read", "Read the activity log";
}

/// A text that is no scope of our API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no scope of Tokenry; `GET /oauth/scopes` lists them")]
pub struct UnknownScope;

impl TryFrom<String> for ApiScope {
    type Error = UnknownScope;
    fn try_from(text: String) -> Result<Self, UnknownScope> {
        text.parse()
    }
}

impl From<ApiScope> for String {
    fn from(scope: ApiScope) -> Self {
        scope.as_str().to_owned()
    }
}

impl fmt::Display for ApiScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_read_back_from_its_own_text() {
        for &scope in ApiScope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        assert_eq!("tokens:read ".parse::<ApiScope>(), Err(UnknownScope));
    }
}
