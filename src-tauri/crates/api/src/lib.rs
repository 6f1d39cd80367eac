//! The operations of Tokenry, each defined once, and the servers for them: in process for the windows, on the Unix socket and
//! on loopback for programs. The OpenAPI document is made of the same list of routes.
//!
//! What must never be true of this crate: that an operation decides, refreshes or stores anything by itself, because each
//! calls one function of the engine; that a response other than the token operation's holds an access token of a provider, or
//! any response a refresh token, a client secret or a private key of a provider; that the window gets a token; that anything
//! but a server says who the caller is.
#![deny(missing_docs)]

mod agent_sockets;
mod apps;
mod audit;
mod backups;
mod catalog;
mod connections;
mod convert;
mod credentials;
mod discovery;
mod engine;
mod error;
mod events;
mod extract;
mod flows;
mod forwards;
pub mod oauth;
mod openapi;
mod operations;
mod prompts;
mod providers;
mod resolve;
pub mod servers;
mod settings;
mod slots;
mod token_response;
mod vault;
mod versori;

pub use convert::{app, change};
pub use error::envelope;
pub use oauth::Issuer;
pub use openapi::openapi;

use axum::{
    Router,
    extract::Request,
    http::HeaderMap,
    middleware::{self, Next},
    response::Response,
    routing,
};
use operations::Operations;
use std::time::Duration;
use tokenry_engine::Engine;

/// All operations of this engine. Every request needs a [`tokenry_core::Caller`] in its extensions. Only a server sets it, and
/// a request without one gets a 500.
pub fn router(engine: Engine) -> Router {
    let routes = all(Router::new())
        .route("/openapi.json", routing::get(openapi::document))
        // The path without the version, as the reference has it.
        .route(versori::PLAIN_INITIALISE, routing::post(versori::initialise))
        .fallback(error::no_route)
        .method_not_allowed_fallback(error::no_method)
        .layer(middleware::from_fn(in_request))
        .with_state(engine);
    // vertesia-oauth-providers has its paths below `/api`.
    routes.clone().nest_service("/api", routes)
}

/// Gives a request an id, which its error and its events have in common, and the time that its caller wants to wait for
/// the user (`Prefer: wait`, RFC 7240, 4.3).
async fn in_request(request: Request, next: Next) -> Response {
    let wait = preferred_wait(request.headers());
    tokenry_engine::in_request(wait, next.run(request)).await
}

/// A preference that cannot be read is ignored (RFC 7240, 2).
fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let values = headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut preferences = values.flat_map(|value| value.split(','));
    let seconds = preferences.find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        let is_wait = name.trim().eq_ignore_ascii_case("wait");
        is_wait.then(|| value.trim().trim_matches('"').parse::<u32>().ok())?
    });
    Some(Duration::from_secs(seconds?.into()))
}

fn all<O: Operations>(list: O) -> O {
    let list = providers::routes(list);
    let list = catalog::routes(list);
    let list = discovery::routes(list);
    let list = resolve::routes(list);
    let list = flows::routes(list);
    let list = connections::routes(list);
    let list = credentials::routes(list);
    let list = versori::routes(list);
    let list = engine::routes(list);
    let list = agent_sockets::routes(list);
    let list = forwards::routes(list);
    let list = vault::routes(list);
    let list = events::routes(list);
    let list = audit::routes(list);
    let list = apps::routes(list);
    let list = prompts::routes(list);
    let list = backups::routes(list);
    let list = oauth::routes(list);
    let list = slots::routes(list);
    settings::routes(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_preference_to_wait_is_read_and_one_that_cannot_be_read_is_ignored() {
        for (text, seconds) in [
            ("wait=10", Some(10)),
            ("respond-async, Wait = \"7\"; foo=1", Some(7)),
            ("wait", None),
            ("wait=-1", None),
            ("wait=99999999999999", None),
            ("awaiting=3", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", HeaderValue::from_static(text));
            let read = preferred_wait(&headers).map(|wait| wait.as_secs());
            assert_eq!(read, seconds, "{text:?}");
        }
        let mut unreadable = HeaderMap::new();
        unreadable.insert("prefer", HeaderValue::from_bytes(b"wait=\xff").unwrap());
        assert_eq!(preferred_wait(&unreadable), None);
    }
}
