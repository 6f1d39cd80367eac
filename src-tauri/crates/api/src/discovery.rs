//! The operations on addresses that a user types.

use crate::{
    convert,
    error::ApiError,
    extract::{Body, Requester},
    openapi::{Registering, Talking, examples::words},
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::Map;
use tokenry_contract::{
    DiscoverRequest, Discovered, DiscoveredKind, OAuthProvider, Offered, ProviderSettingsPatch,
    RegisterRequest, RegistrationMethod,
};
use tokenry_core::{Operation, ProviderPatch, Secret};
use tokenry_engine::{AddressQuery, Engine, Network};

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(discover)).routes(routes!(register_provider))
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
    let (found, redirect_uris) = engine.discover(&caller, query(request)).await?;
    Ok(Json(convert::discovered(found, redirect_uris)))
}

fn query(request: DiscoverRequest) -> AddressQuery {
    AddressQuery {
        address: request.address,
        authorization_server: request.authorization_server,
        network: Network {
            allow_private_http: request.allow_private_http,
            ca_file: request.ca_file.filter(|path| !path.is_empty()),
        },
        accept_parent_resource: request.accept_parent_resource,
    }
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
            ("loopback_ports".to_owned(), serde_json::json!([28731])),
        ])),
        authorization_servers: words(&["https://login.example.com"]),
        offered: Offered {
            pkce: true,
            registration: true,
            ..Offered::default()
        },
        redirect_uris: words(&["http://127.0.0.1:28731/cb/example"]),
        registration: Some(RegistrationMethod::Dynamic),
        warnings: words(&["On another domain than example.com: signin.example (sign-in)."]),
    }
);

/// Register Tokenry at a provider, and add it
///
/// By dynamic client registration (RFC 7591), at the address that was looked up. Removing the provider deletes the
/// registration, where the provider supports that (RFC 7592).
#[utoipa::path(
    post,
    path = "/v1/registrations",
    tag = "providers",
    request_body = RegisterRequest,
    responses((status = 201, description = "Registered and added.", body = OAuthProvider), Registering)
)]
async fn register_provider(
    requester: Requester,
    State(engine): State<Engine>,
    Body(request): Body<RegisterRequest>,
) -> Result<(StatusCode, Json<OAuthProvider>), ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let mut members = request.settings.0;
    members.insert("name".to_owned(), request.name.into());
    if let Some(project) = request.project {
        members.insert("project".to_owned(), project.into());
    }
    let token = request.initial_access_token.map(Secret::new);
    let new = ProviderPatch::from(members);
    let provider = engine
        .register_at(&caller, query(request.look_up), new, token)
        .await?;
    Ok((StatusCode::CREATED, Json(convert::provider(&provider))))
}

operation!(
    register_provider,
    Callers::Policy(&[Operation::WriteProviders]),
    RegisterRequest {
        look_up: DiscoverRequest {
            address: "https://mcp.example.com/mcp".to_owned(),
            ..DiscoverRequest::default()
        },
        name: "example".to_owned(),
        project: None,
        settings: ProviderSettingsPatch(Map::from_iter([
            ("issuer".to_owned(), "https://login.example.com".into()),
            (
                "token_endpoint".to_owned(),
                "https://login.example.com/token".into()
            ),
        ])),
        initial_access_token: None,
    }
);
