//! Who may call what, as the document says it. What an app needs is what the policy says when it decides, so the two
//! cannot differ; that an operation asks the policy for just what stands here is tried out, operation by operation, in
//! `tests/api/callers.rs`.

use tokenry_core::{ApiScope, AppCaller, AppId, Caller, OsRandom, Peer, SystemClock, Timestamp};
use tokenry_engine::{Asking, Decision, Operation, OperationPolicy as _, Question, Target, decide};
use utoipa::openapi::{
    Components,
    security::{
        AuthorizationCode, Flow, Http, HttpAuthScheme, OAuth2, Scopes, SecurityRequirement, SecurityScheme,
    },
};

/// An app, by a token of our authorization server.
const OAUTH: &str = "oauth";
/// An app, by its own token.
const APP: &str = "app";
/// A program of this user at the door on 127.0.0.1.
const LOOPBACK: &str = "loopback";
/// A client of our authorization server, as RFC 6749 §2.3 has it.
const CLIENT: &str = "client";
/// A window of our own.
const WINDOW: &str = "window";

/// How a caller proves that it may.
enum Proof {
    /// The policy decides on all of these.
    Policy(&'static [Operation]),
    /// The policy decides, or a program knows the code that a server printed when it started.
    PolicyOrCode(Operation),
    /// Everybody may.
    None,
    /// As a client of the authorization server; a public one has nothing to prove itself with.
    Client,
    /// The same, and no public one.
    ConfidentialClient,
}

/// By the operation's id in the document, which is its handler's name.
fn proof(operation: &str) -> Option<Proof> {
    use Operation as O;
    Some(match operation {
        "list_providers" | "show_provider" => Proof::Policy(&[O::ReadProviders]),
        "create_provider" | "update_provider" => Proof::Policy(&[O::WriteProviders]),
        "delete_provider" => Proof::Policy(&[O::DeleteProvider]),
        "list_connections" | "show_connection" | "provider_status" => Proof::Policy(&[O::ReadConnections]),
        "patch_connection" => Proof::Policy(&[O::WriteConnection]),
        "connection_token" | "provider_token" => Proof::Policy(&[O::Token]),
        "refresh" => Proof::Policy(&[O::Refresh]),
        "disconnect" | "disconnect_provider" => Proof::Policy(&[O::Disconnect]),
        "authorize" | "start_flow" | "start_oauth" | "connect_client" => Proof::Policy(&[O::StartFlow]),
        // The credential goes to a provider: whoever may not have it may not have it sent, either.
        "initialise" => Proof::Policy(&[O::StartFlow, O::ReadCredential]),
        "show_flow" | "cancel_flow" | "open_flow" | "exchange" | "callback" | "oauth2_callback" => {
            Proof::Policy(&[O::FinishFlow])
        }
        "list_credentials" => Proof::Policy(&[O::ListCredentials]),
        "show_credential" => Proof::Policy(&[O::ReadCredential]),
        "create_credential" | "update_credential" => Proof::Policy(&[O::WriteCredentials]),
        "delete_credential" => Proof::Policy(&[O::DeleteCredential]),
        "list_events" | "stream_changes" => Proof::Policy(&[O::ReadActivity]),
        "list_apps" | "list_grants" => Proof::Policy(&[O::ReadApps]),
        "create_app" | "create_grant" | "delete_grant" => Proof::Policy(&[O::WriteApps]),
        "delete_app" => Proof::Policy(&[O::DeleteApp]),
        "settings" | "change_settings" => Proof::Policy(&[O::Settings]),
        "status" | "lock" | "unlock" | "show_window" => Proof::Policy(&[O::Engine]),
        "accept_older" => Proof::Policy(&[O::AcceptOlder]),
        "hand_over" => Proof::Policy(&[O::HandOver]),
        "list_prompts" => Proof::Policy(&[O::ReadPrompts]),
        "answer_prompt" => Proof::PolicyOrCode(O::Answer),
        "oauth_consent" => Proof::Policy(&[O::Answer]),
        "oauth_scopes" | "oauth_metadata" | "oauth_authorize" => Proof::None,
        "oauth_token" | "oauth_revoke" => Proof::Client,
        "oauth_introspect" => Proof::ConfidentialClient,
        _ => return None,
    })
}

/// Any one of them is enough. `None` for an operation that is not known here.
pub(super) fn requirements(operation: &str) -> Option<Vec<SecurityRequirement>> {
    let nothing = SecurityRequirement::default;
    let client = || SecurityRequirement::new(CLIENT, [""; 0]);
    Some(match proof(operation)? {
        Proof::Policy(all) => by_policy(all),
        Proof::PolicyOrCode(one) => {
            let mut found = by_policy(&[one]);
            found.extend(for_a_program());
            found
        }
        Proof::None => vec![nothing()],
        Proof::Client => vec![client(), nothing()],
        Proof::ConfidentialClient => vec![client()],
    })
}

fn by_policy(all: &[Operation]) -> Vec<SecurityRequirement> {
    let mut found = Vec::new();
    if all.iter().all(|operation| operation.scopes().is_empty()) {
        let needs_none = all.iter().all(|operation| is_possible(app(), *operation));
        let by = [OAUTH, APP].map(|scheme| SecurityRequirement::new(scheme, [""; 0]));
        found.extend(by.into_iter().filter(|_| needs_none));
    }
    for scopes in combinations(all) {
        let names = || scopes.iter().map(|scope| scope.as_str());
        found.push(SecurityRequirement::new(OAUTH, names()));
        found.push(SecurityRequirement::new(APP, names()));
    }
    if all.iter().all(|operation| is_possible(program(), *operation)) {
        found.extend(for_a_program());
    }
    if found.is_empty() {
        found.push(SecurityRequirement::new(WINDOW, [""; 0]));
    }
    found
}

/// At the socket the operating system says who it is; nothing is sent.
fn for_a_program() -> [SecurityRequirement; 2] {
    [
        SecurityRequirement::new(LOOPBACK, [""; 0]),
        SecurityRequirement::default(),
    ]
}

/// One scope of each operation's, in every way. None where an operation has no scope.
fn combinations(all: &[Operation]) -> Vec<Vec<ApiScope>> {
    all.iter().fold(vec![Vec::new()], |before, operation| {
        let with = |scope: &ApiScope| {
            let scope = *scope;
            before.iter().map(move |scopes| [&scopes[..], &[scope]].concat())
        };
        operation.scopes().iter().flat_map(with).collect()
    })
}

/// Whether it is allowed, or would be when its person agrees.
fn is_possible(caller: Caller, operation: Operation) -> bool {
    let question = Question {
        caller: &caller,
        operation,
        target: &Target::default(),
        grants: &[],
        session: false,
        asking: Asking::Possible,
        now: Timestamp::UNIX_EPOCH,
    };
    !matches!(decide(&question), Decision::Deny(_))
}

fn program() -> Caller {
    Caller::Program(Peer {
        uid: 0,
        pid: 0,
        started: 0,
        program: None,
        session: None,
    })
}

fn app() -> Caller {
    Caller::App(AppCaller {
        app: AppId::new(&SystemClock, &OsRandom),
        grant: None,
        scopes: None,
        token: None,
        peer: None,
    })
}

/// The ways to prove oneself.
pub(super) fn add_schemes(components: &mut Components) {
    let words = ApiScope::ALL.iter().map(|scope| (scope.as_str(), scope.words()));
    let flow = AuthorizationCode::with_refresh_url(
        "/oauth/authorize",
        "/oauth/token",
        Scopes::from_iter(words),
        "/oauth/token",
    );
    let oauth = OAuth2::with_description(
        [Flow::AuthorizationCode(flow)],
        "An app, by an access token of our own authorization server, which is at the loopback door; with PKCE (S256). The \
         token can do what its person granted the app, within the scopes it was asked for.",
    );
    let bearer = |text: &str| {
        let mut http = Http::new(HttpAuthScheme::Bearer);
        http.description = Some(text.to_owned());
        SecurityScheme::Http(http)
    };
    let mut basic = Http::new(HttpAuthScheme::Basic);
    basic.description = Some(
        "A client of our authorization server: its client id, and the app's own token as its password. Both can stand in \
         the form instead. A public client sends its client id there, and nothing else."
            .to_owned(),
    );
    let window = SecurityScheme::MutualTls {
        description: Some(
            "Nothing that can be sent: only a window of Tokenry's own may, which calls within the engine's process. OpenAPI has \
             no word for that; this one is for what the connection itself proves."
                .to_owned(),
        ),
        deprecated: None,
        extensions: None,
    };
    components.security_schemes.extend(
        [
            (OAUTH, SecurityScheme::OAuth2(oauth)),
            (
                APP,
                bearer(
                    "An app, by its own token. The scopes are those that its person granted it, for the connections and \
                     credentials they chose.",
                ),
            ),
            (
                LOOPBACK,
                bearer(
                    "A program of this user at the loopback door: the token of this run, in `loopback.json` in the profile. At \
                     the socket nothing is sent. Whatever hands out a secret, starts a flow or changes where secrets go asks \
                     its person first.",
                ),
            ),
            (CLIENT, SecurityScheme::Http(basic)),
            (WINDOW, window),
        ]
        .map(|(name, scheme)| (name.to_owned(), scheme.into())),
    );
}
