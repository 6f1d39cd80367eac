//! The scopes of Tokenry's own API.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! api_scopes {
    ($($name:ident = $text:literal, $words:literal;)*) => {
        /// A scope of our own API: what an app may be granted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum ApiScope { $($name,)* }

        impl ApiScope {
            /// Every scope.
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

            /// What it lets an app do, for the user.
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

/// The text is not a scope of our API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownScope;

impl fmt::Display for UnknownScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is no scope of Tokenry; `GET /oauth/scopes` lists them")
    }
}

impl std::error::Error for UnknownScope {}

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
