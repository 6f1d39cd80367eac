use axum::{http::header, response::IntoResponse};
use std::collections::BTreeMap;
use tokenry_contract::{ErrorCode, ErrorEnvelope};
use utoipa::{
    IntoResponses, OpenApi,
    openapi::{self, ContentBuilder, Ref, RefOr, Response, ResponseBuilder},
};
use utoipa_axum::router::OpenApiRouter;

/// The OpenAPI 3.1 document of all operations, made from the routes themselves.
pub fn openapi() -> openapi::OpenApi {
    crate::all(OpenApiRouter::with_openapi(Head::openapi())).into_openapi()
}

/// The document, for whoever asks a door: the committed one, which a test holds to the routes.
pub(crate) async fn document() -> impl IntoResponse {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, include_str!("../openapi.json"))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tokenry",
        description = "The operations of the Tokenry engine on this machine: HTTP/1.1 over its Unix socket. Every error is an \
            ErrorEnvelope. Wherever an id is taken, a unique name works too.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "providers", description = "Authorization servers, and our client registrations at them."),
        (name = "flows", description = "Consent flows: from the click to the connection."),
        (name = "connections", description = "Accounts at providers, and their tokens."),
        (name = "engine", description = "The engine itself: status, lock, unlock."),
        (name = "events", description = "The activity log: who asked for what, and what happened."),
    ),
    components(schemas(ErrorEnvelope)),
)]
struct Head;

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $($code:ident)*;)*) => { $(
        $(#[$doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                by_status(&[$(ErrorCode::$code),*])
            }
        }
    )* };
}

errors! {
    /// What any operation may answer.
    Always = PermissionDenied Internal;
    /// What a list may answer.
    Listing = PermissionDenied VaultLocked Internal;
    /// What a list with a query may answer.
    Searching = ValidationError PermissionDenied VaultLocked Internal;
    /// What reading one thing may answer.
    Reading = ValidationError PermissionDenied NotFound Conflict VaultLocked Internal;
    /// What changing something here may answer.
    Writing = ValidationError PermissionDenied NotFound Conflict PayloadTooLarge VaultLocked Internal;
    /// What opening the vault may answer.
    Unlocking = ValidationError PermissionDenied Conflict PayloadTooLarge VaultLocked Internal OauthUnavailable;
    /// What a window or an engine that has to act may answer.
    Acting = PermissionDenied Conflict Internal;
    /// What starting a flow, or following one, may answer.
    Flowing = ValidationError PermissionDenied NotFound Conflict FlowExpired PayloadTooLarge VaultLocked Internal
        OauthUnavailable;
    /// What talking to a provider may answer.
    Talking = ValidationError PermissionDenied ConsentDenied NotFound Conflict NeedsReauth FlowExpired PayloadTooLarge
        VaultLocked RateLimited Internal ProviderError ProviderUnreachable OauthUnavailable;
}

fn by_status(codes: &[ErrorCode]) -> BTreeMap<String, RefOr<Response>> {
    let mut slugs: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for code in codes {
        slugs
            .entry(code.http_status().to_string())
            .or_default()
            .push(code.slug());
    }
    let envelope = || {
        ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("ErrorEnvelope")))
            .build()
    };
    let response = |slugs: Vec<&str>| {
        ResponseBuilder::new()
            .description(slugs.join(" or "))
            .content("application/json", envelope())
            .build()
    };
    slugs
        .into_iter()
        .map(|(status, slugs)| (status, RefOr::T(response(slugs))))
        .collect()
}
