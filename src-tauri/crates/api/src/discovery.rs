//! The operations on addresses that a user types.

use crate::{
    convert,
    error::ApiError,
    extract::{Body, Requester},
    openapi::{Talking, examples::words},
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State};
use serde_json::Map;
use tokenry_contract::{
    DiscoverRequest, Discovered, DiscoveredKind, Offered, ProviderSettingsPatch, RegistrationMethod,
};
use tokenry_core::Operation;
use tokenry_engine::{AddressQuery, Engine};

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(discover))
}

/// Look up a provider by an address
///
/// An issuer (RFC 8414, OpenID Connect Discovery), an MCP server or another protected resource (RFC 9728), a host name, or
/// the address of a metadata document. Requests go to https addresses of the public internet, and to others only where
/// they are on the host of `address`. They carry no credentials, and redirects are not followed. Nothing is kept.
#[utoipa::path(
    post,
    path = "/v1/discovery",
    tag = "providers",
    request_body = DiscoverRequest,
    responses((status = 200, description = "What the address tells.", body = Discovered), Talking)
)]
async fn discover(
    requester: Requester,
    State(engine): State<Engine>,
    Body(request): Body<DiscoverRequest>,
) -> Result<Json<Discovered>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let query = AddressQuery {
        address: request.address,
        authorization_server: request.authorization_server,
        allow_private_http: request.allow_private_http,
        accept_parent_resource: request.accept_parent_resource,
    };
    let found = engine.discover(&caller, query).await?;
    Ok(Json(convert::discovered(found)))
}

operation!(
    discover,
    Callers::Policy(&[Operation::Discover]),
    DiscoverRequest {
        address: "https://mcp.example.com/mcp".to_owned(),
        ..DiscoverRequest::default()
    },
    Discovered {
        kind: DiscoveredKind::ProtectedResource,
        address: "https://mcp.example.com/mcp".to_owned(),
        name: "example".to_owned(),
        settings: ProviderSettingsPatch(Map::from_iter([
            ("issuer".to_owned(), "https://login.example.com".into()),
            (
                "authorization_endpoint".to_owned(),
                "https://login.example.com/authorize".into(),
            ),
            (
                "token_endpoint".to_owned(),
                "https://login.example.com/token".into()
            ),
            (
                "registration_endpoint".to_owned(),
                "https://login.example.com/register".into(),
            ),
            ("resource".to_owned(), "https://mcp.example.com/mcp".into()),
        ])),
        authorization_servers: words(&["https://login.example.com"]),
        offered: Offered {
            pkce: true,
            registration: true,
            ..Offered::default()
        },
        registration: Some(RegistrationMethod::Dynamic),
        warnings: words(&["On another domain than example.com: signin.example (sign-in)."]),
    }
);
