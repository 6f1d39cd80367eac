//! The operations that find the connections of an address, and its token.

use crate::{
    error::ApiError,
    extract::{AuthenticatedCaller, Body, Query, Requester},
    openapi::{
        Searching, Talking,
        examples::{at, words},
    },
    operations::{Callers, Operations, operation, routes},
    token_response::AddressTokenResponse,
};
use axum::{Json, extract::State};
use std::collections::BTreeMap;
use tokenry_contract::{
    AddressToken, AddressTokenRequest, NamedBy, ResolveQuery, ServingConnection, TokenAnswer,
};
use tokenry_core::Operation;
use tokenry_engine::Engine;

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(resolve, address_token))
}

/// Find the connections that serve an address
///
/// Those that the user bound to it, else those whose provider was added for it or whose preset names its host; of them
/// those with the longest path. A token goes to no other address. An app that may only have tokens learns of those whose
/// tokens it may have.
#[utoipa::path(
    get,
    path = "/v1/resolve",
    tag = "connections",
    params(ResolveQuery),
    responses((status = 200, description = "None, one, or several between which only the user can choose.", body = [ServingConnection]), Searching)
)]
async fn resolve(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Query(query): Query<ResolveQuery>,
) -> Result<Json<Vec<ServingConnection>>, ApiError> {
    Ok(Json(engine.serving(&caller, &query.url).await?))
}

operation!(
    resolve,
    Callers::AnyPolicy(&[Operation::ReadConnections, Operation::Token]),
    serving(),
);

/// Get the access token for an address
///
/// Finds the connections as GET does, keeps those for these kinds, and gives the token if one is left: one request for a
/// credential helper. The same consent as for the token of a connection. Not for the window.
#[utoipa::path(
    post,
    path = "/v1/resolve",
    tag = "connections",
    request_body = AddressTokenRequest,
    responses((status = 200, description = "The connections, and a valid access token of the only one.", body = AddressToken), Talking)
)]
async fn address_token(
    requester: Requester,
    State(engine): State<Engine>,
    Body(request): Body<AddressTokenRequest>,
) -> Result<AddressTokenResponse, ApiError> {
    requester.not_the_window(ApiError::TokenForTheWindow)?;
    let caller = requester.unlocked(&engine).await?;
    let (connections, token) = engine.token_for(&caller, &request.url, &request.kinds).await?;
    Ok(AddressTokenResponse(connections, token))
}

operation!(
    address_token,
    Callers::Policy(&[Operation::Token]),
    AddressTokenRequest {
        url: "https://github.com/acme/site.git".to_owned(),
        kinds: words(&["git"]),
    },
    AddressToken {
        connections: vec![serving()],
        token: Some(TokenAnswer {
            access_token: "example-access-token".to_owned(),
            token_type: "Bearer".to_owned(),
            expires_at: Some(at("2027-01-15T09:00:00Z")),
            scope: Some("repo".to_owned()),
            id_token: None,
        }),
    },
);

fn serving() -> ServingConnection {
    ServingConnection {
        connection_id: crate::openapi::examples::CONNECTION,
        connection_name: "github/work".to_owned(),
        provider_name: "github".to_owned(),
        named_by: NamedBy::Binding,
        address: "https://github.com/acme".to_owned(),
        kinds: words(&["git"]),
        user_names: BTreeMap::from([("git".to_owned(), "x-access-token".to_owned())]),
    }
}
