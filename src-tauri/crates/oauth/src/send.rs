//! Sends a request with the proof of a key, where tokens are bound to one (RFC 9449).

use crate::dpop::{self, Proven};
use crate::request::{Outgoing, unbuilt};
use crate::response::Response;
use crate::{Failure, Http};
use oauth2::http::HeaderValue;
use tokenry_core::{Provider, Secret};
use url::Url;

/// Sends a request once. After an answer that refuses nothing but the nonce of the proof it is sent once more, made
/// anew: the server has not looked at the rest (RFC 9449 §8), and takes each proof and each assertion once.
pub(crate) async fn proven(
    http: &Http,
    provider: &Provider,
    endpoint: &Url,
    access_token: Option<&Secret>,
    made: impl Fn() -> Result<Outgoing, Failure>,
) -> Result<Response, Failure> {
    let with_proof = || {
        let mut outgoing = made()?;
        add_proof(http, provider, endpoint, access_token, &mut outgoing)?;
        Ok::<_, Failure>(outgoing)
    };
    let response = http.send(provider, endpoint, with_proof()?).await?;
    if !dpop::wants_nonce(provider, &response) {
        return Ok(response);
    }
    http.send(provider, endpoint, with_proof()?).await
}

fn add_proof(
    http: &Http,
    provider: &Provider,
    endpoint: &Url,
    access_token: Option<&Secret>,
    outgoing: &mut Outgoing,
) -> Result<(), Failure> {
    let Some(key) = &provider.dpop_key else {
        return Ok(());
    };
    let request = Proven {
        method: outgoing.request.method().as_str(),
        url: endpoint,
        nonce: None,
        ath: access_token.map(dpop::hash_of),
    };
    let proof = dpop::proof(http, key, &request)?;
    let proof = HeaderValue::from_str(&proof).map_err(|_| unbuilt())?;
    outgoing.request.headers_mut().insert(dpop::HEADER, proof);
    Ok(())
}
