//! Who may call what, as the document says it. What an app needs is what the policy says when it decides, so the two
//! cannot differ; `tests/api/callers.rs` calls every operation and checks that it asks the policy for what its handler
//! declares.

use crate::operations::Callers;
use tokenry_core::{ApiScope, AppCaller, AppId, Caller, OsRandom, Peer, SystemClock, Timestamp};
use tokenry_engine::{ConsentMode, Decision, Operation, OperationPolicy as _, Question, Target, decide};
use utoipa::openapi::{
    Components,
    security::{
        AuthorizationCode, Flow, Http, HttpAuthScheme, OAuth2, Scopes, SecurityRequirement, SecurityScheme,
    },
};

/// An app, with a token of our authorization server.
const OAUTH: &str = "oauth";
/// An app, with its own token.
const APP: &str = "app";
/// A program of this user at the loopback server.
const LOOPBACK: &str = "loopback";
/// A client of our authorization server (RFC 6749 §2.3).
const CLIENT: &str = "client";
/// One of our own windows.
const WINDOW: &str = "window";

/// Any one of them is enough.
pub(super) fn requirements(callers: Callers) -> Vec<SecurityRequirement> {
    let nothing = SecurityRequirement::default;
    let client = || SecurityRequirement::new(CLIENT, [""; 0]);
    match callers {
        Callers::Policy(all) => by_policy(all),
        Callers::AnyPolicy(any) => {
            let mut found = Vec::new();
            for requirement in any.iter().flat_map(|one| by_policy(&[*one])) {
                if !found.contains(&requirement) {
                    found.push(requirement);
                }
            }
            found
        }
        Callers::PolicyOrCode(one) => {
            let mut found = by_policy(&[one]);
            found.extend(for_a_program());
            found
        }
        Callers::Everybody => vec![nothing()],
        Callers::Client => vec![client(), nothing()],
        Callers::ConfidentialClient => vec![client()],
    }
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

/// At the socket the operating system identifies the program, so it sends nothing.
fn for_a_program() -> [SecurityRequirement; 2] {
    [
        SecurityRequirement::new(LOOPBACK, [""; 0]),
        SecurityRequirement::default(),
    ]
}

/// Every combination of one scope per operation. None if an operation has no scope.
fn combinations(all: &[Operation]) -> Vec<Vec<ApiScope>> {
    all.iter().fold(vec![Vec::new()], |before, operation| {
        let with = |scope: &ApiScope| {
            let scope = *scope;
            before.iter().map(move |scopes| [&scopes[..], &[scope]].concat())
        };
        operation.scopes().iter().flat_map(with).collect()
    })
}

/// Whether it is allowed, or would be if the user allows it.
fn is_possible(caller: Caller, operation: Operation) -> bool {
    let question = Question {
        caller: &caller,
        operation,
        target: &Target::default(),
        grants: &[],
        session: false,
        asking: ConsentMode::Possible,
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
        helper: None,
        remote: None,
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

/// The security schemes.
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
        "An app, with an access token of Tokenry's own authorization server, at the loopback server; with PKCE (S256). The \
         token can do what the user granted the app, within the scopes it was requested with.",
    );
    let bearer = |text: &str| {
        let mut http = Http::new(HttpAuthScheme::Bearer);
        http.description = Some(text.to_owned());
        SecurityScheme::Http(http)
    };
    let mut basic = Http::new(HttpAuthScheme::Basic);
    basic.description = Some(
        "A client of Tokenry's authorization server: its client ID, and the app's own token as the password. Both can be \
         in the form instead. A public client sends only its client ID in the form."
            .to_owned(),
    );
    let window = SecurityScheme::MutualTls {
        description: Some(
            "Only one of Tokenry's own windows may, which calls in the engine's process. OpenAPI has no scheme for that; this \
             one stands for what the connection itself proves."
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
                    "An app, with its own token. The scopes are those that the user granted, for the connections and credentials \
                     that the user chose.",
                ),
            ),
            (
                LOOPBACK,
                bearer(
                    "A program of this user at the loopback server, with the token of this run from `loopback.json` in the profile. \
                     At the socket no token is needed. An operation that returns a secret, starts a sign-in or changes where \
                     secrets are sent prompts the user first.",
                ),
            ),
            (CLIENT, SecurityScheme::Http(basic)),
            (WINDOW, window),
        ]
        .map(|(name, scheme)| (name.to_owned(), scheme.into())),
    );
}
