//! A13.6: a refresh token works once, and one that comes again ends its whole family.

use super::setup::{Setup, proof};
use crate::{IssuedTokens, OAuthError, OAuthErrorCode, authorization_server::issued::Issued};
use tokenry_core::{ApiScope, Secret};

async fn narrowed(setup: &Setup, token: &Secret, scope: &str) -> Result<IssuedTokens, OAuthError> {
    let mut form = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", token.expose()),
        ("scope", scope),
    ];
    form.extend(proof("script"));
    setup.post(&form).await
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_for_the_next_and_a_used_one_ends_the_family() {
    let setup = Setup::new().await;
    let other = setup.tokens("script").await;
    let first = setup.tokens("script").await;
    let second = setup.refresh("script", &first.refresh_token).await.unwrap();
    let third = setup.refresh("script", &second.refresh_token).await.unwrap();
    assert!(setup.opens(&third.access_token).await);
    let error = setup.refresh("script", &first.refresh_token).await.unwrap_err();
    assert_eq!(error.code, OAuthErrorCode::InvalidGrant);
    for tokens in [&first, &second, &third] {
        assert!(!setup.opens(&tokens.access_token).await);
        assert!(setup.refresh("script", &tokens.refresh_token).await.is_err());
    }
    assert!(setup.opens(&other.access_token).await);
    setup.refresh("script", &other.refresh_token).await.unwrap();
}

/// Of two that present one at the same moment, one may be a thief.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refresh_token_that_comes_twice_at_once_ends_its_family() {
    let setup = Setup::new().await;
    let tokens = setup.tokens("script").await;
    let (one, two) = tokio::join!(
        setup.refresh("script", &tokens.refresh_token),
        setup.refresh("script", &tokens.refresh_token)
    );
    let given: Vec<_> = [one, two].into_iter().flatten().collect();
    assert_eq!(given.len(), 1);
    assert!(!setup.opens(&given[0].access_token).await);
    assert!(setup.refresh("script", &given[0].refresh_token).await.is_err());
}

#[tokio::test]
async fn another_client_cannot_use_a_refresh_token_nor_use_it_up() {
    let setup = Setup::new().await;
    setup.add("other", None);
    let tokens = setup.tokens("script").await;
    for thief in ["other", "server"] {
        let error = setup.refresh(thief, &tokens.refresh_token).await.unwrap_err();
        assert_eq!(error.code, OAuthErrorCode::InvalidGrant);
    }
    for wrong in [&tokens.access_token, &Secret::new("tokenry_refresh_x".to_owned())] {
        assert!(setup.refresh("script", wrong).await.is_err());
    }
    setup.refresh("script", &tokens.refresh_token).await.unwrap();
}

/// RFC 6749 §6: fewer scopes for the access token, never more, and the refresh token keeps what it had.
#[tokio::test]
async fn a_refresh_may_ask_for_less_and_never_for_more() {
    let setup = Setup::new().await;
    let asked = super::setup::query_with("script", "scope", "tokens:read activity:read");
    let code = setup
        .go_and_answer(&asked, setup.yes(None))
        .await
        .get("code")
        .to_owned();
    let tokens = setup.exchange("script", &code).await.unwrap();
    for more in ["tokens:read connections:read", "everything", " "] {
        let error = narrowed(&setup, &tokens.refresh_token, more).await.unwrap_err();
        assert_eq!(error.code, OAuthErrorCode::InvalidScope, "{more}");
    }
    let less = narrowed(&setup, &tokens.refresh_token, "activity:read")
        .await
        .unwrap();
    assert_eq!(less.scopes, [ApiScope::ActivityRead].into());
    assert!(!setup.opens(&less.access_token).await);
    let whole = setup.refresh("script", &less.refresh_token).await.unwrap();
    assert_eq!(
        whole.scopes,
        [ApiScope::TokensRead, ApiScope::ActivityRead].into()
    );
    assert!(setup.opens(&whole.access_token).await);
}

#[tokio::test]
async fn a_refresh_token_lives_thirty_days_and_each_next_one_too() {
    let setup = Setup::new().await;
    let tokens = setup.tokens("script").await;
    setup.world.pass(30 * 24 * 3600 - 1);
    let next = setup.refresh("script", &tokens.refresh_token).await.unwrap();
    setup.world.pass(30 * 24 * 3600);
    let error = setup.refresh("script", &next.refresh_token).await.unwrap_err();
    assert_eq!(error.code, OAuthErrorCode::InvalidGrant);
}

#[tokio::test]
async fn what_was_issued_outlives_a_restart_and_what_has_ended_is_deleted_then() {
    let Setup { world, engine } = Setup::new().await;
    let setup = Setup { world, engine };
    let tokens = setup.tokens("script").await;
    let Setup { world, engine } = setup;
    let engine = world.restart(engine).await;
    let setup = Setup { world, engine };
    assert!(setup.opens(&tokens.access_token).await);
    setup.refresh("script", &tokens.refresh_token).await.unwrap();
    assert_eq!(setup.store().all::<Issued>().unwrap().len(), 4);
    setup.world.pass(3600);
    let Setup { world, engine } = setup;
    let engine = world.restart(engine).await;
    let setup = Setup { world, engine };
    assert_eq!(
        setup.store().all::<Issued>().unwrap().len(),
        2,
        "the access tokens have ended"
    );
    setup.take_away(setup.grants("script")[0].id);
    setup.world.pass(3600);
    setup.tokens("server").await;
    assert_eq!(
        setup.store().all::<Issued>().unwrap().len(),
        2,
        "only the new ones are left"
    );
    assert_eq!(setup.engine.status().vault.problem, None);
}
