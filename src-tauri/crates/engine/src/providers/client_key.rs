//! The key with which a client signs its assertions: made in the vault together with the setting that needs it.

use crate::{Engine, Error, access::policy::Operation};
use tokenry_core::{Caller, Provider, TokenEndpointAuthMethod};
use tokenry_oauth::{Failure, SigningKey};

impl Engine {
    /// The public key of a provider's client, for its registration: a JWK set (RFC 7517 §5).
    ///
    /// # Errors
    /// When there is no such provider. The set of a client that signs nothing is empty.
    pub async fn provider_jwks(&self, caller: &Caller, reference: &str) -> Result<serde_json::Value, Error> {
        self.allow(caller, Operation::ReadProviders)?;
        let provider = self.provider_record(reference)?;
        let Some(key) = &provider.client_key else {
            return Ok(serde_json::json!({"keys": []}));
        };
        Ok(SigningKey::read(key).map_err(unusable)?.public_jwks())
    }
}

/// The provider with a key, where its client signs with one.
///
/// # Errors
/// When none can be made.
pub(super) fn with_client_key(mut provider: Provider) -> Result<Provider, Error> {
    let signs = provider.settings.token_endpoint_auth_method == TokenEndpointAuthMethod::PrivateKeyJwt;
    if signs && provider.client_key.is_none() {
        provider.client_key = Some(SigningKey::generate().map_err(unusable)?);
    }
    Ok(provider)
}

fn unusable(failure: Failure) -> Error {
    Error::Internal(failure.to_string())
}
