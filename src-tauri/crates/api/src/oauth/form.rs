use super::answer::Wrong;
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

/// The most bytes of a form: 64 KiB.
const LIMIT: usize = 64 << 10;
/// How long it may take to arrive.
const TIME: Duration = Duration::from_secs(10);

/// What a client sends to an endpoint of ours: its form as it came, and its `Authorization` header.
pub(super) struct FromClient {
    pub(super) form: Zeroizing<Vec<u8>>,
    pub(super) authorization: Option<Zeroizing<String>>,
    /// Through which program it comes, as the door says.
    pub(super) caller: Option<Caller>,
}

impl<S: Sync> FromRequest<S> for FromClient {
    type Rejection = Wrong;
    async fn from_request(request: Request, _: &S) -> Result<Self, Wrong> {
        let (parts, body) = request.into_parts();
        // None of our own windows is handed a token, whatever it sends.
        if let Some(Caller::Ui | Caller::Consent) = parts.extensions.get::<Caller>() {
            return Err(UnauthorizedClient
                .because("a window is never handed a token")
                .into());
        }
        if !is_form(&parts.headers) {
            let text = "the body must be application/x-www-form-urlencoded";
            return Err(InvalidRequest.because(text).into());
        }
        let authorization = authorization(&parts.headers)?;
        let too_long = || InvalidRequest.because("the form is longer than 64 KiB");
        if body.size_hint().lower() > LIMIT as u64 {
            return Err(too_long().into());
        }
        let read = tokio::time::timeout(TIME, Limited::new(body, LIMIT).collect()).await;
        let read = read.map_err(|_| InvalidRequest.because("the form did not arrive within 10 seconds"))?;
        let bytes = read.map_err(|_| too_long())?.to_bytes();
        Ok(Self {
            form: Zeroizing::new(bytes.to_vec()),
            authorization,
            caller: parts.extensions.get().cloned(),
        })
    }
}

fn authorization(headers: &HeaderMap) -> Result<Option<Zeroizing<String>>, Wrong> {
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
            .because("there are two Authorization headers")
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
