//! Client authentication at the token endpoint (RFC 6749 §2.3).

use super::{
    error::{
        OAuthError,
        OAuthErrorCode::{InvalidClient, InvalidRequest},
    },
    parameters::Parameters,
    redirect_uri,
};
use crate::records::sealed_store::SealedStore;
use tokenry_core::{App, Secret};

/// Who asks at the token endpoint, by exactly one of the three methods (RFC 6749 §2.3): HTTP Basic, a secret in the
/// form, or, for a public client, its id and nothing else.
pub(super) fn authenticate(
    store: &SealedStore,
    authorization: Option<&str>,
    form: &Parameters,
) -> Result<App, OAuthError> {
    let (id, secret) = match authorization {
        Some(header) => {
            let (id, secret) = tokenry_oauth::basic::read(header).ok_or_else(|| {
                InvalidClient.because("the Authorization header is no HTTP Basic of a client")
            })?;
            if form.secret("client_secret").is_some() {
                return Err(InvalidRequest.because("the client authenticates by two methods at once"));
            }
            if form.get("client_id").is_some_and(|other| other != id) {
                return Err(InvalidRequest.because("client_id is not the one of the Authorization header"));
            }
            (id, Some(secret).filter(|secret| !secret.expose().is_empty()))
        }
        None => (
            form.required("client_id")?.to_owned(),
            form.secret("client_secret"),
        ),
    };
    let found = redirect_uri::app(&store.index(), &id).cloned();
    let proved = found.filter(|app| proves(store, app, secret.as_ref()));
    proved.ok_or_else(|| InvalidClient.because("the client is not known, or did not prove itself"))
}

/// A public client has nothing to prove with, and one that tries is not what it says.
fn proves(store: &SealedStore, app: &App, secret: Option<&Secret>) -> bool {
    match (&app.token_hash, secret) {
        (Some(own), Some(secret)) => tokenry_core::same_bytes(own, &store.vault().token_hash(secret)),
        (None, None) => true,
        _ => false,
    }
}
