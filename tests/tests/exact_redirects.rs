//! A server that compares redirect URIs exactly and takes the client's secret only by HTTP Basic: Authlib's.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::net::TcpListener;
use tokenry_e2e::accounts::{PASSPHRASE, add, connecting, token};
use tokenry_e2e::authlib::Authlib;
use tokenry_e2e::browser::Landing;
use tokenry_e2e::process::Running;
use tokenry_e2e::profile::Profile;

struct Stage {
    authlib: Authlib,
    profile: Profile,
    _engine: Running,
}

impl Stage {
    /// A provider of which the user knows the endpoints and the client, and not how the client authenticates.
    fn new() -> Self {
        let profile = Profile::headless();
        let stage = Self {
            authlib: Authlib::start(),
            _engine: profile.serve_with_passphrase(PASSPHRASE),
            profile,
        };
        let issuer = stage.authlib.issuer();
        let provider = json!({
            "name": "exact",
            "client_id": stage.authlib.client_id(),
            "client_secret": stage.authlib.client_secret(),
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "revocation_endpoint": format!("{issuer}/revoke"),
            "default_scopes": ["read", "write"],
        });
        add(&stage.profile, &provider).success();
        stage
    }

    fn shown(&self) -> Value {
        let show = ["provider", "show", "exact", "--json"];
        self.profile.tokenry(&show).success().json()
    }

    /// The user registers the redirect URIs that Tokenry shows.
    fn register_all(&mut self) {
        let uris: Vec<String> = serde_json::from_value(self.shown()["redirect_uris"].clone()).unwrap();
        assert_eq!(uris.len(), 3, "{uris:?}");
        for uri in uris {
            self.authlib.register(&uri);
        }
    }
}

#[track_caller]
fn status(landing: &Landing) -> u16 {
    match landing {
        Landing::Page { status, .. } => *status,
        other => panic!("{other:?}"),
    }
}

/// Checklist A2.5: the address that is told is, byte for byte, the one that is sent, at each sign-in.
#[test]
fn the_redirect_uri_that_the_user_registers_is_the_one_that_is_sent() {
    let mut stage = Stage::new();
    let (connect, address) = connecting(&stage.profile, &["exact"]);
    let refused = stage.authlib.agree(&address);
    assert_eq!(status(&refused), 400, "nothing is registered yet: {refused:?}");
    drop(connect);

    stage.register_all();
    let (connect, address) = connecting(&stage.profile, &["exact"]);
    assert_eq!(status(&stage.authlib.agree(&address)), 200);
    connect.wait().success();
    let first = token(&stage.profile, "exact");
    assert!(stage.authlib.accepts(&first));

    stage.profile.tokenry(&["refresh", "exact"]).success();
    let second = token(&stage.profile, "exact");
    assert!(second != first && stage.authlib.accepts(&second));
    stage.profile.tokenry(&["disconnect", "exact"]).success();
    assert!(!stage.authlib.accepts(&second), "Authlib ends a revoked token");
}

#[test]
fn the_next_registered_port_is_used_while_another_program_has_the_first() {
    let mut stage = Stage::new();
    stage.register_all();
    let port = stage.shown()["loopback_ports"][0].as_u64().unwrap();
    let port = u16::try_from(port).unwrap();
    // Where this fails, another program of this machine has it already.
    let other_program = TcpListener::bind(("127.0.0.1", port));
    let (connect, address) = connecting(&stage.profile, &["exact"]);
    let landing = stage.authlib.agree(&address);
    let (url, _) = landing.page();
    assert_ne!(url.port(), Some(port), "{landing:?}");
    assert_eq!(status(&landing), 200);
    connect.wait().success();
    drop(other_program);
    assert!(stage.authlib.accepts(&token(&stage.profile, "exact")));
}

#[test]
fn its_metadata_gives_the_endpoints_and_the_authentication() {
    let stage = Stage::new();
    let issuer = stage.authlib.issuer();
    let by_address = [
        "provider",
        "add",
        issuer,
        "--name",
        "found",
        "--yes",
        "--client-id",
        stage.authlib.client_id(),
        "--client-secret-stdin",
    ];
    let secret = stage.authlib.client_secret();
    stage.profile.tokenry_with(&by_address, secret).success();
    let show = ["provider", "show", "found", "--json"];
    let found = stage.profile.tokenry(&show).success().json();
    assert_eq!(found["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(found["revocation_endpoint"], format!("{issuer}/revoke"));
}
