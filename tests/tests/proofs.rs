//! What a client proves to a real authorization server: pushed sign-ins, signed assertions, bound tokens, id tokens.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokenry_e2e::accounts::{PASSPHRASE, add, connect_at_sandbox, connecting, connection, stop, token};
use tokenry_e2e::browser::{Browser, Landing};
use tokenry_e2e::process::Running;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::Sandbox;
use tokenry_testkit::http;
use url::Url;

const ID: &str = "proven";
const NAME: &str = "sandbox";

/// A client of this kind, as the Sandbox knows it.
fn client(more: &Value) -> Value {
    let mut client =
        json!({"client_id": ID, "client_name": "Tokenry (proven)", "token_endpoint_auth_method": "none"});
    for (name, value) in more.as_object().unwrap() {
        client[name] = value.clone();
    }
    json!([client])
}

/// The Sandbox as a provider with this client.
fn provider(sandbox: &Sandbox, more: &Value) -> Value {
    let mut provider = json!({
        "name": NAME, "client_id": ID, "issuer": sandbox.issuer(),
        "default_scopes": ["openid", "profile", "email", "offline_access"],
        "authorize_params": {"prompt": "consent"},
        "authorization_response_iss_parameter_supported": true, "rotation": {"kind": "strict"},
    });
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "revocation_endpoint",
        "jwks_uri",
    ] {
        provider[name] = sandbox.endpoint(name).as_str().into();
    }
    // What the Sandbox signs with is not among the defaults of every client.
    provider["id_token_signing_algs"] = json!(["ES256"]);
    for (name, value) in more.as_object().unwrap() {
        provider[name] = value.clone();
    }
    provider
}

fn engine(profile: &Profile) -> Running {
    profile.serve_with_passphrase(PASSPHRASE)
}

/// A sign-in, two refreshes, and a disconnect after which the server knows the tokens no more.
fn lives(profile: &Profile, sandbox: &Sandbox) {
    connect_at_sandbox(profile, sandbox, &[NAME], "Ada").success();
    assert_eq!(
        connection(profile, NAME)["account"]["email"],
        "ada@example.com",
        "userinfo takes the token"
    );
    for _ in 0..2 {
        profile.tokenry(&["refresh", NAME]).success();
    }
    let last = token(profile, NAME);
    assert!(sandbox.is_active(&last));
    profile.tokenry(&["disconnect", NAME]).success();
    assert!(!sandbox.is_active(&last));
}

/// Checklist A1.14: PAR is required by this client, and the browser carries `client_id` and `request_uri` alone.
#[test]
fn a_sign_in_is_pushed_and_the_browser_carries_a_reference_alone() {
    let sandbox = Sandbox::with_clients(
        &client(&json!({"require_pushed_authorization_requests": true})),
        &[],
    );
    let (profile, pushed) = (Profile::headless(), "pushed_authorization_request_endpoint");
    let _engine = engine(&profile);
    // Without the endpoint the server itself refuses.
    add(&profile, &provider(&sandbox, &json!({}))).success();
    let (_connect, address) = connecting(&profile, &[NAME]);
    let Landing::Page { body, .. } = Browser::new().open(&address) else {
        panic!("no page is shown")
    };
    assert!(
        body.contains("Not connected") && body.contains("Pushed Authorization Request must be used"),
        "{body}"
    );
    let endpoint = sandbox.endpoint(pushed);
    let endpoint = json!({pushed: endpoint.as_str(), "require_pushed_authorization_requests": true});
    profile
        .tokenry_with(&["provider", "edit", NAME, "--from", "-"], &endpoint.to_string())
        .success();
    let paste = profile.tokenry_running(&[
        "connect",
        "--no-browser",
        "--redirect",
        "paste",
        NAME,
        "--label",
        "p",
    ]);
    let address = Url::parse(&{ paste }.line()).unwrap();
    let names: Vec<_> = address.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["client_id", "request_uri"], "{address}");
    profile.tokenry(&["disconnect", "sandbox/p"]);
    lives(&profile, &sandbox);
}

