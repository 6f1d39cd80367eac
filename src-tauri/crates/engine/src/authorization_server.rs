//! Our own authorization server, for apps of this machine: authorization code with PKCE, rotated refresh tokens, and
//! consent given by the person in a window of ours (RFC 6749, 7636, 8252, 9207; OAuth 2.1).
//!
//! What must never be true of it: that anything is sent to an address that is not registered; that an app which
//! cannot prove itself gets a code without the user's consent; that a code works twice, or for another client, address
//! or verifier; that a code or token is kept as anything but a keyed hash; that a token outlives its grant.

mod authorize;
mod client;
mod codes;
mod consent;
mod error;
mod inspect;
mod issued;
mod parameters;
mod redirect_uri;
mod request;
mod token;

pub use authorize::Redirect;
pub use consent::ConsentDecision;
pub use error::{OAuthError, OAuthErrorCode, Unredirectable};
pub use inspect::Introspection;
pub(crate) use issued::{Issued, clean, delete_of};
pub use token::IssuedTokens;

use crate::locks;
use codes::Codes;
use std::sync::{Mutex, MutexGuard};
use tokenry_core::{Random, Secret, Timestamp};

/// What a code and the two kinds of token begin with: people and scanners for leaked secrets know them by it, and
/// nothing has to be looked up to tell them apart.
const CODE: &str = "tokenry_code_";
const ACCESS: &str = "tokenry_access_";
const REFRESH: &str = "tokenry_refresh_";

/// What of it is only in memory.
#[derive(Default)]
pub(crate) struct AuthorizationServer {
    codes: Mutex<Codes>,
    cleaned_at: Mutex<Option<Timestamp>>,
}

impl AuthorizationServer {
    /// At lock: a code that was not used is good for nothing any more.
    pub(crate) fn forget_codes(&self) {
        *self.codes() = Codes::default();
    }

    fn codes(&self) -> MutexGuard<'_, Codes> {
        locks::lock(&self.codes)
    }
}

/// 256 random bits behind a prefix.
fn fresh(prefix: &str, random: &dyn Random) -> Secret {
    Secret::new(format!("{prefix}{}", tokenry_oauth::fresh(random).expose()))
}

#[cfg(test)]
mod tests;
