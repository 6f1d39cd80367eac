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

/// The OpenAPI 3.1 document of all operations, made from the routes themselves; with who may call each, as the policy
/// has it, and with an example of what is sent and answered.
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
            ErrorEnvelope. Wherever an id is taken, a unique name works too. A path may begin with `/api`, as the reference has it.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "providers", description = "Authorization servers, and our client registrations at them."),
        (name = "flows", description = "Consent flows: from the click to the connection."),
        (name = "connections", description = "Accounts at providers, and their tokens."),
        (name = "credentials", description = "What is no OAuth, kept beside it; and connections, as credentials."),
        (name = "engine", description = "The engine itself: status, lock, unlock."),
        (name = "apps", description = "Other programs that are known by a client id, and what they may do."),
        (name = "prompts", description = "Questions to the person, and their answers."),
        (name = "oauth", description = "Our own authorization server, for apps of this machine."),
        (name = "events", description = "The activity log: who asked for what, and what happened."),
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
    /// What any operation may answer.
    Always = PermissionDenied Internal;
    /// What a list may answer.
    Listing = PermissionDenied VaultLocked Internal;
    /// What a list with a query may answer; the query may name one thing.
    Searching = ValidationError PermissionDenied NotFound Conflict VaultLocked Internal;
    /// What reading one thing may answer.
    Reading = ValidationError PermissionDenied NotFound Conflict VaultLocked Internal;
    /// What changing something here may answer.
    Writing = ValidationError PermissionDenied NotFound Conflict PayloadTooLarge VaultLocked Internal;
    /// What opening the vault may answer.
    Unlocking = ValidationError PermissionDenied Conflict PayloadTooLarge VaultLocked RateLimited Internal OauthUnavailable;
    /// What a window or an engine that has to act may answer.
    Acting = PermissionDenied Conflict Internal;
    /// What an operation for a browser may answer.
    Browsing = PermissionDenied Internal OauthUnavailable;
    /// What starting a flow, or following one, may answer.
    Flowing = ValidationError PermissionDenied NotFound Conflict FlowExpired PayloadTooLarge VaultLocked Internal
        OauthUnavailable;
    /// What its person may be asked about first may answer.
    Guarded = ValidationError Unauthorized PermissionDenied ConsentDenied InteractionRequired NotFound Conflict
        PayloadTooLarge VaultLocked RateLimited Internal;
    /// What starts a flow, once its person allows it, may answer.
    Starting = ValidationError Unauthorized PermissionDenied ConsentDenied InteractionRequired NotFound Conflict
        FlowExpired PayloadTooLarge VaultLocked RateLimited Internal OauthUnavailable;
    /// What the answer to a flow may lead to.
    Answering = ValidationError Unauthorized PermissionDenied ConsentDenied NotFound Conflict FlowExpired
        PayloadTooLarge VaultLocked Internal ProviderError ProviderUnreachable OauthUnavailable;
    /// What talking to a provider may answer.
    Talking = ValidationError PermissionDenied ConsentDenied NotFound Conflict NeedsReauth FlowExpired PayloadTooLarge
        VaultLocked RateLimited Internal ProviderError ProviderUnreachable OauthUnavailable;
}

/// What a door may answer before any operation is reached: to a wrong token, to a web page, or to a body that is no
/// JSON or too large, even where none is read.
const AT_THE_DOOR: [ErrorCode; 4] = [
    ErrorCode::ValidationError,
    ErrorCode::Unauthorized,
    ErrorCode::PermissionDenied,
    ErrorCode::PayloadTooLarge,
];

fn by_status(codes: &[ErrorCode]) -> BTreeMap<String, RefOr<Response>> {
    let mut slugs: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for code in AT_THE_DOOR.iter().chain(codes) {
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

/// What a decision on an app's request may answer: a bad body is 400 here, as in the reference.
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

/// What the endpoints for clients may answer (RFC 6749 §5.2).
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
