mod few;

use crate::extract::LIMIT;
use axum::{
    Json,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use few::Few;
use std::{collections::BTreeMap, time::Instant};
use tokenry_contract::{Details, ErrorBody, ErrorCode, ErrorEnvelope};
use tokenry_core::{Code, OsRandom, RequestId, SystemClock, clean, within};

static SAID: Few = Few::new();

/// From each field to what is wrong with it.
pub(crate) type Fields = BTreeMap<String, String>;

/// Why a request was not done. Becomes the one envelope of the contract.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Engine(#[from] tokenry_engine::Error),
    #[error("{}", list(.0))]
    Fields(Fields),
    #[error("the request has more than {LIMIT} bytes, which is the most Tokenry reads; send less")]
    TooLarge,
    #[error("there is nothing at {0}; `GET /openapi.json` lists every operation")]
    NoRoute(String),
    #[error("{0} is not a method of {1}; `GET /openapi.json` lists every operation")]
    NoMethod(String, String),
    #[error("there is no sign-in with the id {0:?}; `tokenry connect` starts one")]
    NoFlow(String),
    #[error("{0} has no connection yet; make one with `tokenry connect {0}`")]
    NoConnection(String),
    #[error("the window is never handed a token; copy it with the window's own command")]
    TokenForTheWindow,
    #[error("the window hears of changes from its shell, not from this stream")]
    StreamForTheWindow,
    #[error("{0}; call from a program of this machine, and not from a web page")]
    Stranger(&'static str),
    #[error("{0}")]
    TooBusy(String),
    #[error("no door said who is calling")]
    NoCaller,
    /// Where the reference answers 400 to what is a validation error elsewhere.
    #[error(transparent)]
    BadRequest(Box<Refused>),
}

impl Refused {
    /// One field that cannot be right.
    pub(crate) fn field(field: &str, wrong: impl Into<String>) -> Self {
        Self::Fields(Fields::from([(field.to_owned(), wrong.into())]))
    }

    /// The same, with status 400 if it is a validation error.
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

    /// The whole answer as it goes over the wire, where no request was read.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let envelope = written(&self);
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

    /// The code of the contract.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Engine(error) => error.code(),
            Self::Fields(_) => Code::ValidationError,
            Self::TooLarge => Code::PayloadTooLarge,
            Self::NoRoute(_) | Self::NoMethod(..) | Self::NoFlow(_) | Self::NoConnection(_) => Code::NotFound,
            Self::TokenForTheWindow | Self::StreamForTheWindow | Self::Stranger(_) => Code::PermissionDenied,
            Self::TooBusy(_) => Code::RateLimited,
            Self::NoCaller => Code::Internal,
            Self::BadRequest(refused) => refused.code(),
        }
    }

    /// The status of the code. A known path that lacks the method is HTTP's own 405, told apart by programs as
    /// `not_found`; and a bad body is 400 where the reference says so.
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

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let envelope = written(&self);
        let status = self.status(envelope.error.code);
        let wait = envelope
            .error
            .details
            .as_ref()
            .and_then(|details| details.retry_after_seconds);
        let code = envelope.error.code;
        let mut response = (status, Json(envelope)).into_response();
        if code == ErrorCode::Unauthorized {
            // Every 401 says how to prove oneself (RFC 9110 §15.5.2).
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// An error of the engine as the contract writes it, for a host that asks the engine itself. Its request id stands
/// in the log.
pub fn envelope(error: &tokenry_engine::Error) -> ErrorEnvelope {
    filled(error.code(), error.to_string(), engine_details(error))
}

fn written(refused: &Refused) -> ErrorEnvelope {
    filled(refused.code(), refused.to_string(), refused.details())
}

fn filled(code: Code, message: String, details: Details) -> ErrorEnvelope {
    // Outside of a request, as at a door or in the shell, the error has an id of its own.
    let request_id = tokenry_engine::request_id().unwrap_or_else(|| RequestId::new(&SystemClock, &OsRandom));
    let request_id = request_id.to_string();
    match code {
        ErrorCode::Internal => tracing::error!(%request_id, code = code.slug(), "{message}"),
        _ => match SAID.admits(Instant::now()) {
            Some(0) => tracing::info!(%request_id, code = code.slug(), "{message}"),
            Some(more) => {
                tracing::info!(%request_id, code = code.slug(), "{message} ({more} more before it are not written here)");
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
        // Rounded up: a caller that comes back on the second is not too early.
        retry_after_seconds: error
            .retry_after()
            .map(|wait| wait.as_millis().div_ceil(1000) as u64),
    }
}

/// A path that no operation has.
pub(crate) async fn no_route(uri: Uri) -> Refused {
    Refused::NoRoute(clean(uri.path()))
}

/// A method that the path does not have.
pub(crate) async fn no_method(method: Method, uri: Uri) -> Refused {
    Refused::NoMethod(clean(method.as_str()), clean(uri.path()))
}

fn list(fields: &Fields) -> String {
    let all: Vec<_> = fields
        .iter()
        .map(|(field, wrong)| format!("{field} {}", within(wrong)))
        .collect();
    format!("{}; correct it and try again", all.join("; "))
}
