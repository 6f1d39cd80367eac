//! Client assertions (RFC 7523) and proofs of possession (RFC 9449), as a server sees them.

use crate::server::{Server, flow, http, json, provider, secret};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use std::collections::BTreeSet;
use tokenry_core::{Captured, OsRandom, Provider, Scopes, TokenEndpointAuthMethod};
use tokenry_oauth::authorization_code::{begin, exchange};
use tokenry_oauth::{Failure, SigningKey, dpop, par, refresh::refresh, revocation, userinfo};

const GOOD: &str = r#"{"access_token":"a","token_type":"Bearer"}"#;
const BOUND: &str = r#"{"access_token":"a","token_type":"DPoP"}"#;

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn assertion(request: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(!head.to_ascii_lowercase().contains("\nauthorization:"), "{head}");
    let form: Vec<_> = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    let get = |name: &str| {
        let mut values = form.iter().filter(|(key, _)| key == name);
        let value = values.next().map(|(_, value)| value.clone());
        assert!(values.next().is_none(), "{name} comes once");
        value
    };
    assert_eq!(get("client_secret"), None);
    assert_eq!(get("client_id").as_deref(), Some("client:ä"));
    assert_eq!(
        get("client_assertion_type").as_deref(),
        Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    );
    get("client_assertion").unwrap()
}

fn proof(request: &str) -> Option<String> {
    let found = request.lines().find_map(|line| line.strip_prefix("dpop: "));
    found.map(str::to_owned)
}

/// A provider whose tokens are bound to a key.
fn bound(server: &Server) -> Provider {
    let mut provider = provider(&server.url);
    provider.settings.dpop = true;
    provider.dpop_key = Some(SigningKey::generate().unwrap());
    provider
}

/// Checklist A10.1, A10.2: short, for one audience, and new each time.
#[tokio::test]
async fn an_assertion_names_the_client_one_audience_and_a_minute() {
    for (method, issuer) in [
        (TokenEndpointAuthMethod::PrivateKeyJwt, Some("https://as.example")),
        (TokenEndpointAuthMethod::PrivateKeyJwt, None),
        (
            TokenEndpointAuthMethod::ClientSecretJwt,
            Some("https://as.example"),
        ),
    ] {
        let server = Server::start(json("200 OK", GOOD)).await;
        let mut provider = provider(&server.url);
        provider.settings.token_endpoint_auth_method = method;
        provider.settings.issuer = issuer.map(str::to_owned);
        provider.client_key = Some(SigningKey::generate().unwrap());
        let key = SigningKey::read(provider.client_key.as_ref().unwrap()).unwrap();
        let flow = flow(&provider, &server.url);
        refresh(&http(), &provider, &secret("r")).await.unwrap();
        exchange(&http(), &provider, &flow, &secret("c"), &Captured::new())
            .await
            .unwrap();
        revocation::revoke(&http(), &provider, &secret("t"), revocation::Hint::AccessToken)
            .await
            .unwrap();
        let mut ids = BTreeSet::new();
        for request in server.requests() {
            let token = assertion(&request);
            let (header, claims) = (part(&token, 0), part(&token, 1));
            let is_private = method == TokenEndpointAuthMethod::PrivateKeyJwt;
            assert_eq!(header["alg"], if is_private { "ES256" } else { "HS256" });
            assert_eq!(header.get("kid").is_some(), is_private);
            assert!(!is_private || header["kid"] == key.thumbprint());
            assert_eq!(
                (&claims["iss"], &claims["sub"]),
                (&"client:ä".into(), &"client:ä".into())
            );
            assert_eq!(claims["aud"], issuer.unwrap_or(server.url.as_str()));
            let lives = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
            assert_eq!(lives, 60);
            ids.insert(claims["jti"].as_str().unwrap().to_owned());
        }
        assert_eq!(ids.len(), 3);
    }
}

#[tokio::test]
async fn without_a_key_or_a_secret_nothing_is_sent() {
    for method in [
        TokenEndpointAuthMethod::PrivateKeyJwt,
        TokenEndpointAuthMethod::ClientSecretJwt,
    ] {
        let server = Server::start(json("200 OK", GOOD)).await;
        let mut provider = provider(&server.url);
        provider.settings.token_endpoint_auth_method = method;
        provider.client_secret = None;
        let failure = refresh(&http(), &provider, &secret("r")).await.unwrap_err();
        assert!(matches!(failure, Failure::NotSent { .. }), "{failure:?}");
        assert!(server.requests().is_empty());
    }
}

