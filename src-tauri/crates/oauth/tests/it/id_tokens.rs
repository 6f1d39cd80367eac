//! Id tokens that come with a token answer (OpenID Connect Core §3.1.3.7).

use crate::server::{Server, answer, http, provider, secret};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokenry_core::Account;
use tokenry_oauth::{Answer, Failure, refresh::refresh};

fn signed(claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(claims))
}

/// The server's clock says 1000000000.
async fn answered(id_token: &str) -> Result<Answer, Failure> {
    let head = "Content-Type: application/json\r\nDate: Sun, 09 Sep 2001 01:46:40 GMT\r\n";
    let body = format!(r#"{{"access_token":"a","id_token":"{id_token}"}}"#);
    let server = Server::start(answer("200 OK", head, &body)).await;
    let mut provider = provider(&server.url);
    provider.settings.issuer = Some("https://as.example".into());
    provider.settings.client_id = "client".into();
    refresh(&http(), &provider, &secret("r")).await
}

fn claims(changed: &str) -> String {
    format!(r#"{{"iss":"https://as.example","aud":"client","exp":1000000600,"sub":"u1"{changed}}}"#)
}

#[tokio::test]
async fn an_id_token_for_us_says_whose_account_it_is() {
    let ann = Account {
        subject: "u1".into(),
        name: Some("Ann <b>".into()),
        email: Some("ann@as.example".into()),
        picture: None,
    };
    for more in ["", r#","azp":"client""#] {
        let more = format!(r#","name":"Ann\n\u202e <b>","email":"ann@as.example"{more}"#);
        assert_eq!(
            answered(&signed(&claims(&more))).await.unwrap().account,
            Some(ann.clone())
        );
    }
    let listed = claims("").replace(r#""client""#, r#"["client"]"#);
    assert_eq!(
        answered(&signed(&listed)).await.unwrap().account.unwrap().subject,
        "u1"
    );
}

#[tokio::test]
async fn an_id_token_that_proves_nothing_is_ignored() {
    let unsigned = signed(&claims("")).replace(
        &URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#),
        &URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
    );
    for token in [
        "rubbish".to_owned(),
        "a.b.c".to_owned(),
        "a.b.c.d.e".to_owned(),
        unsigned,
        signed(&claims("")).trim_end_matches("c2ln").to_owned(),
        signed("[]"),
        signed(r#"{"sub":"u1"}"#),
        signed(&claims("").replace(r#""exp":1000000600,"#, "")),
        signed(&claims("").replace("1000000600", "999999699")),
        signed(&claims("").replace(r#""client""#, r#"["client","other"]"#)),
        signed(&claims(r#","azp":"other""#)),
        signed(&claims(r#","sub":"u2""#)),
        signed(&claims("").replace("u1", "")),
        signed(&claims("").replace("u1", "u\\n1")),
        signed(&claims("").replace("u1", &"u".repeat(256))),
    ] {
        assert_eq!(answered(&token).await.unwrap().account, None, "{token}");
    }
}

/// Checklist A5.7, A11.1.
#[tokio::test]
async fn an_id_token_for_another_client_or_from_another_issuer_is_told() {
    for changed in [
        claims("").replace("as.example", "evil.example"),
        claims("").replace("https://as.example", "https://as.example/"),
        claims("").replace(r#""client""#, r#""other""#),
        claims("").replace(r#""client""#, r#"["other"]"#),
    ] {
        let answer = answered(&signed(&changed)).await.unwrap();
        assert!(
            matches!(answer.objection, Some(Failure::Unusable { .. })),
            "{changed}: {answer:?}"
        );
        assert_eq!(answer.account, None);
    }
}
