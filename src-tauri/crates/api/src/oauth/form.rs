//! Reads the form and the `Authorization` header of a client.

use super::response::OAuthErrorResponse;
use axum::{
    body::HttpBody,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt, Limited};
use std::time::Duration;
use tokenry_core::Caller;
use tokenry_engine::OAuthErrorCode::{InvalidClient, InvalidRequest, UnauthorizedClient};
use zeroize::Zeroizing;

/// The longest form: 64 KiB.
const MAX_FORM_BYTES: usize = 64 << 10;
/// For a form to arrive.
const FORM_TIMEOUT: Duration = Duration::from_secs(10);

/// The request of a client: its form, unparsed, and its `Authorization` header.
pub(super) struct ClientRequest {
    pub(super) form: Zeroizing<Vec<u8>>,
    pub(super) authorization: Option<Zeroizing<String>>,
    /// The calling program, as the server identified it.
    pub(super) caller: Option<Caller>,
}

impl<S: Sync> FromRequest<S> for ClientRequest {
    type Rejection = OAuthErrorResponse;
    async fn from_request(request: Request, _: &S) -> Result<Self, OAuthErrorResponse> {
        let (parts, body) = request.into_parts();
        // Our own windows do not get tokens, whatever they send.
        if let Some(Caller::Ui | Caller::Consent) = parts.extensions.get::<Caller>() {
            return Err(UnauthorizedClient.because("a window does not get tokens").into());
        }
        if !is_form(&parts.headers) {
            let text = "the body must be application/x-www-form-urlencoded";
            return Err(InvalidRequest.because(text).into());
        }
        let authorization = authorization(&parts.headers)?;
        let too_long = || InvalidRequest.because("the form is longer than 64 KiB");
        if body.size_hint().lower() > MAX_FORM_BYTES as u64 {
            return Err(too_long().into());
        }
        let read = tokio::time::timeout(FORM_TIMEOUT, Limited::new(body, MAX_FORM_BYTES).collect()).await;
        let read = read.map_err(|_| InvalidRequest.because("the form did not arrive within 10 seconds"))?;
        let bytes = read.map_err(|_| too_long())?.to_bytes();
        Ok(Self {
            form: Zeroizing::new(bytes.to_vec()),
            authorization,
            caller: parts.extensions.get().cloned(),
        })
    }
}

fn authorization(headers: &HeaderMap) -> Result<Option<Zeroizing<String>>, OAuthErrorResponse> {
    let mut found = headers.get_all(header::AUTHORIZATION).iter();
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => match one.to_str() {
            Ok(text) => Ok(Some(Zeroizing::new(text.to_owned()))),
            Err(_) => Err(InvalidClient
                .because("the Authorization header cannot be read")
                .into()),
        },
        _ => Err(InvalidRequest
            .because("there is more than one Authorization header")
            .into()),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let essence = |text: &str| {
        text.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    };
    match (types.next().and_then(|value| value.to_str().ok()), types.next()) {
        (Some(one), None) => essence(one) == "application/x-www-form-urlencoded",
        _ => false,
    }
}
