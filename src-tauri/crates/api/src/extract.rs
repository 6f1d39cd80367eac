//! What a request holds, read so that every mistake in it is told in the one envelope, and no value is repeated.

mod json;

use crate::{error::Refused, oauth};
use axum::{
    body::{Body as RawBody, Bytes, HttpBody},
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, header, request::Parts},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokenry_core::{Caller, FlowId, clean};

/// The most bytes of a body: 1 MiB.
pub(crate) const LIMIT: usize = 1 << 20;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Who asks, as the door says.
pub(crate) struct By(pub(crate) Caller);

impl By {
    /// The caller of an operation that hands out a token, which the window never is.
    pub(crate) fn not_the_window(self, refused: Refused) -> Result<Caller, Refused> {
        if self.0 == Caller::Ui {
            Err(refused)
        } else {
            Ok(self.0)
        }
    }
}

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        parts
            .extensions
            .remove::<Caller>()
            .map(Self)
            .ok_or(Refused::NoCaller)
    }
}

/// The id or name in the path.
pub(crate) struct At(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(Refused::field(
                "id",
                "must be an id or a name, percent-encoded as UTF-8",
            )),
        }
    }
}

/// Two ids or names in the path.
pub(crate) struct At2(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for At2 {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((one, two))) => Ok(Self(one, two)),
            Err(_) => Err(Refused::field(
                "id",
                "must be an id or a name, percent-encoded as UTF-8",
            )),
        }
    }
}

/// The id of a flow in the path; flows have no names.
pub(crate) struct AtFlow(pub(crate) FlowId);

impl<S: Send + Sync> FromRequestParts<S> for AtFlow {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let At(text) = At::from_request_parts(parts, state).await?;
        text.parse().map(Self).map_err(|_| Refused::NoFlow(clean(&text)))
    }
}

/// The query string.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        json::query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;
    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        json::body(&read(request).await?).map(Self)
    }
}

/// A JSON body that may be left out.
pub(crate) struct Optional<T>(pub(crate) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for Optional<T> {
    type Rejection = Refused;
    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        let bytes = read(request).await?;
        if bytes.is_empty() {
            Ok(Self(T::default()))
        } else {
            json::body(&bytes).map(Self)
        }
    }
}

/// Refuses a body that is too large by its own account, or is not called JSON. A web page cannot send JSON to another
/// origin without asking first, so this also keeps forms of web pages out. Where OAuth asks for a form (RFC 6749
/// §4.1.3), and where it depends on the caller, the operation itself looks.
pub(crate) fn check(path: &str, headers: &HeaderMap, body: &RawBody) -> Result<(), Refused> {
    if oauth::judges_the_body(path) {
        return Ok(());
    }
    check_json(headers, body)
}

fn check_json(headers: &HeaderMap, body: &RawBody) -> Result<(), Refused> {
    if body.is_end_stream() {
        return Ok(());
    }
    if body.size_hint().lower() > LIMIT as u64 {
        return Err(Refused::TooLarge);
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    match (types.next().and_then(|value| value.to_str().ok()), types.next()) {
        (Some(one), None) if is_json(one) => Ok(()),
        _ => Err(Refused::field(
            "content-type",
            "must be application/json when there is a body",
        )),
    }
}

fn is_json(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

async fn read(request: Request) -> Result<Bytes, Refused> {
    let (parts, body) = request.into_parts();
    check_json(&parts.headers, &body)?;
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match tokio::time::timeout(BODY_TIME, Limited::new(body, LIMIT).collect()).await {
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refused::TooLarge),
        Ok(Err(_)) => Err(Refused::field("body", "broke off before its end")),
        Err(_) => Err(Refused::field(
            "body",
            format!("did not arrive within {} seconds", BODY_TIME.as_secs()),
        )),
    }
}