/// Checklist A10: the key is made in the vault, and its public part is registered.
#[test]
fn a_key_of_the_vault_authenticates_the_client_at_every_endpoint() {
    let profile = Profile::headless();
    let engine = engine(&profile);
    let early = json!({
        "name": NAME, "client_id": ID, "token_endpoint_auth_method": "private_key_jwt",
        "authorization_endpoint": "https://as.example/a", "token_endpoint": "https://as.example/t",
    });
    add(&profile, &early).success();
    let jwks = profile.tokenry(&["provider", "jwks", NAME]).success().json();
    assert_eq!(jwks["keys"][0]["kty"], "EC");
    assert!(jwks["keys"][0].get("d").is_none(), "{jwks}");
    let sandbox = Sandbox::with_clients(
        &client(&json!({
            "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256",
            "jwks": jwks, "require_pushed_authorization_requests": true,
        })),
        &[],
    );
    let pushed = "pushed_authorization_request_endpoint";
    let mut settings = provider(&sandbox, &json!({pushed: sandbox.endpoint(pushed).as_str()}));
    settings.as_object_mut().unwrap().remove("name");
    profile
        .tokenry_with(&["provider", "edit", NAME, "--from", "-"], &settings.to_string())
        .success();
    // The key is the same after a restart.
    stop(engine);
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    assert_eq!(
        profile.tokenry(&["provider", "jwks", NAME]).success().json(),
        jwks
    );
    lives(&profile, &sandbox);
}

/// OpenID Connect Core §9: an assertion that the client secret signs.
#[test]
fn a_client_secret_signs_assertions_and_is_not_sent() {
    let secret = "CANARY-secret-of-more-than-thirty-two-bytes";
    let method = json!({"token_endpoint_auth_method": "client_secret_jwt", "client_secret": secret});
    let sandbox = Sandbox::with_clients(&client(&method), &[]);
    let profile = Profile::headless();
    let _engine = engine(&profile);
    add(&profile, &provider(&sandbox, &method)).success();
    lives(&profile, &sandbox);
}

/// Asks the userinfo endpoint with a bound token and a proof that the command line made.
fn userinfo(profile: &Profile, sandbox: &Sandbox, access_token: &str, more: &[&str]) -> http::Response {
    let endpoint = sandbox.endpoint("userinfo_endpoint");
    let url = format!("{endpoint}?a=b#c");
    let proof = profile
        .tokenry(&[&["dpop", NAME, "get", &url], more].concat())
        .success();
    let headers = [
        ("authorization", &*format!("DPoP {access_token}")),
        ("dpop", proof.stdout.trim_end()),
    ];
    http::get(&endpoint, &headers).unwrap()
}

/// Checklist A9.1 to A9.4, A4.9, A1.15, with a server that wants its nonce in every proof.
#[test]
fn a_bound_token_is_used_with_proofs_and_never_without() {
    let public = client(&json!({"dpop_bound_access_tokens": true}));
    let sandbox = Sandbox::with_clients(&public, &["--dpop-nonce"]);
    let profile = Profile::headless();
    let engine = engine(&profile);
    let pushed = "pushed_authorization_request_endpoint";
    let settings = json!({"dpop": true, pushed: sandbox.endpoint(pushed).as_str()});
    add(&profile, &provider(&sandbox, &settings)).success();
    connect_at_sandbox(&profile, &sandbox, &[NAME], "Ada").success();
    assert_eq!(connection(&profile, NAME)["account"]["email"], "ada@example.com");

    let answer = profile.tokenry(&["token", NAME, "--json"]).success().json();
    assert_eq!(answer["token_type"], "DPoP");
    let plain = profile.tokenry(&["token", NAME]).success();
    assert!(
        plain.stderr.contains("bound to a key") && plain.stdout.lines().count() == 1,
        "{plain:?}"
    );
    let bearer = format!("Bearer {}", plain.stdout.trim_end());
    let endpoint = sandbox.endpoint("userinfo_endpoint");
    assert_eq!(
        http::get(&endpoint, &[("authorization", &bearer)])
            .unwrap()
            .status,
        401
    );

    // The engine knows the nonce of this server by now; another program brings one of its own.
    let access_token = plain.stdout.trim_end();
    assert_eq!(userinfo(&profile, &sandbox, access_token, &[]).status, 200);
    let wrong = userinfo(&profile, &sandbox, access_token, &["--nonce", "wrong"]);
    assert_eq!(wrong.status, 401, "{wrong:?}");
    let nonce = wrong.header("dpop-nonce").unwrap().to_owned();
    let right = userinfo(&profile, &sandbox, access_token, &["--nonce", &nonce]);
    assert_eq!(right.json()["email"], "ada@example.com");

    // The key is sealed with the tokens: after a restart, without any nonce in memory, it still refreshes.
    stop(engine);
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    for _ in 0..3 {
        profile.tokenry(&["refresh", NAME]).success();
    }
    let after = token(&profile, NAME);
    assert_ne!(after, access_token);
    assert_eq!(userinfo(&profile, &sandbox, &after, &[]).status, 200);
    profile.tokenry(&["disconnect", NAME]).success();
    assert!(!sandbox.is_active(&after));
}

