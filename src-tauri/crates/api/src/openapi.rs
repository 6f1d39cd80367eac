//! The OpenAPI document, which is made of the routes.

mod callers;
pub(crate) mod examples;
mod provider_settings;

use crate::operations::{Callers, Declaration, Operations, Path};
use axum::{http::header, response::IntoResponse, routing::MethodRouter};
use examples::Examples;
use std::collections::BTreeMap;
use tokenry_contract::{ErrorCode, ErrorEnvelope, OAuthErrorAnswer};
use tokenry_engine::Engine;
use utoipa::{
    IntoResponses, OpenApi,
    openapi::{
        self, ContentBuilder, Ref, RefOr, Response, ResponseBuilder,
        path::{Operation, PathItem},
    },
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// The OpenAPI 3.1 document of all operations, made of the routes. It says who may call each, as the policy decides, and has an
/// example of every request and response.
pub fn openapi() -> openapi::OpenApi {
    let list = crate::all(Document::default());
    let mut document = list.router.into_openapi();
    let mut components = document.components.take().unwrap_or_default();
    callers::add_schemes(&mut components);
    provider_settings::describe(&mut components);
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        operation.security = list
            .callers
            .get(id)
            .map(|callers| callers::requirements(*callers));
        examples::add(operation, &list.examples, &mut components);
    }
    document.components = Some(components);
    document
}

/// The list of operations, read for the document.
struct Document {
    router: OpenApiRouter<Engine>,
    /// By the operation's id.
    callers: BTreeMap<&'static str, Callers>,
    examples: Examples,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            router: OpenApiRouter::with_openapi(Head::openapi()),
            callers: BTreeMap::new(),
            examples: examples::shared(),
        }
    }
}

impl Operations for Document {
    fn routes<P, D>(mut self, path: Path<P, D>) -> Self
    where
        P: FnOnce() -> (String, MethodRouter<Engine>),
        D: FnOnce() -> (UtoipaMethodRouter<Engine>, Vec<Declaration>),
    {
        let (methods, declared) = (path.described)();
        for Declaration {
            id,
            callers,
            examples,
        } in declared
        {
            self.callers.insert(id, callers);
            self.examples
                .extend(examples.into_iter().map(|one| (one.schema, one.value)));
        }
        self.router = self.router.routes(methods);
        self
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut path.get,
        &mut path.put,
        &mut path.post,
        &mut path.patch,
        &mut path.delete,
    ]
    .into_iter()
    .flatten()
}

