use std::time::Duration;
use tokenry_core::Code;

/// How a request to a provider failed, told apart by what it means for the token that was sent.
///
/// Every text in it was cleaned and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// DNS, connecting or TLS failed: the request never left, so it is safe to repeat.
    #[error("{message}")]
    NotSent {
        /// What happened, in words.
        message: String,
    },
    /// The request left and no answer that can be read came back: what was sent **may have been used**.
    #[error("{message}")]
    Unanswered {
        /// What happened, in words.
        message: String,
    },
    /// Somebody else, or an overloaded server, answered. Says nothing about the grant.
    #[error("{message}")]
    Interfered {
        /// The HTTP status.
        status: u16,
        /// What happened, in words.
        message: String,
        /// From `Retry-After`, between one second and one hour.
        retry_after: Option<Duration>,
    },
    /// Well-formed JSON that says `invalid_grant` (RFC 6749 §5.2). The only failure that can end a grant.
    #[error("The provider no longer accepts this grant{}. Connect again.", told(.description))]
    InvalidGrant {
        /// The provider's own words.
        description: Option<String>,
    },
    /// Another well-formed error of the provider: our registration or request does not suit it.
    #[error("The provider refused: {error}{}. {}", told(.description), advice(.error))]
    Rejected {
        /// The error code of RFC 6749 §5.2, or what the provider put in its place.
        error: String,
        /// The provider's own words.
        description: Option<String>,
        /// The HTTP status.
        status: u16,
    },
    /// A whole answer came, and it cannot be used: a token type that is not Bearer, an id token of another issuer.
    #[error("{message}")]
    Unusable {
        /// What happened, in words.
        message: String,
    },
}

impl Failure {
    /// The code of the contract. Whether an `invalid_grant` means that the person has to connect again depends on
    /// what was sent; that is for the caller to know.
    pub fn code(&self) -> Code {
        match self {
            Self::NotSent { .. } | Self::Unanswered { .. } | Self::Interfered { .. } => {
                Code::ProviderUnreachable
            }
            Self::InvalidGrant { .. } | Self::Rejected { .. } | Self::Unusable { .. } => Code::ProviderError,
        }
    }

    /// How long the server asked us to wait: between one second and one hour.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Interfered { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The provider's own error code.
    pub fn provider_error(&self) -> Option<&str> {
        match self {
            Self::InvalidGrant { .. } => Some("invalid_grant"),
            Self::Rejected { error, .. } => Some(error),
            _ => None,
        }
    }

    /// The same where no grant was sent that could end.
    pub(crate) fn without_a_grant(self, status: u16) -> Self {
        match self {
            Self::InvalidGrant { description } => Self::Rejected {
                error: "invalid_grant".to_owned(),
                description,
                status,
            },
            other => other,
        }
    }
}

fn told(description: &Option<String>) -> String {
    description
        .as_ref()
        .map_or_else(String::new, |text| format!(" (“{text}”)"))
}

fn advice(error: &str) -> &'static str {
    match error {
        "invalid_client" | "unauthorized_client" | "incorrect_client_credentials" => {
            "Check the client id, the client secret and how they are sent."
        }
        "invalid_scope" => "Ask for other scopes.",
        "unsupported_grant_type" => "Check the grant type of the provider.",
        "redirect_uri_mismatch" => "Register the redirect URI at the provider.",
        _ => "Check the provider's settings.",
    }
}
