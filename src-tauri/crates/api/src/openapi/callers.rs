//! Who may call what, as the document says it. What an app needs is what the policy says when it decides, so the two
//! cannot differ; `tests/api/callers.rs` calls every operation to see that it asks the policy for what its handler
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

/// Any one of them is enough.
pub(super) fn requirements(callers: Callers) -> Vec<SecurityRequirement> {
    let nothing = SecurityRequirement::default;
    let client = || SecurityRequirement::new(CLIENT, [""; 0]);
    match callers {
        Callers::Policy(all) => by_policy(all),
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
