//! Operations on the sockets for other agents' clients.

use crate::{
    error::ApiError,
    extract::{AuthenticatedCaller, PathId},
    openapi::Acting,
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State};
use tokenry_contract::{AgentProtocol, AgentSocket, Success};
use tokenry_core::Operation;
use tokenry_engine::Engine;

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(open_agent_socket, close_agent_socket))
}

/// Open a socket for the clients of another agent
///
/// It speaks that agent's protocol until the engine ends. A request there is decided and logged like one at the engine's
/// own socket.
#[utoipa::path(
    put,
    path = "/v1/agent-sockets/{protocol}",
    tag = "engine",
    params(("protocol" = AgentProtocol, Path, description = "Whose clients it is for.")),
    responses((status = 200, description = "It is open.", body = AgentSocket), Acting)
)]
async fn open_agent_socket(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(protocol): PathId,
) -> Result<Json<AgentSocket>, ApiError> {
    let protocol = named(&protocol)?;
    let path = engine.open_agent_socket(&caller, protocol).await?;
    let path = path.to_string_lossy().into_owned();
    Ok(Json(AgentSocket { protocol, path }))
}

operation!(
    open_agent_socket,
    Callers::Policy(&[Operation::Engine]),
    AgentSocket {
        protocol: AgentProtocol::OidcAgent,
        path: "/run/user/1000/io.github.tokenry/oidc-agent.sock".to_owned(),
    }
);

/// Close a socket for the clients of another agent
///
/// A conflict when the settings keep it open.
#[utoipa::path(
    delete,
    path = "/v1/agent-sockets/{protocol}",
    tag = "engine",
    params(("protocol" = AgentProtocol, Path, description = "Whose clients it is for.")),
    responses((status = 200, description = "It is closed.", body = Success), Acting)
)]
async fn close_agent_socket(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(protocol): PathId,
) -> Result<Json<Success>, ApiError> {
    engine.close_agent_socket(&caller, named(&protocol)?).await?;
    Ok(Json(Success { success: true }))
}

operation!(close_agent_socket, Callers::Policy(&[Operation::Engine]));

fn named(word: &str) -> Result<AgentProtocol, ApiError> {
    let mut all = AgentProtocol::ALL.iter().copied();
    all.find(|protocol| protocol.slug() == word).ok_or_else(|| {
        let known: Vec<_> = AgentProtocol::ALL
            .iter()
            .map(|protocol| protocol.slug())
            .collect();
        ApiError::field("protocol", format!("must be one of {}", known.join(", ")))
    })
}
