//! How the client authenticates at a provider, where the setting leaves that to be found.

use super::Provider;
use serde::{Deserialize, Serialize};
use tokenry_contract::TokenEndpointAuthMethod;

/// A way to authenticate that an answer of the provider speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundAuthMethod {
    /// Which.
    pub method: TokenEndpointAuthMethod,
    /// Whether the provider has taken it. Otherwise it only refused the other one.
    pub works: bool,
}

impl Provider {
    /// How the client authenticates in the next request: never `automatic`.
    pub fn auth_method(&self) -> TokenEndpointAuthMethod {
        match (self.settings.token_endpoint_auth_method, &self.client_secret) {
            (TokenEndpointAuthMethod::Automatic, None) => TokenEndpointAuthMethod::None,
            (TokenEndpointAuthMethod::Automatic, Some(_)) => {
                let found = self.found_auth_method.map(|found| found.method);
                found.unwrap_or(TokenEndpointAuthMethod::ClientSecretPost)
            }
            (method, _) => method,
        }
    }

    /// The way that is left to try when the provider refuses this client. `None` where the method was set, has worked
    /// before, or there is no secret to send.
    pub fn other_auth_method(&self) -> Option<TokenEndpointAuthMethod> {
        let is_open = self.settings.token_endpoint_auth_method == TokenEndpointAuthMethod::Automatic
            && self.client_secret.is_some()
            && !self.found_auth_method.is_some_and(|found| found.works);
        is_open.then(|| match self.auth_method() {
            TokenEndpointAuthMethod::ClientSecretBasic => TokenEndpointAuthMethod::ClientSecretPost,
            _ => TokenEndpointAuthMethod::ClientSecretBasic,
        })
    }

    /// The provider with this way to authenticate, where its setting leaves that open.
    #[must_use]
    pub fn authenticating_by(mut self, method: TokenEndpointAuthMethod, works: bool) -> Self {
        self.found_auth_method = Some(FoundAuthMethod { method, works });
        self
    }

    /// Forgets what was found when a change makes another client or another server of it.
    pub(super) fn forget_found(&mut self, before: &Self) {
        let secret = |provider: &Self| provider.client_secret.as_ref().map(|s| s.expose().to_owned());
        let (new, old) = (&self.settings, &before.settings);
        if new.client_id != old.client_id
            || new.token_endpoint != old.token_endpoint
            || new.token_endpoint_auth_method != old.token_endpoint_auth_method
            || secret(self) != secret(before)
        {
            self.found_auth_method = None;
        }
    }
}
