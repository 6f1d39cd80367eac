//! Why a request failed, by what that means for the token.

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
    /// Another server, or an overloaded one, answered. Says nothing about the grant.
    #[error("{message}")]
    Interfered {
        /// The HTTP status.
        status: u16,
        /// What happened, in words.
        message: String,
        /// From `Retry-After`, between one second and one hour.
        retry_after: Option<Duration>,
    },
    /// Well-formed JSON that says `invalid_grant` (RFC 6749 §5.2). The only failure that can end a grant at once.
    #[error("The provider no longer accepts this grant{}. Connect again.", told(.description))]
    InvalidGrant {
        /// The provider's own words.
        description: Option<String>,
    },
    /// The provider itself refused in other words: another code, another status than 400 or 401, a form, a shape of
    /// its own, an empty 4xx. See [`Failure::refusal`].
    #[error("The provider refused: {}{}. {}", error.trim_end_matches('.'), told(.description), advice(.error))]
    Rejected {
        /// The error code (RFC 6749 §5.2), or what the provider put in its place: another code, a sentence, or
        /// `HTTP 400` when it said nothing. Never empty.
        error: String,
        /// The provider's other words.
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

    /// What the provider said, when it answered itself and refused: it was its own host, over TLS or on this machine,
    /// and the answer was JSON, a form, or a 4xx without a body. `None` for web pages, redirects, 408, 425, 429 and
    /// 5xx, for codes such as `temporarily_unavailable`, and for answers that never came or cannot be read.
    ///
    /// One refusal says little. Two with the same [`Refusal::key`], to a plain refresh whose access token has ended,
    /// mean that the user has to connect again (security.md, "Refresh", 8).
    pub fn refusal(&self) -> Option<Refusal> {
        let (error, description) = match self {
            Self::InvalidGrant { description } => ("invalid_grant", description),
            Self::Rejected {
                error, description, ..
            } => (error.as_str(), description),
            _ => return None,
        };
        let words = format!("{}{}", error.trim_end_matches('.'), told(description));
        let is_code = !error.contains(' ') || error.starts_with("HTTP ");
        let code = if is_code { error.to_owned() } else { lasting(error) };
        let key = format!("{code} {}", lasting(description.as_deref().unwrap_or_default()));
        Some(Refusal { words, key })
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

/// A refusal in the provider's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The error and, in brackets, everything else that the provider said (`error_description`, `message`, `hint` and
    /// the like): in one line, cleaned, and without the secrets that were sent. To show to a user.
    pub words: String,
    /// Equal for two refusals with the same words. What differs between two answers of the same kind (times, trace
    /// ids, counters) is left out. To store and to compare, not to show.
    pub key: String,
}

/// The words without what is different each time: numbers, times and ids. Codes such as `AADSTS700082` stay.
fn lasting(words: &str) -> String {
    let is_separator = |c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | ':' | '.');
    let is_code = |word: &str| {
        let digits = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
        (2..=12).contains(&(word.len() - digits.len()))
            && digits.len() <= 8
            && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let stays = |word: &&str| {
        let word = word.trim_matches(|c| matches!(c, '.' | ':' | '-'));
        !word.is_empty() && (!word.contains(|c: char| c.is_ascii_digit()) || is_code(word))
    };
    let kept: Vec<_> = words.split(is_separator).filter(stays).collect();
    kept.join(" ").to_lowercase()
}

pub(crate) fn told(description: &Option<String>) -> String {
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
        "invalid_target" => {
            "It gives no token for this resource: check `resource` and `resource_on_refresh` of the provider."
        }
        "unsupported_grant_type" => "Check the grant type of the provider.",
        "redirect_uri_mismatch" => "Register the redirect URI at the provider.",
        "HTTP 404" | "HTTP 405" | "HTTP 410" => "Check the address in the provider's settings.",
        _ => "Connect again, or check the provider's settings.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(description: &str) -> Refusal {
        let failure = Failure::Rejected {
            error: "interaction_required".to_owned(),
            description: Some(description.to_owned()),
            status: 400,
        };
        failure.refusal().unwrap()
    }

    #[test]
    fn two_refusals_that_differ_in_times_and_ids_have_the_same_key() {
        let first = refusal(
            "AADSTS50076: You must use MFA. Trace ID: 0f8fad5b-d9cb-469f-a165-70867728950e Timestamp: 2026-11-28 10:00:00Z",
        );
        let second = refusal(
            "AADSTS50076: You must use MFA. Trace ID: 7c9e6679-7425-40de-944b-e07fc1f90ae7 Timestamp: 2026-11-28 11:30:01Z",
        );
        assert_ne!(first.words, second.words);
        assert_eq!(first.key, second.key);
        assert_ne!(first.key, refusal("AADSTS65001: You must use MFA.").key);
        assert_ne!(first.key, refusal("Another reason").key);
        assert!(
            first
                .words
                .contains("interaction_required (“AADSTS50076: You must use MFA.")
        );
    }

    #[test]
    fn a_refusal_of_digits_only_still_has_a_key() {
        let numbered = |error: &str| Failure::Rejected {
            error: error.to_owned(),
            description: None,
            status: 400,
        };
        let key = |failure: Failure| failure.refusal().unwrap().key;
        assert_ne!(key(numbered("40029")), key(numbered("40030")));
        assert_ne!(key(numbered("HTTP 400")), key(numbered("HTTP 403")));
    }

    #[test]
    fn only_the_provider_itself_refuses() {
        let message = || "m".to_owned();
        for failure in [
            Failure::NotSent { message: message() },
            Failure::Unanswered { message: message() },
            Failure::Unusable { message: message() },
            Failure::Interfered {
                status: 503,
                message: message(),
                retry_after: None,
            },
        ] {
            assert_eq!(failure.refusal(), None, "{failure:?}");
        }
        let ended = Failure::InvalidGrant { description: None };
        assert_eq!(ended.refusal().unwrap().words, "invalid_grant");
    }
}
