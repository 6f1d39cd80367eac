//! django-oauth-toolkit as the other tests find it: what a second real authorization server does, seen from outside.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokenry_e2e::browser::Browser;
use tokenry_e2e::django::{Django, PUBLIC, Rotation};
use tokenry_testkit::http::{self, Response};
use url::Url;

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";
const DEEP_LINK: &str = "io.github.tokenry:/cb/django";

fn authorization_url(django: &Django) -> String {
    let mut url = django.endpoint("authorization_endpoint");
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", PUBLIC),
        ("redirect_uri", DEEP_LINK),
        ("state", "s&1"),
        ("scope", "openid email read write"),
        ("nonce", "n-0S6_WzA2Mj"),
        (
            "code_challenge",
            &URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER)),
        ),
        ("code_challenge_method", "S256"),
    ]);
    url.into()
}

fn sign_in(django: &Django) -> Value {
    let landing = django.agree(&mut Browser::new(), &authorization_url(django), "ada");
    let answer = Url::parse(landing.handed_over()).unwrap();
    let get = |name: &str| {
        let mut pairs = answer.query_pairs();
        pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
    };
    assert_eq!(get("state"), "s&1");
    let reply = django.token(&[
        ("grant_type", "authorization_code"),
        ("client_id", PUBLIC),
        ("code", &get("code")),
        ("redirect_uri", DEEP_LINK),
        ("code_verifier", VERIFIER),
    ]);
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

fn refresh(django: &Django, refresh_token: &Value, scope: &[&str]) -> Response {
    let mut form = vec![
        ("grant_type", "refresh_token"),
        ("client_id", PUBLIC),
        ("refresh_token", refresh_token.as_str().unwrap()),
    ];
    form.extend(scope.iter().map(|scope| ("scope", *scope)));
    django.token(&form)
}

fn scopes(django: &Django, tokens: &Value) -> Option<String> {
    let scopes = django.scopes(tokens["access_token"].as_str().unwrap())?;
    Some(scopes.into_iter().collect::<Vec<_>>().join(" "))
}

#[test]
fn a_login_form_leads_to_tokens_an_identity_and_the_nonce_that_was_sent() {
    let django = Django::start();
    let tokens = sign_in(&django);
    let id_token = tokens["id_token"].as_str().unwrap();
    let claims = URL_SAFE_NO_PAD
        .decode(id_token.split('.').nth(1).unwrap())
        .unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(
        (&claims["nonce"], &claims["iss"], &claims["aud"]),
        (&"n-0S6_WzA2Mj".into(), &django.issuer().into(), &PUBLIC.into())
    );
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let who = http::get(
        &django.endpoint("userinfo_endpoint"),
        &[("authorization", &bearer)],
    );
    let who = who.unwrap().json();
    assert_eq!(
        (&who["email"], &who["name"]),
        (&"ada.lovelace@example.com".into(), &"Ada Lovelace".into())
    );
    assert_eq!(who["sub"], claims["sub"]);
}

/// The fault of this server that Tokenry must not fall into: RFC 6749 §6 has the refresh token keep its scope. It does
/// not even where the refresh token stays the same.
#[test]
fn a_narrowed_refresh_narrows_for_good_and_revokes_the_token_before_it() {
    for rotation in [Rotation::Plain, Rotation::None] {
        let django = Django::with(rotation, 300);
        let whole = sign_in(&django);
        let less = refresh(&django, &whole["refresh_token"], &["read"]).json();
        assert_eq!(scopes(&django, &less).as_deref(), Some("read"), "{rotation:?}");
        assert_eq!(scopes(&django, &whole), None, "{rotation:?}");
        let next = refresh(&django, &less["refresh_token"], &[]).json();
        assert_eq!(scopes(&django, &next).as_deref(), Some("read"), "{rotation:?}");
    }
}

#[test]
fn each_rotation_does_what_its_name_says_with_a_token_that_comes_twice() {
    for (rotation, again, family_lives) in [
        (Rotation::None, 200, true),
        (Rotation::Plain, 400, true),
        (Rotation::Grace, 200, true),
        (Rotation::Strict, 400, false),
    ] {
        let django = Django::with(rotation, 300);
        let first = sign_in(&django);
        let second = refresh(&django, &first["refresh_token"], &[]).json();
        let rotated = first["refresh_token"] != second["refresh_token"];
        assert_eq!(rotated, rotation != Rotation::None, "{rotation:?}");
        assert_eq!(scopes(&django, &first), None, "{rotation:?}");
        let repeated = refresh(&django, &first["refresh_token"], &[]);
        assert_eq!(repeated.status, again, "{rotation:?}: {repeated:?}");
        let newest = refresh(&django, &second["refresh_token"], &[]);
        assert_eq!(newest.status == 200, family_lives, "{rotation:?}: {newest:?}");
    }
}

#[test]
fn revocation_answers_with_an_empty_page_of_html() {
    let django = Django::start();
    let tokens = sign_in(&django);
    let form = [
        ("client_id", PUBLIC),
        ("token", tokens["refresh_token"].as_str().unwrap()),
    ];
    let reply = http::post(&django.endpoint("revocation_endpoint"), &[], &form).unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    assert!(reply.header("content-type").unwrap().starts_with("text/html"));
    assert_eq!(scopes(&django, &tokens), None);
}

#[test]
fn it_ends_when_its_standard_input_does() {
    assert_eq!(Django::start().stop(), 0);
}
