//! Proofs for tokens that are bound to a key (RFC 9449): a program uses such a token without ever having the key.

use crate::{
    Engine, Error,
    access::{consent::AccessRequest, policy::Operation, visibility::Sight},
    records::record::Record,
};
use serde::Deserialize;
use tokenry_core::{Caller, EventKind, Outcome, Secret, Tokens, clean};
use tokenry_oauth::dpop::{self, Proven};
use url::Url;

/// The longest address that a proof is made for, in bytes.
const MAX_URL_BYTES: usize = 8192;

/// The request that a proof is for.
#[derive(Debug, Clone)]
pub struct ProofRequest {
    /// Its HTTP method.
    pub method: String,
    /// Its address.
    pub url: String,
    /// The nonce that the server gave.
    pub nonce: Option<String>,
    /// The hash of the access token that it carries; by default of the connection's own.
    pub ath: Option<String>,
}

/// What is needed of the record of a connection's tokens.
#[derive(Deserialize)]
struct Bound {
    access_token: Secret,
    #[serde(default)]
    dpop_key: Option<Secret>,
}

impl ProofRequest {
    /// The address, once all of it is found to be what it has to be.
    fn check(&self) -> Result<Url, Error> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !(1..=32).contains(&self.method.len()) || !self.method.bytes().all(is_token) {
            return Err(Error::field("method", "must be an HTTP method, such as GET"));
        }
        let bad = "must be the whole http or https address of the request, without a user name";
        let url = Some(&self.url).filter(|url| url.len() <= MAX_URL_BYTES);
        let url = url.and_then(|url| Url::parse(url).ok());
        let is_plain = |url: &Url| url.username().is_empty() && url.password().is_none() && url.has_host();
        let url = url
            .filter(|url| matches!(url.scheme(), "https" | "http") && is_plain(url))
            .ok_or_else(|| Error::field("url", bad))?;
        if self.nonce.as_deref().is_some_and(|nonce| !dpop::is_nonce(nonce)) {
            return Err(Error::field(
                "nonce",
                "must be as the server gave it in DPoP-Nonce",
            ));
        }
        let is_hash = |text: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            text.len() == 43 && text.bytes().all(fits)
        };
        if self.ath.as_deref().is_some_and(|ath| !is_hash(ath)) {
            let wrong = "must be the SHA-256 of the access token in base64url, 43 characters";
            return Err(Error::field("ath", wrong));
        }
        Ok(url)
    }
}

impl Engine {
    /// Makes one proof for one method and address, under the same consent as a token.
    ///
    /// # Errors
    /// When there is no such connection, the user says no, or its tokens are not bound to a key.
    pub async fn dpop_proof(
        &self,
        caller: &Caller,
        reference: &str,
        request: ProofRequest,
    ) -> Result<String, Error> {
        let store = self.store()?;
        let found = {
            let index = store.index();
            let found = Sight::of(&index, caller, self.latest()).connection(reference);
            found.map(|connection| {
                let (id, provider) = (connection.id, connection.provider);
                (id, provider, connection.started_by, index.name_of(connection))
            })
        };
        let (id, provider, owner, name) =
            found.map_err(|error| self.not_meant(caller, Operation::Token, reference, error))?;
        let url = request.check()?;
        let (mut shown, method) = (url.clone(), request.method.to_ascii_uppercase());
        shown.set_query(None);
        shown.set_fragment(None);
        let shown = clean(&format!("{method} {shown}"));
        let wanted = AccessRequest::new(Operation::Token)
            .at(provider)
            .of(id, owner)
            .note(format!("It asks for a proof for the request {shown}."));
        let bound = || -> Result<Bound, Error> {
            let unbound = || {
                Error::Conflict(format!(
                    "the tokens of {name} are not bound to a key, so a request with one needs no proof"
                ))
            };
            let bound = store.get_part::<Bound>(Tokens::TABLE, id.row())?;
            bound.filter(|bound| bound.dpop_key.is_some()).ok_or_else(unbound)
        };
        let check = async { bound().map(drop) };
        self.check_before_asking(caller, &wanted, check).await?;
        let permit = self.permit(caller, wanted).await?;
        let bound = bound()?;
        let key = bound.dpop_key.unwrap_or_else(|| Secret::new(String::new()));
        let proven = Proven {
            method: &method,
            url: &url,
            nonce: request.nonce,
            ath: Some(request.ath.unwrap_or_else(|| dpop::hash_of(&bound.access_token))),
        };
        let proof = dpop::proof(&self.inner.http, &key, &proven)
            .map_err(|failure| Error::Internal(failure.to_string()))?;
        let event = self
            .event(caller, EventKind::TokenHandedOut, Outcome::Done)
            .with_provider(provider)
            .with_connection(id)
            .with_detail(&format!("a proof for {shown}"))
            .by(permit.rule);
        self.inner.activity.used(id, event);
        Ok(proof)
    }
}
