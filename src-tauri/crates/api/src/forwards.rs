//! The operation that opens a socket for another host.

use crate::{
    error::ApiError,
    extract::{AuthenticatedCaller, Body},
    openapi::{Writing, examples::words},
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State};
use tokenry_contract::{ForwardRequest, ForwardedSocket};
use tokenry_core::Operation;
use tokenry_engine::Engine;

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(open_forward))
}

/// Open a socket for the programs of another host
///
/// For a program that has ssh forward it there as its child. It is closed when that program ends. Requests for tokens of
/// the given connections are possible over it, each with the user's consent, and nothing else. Not for apps.
#[utoipa::path(
    post,
    path = "/v1/forwards",
    tag = "engine",
    request_body = ForwardRequest,
    responses((status = 200, description = "It is open.", body = ForwardedSocket), Writing)
)]
async fn open_forward(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Body(request): Body<ForwardRequest>,
) -> Result<Json<ForwardedSocket>, ApiError> {
    let path = engine
        .open_forward(&caller, &request.host, &request.connections)
        .await?;
    let path = path.to_string_lossy().into_owned();
    Ok(Json(ForwardedSocket { path }))
}

operation!(
    open_forward,
    Callers::Policy(&[Operation::Forward]),
    ForwardRequest {
        host: "build.example.com".to_owned(),
        connections: words(&["github"]),
    },
    ForwardedSocket {
        path: "/run/user/1000/io.github.tokenry/ssh-example1234567890abcdef.sock".to_owned(),
    }
);
