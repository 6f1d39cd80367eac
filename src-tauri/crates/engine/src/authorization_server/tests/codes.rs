//! A13.2: a code is bound to client, address and verifier, lives a minute and works once.

use super::setup::{CALLBACK, Setup, VERIFIER, exchange_form, query};
use crate::{
    OAuthErrorCode,
    authorization_server::tests::setup::{Answered, SECRET},
    tests::common::ui,
};
use tokenry_core::EventKind;

#[tokio::test]
async fn a_code_is_good_for_its_client_address_and_verifier_only() {
    let setup = Setup::new().await;
    let other_verifier = "x".repeat(43);
    for (name, value) in [
        ("code_verifier", other_verifier.as_str()),
        ("code_verifier", &VERIFIER[..42]),
        ("redirect_uri", "http://127.0.0.1:9998/cb"),
        ("redirect_uri", "http://127.0.0.1/cb"),
        ("redirect_uri", "com.example.app:/cb?x=1"),
    ] {
        let code = setup.code("script").await;
        let mut form = exchange_form("script", &code);
        form.retain(|(key, _)| *key != name);
        form.push((name, value));
        let error = setup.post(&form).await.unwrap_err();
        assert_eq!(error.code, OAuthErrorCode::InvalidGrant, "{name}={value}");
        // A guess costs the code.
        let error = setup.exchange("script", &code).await.unwrap_err();
        assert_eq!(error.code, OAuthErrorCode::InvalidGrant, "{name}={value}");
    }
    let code = setup.code("script").await;
    let error = setup.exchange("server", &code).await.unwrap_err();
    assert_eq!(error.code, OAuthErrorCode::InvalidGrant);
    setup.add("other", None);
    assert!(setup.exchange("other", &code).await.is_err());
    setup.exchange("script", &code).await.unwrap();
}

/// PKCE cannot be left out: RFC 9700 §4.8.2.
#[tokio::test]
async fn what_is_missing_is_an_invalid_request_and_uses_no_code_up() {
    let setup = Setup::new().await;
    let code = setup.code("script").await;
    for name in ["code", "redirect_uri", "code_verifier", "grant_type", "client_id"] {
        let mut form = exchange_form("script", &code);
        form.retain(|(key, _)| *key != name);
        let error = setup.post(&form).await.unwrap_err();
        assert_eq!(error.code, OAuthErrorCode::InvalidRequest, "{name}");
        // Empty is omitted, twice is neither: A13.9.
        form.push((name, ""));
        assert_eq!(
            setup.post(&form).await.unwrap_err().code,
            OAuthErrorCode::InvalidRequest,
            "{name}"
        );
        let mut twice = exchange_form("script", &code);
        twice.push((name, "x"));
        assert_eq!(
            setup.post(&twice).await.unwrap_err().code,
            OAuthErrorCode::InvalidRequest,
            "{name}"
        );
    }
    setup.exchange("script", &code).await.unwrap();
}

#[tokio::test]
async fn a_code_of_a_minute_ago_is_good_for_nothing() {
    let setup = Setup::new().await;
    let code = setup.code("script").await;
    setup.world.pass(59);
    let late = setup.code("script").await;
    setup.world.pass(1);
    assert_eq!(
        setup.exchange("script", &code).await.unwrap_err().code,
        OAuthErrorCode::InvalidGrant
    );
    setup.exchange("script", &late).await.unwrap();
}

/// A13.2, RFC 6749 §4.1.2: reuse ends what the code gave, and is in the log.
#[tokio::test]
async fn a_code_that_comes_again_ends_what_it_gave() {
    let setup = Setup::new().await;
    let (code, untouched) = (setup.code("script").await, setup.tokens("script").await);
    let first = setup.exchange("script", &code).await.unwrap();
    let next = setup.refresh("script", &first.refresh_token).await.unwrap();
    setup.world.pass(300);
    assert!(setup.opens(&next.access_token).await);
    let error = setup.exchange("script", &code).await.unwrap_err();
    assert_eq!(error.code, OAuthErrorCode::InvalidGrant);
    for dead in [&first.access_token, &next.access_token] {
        assert!(!setup.opens(dead).await);
    }
    assert!(setup.refresh("script", &next.refresh_token).await.is_err());
    assert!(
        setup.opens(&untouched.access_token).await,
        "another code's tokens stay"
    );
    let (events, _) = setup.engine.events(&ui(), None, 10).await.unwrap();
    let told = |event: &&tokenry_core::Event| {
        event.kind == EventKind::AppAuthorized
            && event.app == Some(setup.id("script"))
            && event
                .detail
                .as_ref()
                .is_some_and(|text| text.contains("second time"))
    };
    assert!(events.iter().any(|event| told(&event)));
}

