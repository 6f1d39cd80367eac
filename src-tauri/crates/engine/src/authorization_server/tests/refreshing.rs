//! A13.6: a refresh token works once, and one that comes again ends its whole family.

use super::house::{House, proof};
use crate::{IssuedTokens, OAuthError, OAuthErrorCode, authorization_server::issued::Issued};
use tokenry_core::{ApiScope, Secret};

async fn narrowed(house: &House, token: &Secret, scope: &str) -> Result<IssuedTokens, OAuthError> {
    let mut form = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", token.expose()),
        ("scope", scope),
    ];
    form.extend(proof("script"));
    house.post(&form).await
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_for_the_next_and_a_used_one_ends_the_family() {
    let house = House::new().await;
    let other = house.tokens("script").await;
    let first = house.tokens("script").await;
    let second = house.refresh("script", &first.refresh_token).await.unwrap();
    let third = house.refresh("script", &second.refresh_token).await.unwrap();
    assert!(house.opens(&third.access_token).await);
    let error = house.refresh("script", &first.refresh_token).await.unwrap_err();
    assert_eq!(error.code, OAuthErrorCode::InvalidGrant);
    for tokens in [&first, &second, &third] {
        assert!(!house.opens(&tokens.access_token).await);
        assert!(house.refresh("script", &tokens.refresh_token).await.is_err());
    }
    assert!(house.opens(&other.access_token).await);
    house.refresh("script", &other.refresh_token).await.unwrap();
}

/// Of two that present one at the same moment, one may be a thief.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refresh_token_that_comes_twice_at_once_ends_its_family() {
    let house = House::new().await;
    let tokens = house.tokens("script").await;
    let (one, two) = tokio::join!(
        house.refresh("script", &tokens.refresh_token),
        house.refresh("script", &tokens.refresh_token)
    );
    let given: Vec<_> = [one, two].into_iter().flatten().collect();
    assert_eq!(given.len(), 1);
    assert!(!house.opens(&given[0].access_token).await);
    assert!(house.refresh("script", &given[0].refresh_token).await.is_err());
}

#[tokio::test]
async fn another_client_cannot_use_a_refresh_token_nor_use_it_up() {
    let house = House::new().await;
    house.add("other", None);
    let tokens = house.tokens("script").await;
    for thief in ["other", "server"] {
        let error = house.refresh(thief, &tokens.refresh_token).await.unwrap_err();
        assert_eq!(error.code, OAuthErrorCode::InvalidGrant);
    }
    for wrong in [&tokens.access_token, &Secret::new("tokenry_refresh_x".to_owned())] {
        assert!(house.refresh("script", wrong).await.is_err());
    }
    house.refresh("script", &tokens.refresh_token).await.unwrap();
}

/// RFC 6749 §6: fewer scopes for the access token, never more, and the refresh token keeps what it had.
#[tokio::test]
async fn a_refresh_may_ask_for_less_and_never_for_more() {
    let house = House::new().await;
    let asked = super::house::query_with("script", "scope", "tokens:read activity:read");
    let code = house
        .go_and_answer(&asked, house.yes(None))
        .await
        .get("code")
        .to_owned();
    let tokens = house.exchange("script", &code).await.unwrap();
    for more in ["tokens:read connections:read", "everything", " "] {
        let error = narrowed(&house, &tokens.refresh_token, more).await.unwrap_err();
        assert_eq!(error.code, OAuthErrorCode::InvalidScope, "{more}");
    }
    let less = narrowed(&house, &tokens.refresh_token, "activity:read")
        .await
        .unwrap();
    assert_eq!(less.scopes, [ApiScope::ActivityRead].into());
    assert!(!house.opens(&less.access_token).await);
    let whole = house.refresh("script", &less.refresh_token).await.unwrap();
    assert_eq!(
        whole.scopes,
        [ApiScope::TokensRead, ApiScope::ActivityRead].into()
    );
    assert!(house.opens(&whole.access_token).await);
}

#[tokio::test]
async fn a_refresh_token_lives_thirty_days_and_each_next_one_too() {
    let house = House::new().await;
    let tokens = house.tokens("script").await;
    house.world.pass(30 * 24 * 3600 - 1);
    let next = house.refresh("script", &tokens.refresh_token).await.unwrap();
    house.world.pass(30 * 24 * 3600);
    let error = house.refresh("script", &next.refresh_token).await.unwrap_err();
    assert_eq!(error.code, OAuthErrorCode::InvalidGrant);
}

#[tokio::test]
async fn what_was_issued_outlives_a_restart_and_what_has_ended_is_deleted_then() {
    let House { world, engine } = House::new().await;
    let house = House { world, engine };
    let tokens = house.tokens("script").await;
    let House { world, engine } = house;
    let engine = world.restart(engine).await;
    let house = House { world, engine };
    assert!(house.opens(&tokens.access_token).await);
    house.refresh("script", &tokens.refresh_token).await.unwrap();
    assert_eq!(house.store().all::<Issued>().unwrap().len(), 4);
    house.world.pass(3600);
    let House { world, engine } = house;
    let engine = world.restart(engine).await;
    let house = House { world, engine };
    assert_eq!(
        house.store().all::<Issued>().unwrap().len(),
        2,
        "the access tokens have ended"
    );
    house.take_away(house.grants("script")[0].id);
    house.world.pass(3600);
    house.tokens("server").await;
    assert_eq!(
        house.store().all::<Issued>().unwrap().len(),
        2,
        "only the new ones are left"
    );
    assert_eq!(house.engine.status().vault.problem, None);
}
