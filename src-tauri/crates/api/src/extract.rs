//! What a request holds, read so that every mistake in it is told in the one envelope, and no value is repeated.

mod json;

use crate::{error::ApiError, oauth};
use axum::{
    body::{Body as RawBody, Bytes, HttpBody},
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, header, request::Parts},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokenry_core::{Caller, FlowId, Peer, Secret, clean};
use tokenry_engine::{Engine, TokenRequest, TokenView};

/// The longest body: 1 MiB.
pub(crate) const MAX_BODY_BYTES: usize = 1 << 20;
/// For a body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The caller, as the server identified it.
pub(crate) struct AuthenticatedCaller(pub(crate) Caller);

impl AuthenticatedCaller {
    /// The caller of an operation whose response holds a token, which the window must not get.
    pub(crate) fn not_the_window(self, refused: ApiError) -> Result<Caller, ApiError> {
        if self.0 == Caller::Ui {
            Err(refused)
        } else {
            Ok(self.0)
        }
    }
}

impl FromRequestParts<Engine> for AuthenticatedCaller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, engine: &Engine) -> Result<Self, ApiError> {
        Requester::from_request_parts(parts, engine)
            .await?
            .authenticated(engine)
            .await
    }
}

/// The requester of an operation that needs an unlocked vault. If the vault is locked and there is a window, the request
/// waits until the user has unlocked it there.
pub(crate) struct Requester(Identity);

enum Identity {
    Known(Caller),
    /// Its token cannot be checked, because the vault is locked.
    Unverified(UnverifiedApp),
}

impl Requester {
    /// The caller, once the vault is unlocked.
    pub(crate) async fn unlocked(self, engine: &Engine) -> Result<Caller, ApiError> {
        let peer = match &self.0 {
            // The window shows the lock screen.
            Identity::Known(Caller::Ui | Caller::Consent) => return Ok(self.authenticated(engine).await?.0),
            Identity::Known(caller) => caller.peer(),
            Identity::Unverified(app) => Some(&app.peer),
        };
        engine.wait_for_unlock(peer).await?;
        Ok(self.authenticated(engine).await?.0)
    }

    /// The caller as it is now.
    pub(crate) async fn authenticated(self, engine: &Engine) -> Result<AuthenticatedCaller, ApiError> {
        match self.0 {
            Identity::Known(caller) => Ok(AuthenticatedCaller(caller)),
            Identity::Unverified(app) => {
                let caller = engine.authenticate(&app.token, Some(app.peer)).await?;
                Ok(AuthenticatedCaller(caller))
            }
        }
    }

    /// Refuses the window, for an operation whose response holds a token.
    pub(crate) fn not_the_window(&self, refused: ApiError) -> Result<(), ApiError> {
        match &self.0 {
            Identity::Known(Caller::Ui) => Err(refused),
            _ => Ok(()),
        }
    }

    /// An access token that an app gets although the vault is locked.
    pub(crate) fn token_while_locked(
        &self,
        engine: &Engine,
        reference: &str,
        request: &TokenRequest,
    ) -> Option<TokenView> {
        match &self.0 {
            Identity::Known(caller) => engine.token_while_locked(caller, reference, request),
            Identity::Unverified(_) => None,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Requester {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if let Some(app) = parts.extensions.remove::<UnverifiedApp>() {
            return Ok(Self(Identity::Unverified(app)));
        }
        let caller = parts.extensions.remove::<Caller>().ok_or(ApiError::NoCaller)?;
        Ok(Self(Identity::Known(caller)))
    }
}

/// The token of an app, which a locked vault cannot check. A server puts it into a request in the place of the caller.
#[derive(Clone)]
pub(crate) struct UnverifiedApp {
    pub(crate) token: Secret,
    pub(crate) peer: Peer,
}

/// The id or name in the path.
pub(crate) struct PathId(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(ApiError::field(
                "id",
                "must be an id or a name, percent-encoded as UTF-8",
            )),
        }
    }
}

/// Two ids or names in the path.
pub(crate) struct PathIds(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathIds {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((one, two))) => Ok(Self(one, two)),
            Err(_) => Err(ApiError::field(
                "id",
                "must be an id or a name, percent-encoded as UTF-8",
            )),
        }
    }
}

/// The id of a flow in the path; flows have no names.
pub(crate) struct PathFlowId(pub(crate) FlowId);

impl<S: Send + Sync> FromRequestParts<S> for PathFlowId {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let PathId(text) = PathId::from_request_parts(parts, state).await?;
        text.parse().map(Self).map_err(|_| ApiError::NoFlow(clean(&text)))
    }
}

/// The query string.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        json::query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        json::body(&read(request).await?).map(Self)
    }
}

/// A JSON body that may be left out.
pub(crate) struct Optional<T>(pub(crate) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for Optional<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let bytes = read(request).await?;
        if bytes.is_empty() {
            Ok(Self(T::default()))
        } else {
            json::body(&bytes).map(Self)
        }
    }
}

/// Refuses a body whose declared length is too large, or whose type is not JSON. A web page cannot send JSON to another
/// origin without a preflight request, so this also refuses forms of web pages. Where OAuth needs a form (RFC 6749 §4.1.3),
/// and where it depends on the caller, the operation itself checks the body.
pub(crate) fn check(path: &str, headers: &HeaderMap, body: &RawBody) -> Result<(), ApiError> {
    if oauth::checks_its_body(path) {
        return Ok(());
    }
    check_json(headers, body)
}

fn check_json(headers: &HeaderMap, body: &RawBody) -> Result<(), ApiError> {
    if body.is_end_stream() {
        return Ok(());
    }
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Err(ApiError::TooLarge);
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    match (types.next().and_then(|value| value.to_str().ok()), types.next()) {
        (Some(one), None) if is_json(one) => Ok(()),
        _ => Err(ApiError::field(
            "content-type",
            "must be application/json when there is a body",
        )),
    }
}

fn is_json(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

async fn read(request: Request) -> Result<Bytes, ApiError> {
    let (parts, body) = request.into_parts();
    check_json(&parts.headers, &body)?;
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::TooLarge),
        Ok(Err(_)) => Err(ApiError::field("body", "ended too early")),
        Err(_) => Err(ApiError::field(
            "body",
            format!("did not arrive within {} seconds", BODY_TIMEOUT.as_secs()),
        )),
    }
}
