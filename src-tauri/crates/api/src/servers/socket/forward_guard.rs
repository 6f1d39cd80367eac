//! What a request over a forwarded socket may be: a host on the other end of ssh needs tokens and nothing else.

use crate::error::ApiError;
use axum::{
    body::Body,
    http::{Method, Request, header},
};

/// Refuses everything but token requests, and the lists that lead to one. The policy refuses it as well; this also holds
/// for operations that it allows to everybody.
pub(super) fn check(request: &Request<Body>) -> Result<(), ApiError> {
    if request.headers().contains_key(header::AUTHORIZATION) {
        return Err(ApiError::NotForwarded("a bearer token is not taken here"));
    }
    match is_allowed(request.method(), request.uri().path()) {
        true => Ok(()),
        false => Err(ApiError::NotForwarded("only tokens can be requested here")),
    }
}

fn is_allowed(method: &Method, path: &str) -> bool {
    let segments: Vec<_> = path.split('/').skip(1).collect();
    matches!(
        (method, segments.as_slice()),
        (
            &Method::GET,
            ["v1", "status" | "connections" | "resolve"] | ["v1", "connections", _]
        ) | (
            &Method::POST,
            ["v1", "resolve"]
                | ["v1", "connections", _, "token" | "dpop" | "rejected"]
                | ["v1", "oauth-providers", _, "token"]
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_and_the_lists_that_lead_to_one_are_reachable() {
        for (method, path) in [
            (Method::GET, "/v1/status"),
            (Method::GET, "/v1/connections"),
            (Method::GET, "/v1/connections/a%2Fb"),
            (Method::GET, "/v1/resolve"),
            (Method::POST, "/v1/resolve"),
            (Method::POST, "/v1/connections/a/token"),
            (Method::POST, "/v1/oauth-providers/a/token"),
        ] {
            assert!(is_allowed(&method, path), "{method} {path}");
        }
        for (method, path) in [
            (Method::GET, "/v1/settings"),
            (Method::PUT, "/v1/settings"),
            (Method::GET, "/v1/credentials/a"),
            (Method::GET, "/v1/prompts"),
            (Method::POST, "/v1/prompts/a"),
            (Method::POST, "/v1/lock"),
            (Method::POST, "/v1/unlock"),
            (Method::POST, "/v1/forwards"),
            (Method::PUT, "/v1/agent-sockets/oidc_agent"),
            (Method::DELETE, "/v1/connections/a"),
            (Method::POST, "/v1/connections/a/refresh"),
            (Method::POST, "/v1/window/show"),
            (Method::GET, "/v1/events/stream"),
            (Method::GET, "/api/v1/connections"),
            (Method::GET, "//v1/connections"),
            (Method::GET, "/openapi.json"),
            (Method::POST, "/v1/connections/a/token/"),
            (Method::GET, ""),
        ] {
            assert!(!is_allowed(&method, path), "{method} {path}");
        }
    }
}
