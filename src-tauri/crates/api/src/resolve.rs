//! The operation that finds the connections of an address.

use crate::{
    error::ApiError,
    extract::{AuthenticatedCaller, Query},
    openapi::{Searching, examples::words},
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State};
use std::collections::BTreeMap;
use tokenry_contract::{NamedBy, ResolveQuery, ServingConnection};
use tokenry_core::Operation;
use tokenry_engine::Engine;

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(resolve))
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
    ServingConnection {
        connection_id: crate::openapi::examples::CONNECTION,
        connection_name: "github/work".to_owned(),
        provider_name: "github".to_owned(),
        named_by: NamedBy::Binding,
        address: "https://github.com/acme".to_owned(),
        kinds: words(&["git"]),
        user_names: BTreeMap::from([("git".to_owned(), "x-access-token".to_owned())]),
    }
);
