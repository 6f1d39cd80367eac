//! The error codes, and the envelope of every error.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $status:literal, $exit:literal, $next:literal;)*) => {
        /// The error codes, for what a user or a program can act on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its text in the envelope.
            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// Its HTTP status.
            pub fn http_status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Its exit code of `tokenry`.
            pub fn exit_code(self) -> u8 {
                match self { $(Self::$name => $exit,)* }
            }

            /// The next step, for messages that name none.
            pub fn next_step(self) -> &'static str {
                match self { $(Self::$name => $next,)* }
            }
        }
    };
}

codes! {
    /// A given value is invalid.
    ValidationError = "validation_error", 422, 10, "Correct these values and try again.";
    /// The caller is not authenticated.
    Unauthorized = "unauthorized", 401, 11, "Check the app's token, and send it with the request.";
    /// The caller may not do this.
    PermissionDenied = "permission_denied", 403, 12, "Grant the app this access with `tokenry app grant`, or in the window under Apps.";
    /// The user denied it.
    ConsentDenied = "consent_denied", 403, 13, "The user denied this request. Repeat it only if the user wants it.";
    /// The user would have to be prompted, and cannot be.
    InteractionRequired = "interaction_required", 403, 14, "Open the Tokenry window, or answer with `tokenry approve`.";
    /// Nothing has this name or id.
    NotFound = "not_found", 404, 15, "Check the name with `tokenry list` or `tokenry provider list`.";
    /// It conflicts with something that exists.
    Conflict = "conflict", 409, 16, "Choose another name, or change the existing entry.";
    /// The user has to sign in again.
    NeedsReauth = "needs_reauth", 409, 17, "Sign in again with `tokenry connect NAME`, or in the window.";
    /// The sign-in has ended.
    FlowExpired = "flow_expired", 410, 18, "Start the sign-in again with `tokenry connect NAME`, or in the window.";
    /// The request is too large.
    PayloadTooLarge = "payload_too_large", 413, 19, "Shorten the input.";
    /// The vault is locked.
    VaultLocked = "vault_locked", 423, 20, "Unlock with `tokenry unlock`, or in the window.";
    /// Too many requests.
    RateLimited = "rate_limited", 429, 21, "Wait a moment and try again.";
    /// An internal error, or one of the machine.
    Internal = "internal", 500, 22, "Try again. If it happens again, report it with the request id.";
    /// The provider refused.
    ProviderError = "provider_error", 502, 23, "Check the provider's settings with `tokenry provider show`.";
    /// The provider could not be reached.
    ProviderUnreachable = "provider_unreachable", 503, 24, "Check the network and try again later.";
    /// No redirect can be received, or the keyring is not available.
    OauthUnavailable = "oauth_unavailable", 503, 25, "Check the OS keyring, or sign in with `tokenry connect NAME --redirect paste`.";
}

/// The format of every error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorEnvelope {
    /// What went wrong.
    pub error: ErrorBody,
}

/// An error, for a program and for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// The error code, for programs.
    pub code: ErrorCode,
    /// What happened, to what, and what to do next.
    pub message: String,
    /// The id of the request, which the activity log holds, too.
    pub request_id: String,
    /// Details, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

/// Details of an error.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Details {
    /// The problem of each field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// The provider's own error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_error: Option<String>,
    /// When to try again, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_written_as_its_slug_and_has_an_exit_code_of_its_own() {
        let mut exits = std::collections::BTreeSet::new();
        for &code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.slug());
            assert!(exits.insert(code.exit_code()), "{}", code.slug());
        }
        assert_eq!(exits.len(), 16);
    }
}