/// Serves the committed document, which a test compares with the routes.
pub(crate) async fn document() -> impl IntoResponse {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, include_str!("../openapi.json"))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tokenry",
        description = "The operations of the Tokenry engine on this machine: HTTP/1.1 over its Unix socket. Every error is an \
            ErrorEnvelope. A unique name works in place of an id. A path may begin with `/api`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "providers", description = "Authorization servers and our client registrations there."),
        (name = "catalog", description = "Presets: what is known of providers before a client is registered there."),
        (name = "flows", description = "Sign-ins, from the start to the connection."),
        (name = "connections", description = "Accounts at providers, and their tokens."),
        (name = "credentials", description = "API keys, passwords and other static secrets; and connections, as credentials."),
        (name = "engine", description = "The engine: status, lock, unlock."),
        (name = "apps", description = "Other programs that are registered with a client ID, and their grants."),
        (name = "prompts", description = "Permission requests to the user, and their answers."),
        (name = "oauth", description = "Tokenry's own authorization server, for apps on this machine."),
        (name = "backups", description = "Backups: write, read and restore."),
        (name = "events", description = "The activity log: who requested what, and what happened."),
    ),
    components(schemas(ErrorEnvelope, OAuthErrorAnswer)),
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
    /// Errors of any operation.
    Always = PermissionDenied Internal;
    /// Errors of a list.
    Listing = PermissionDenied VaultLocked Internal;
    /// Errors of a list with a query, which may name one object.
    Searching = ValidationError PermissionDenied NotFound Conflict VaultLocked Internal;
    /// Errors of reading one object.
    Reading = ValidationError PermissionDenied NotFound Conflict VaultLocked Internal;
    /// Errors of a check that sends requests.
    Probing = ValidationError PermissionDenied NotFound Conflict VaultLocked RateLimited Internal;
    /// Errors of a change without a prompt.
    Writing = ValidationError PermissionDenied NotFound Conflict PayloadTooLarge VaultLocked Internal;
    /// Errors of unlocking the vault.
    Unlocking = ValidationError PermissionDenied Conflict PayloadTooLarge VaultLocked RateLimited Internal OauthUnavailable;
    /// Errors of an operation on a window or on the engine itself.
    Acting = PermissionDenied Conflict Internal;
    /// Errors of an operation for a browser.
    Browsing = PermissionDenied Internal OauthUnavailable;
    /// Errors of following a sign-in.
    Flowing = ValidationError PermissionDenied NotFound Conflict FlowExpired PayloadTooLarge VaultLocked Internal
        OauthUnavailable;
    /// Errors of an operation that may prompt the user.
    Guarded = ValidationError Unauthorized PermissionDenied ConsentDenied InteractionRequired NotFound Conflict
        PayloadTooLarge VaultLocked RateLimited Internal;
    /// Errors of an operation on the keys of a vault, which may prompt the user and the OS keyring.
    Keying = ValidationError Unauthorized PermissionDenied ConsentDenied InteractionRequired Conflict PayloadTooLarge
        VaultLocked RateLimited Internal OauthUnavailable;
    /// Errors of starting a sign-in, which may prompt the user.
    Starting = ValidationError Unauthorized PermissionDenied ConsentDenied InteractionRequired NotFound Conflict
        FlowExpired PayloadTooLarge VaultLocked RateLimited Internal OauthUnavailable;
    /// Errors of starting a sign-in on another device: the provider is asked for a code.
    StartingOnDevice = ValidationError Unauthorized PermissionDenied ConsentDenied InteractionRequired NotFound Conflict
        FlowExpired PayloadTooLarge VaultLocked RateLimited Internal ProviderError ProviderUnreachable;
    /// Errors of completing a sign-in.
    Answering = ValidationError Unauthorized PermissionDenied ConsentDenied NotFound Conflict FlowExpired
        PayloadTooLarge VaultLocked Internal ProviderError ProviderUnreachable OauthUnavailable;
    /// Errors of a registration at a provider.
    Registering = ValidationError Unauthorized PermissionDenied ConsentDenied InteractionRequired Conflict PayloadTooLarge
        VaultLocked RateLimited Internal ProviderError ProviderUnreachable;
    /// Errors of a request to a provider.
    Talking = ValidationError PermissionDenied ConsentDenied NotFound Conflict NeedsReauth FlowExpired PayloadTooLarge
        VaultLocked RateLimited Internal ProviderError ProviderUnreachable OauthUnavailable;
}

/// Errors of a server, before an operation is reached: a wrong token, a web page, or a body that is not JSON or too large, even
/// where no body is read.
const SERVER_CODES: [ErrorCode; 4] = [
    ErrorCode::ValidationError,
    ErrorCode::Unauthorized,
    ErrorCode::PermissionDenied,
    ErrorCode::PayloadTooLarge,
];

fn by_status(codes: &[ErrorCode]) -> BTreeMap<String, RefOr<Response>> {
    let mut slugs: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for code in SERVER_CODES.iter().chain(codes) {
        let same_status = slugs.entry(code.http_status().to_string()).or_default();
        if !same_status.contains(&code.slug()) {
            same_status.push(code.slug());
        }
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

/// Errors of a decision on an authorization request: an invalid body is 400 here, as in the reference.
pub(crate) struct Consenting;

impl IntoResponses for Consenting {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        use ErrorCode as C;
        let codes = [
            C::PermissionDenied,
            C::NotFound,
            C::Conflict,
            C::PayloadTooLarge,
            C::VaultLocked,
            C::Internal,
        ];
        let mut responses = by_status(&codes);
        let bad = C::ValidationError.http_status().to_string();
        if let Some(response) = responses.remove(&bad) {
            responses.insert("400".to_owned(), response);
        }
        responses
    }
}

/// Errors of the endpoints for OAuth clients (RFC 6749 §5.2).
pub(crate) struct Clients;

impl IntoResponses for Clients {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let response = |words: &str| {
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("OAuthErrorAnswer")))
                .build();
            ResponseBuilder::new()
                .description(words)
                .content("application/json", content)
                .build()
        };
        [
            (
                "400",
                "invalid_request, invalid_grant, invalid_scope, unauthorized_client or unsupported_grant_type",
            ),
            ("401", "invalid_client"),
            ("423", "temporarily_unavailable: the vault is locked"),
            ("500", "server_error"),
            ("503", "temporarily_unavailable"),
        ]
        .into_iter()
        .map(|(status, words)| (status.to_owned(), RefOr::T(response(words))))
        .collect()
    }
}
