//! OAuth error responses (RFC 6749 §4.1.2.1, §5.2).

use crate::Error;
use tokenry_core::Code;

/// An error as RFC 6749 §4.1.2.1 and §5.2 have it. Its text holds no value that was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{description}")]
pub struct OAuthError {
    /// What a program acts on.
    pub code: OAuthErrorCode,
    /// For a person, in the characters that the RFC allows.
    pub description: String,
}

/// The codes that we use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the RFC has them")]
pub enum OAuthErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedResponseType,
    AccessDenied,
    RequestNotSupported,
    RequestUriNotSupported,
    TemporarilyUnavailable,
    /// The vault is locked: nothing can be compared with anything.
    Locked,
    ServerError,
}

impl OAuthErrorCode {
    /// As it stands in an answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidScope => "invalid_scope",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::AccessDenied => "access_denied",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::TemporarilyUnavailable | Self::Locked => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }

    /// The HTTP status, where it is not sent as a redirect.
    pub fn http_status(self) -> u16 {
        match self {
            Self::InvalidClient => 401,
            Self::Locked => 423,
            Self::TemporarilyUnavailable => 503,
            Self::ServerError => 500,
            _ => 400,
        }
    }

    /// The error with this code, and why; the text is made fit for an answer.
    pub fn because(self, description: impl AsRef<str>) -> OAuthError {
        OAuthError {
            code: self,
            description: allowed(description.as_ref()),
        }
    }
}

/// What became of a question, or of the vault, in the words of the RFC.
impl From<Error> for OAuthError {
    fn from(error: Error) -> Self {
        let code = match error.code() {
            Code::ConsentDenied | Code::InteractionRequired | Code::PermissionDenied => {
                OAuthErrorCode::AccessDenied
            }
            Code::VaultLocked => OAuthErrorCode::Locked,
            Code::PayloadTooLarge | Code::ValidationError => OAuthErrorCode::InvalidRequest,
            Code::RateLimited | Code::Conflict | Code::OauthUnavailable => {
                OAuthErrorCode::TemporarilyUnavailable
            }
            _ => OAuthErrorCode::ServerError,
        };
        if code == OAuthErrorCode::ServerError {
            tracing::error!("the authorization server failed: {error}");
        }
        code.because(error.to_string())
    }
}

/// A request that must not be answered with a redirect (RFC 6749 §4.1.2.1): the sender of the browser is not
/// known, or may not have it.
#[derive(Debug, thiserror::Error)]
pub enum Unredirectable {
    /// It cannot be taken apart.
    #[error("This authorization request cannot be read: {0}. Start again in the app that sent you here.")]
    Unreadable(String),
    /// No such app, or none named.
    #[error(
        "No app with this client_id is registered in Tokenry. Register it in the Tokenry window, under Apps, and give the app its client id."
    )]
    UnknownClient,
    /// No such address, or none named.
    #[error(
        "The redirect_uri of this request is none that is registered for the app, so nothing was sent there. Register it in the Tokenry window, under Apps, exactly as the app sends it."
    )]
    UnknownPlace,
    /// What the engine says.
    #[error(transparent)]
    Engine(#[from] Error),
}

impl Unredirectable {
    /// The HTTP status of the page that says so.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::Engine(error) if error.code() == Code::VaultLocked => 423,
            Self::Engine(_) => 500,
            _ => 400,
        }
    }
}

/// RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E.
fn allowed(text: &str) -> String {
    let shown = tokenry_core::clean(text);
    let fit = shown.chars().map(|c| match c {
        '"' => '\'',
        '\\' => '/',
        ' '..='~' => c,
        '…' => '.',
        _ => '?',
    });
    fit.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_has_only_the_characters_of_the_rfc() {
        let error = OAuthErrorCode::InvalidScope.because("\"a\\b\"\r\n<ä>\u{202e}");
        assert_eq!(error.description, "'a/b' <?>");
        let long = OAuthErrorCode::InvalidScope.because("x".repeat(5000));
        assert!(long.description.len() <= 201);
    }

    #[test]
    fn a_no_of_the_person_is_access_denied_and_a_locked_vault_says_to_come_again() {
        let denied = Error::NotAllowed {
            rule: tokenry_core::Rule::Denied,
            wait: None,
        };
        assert_eq!(OAuthError::from(denied).code, OAuthErrorCode::AccessDenied);
        let locked = OAuthError::from(Error::Locked);
        assert_eq!(
            (locked.code.as_str(), locked.code.http_status()),
            ("temporarily_unavailable", 423)
        );
    }
}