/// Checklist A9.1, A1.15: what a proof holds, and where one is.
#[tokio::test]
async fn every_request_of_a_bound_sign_in_has_a_proof_for_itself() {
    let server = Server::start(json("200 OK", &BOUND.replace('}', r#","request_uri":"urn:x"}"#))).await;
    let mut provider = bound(&server);
    provider.settings.pushed_authorization_request_endpoint = Some(format!("{}?a=b", server.url));
    let key = SigningKey::read(provider.dpop_key.as_ref().unwrap()).unwrap();
    let started = begin(
        &provider,
        "http://127.0.0.1:1/cb/example",
        &Scopes::parse("read"),
        &[],
        &OsRandom,
    );
    let started = started.unwrap();
    let query: Vec<_> = started.authorization_url.query_pairs().into_owned().collect();
    assert!(query.contains(&("dpop_jkt".to_owned(), key.thumbprint())));
    par::push(&http(), &provider, &started).await.unwrap();
    let flow = flow(&provider, &server.url);
    let answer = exchange(&http(), &provider, &flow, &secret("c"), &Captured::new())
        .await
        .unwrap();
    assert_eq!(answer.token_type, "DPoP");
    refresh(&http(), &provider, &secret("r")).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    let mut ids = BTreeSet::new();
    for request in requests {
        let proof = proof(&request).unwrap();
        let (header, claims) = (part(&proof, 0), part(&proof, 1));
        assert_eq!(
            (&header["typ"], &header["alg"]),
            (&"dpop+jwt".into(), &"ES256".into())
        );
        let jwk: Value = serde_json::from_str(&key.public_jwk()).unwrap();
        assert_eq!(header["jwk"], jwk, "the public key alone");
        assert_eq!(
            (&claims["htm"], &claims["htu"]),
            (&"POST".into(), &server.url.as_str().into())
        );
        assert!(claims.get("nonce").is_none() && claims.get("ath").is_none());
        assert!(claims["iat"].is_i64() && claims["jti"].as_str().unwrap().len() >= 16);
        ids.insert(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 3);
}

/// Checklist A9.3: never as a bearer, and with the hash of the token.
#[tokio::test]
async fn userinfo_gets_a_bound_token_with_its_hash() {
    let server = Server::start(json("200 OK", r#"{"sub":"u1"}"#)).await;
    userinfo::fetch(&http(), &bound(&server), &secret("a"))
        .await
        .unwrap();
    let request = server.request();
    assert!(request.contains("authorization: DPoP a\r\n"), "{request}");
    let claims = part(&proof(&request).unwrap(), 1);
    assert_eq!(claims["ath"], dpop::hash_of(&secret("a")));
    assert_eq!(claims["htm"], "GET");
}

/// Checklist A9.2, A4.12: one retry with the nonce, and never two; the nonce is taken from every answer.
#[tokio::test]
async fn a_nonce_is_used_in_one_retry_and_remembered() {
    let wanted = r#"{"error":"use_dpop_nonce"}"#;
    let server = Server::start(json("400 Bad Request", wanted).header("DPoP-Nonce: n-1")).await;
    let mut provider = bound(&server);
    provider.settings.token_endpoint_auth_method = TokenEndpointAuthMethod::PrivateKeyJwt;
    provider.client_key = Some(SigningKey::generate().unwrap());
    let client = http();
    let failure = refresh(&client, &provider, &secret("r")).await.unwrap_err();
    assert_eq!(failure.provider_error(), Some("use_dpop_nonce"));
    let requests = server.requests();
    let nonces: Vec<_> = requests
        .iter()
        .map(|request| {
            part(&proof(request).unwrap(), 1)["nonce"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(nonces, [None, Some("n-1".to_owned())]);
    let assertions: BTreeSet<_> = requests.iter().map(|request| assertion(request)).collect();
    assert_eq!(assertions.len(), 2, "an assertion is taken once");

    for (status, body, header) in [
        ("400 Bad Request", wanted, ""),
        ("400 Bad Request", wanted, "DPoP-Nonce: a b"),
        (
            "400 Bad Request",
            r#"{"error":"invalid_grant"}"#,
            "DPoP-Nonce: n-2",
        ),
        (
            "400 Bad Request",
            r#"{"error":"invalid_dpop_proof"}"#,
            "DPoP-Nonce: n-2",
        ),
        ("500 Internal Server Error", wanted, "DPoP-Nonce: n-2"),
        ("200 OK", BOUND, "DPoP-Nonce: n-3"),
    ] {
        let reply = json(status, body);
        let reply = if header.is_empty() {
            reply
        } else {
            reply.header(header)
        };
        let server = Server::start(reply).await;
        let (provider, client) = (bound(&server), http());
        for _ in 0..2 {
            let _ = refresh(&client, &provider, &secret("r")).await;
        }
        let requests = server.requests();
        assert_eq!(requests.len(), 2, "{status} {body} {header}");
        let second = part(&proof(&requests[1]).unwrap(), 1);
        let known = header
            .strip_prefix("DPoP-Nonce: ")
            .filter(|nonce| !nonce.contains(' '));
        assert_eq!(second["nonce"].as_str(), known, "{status} {body} {header}");
    }
}

/// Checklist A9.5: a proof is made with the time of its server.
#[tokio::test]
async fn a_server_whose_clock_differs_gets_proofs_of_its_own_time() {
    let date = "Date: Sun, 09 Sep 2001 01:46:40 GMT";
    let server = Server::start(json("200 OK", BOUND).header(date)).await;
    let (provider, client) = (bound(&server), http());
    for _ in 0..2 {
        refresh(&client, &provider, &secret("r")).await.unwrap();
    }
    let at = part(&proof(&server.requests()[1]).unwrap(), 1)["iat"]
        .as_i64()
        .unwrap();
    assert!((1_000_000_000..1_000_000_060).contains(&at), "{at}");
}

/// Checklist A4.9: a refresh token is kept, and a token that is not bound is not used.
#[tokio::test]
async fn a_token_that_is_not_bound_is_refused_where_one_was_demanded() {
    let body = r#"{"access_token":"a","token_type":"Bearer","refresh_token":"r2"}"#;
    let server = Server::start(json("200 OK", body)).await;
    let mut provider = bound(&server);
    let answer = refresh(&http(), &provider, &secret("r")).await.unwrap();
    assert!(answer.access_token.is_none());
    assert_eq!(answer.refresh_token.unwrap().expose(), "r2");
    assert!(answer.complaint.unwrap().message.contains("not bound to a key"));
    // The setting was switched off since the key was made.
    provider.settings.dpop = false;
    let answer = refresh(&http(), &provider, &secret("r")).await.unwrap();
    assert_eq!(
        (answer.access_token.is_some(), answer.token_type.as_str()),
        (true, "Bearer")
    );
}
