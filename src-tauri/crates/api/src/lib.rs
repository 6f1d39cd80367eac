//! The operations of Tokenry, each of them once, and the doors that lead to them: the window's, in process, and the
//! socket's, for the programs of this machine. The OpenAPI document comes from the same list.
//!
//! What must never be true of this crate: that an operation decides, refreshes or stores anything by itself, since
//! each is one verb of the engine; that an answer other than the token operation's holds an access token of a provider, or
//! any answer a refresh token, a client secret or a private key of one; that the window is handed a token; that anything but a
//! door says who the caller is.
#![deny(missing_docs)]

mod apps;
mod connections;
mod convert;
mod credentials;
pub mod doors;
mod engine;
mod error;
mod events;
mod extract;
mod flows;
mod handed;
pub mod oauth;
mod openapi;
mod operations;
mod prompts;
mod providers;
mod settings;
mod versori;

pub use convert::{app, change};
pub use error::envelope;
pub use oauth::Issuer;
pub use openapi::openapi;

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
    routing,
};
use operations::Operations;
use tokenry_engine::Engine;

/// All operations of this engine. Every request needs a [`tokenry_core::Caller`] among its extensions; only a door
/// puts one there, and a request without one gets a 500.
pub fn router(engine: Engine) -> Router {
    let routes = all(Router::new())
        .route("/openapi.json", routing::get(openapi::document))
        // The path that the reference writes, without the version.
        .route(versori::PLAIN_INITIALISE, routing::post(versori::initialise))
        .fallback(error::no_route)
        .method_not_allowed_fallback(error::no_method)
        .layer(middleware::from_fn(in_request))
        .with_state(engine);
    // vertesia-oauth-providers has its paths behind `/api`.
    routes.clone().nest_service("/api", routes)
}

/// Gives the errors of a request, and what is logged of it, one id.
async fn in_request(request: Request, next: Next) -> Response {
    tokenry_engine::in_request(next.run(request)).await
}

fn all<O: Operations>(list: O) -> O {
    let list = providers::routes(list);
    let list = flows::routes(list);
    let list = connections::routes(list);
    let list = credentials::routes(list);
    let list = versori::routes(list);
    let list = engine::routes(list);
    let list = events::routes(list);
    let list = apps::routes(list);
    let list = prompts::routes(list);
    let list = oauth::routes(list);
    settings::routes(list)
}
