use crate::error::Refused;
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

/// The window's way in: the same operations, in process, for the person at the window. It hands out no token.
#[derive(Clone)]
pub struct WindowDoor {
    router: Router,
    caller: Caller,
}

/// What an operation answered.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct WindowAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Value,
}

impl WindowDoor {
    /// The main window's door to this engine.
    pub fn new(engine: Engine) -> Self {
        Self {
            router: crate::router(engine),
            caller: Caller::Ui,
        }
    }

    /// The door of the window that asks for consent: it leads to the questions and nowhere else.
    pub fn consent(engine: Engine) -> Self {
        Self {
            router: crate::router(engine),
            caller: Caller::Consent,
        }
    }

    /// Does one operation: `path` is the path with its query, as in the OpenAPI document. Errors are answers too,
    /// with the envelope as their body.
    pub async fn handle(&self, method: &str, path: &str, body: Option<Value>) -> WindowAnswer {
        let response = match request(&self.caller, method, path, body) {
            // The router's error type has no values.
            Ok(request) => self.router.clone().oneshot(request).await.into_response(),
            Err(refused) => refused.into_response(),
        };
        answer(response).await
    }
}

fn request(caller: &Caller, method: &str, path: &str, body: Option<Value>) -> Result<Request, Refused> {
    let method: Method = method
        .parse()
        .map_err(|_| Refused::field("method", "is not an HTTP method"))?;
    let uri: Uri = path
        .parse()
        .map_err(|_| Refused::field("path", "is not a path of this API"))?;
    if uri.authority().is_some() || !path.starts_with('/') {
        return Err(Refused::field("path", "must begin with a / and name no host"));
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

async fn answer(response: Response) -> WindowAnswer {
    let status = response.status().as_u16();
    let body = response
        .into_body()
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    WindowAnswer {
        status,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}