/// Checklist A4.9: the setting demands what this client of the server does not get.
#[test]
fn a_proof_is_for_bound_tokens_alone() {
    let sandbox = Sandbox::with_clients(&client(&json!({})), &[]);
    let profile = Profile::headless();
    let _engine = engine(&profile);
    add(&profile, &provider(&sandbox, &json!({}))).success();
    connect_at_sandbox(&profile, &sandbox, &[NAME], "Ada").success();
    let refused = profile.tokenry(&["dpop", NAME, "GET", "https://api.example/"]);
    assert!(
        refused.code != 0 && refused.stderr.contains("not bound to a key"),
        "{refused:?}"
    );
    for (method, url) in [
        ("G T", "https://a.example/"),
        ("GET", "not a url"),
        ("GET", "https://u:p@a.example/"),
    ] {
        let refused = profile.tokenry(&["dpop", NAME, method, url]);
        assert_eq!((refused.code, refused.stdout.as_str()), (10, ""), "{refused:?}");
    }
}

/// Checklist A11: the signature is verified, and the id token is handed out while it lives.
#[test]
fn an_id_token_is_verified_kept_and_handed_out() {
    let (sandbox, other) = (Sandbox::with_clients(&client(&json!({})), &[]), Sandbox::start());
    let profile = Profile::headless();
    let _engine = engine(&profile);
    // The keys of another server: its signature is not theirs.
    let wrong = json!({"jwks_uri": other.endpoint("jwks_uri").as_str()});
    add(&profile, &provider(&sandbox, &wrong)).success();
    let (connect, address) = connecting(&profile, &[NAME]);
    sandbox.agree(&mut Browser::new(), &address, "Ada");
    let refused = connect.wait();
    assert!(
        refused.code != 0 && refused.stderr.contains("its signature is not of a key"),
        "{refused:?}"
    );

    let right = json!({"jwks_uri": sandbox.endpoint("jwks_uri").as_str()});
    profile
        .tokenry_with(&["provider", "edit", NAME, "--from", "-"], &right.to_string())
        .success();
    connect_at_sandbox(&profile, &sandbox, &[NAME], "Ada").success();
    let id_token = || {
        let printed = profile.tokenry(&["token", NAME, "--id-token"]).success().stdout;
        printed.trim_end().to_owned()
    };
    let first = id_token();
    let claims = |token: &str| -> Value {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice(&payload).unwrap()
    };
    assert_eq!(claims(&first)["aud"], ID);
    assert_eq!(claims(&first)["iss"], sandbox.issuer());
    profile.tokenry(&["refresh", NAME]).success();
    let second = id_token();
    assert_eq!(claims(&second)["sub"], claims(&first)["sub"]);
    assert_ne!(second, first, "a refresh brings a new one here");
    let both = profile
        .tokenry(&["token", NAME, "--id-token", "--json"])
        .success()
        .json();
    assert_eq!(
        (&both["id_token"], &both["token_type"]),
        (&json!(second), &json!("Bearer"))
    );
    assert!(
        profile
            .tokenry(&["token", NAME, "--json"])
            .success()
            .json()
            .get("id_token")
            .is_none()
    );
    let log = profile.tokenry(&["events", "--json"]).success().stdout;
    assert!(log.contains("with the id token") && !log.contains(&second));
}
