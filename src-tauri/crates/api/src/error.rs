//! The error of a request, as the one envelope of the API.

mod log_limit;

use crate::extract::MAX_BODY_BYTES;
use axum::{
    Json,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use log_limit::LogLimit;
use std::{collections::BTreeMap, time::Instant};
use tokenry_contract::{Details, ErrorBody, ErrorCode, ErrorEnvelope};
use tokenry_core::{Code, OsRandom, RequestId, SystemClock, clean, within};

static ERROR_LOG: LogLimit = LogLimit::new();

/// From each field to what is wrong with it.
pub(crate) type Fields = BTreeMap<String, String>;

/// Why a request failed. Becomes the one envelope of the API.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error(transparent)]
    Engine(#[from] tokenry_engine::Error),
    #[error("{}", list(.0))]
    Fields(Fields),
    #[error("the request is larger than {MAX_BODY_BYTES} bytes; send less")]
    TooLarge,
    #[error("no operation at {0}; `GET /openapi.json` lists all operations")]
    NoRoute(String),
    #[error("{1} does not support {0}; `GET /openapi.json` lists all operations")]
    NoMethod(String, String),
    #[error("unknown sign-in {0:?}; `tokenry connect` starts one")]
    NoFlow(String),
    #[error("{0} has no connection yet; create one with `tokenry connect {0}`")]
    NoConnection(String),
    #[error("the window does not get tokens; copy the token with the window's own command")]
    TokenForTheWindow,
    #[error("the window gets changes from the desktop shell, not from this stream")]
    StreamForTheWindow,
    #[error("{0}; send the request from a program, not from a web page")]
    WebPage(&'static str),
    #[error(
        "{0}, because the socket is forwarded to another host; run the command on the user's own machine"
    )]
    NotForwarded(&'static str),
    #[error("{0}")]
    TooBusy(String),
    #[error("the server did not identify the caller")]
    NoCaller,
    /// A validation error with status 400, where the reference has that.
    #[error(transparent)]
    BadRequest(Box<ApiError>),
}

impl ApiError {
    /// One invalid field.
    pub(crate) fn field(field: &str, wrong: impl Into<String>) -> Self {
        Self::Fields(Fields::from([(field.to_owned(), wrong.into())]))
    }

    /// The same error, with status 400 if it is a validation error.
    pub(crate) fn into_bad_request(self) -> Self {
        match self.code() {
            Code::ValidationError => Self::BadRequest(Box::new(self)),
            _ => self,
        }
    }

    /// A provider without a connection.
    pub(crate) fn no_connection(provider: &str) -> Self {
        Self::NoConnection(clean(provider))
    }

    /// The whole response as it is sent, when no request was read.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let envelope = to_envelope(&self);
        let status = self.status(envelope.error.code);
        let body = serde_json::to_string(&envelope).unwrap_or_default();
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n\
             Cross-Origin-Resource-Policy: same-origin\r\nRetry-After: 1\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }

    /// The error code of the API.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Engine(error) => error.code(),
            Self::Fields(_) => Code::ValidationError,
            Self::TooLarge => Code::PayloadTooLarge,
            Self::NoRoute(_) | Self::NoMethod(..) | Self::NoFlow(_) | Self::NoConnection(_) => Code::NotFound,
            Self::TokenForTheWindow | Self::StreamForTheWindow | Self::WebPage(_) | Self::NotForwarded(_) => {
                Code::PermissionDenied
            }
            Self::TooBusy(_) => Code::RateLimited,
            Self::NoCaller => Code::Internal,
            Self::BadRequest(refused) => refused.code(),
        }
    }

    /// The HTTP status of the code. A known path without the method is 405 with the code `not_found`; an invalid body is 400
    /// where the reference has that.
    fn status(&self, code: ErrorCode) -> StatusCode {
        match self {
            Self::NoMethod(..) => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::TooBusy(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Fields(fields) => Details {
                fields: fields.clone(),
                ..Details::default()
            },
            Self::Engine(error) => engine_details(error),
            Self::BadRequest(refused) => refused.details(),
            Self::TooBusy(_) => Details {
                retry_after_seconds: Some(1),
                ..Details::default()
            },
            _ => Details::default(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let envelope = to_envelope(&self);
        let status = self.status(envelope.error.code);
        let wait = envelope
            .error
            .details
            .as_ref()
            .and_then(|details| details.retry_after_seconds);
        let code = envelope.error.code;
        let mut response = (status, Json(envelope)).into_response();
        if code == ErrorCode::Unauthorized {
            // Every 401 names the authentication scheme (RFC 9110 §15.5.2).
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The envelope of an engine's error, for a host that calls the engine itself. The log holds its request id.
pub fn envelope(error: &tokenry_engine::Error) -> ErrorEnvelope {
    new_envelope(error.code(), error.to_string(), engine_details(error))
}

fn to_envelope(refused: &ApiError) -> ErrorEnvelope {
    new_envelope(refused.code(), refused.to_string(), refused.details())
}

fn new_envelope(code: Code, message: String, details: Details) -> ErrorEnvelope {
    // Outside of a request, as in a server or in the shell, the error gets an id of its own.
    let request_id = tokenry_engine::request_id().unwrap_or_else(|| RequestId::new(&SystemClock, &OsRandom));
    let request_id = request_id.to_string();
    match code {
        ErrorCode::Internal => tracing::error!(%request_id, code = code.slug(), "{message}"),
        _ => match ERROR_LOG.admits(Instant::now()) {
            Some(0) => tracing::info!(%request_id, code = code.slug(), "{message}"),
            Some(more) => {
                tracing::info!(%request_id, code = code.slug(), "{message} ({more} errors before it were not logged)");
            }
            None => {}
        },
    }
    let details = (details != Details::default()).then_some(details);
    ErrorEnvelope {
        error: ErrorBody {
            code,
            message,
            request_id,
            details,
        },
    }
}

fn engine_details(error: &tokenry_engine::Error) -> Details {
    Details {
        fields: error.fields().cloned().unwrap_or_default(),
        provider_error: error.provider_error().map(str::to_owned),
        // Rounded up, so that a retry after that many seconds is not too early.
        retry_after_seconds: error
            .retry_after()
            .map(|wait| wait.as_millis().div_ceil(1000) as u64),
    }
}

/// The fallback for an unknown path.
pub(crate) async fn no_route(uri: Uri) -> ApiError {
    ApiError::NoRoute(clean(uri.path()))
}

/// The fallback for a method that the path does not support.
pub(crate) async fn no_method(method: Method, uri: Uri) -> ApiError {
    ApiError::NoMethod(clean(method.as_str()), clean(uri.path()))
}

fn list(fields: &Fields) -> String {
    let all: Vec<_> = fields
        .iter()
        .map(|(field, wrong)| format!("{field} {}", within(wrong)))
        .collect();
    format!("{}; correct it and try again", all.join("; "))
}
