//! Id tokens whose signature is verified (OpenID Connect Core §3.1.3.7), honest and hostile.

use crate::server::{Server, flow, http, json, provider, secret};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokenry_core::Captured;
use tokenry_oauth::authorization_code::exchange;
use tokenry_oauth::{Answer, Failure, Http, userinfo};

const HEADER: &str = r#"{"alg":"ES256","kid":"k1"}"#;

struct Key(EcdsaKeyPair);

impl Key {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn jwk(&self, kid: &str) -> String {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        format!(r#"{{"kty":"EC","crv":"P-256","kid":"{kid}","x":"{x}","y":"{y}"}}"#)
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let input = format!("{}.{}", part(header), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

/// The server's clock says 1000000000. `at_hash` is of the access token `a`.
fn claims(changed: &str) -> String {
    format!(
        r#"{{"iss":"https://as.example","aud":"client","exp":1000000600,"iat":1000000000,"sub":"u1","nonce":"n1","at_hash":"ypeBEsobvcr6wjGzmiPcTQ"{changed}}}"#
    )
}

async fn key_server(keys: &str) -> Server {
    Server::start(json("200 OK", &format!(r#"{{"keys":[{keys}]}}"#))).await
}

/// The answer to a code, with this id token, at a provider with these keys.
async fn answered(http: &Http, keys: &Server, id_token: &str) -> Answer {
    let date = "Date: Sun, 09 Sep 2001 01:46:40 GMT";
    let body = format!(r#"{{"access_token":"a","token_type":"Bearer","id_token":"{id_token}"}}"#);
    let server = Server::start(json("200 OK", &body).header(date)).await;
    let mut provider = provider(&server.url);
    provider.settings.issuer = Some("https://as.example".into());
    provider.settings.client_id = "client".into();
    provider.settings.jwks_uri = Some(keys.url.to_string());
    let mut flow = flow(&provider, &server.url);
    flow.nonce = Some(secret("n1"));
    exchange(http, &provider, &flow, &secret("c"), &Captured::new())
        .await
        .unwrap()
}

#[track_caller]
fn objects(answer: &Answer, to: &str, what: &str) {
    match &answer.objection {
        Some(Failure::Unusable { message }) => assert!(message.contains(to), "{what}: {message}"),
        other => panic!("{what}: {other:?}"),
    }
    assert!(answer.id_token.is_none() && answer.account.is_none(), "{what}");
}

#[tokio::test]
async fn a_signed_id_token_tells_the_account_and_is_kept() {
    let key = Key::new();
    let keys = key_server(&format!(r#"{{"kty":"oct","k":"AA"}},{}"#, key.jwk("k1"))).await;
    for header in [
        HEADER,
        r#"{"alg":"ES256"}"#,
        r#"{"alg":"ES256","kid":"k1","typ":"JWT"}"#,
    ] {
        let token = key.sign(header, &claims(""));
        let answer = answered(&http(), &keys, &token).await;
        assert_eq!(answer.objection, None, "{header}");
        assert_eq!(answer.account.unwrap().subject, "u1");
        assert_eq!(answer.id_token.unwrap().expose(), token);
    }
}

/// Checklist A6.12: the address of the keys may be the metadata's, so it leads into no private network.
#[tokio::test]
async fn keys_are_fetched_from_no_private_address_that_was_not_typed() {
    let key = Key::new();
    let mut keys = key_server(&key.jwk("k1")).await;
    let token = key.sign(HEADER, &claims(""));
    for (uri, says) in [
        ("https://10.0.0.1/keys", "private network"),
        ("https://169.254.169.254/keys", "private network"),
        ("https://keys.local/keys", "private network"),
        ("http://keys.example/keys", "is not https"),
    ] {
        keys.url = uri.parse().unwrap();
        objects(&answered(&http(), &keys, &token).await, says, uri);
    }
}

/// Checklist A11.1, A11.4: each claim that is wrong or missing speaks against the sign-in.
#[tokio::test]
async fn every_wrong_claim_is_an_objection() {
    let key = Key::new();
    let keys = key_server(&key.jwk("k1")).await;
    let replaced = |old: &str, new: &str| {
        let whole = claims("");
        assert!(whole.contains(old), "{old}");
        whole.replace(old, new)
    };
    for (claims, says) in [
        (replaced("as.example", "evil.example"), "issuer"),
        (replaced(r#""iss":"https://as.example","#, ""), "issuer"),
        (replaced(r#""sub":"u1","#, ""), "subject"),
        (
            replaced(r#""aud":"client""#, r#""aud":"other""#),
            "another client",
        ),
        (replaced(r#""aud":"client","#, ""), "another client"),
        (
            replaced(r#""aud":"client""#, r#""aud":["client","other"]"#),
            "other clients",
        ),
        (claims(r#","azp":"other""#), "azp"),
        (replaced("1000000600", "999999700"), "has ended"),
        (replaced(r#""exp":1000000600,"#, ""), "when it ends"),
        (replaced("1000000000", "1000000301"), "from the future"),
        (replaced(r#""iat":1000000000,"#, ""), "when it was issued"),
        (replaced(r#""nonce":"n1""#, r#""nonce":"n2""#), "another sign-in"),
        (replaced(r#","nonce":"n1""#, ""), "nonce"),
        (
            replaced("ypeBEsobvcr6wjGzmiPcTQ", "ypeBEsobvcr6wjGzmiPcTA"),
            "at_hash",
        ),
        (claims(r#","sub":"u2""#), "repeats a key"),
    ] {
        let answer = answered(&http(), &keys, &key.sign(HEADER, &claims)).await;
        objects(&answer, says, &claims);
    }
    let party = replaced(
        r#""aud":"client""#,
        r#""aud":["client","project"],"azp":"client""#,
    );
    let answer = answered(&http(), &keys, &key.sign(HEADER, &party)).await;
    assert_eq!(answer.objection, None, "{party}");
}

/// Checklist A11.2, A11.5: no header brings a key of its own, and nothing is fetched from where one points.
#[tokio::test]
async fn hostile_headers_choose_neither_key_nor_algorithm() {
    let (key, own) = (Key::new(), Key::new());
    let keys = key_server(&key.jwk("k1")).await;
    let evil = key_server(&own.jwk("k1")).await;
    let with = |more: &str| HEADER.replace('}', &format!(",{more}}}"));
    for header in [
        with(&format!(r#""jku":"{}""#, evil.url)),
        with(&format!(r#""x5u":"{}""#, evil.url)),
        with(&format!(r#""jwk":{}"#, own.jwk("k1"))),
        with(r#""x5c":["AA=="]"#),
        HEADER.to_owned(),
    ] {
        let answer = answered(&http(), &keys, &own.sign(&header, &claims(""))).await;
        objects(&answer, "its signature is not of a key", &header);
        // With an honest signature the same header changes nothing.
        let answer = answered(&http(), &keys, &key.sign(&header, &claims(""))).await;
        assert_eq!(answer.objection, None, "{header}");
    }
    for (header, says) in [
        (HEADER.replace("ES256", "none"), "signed with none"),
        (HEADER.replace("ES256", "HS256"), "signed with HS256"),
        (HEADER.replace("ES256", "RS256"), "not of a key"),
        (HEADER.replace("k1", "k2"), "does not list"),
        (with(r#""crit":["exp"]"#), "extension"),
    ] {
        let answer = answered(&http(), &keys, &key.sign(&header, &claims(""))).await;
        objects(&answer, says, &header);
    }
    assert!(evil.requests().is_empty());
}

/// Checklist A11.6: the keys are fetched once, and for an unknown one at most once a minute.
#[tokio::test]
async fn keys_are_fetched_once_however_many_unknown_ones_come() {
    let key = Key::new();
    let keys = key_server(&key.jwk("k1")).await;
    let http = http();
    for kid in ["k1", "k2", "k3", "k1", "k4"] {
        let token = key.sign(&HEADER.replace("k1", kid), &claims(""));
        let answer = answered(&http, &keys, &token).await;
        assert_eq!(answer.objection.is_none(), kid == "k1", "{kid}");
    }
    assert_eq!(keys.requests().len(), 1);
}

#[tokio::test]
async fn without_the_keys_no_sign_in_is_trusted() {
    let key = Key::new();
    for reply in [
        json("500 Internal Server Error", "{}"),
        json("200 OK", "rubbish"),
        json("200 OK", r#"{"keys":[]}"#),
        json("302 Found", "{}").header("Location: https://evil.example/"),
    ] {
        let keys = Server::start(reply).await;
        let answer = answered(&http(), &keys, &key.sign(HEADER, &claims(""))).await;
        assert!(
            answer.objection.is_some() && answer.id_token.is_none(),
            "{answer:?}"
        );
    }
}

/// OpenID Connect Core §5.3.2: a userinfo that is a signed JWT.
#[tokio::test]
async fn a_signed_userinfo_counts_when_it_is_of_the_provider_and_for_us() {
    let key = Key::new();
    let keys = key_server(&key.jwk("k1")).await;
    let asked = async |token: String, has_keys: bool| {
        let server = Server::start(crate::server::answer(
            "200 OK",
            "Content-Type: application/jwt\r\n",
            &token,
        ))
        .await;
        let mut provider = provider(&server.url);
        provider.settings.issuer = Some("https://as.example".into());
        provider.settings.client_id = "client".into();
        provider.settings.jwks_uri = has_keys.then(|| keys.url.to_string());
        userinfo::fetch(&http(), &provider, &secret("a")).await
    };
    let good = r#"{"iss":"https://as.example","aud":"client","sub":"u1","email":"a@as.example"}"#;
    let account = asked(key.sign(HEADER, good), true).await.unwrap();
    assert_eq!(
        (account.subject.as_str(), account.email.as_deref()),
        ("u1", Some("a@as.example"))
    );
    for (token, has_keys) in [
        (Key::new().sign(HEADER, good), true),
        (key.sign(HEADER, good), false),
        (
            key.sign(
                HEADER,
                &good.replace("as.example\",\"aud", "evil.example\",\"aud"),
            ),
            true,
        ),
        (key.sign(HEADER, &good.replace(r#""client""#, r#""other""#)), true),
        (key.sign(&HEADER.replace("ES256", "none"), good), true),
    ] {
        assert!(asked(token, has_keys).await.is_err());
    }
}
