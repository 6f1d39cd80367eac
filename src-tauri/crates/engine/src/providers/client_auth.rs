//! How the client authenticates is found at the first request, where no setting says it.

use crate::{Engine, Error, engine::blocking, records::sealed_store::SealedStore};
use std::sync::Arc;
use tokenry_core::{FoundAuthMethod, Provider, ProviderId, TokenEndpointAuthMethod};
use tokenry_oauth::Failure;

/// Whether a refusal is about the client and nothing else, in the words of RFC 6749 §5.2: then what was sent with it, a
/// code or a refresh token, was not looked at.
fn is_about_the_client(failure: &Failure) -> bool {
    matches!(failure, Failure::Rejected { error, status: 400 | 401, .. } if error == "invalid_client")
}

/// Whether a refusal may be about the client, in whatever words.
pub(crate) fn may_be_about_the_client(failure: &Failure) -> bool {
    let says_client = matches!(
        failure.provider_error(),
        Some("invalid_client" | "unauthorized_client" | "incorrect_client_credentials")
    );
    let is_unauthorized = matches!(
        failure,
        Failure::Rejected { status: 401, .. } | Failure::Interfered { status: 401, .. }
    );
    says_client || is_unauthorized
}

/// The client with its other way to authenticate, where that may be tried at once.
pub(crate) fn other_client(client: &Provider, failure: Option<&Failure>) -> Option<Provider> {
    let other = client.other_auth_method()?;
    failure.filter(|failure| is_about_the_client(failure))?;
    Some(client.clone().authenticating_by(other, false))
}

impl Engine {
    /// Notes what the first request has shown: the way that works, or the one to try at the next sign-in. `before` is
    /// the client as it was sent first, `used` as it was sent last.
    pub(crate) async fn keep_auth_method(
        &self,
        store: &Arc<SealedStore>,
        before: &Provider,
        used: &Provider,
        failure: Option<&Failure>,
    ) {
        let Some(other) = before.other_auth_method() else {
            return;
        };
        let is_second = used.auth_method() == other;
        let found = match failure {
            None => Some((used.auth_method(), true)),
            // Both were refused: it is the id or the secret that is wrong.
            Some(failure) if is_second && may_be_about_the_client(failure) => None,
            Some(failure) if is_second || may_be_about_the_client(failure) => Some((other, false)),
            Some(_) => return,
        };
        let found = found.map(|(method, works)| FoundAuthMethod { method, works });
        if let Err(error) = self.note_auth_method(store, before.id, found).await {
            tracing::warn!("how the client authenticates could not be noted: {error}");
        }
    }

    /// After a refresh: `Some` where the provider refused the client and the other way to authenticate is next.
    pub(crate) async fn other_at_next_refresh(
        &self,
        store: &Arc<SealedStore>,
        client: &Provider,
        failure: &Failure,
    ) -> Option<Failure> {
        // A second refusal says that it is the id or the secret.
        let next = other_client(client, Some(failure)).filter(|_| client.found_auth_method.is_none())?;
        self.note_auth_method(store, client.id, next.found_auth_method)
            .await
            .ok()?;
        let word = |method: TokenEndpointAuthMethod| serde_json::to_value(method).ok();
        let word = |method| word(method).and_then(|word| word.as_str().map(str::to_owned));
        Some(Failure::NotSent {
            message: format!(
                "The provider did not accept the client by {}. Tokenry tries {} next.",
                word(client.auth_method()).unwrap_or_default(),
                word(next.auth_method()).unwrap_or_default()
            ),
        })
    }

    async fn note_auth_method(
        &self,
        store: &Arc<SealedStore>,
        id: ProviderId,
        found: Option<FoundAuthMethod>,
    ) -> Result<(), Error> {
        let (store, now) = (store.clone(), self.now());
        blocking(move || {
            store.change(now, |transaction| {
                let Some(mut provider) = transaction.get::<Provider>(id.row())? else {
                    return Ok(());
                };
                let is_open =
                    provider.settings.token_endpoint_auth_method == TokenEndpointAuthMethod::Automatic;
                if is_open && provider.found_auth_method != found {
                    provider.found_auth_method = found;
                    transaction.put(id.row(), &provider)?;
                }
                Ok(())
            })
        })
        .await
    }
}
