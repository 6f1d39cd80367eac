//! The in-process server: the operations for the windows of the desktop app.

use crate::error::ApiError;
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Method, Uri, header},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use serde_json::Value;
use tokenry_core::Caller;
use tokenry_engine::Engine;
use tower::ServiceExt;

/// The same operations in process, for the windows of the desktop app. It returns no token.
#[derive(Clone)]
pub struct InProcessServer {
    router: Router,
    caller: Caller,
}

/// The response of an operation.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct InProcessResponse {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Value,
}

impl InProcessServer {
    /// For the main window.
    pub fn main(engine: Engine) -> Self {
        Self {
            router: crate::router(engine),
            caller: Caller::Ui,
        }
    }

    /// For the consent window, whose only operations are the prompts.
    pub fn consent(engine: Engine) -> Self {
        Self {
            router: crate::router(engine),
            caller: Caller::Consent,
        }
    }

    /// Runs one operation: `path` is the path with its query, as in the OpenAPI document. An error is a response too, with the
    /// envelope as its body.
    pub async fn handle(&self, method: &str, path: &str, body: Option<Value>) -> InProcessResponse {
        let response = match request(&self.caller, method, path, body) {
            // The router's error type has no values.
            Ok(request) => self.router.clone().oneshot(request).await.into_response(),
            Err(error) => error.into_response(),
        };
        read(response).await
    }
}

fn request(caller: &Caller, method: &str, path: &str, body: Option<Value>) -> Result<Request, ApiError> {
    let method: Method = method
        .parse()
        .map_err(|_| ApiError::field("method", "is not an HTTP method"))?;
    let uri: Uri = path
        .parse()
        .map_err(|_| ApiError::field("path", "is not a path of this API"))?;
    if uri.authority().is_some() || !path.starts_with('/') {
        return Err(ApiError::field("path", "must begin with / and have no host"));
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    request.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    request.extensions_mut().insert(caller.clone());
    Ok(request)
}

async fn read(response: Response) -> InProcessResponse {
    let status = response.status().as_u16();
    let body = response
        .into_body()
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    InProcessResponse {
        status,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}
