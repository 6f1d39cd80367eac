//! The key with which a client signs its assertions, made in the vault when it is first asked for.

use crate::{Engine, Error, access::policy::Operation, engine::blocking};
use tokenry_core::{Caller, Provider};
use tokenry_oauth::{Failure, SigningKey};

impl Engine {
    /// The public key of a provider's client, for its registration: a JWK set (RFC 7517 §5).
    ///
    /// # Errors
    /// When there is no such provider, or the vault is read-only and there is no key yet.
    pub async fn provider_jwks(&self, caller: &Caller, reference: &str) -> Result<serde_json::Value, Error> {
        self.allow(caller, Operation::ReadProviders)?;
        let provider = self.provider_record(reference)?;
        let key = match provider.client_key {
            Some(key) => key,
            None => {
                let (store, now) = (self.store()?, self.now());
                if let Some(why) = store.read_only() {
                    return Err(Error::ReadOnly(why));
                }
                let made = SigningKey::generate().map_err(unusable)?;
                let kept = blocking(move || {
                    store.change(now, |transaction| {
                        let Some(mut provider) = transaction.get::<Provider>(provider.id.row())? else {
                            return Ok(None);
                        };
                        // Of two who ask at the same time, the first one's key stays.
                        let key = provider.client_key.get_or_insert_with(|| made.clone()).clone();
                        transaction.put(provider.id.row(), &provider)?;
                        Ok(Some(key))
                    })
                });
                kept.await?
                    .ok_or_else(|| Error::not_found("provider", reference, "it was removed"))?
            }
        };
        Ok(SigningKey::read(&key).map_err(unusable)?.public_jwks())
    }
}

fn unusable(failure: Failure) -> Error {
    Error::Internal(failure.to_string())
}