/// Of two that present one code at the same moment, one may be a thief: neither keeps anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_that_comes_twice_at_once_leaves_no_living_token() {
    let setup = Setup::new().await;
    for _ in 0..5 {
        let code = setup.code("script").await;
        let (one, two, three) = tokio::join!(
            setup.exchange("script", &code),
            setup.exchange("script", &code),
            setup.exchange("script", &code)
        );
        let given: Vec<_> = [one, two, three].into_iter().flatten().collect();
        assert!(given.len() <= 1);
        for tokens in given {
            assert!(!setup.opens(&tokens.access_token).await);
            assert!(setup.refresh("script", &tokens.refresh_token).await.is_err());
        }
    }
}

#[tokio::test]
async fn a_lock_forgets_every_code() {
    let setup = Setup::new().await;
    let code = setup.code("script").await;
    setup.engine.lock(&ui()).await.unwrap();
    let error = setup.exchange("script", &code).await.unwrap_err();
    assert_eq!(
        (error.code, error.code.http_status()),
        (OAuthErrorCode::Locked, 423)
    );
    setup.engine.unlock(&ui(), None, false).await.unwrap();
    assert_eq!(
        setup.exchange("script", &code).await.unwrap_err().code,
        OAuthErrorCode::InvalidGrant
    );
}

#[tokio::test]
async fn a_code_is_worth_nothing_once_its_grant_is_taken_away() {
    let setup = Setup::new().await;
    let code = setup.code("script").await;
    setup.take_away(setup.grants("script")[0].id);
    assert_eq!(
        setup.exchange("script", &code).await.unwrap_err().code,
        OAuthErrorCode::InvalidGrant
    );
}

#[tokio::test]
async fn the_address_of_another_scheme_gets_its_code_behind_its_own_query() {
    let setup = Setup::new().await;
    let uri = "com.example.app:/cb?x=1";
    let asked = super::setup::query_with("script", "redirect_uri", uri);
    let answered = setup.go_and_answer(&asked, setup.yes(None)).await;
    assert!(answered.location.starts_with("com.example.app:/cb?x=1&code="));
    let mut form = exchange_form("script", answered.get("code"));
    form.retain(|(key, _)| *key != "redirect_uri");
    form.push(("redirect_uri", uri));
    setup.post(&form).await.unwrap();
}

/// A13.7: neither a code nor a token nor a secret is on the disk, and none shows in `Debug`.
#[tokio::test]
async fn nothing_that_opens_anything_is_on_the_disk_or_shown() {
    let setup = Setup::new().await;
    setup.code("server").await;
    let redirect = setup.go(&query("server")).await.unwrap();
    let code = Answered::of(redirect.location()).get("code").to_owned();
    let shown = format!("{redirect:?}");
    let tokens = setup.exchange("server", &code).await.unwrap();
    let shown = format!("{shown}{tokens:?}");
    setup.engine.shutdown().await;
    let secrets = [
        code.as_str(),
        tokens.access_token.expose(),
        tokens.refresh_token.expose(),
        SECRET,
    ];
    let mut read = 0;
    for file in std::fs::read_dir(setup.world.folder.path().join("profile")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            read += bytes.len();
            for secret in secrets {
                let body = &secret.as_bytes()[secret.len() - 20..];
                assert!(
                    !bytes.windows(20).any(|window| window == body),
                    "{}",
                    path.display()
                );
            }
        }
    }
    assert!(read > 10_000 && CALLBACK.len() > 10);
    assert!(
        secrets
            .iter()
            .all(|secret| !shown.contains(&secret[secret.len() - 20..]))
    );
}
