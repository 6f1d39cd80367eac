//! Revocation (RFC 7009) and introspection (RFC 7662): A13.9.

use super::house::{House, encoded, proof};
use crate::{Introspection, OAuthError, OAuthErrorCode};
use tokenry_core::{ApiScope, Secret};

pub(super) async fn revoke(house: &House, app: &str, token: &Secret) -> Result<(), OAuthError> {
    let mut form = vec![("token", token.expose()), ("token_type_hint", "nonsense")];
    form.extend(proof(app));
    house.engine.revoke_issued(None, encoded(&form).as_bytes()).await
}

async fn inspect(house: &House, app: &str, token: &Secret) -> Result<Option<Introspection>, OAuthError> {
    let mut form = vec![("token", token.expose())];
    form.extend(proof(app));
    house
        .engine
        .introspect_issued(None, encoded(&form).as_bytes())
        .await
}

#[tokio::test]
async fn a_revoked_access_token_is_dead_and_a_revoked_refresh_token_ends_its_family() {
    let house = House::new().await;
    let tokens = house.tokens("script").await;
    revoke(&house, "script", &tokens.access_token).await.unwrap();
    assert!(!house.opens(&tokens.access_token).await);
    let next = house.refresh("script", &tokens.refresh_token).await.unwrap();
    revoke(&house, "script", &next.refresh_token).await.unwrap();
    assert!(!house.opens(&next.access_token).await);
    assert!(house.refresh("script", &next.refresh_token).await.is_err());
    // RFC 7009 §2.2: what is not known is as good as revoked.
    for unknown in [
        &next.refresh_token,
        &Secret::new("tokenry_access_x".to_owned()),
        &Secret::new("x".to_owned()),
    ] {
        revoke(&house, "script", unknown).await.unwrap();
    }
}

#[tokio::test]
async fn another_clients_token_is_not_revoked() {
    let house = House::new().await;
    let tokens = house.tokens("script").await;
    for token in [&tokens.access_token, &tokens.refresh_token] {
        let error = revoke(&house, "server", token).await.unwrap_err();
        assert_eq!(error.code, OAuthErrorCode::InvalidGrant);
    }
    assert!(house.opens(&tokens.access_token).await);
    let missing = house
        .engine
        .revoke_issued(None, b"client_id=script")
        .await
        .unwrap_err();
    assert_eq!(missing.code, OAuthErrorCode::InvalidRequest);
}

#[tokio::test]
async fn a_client_that_proved_itself_hears_of_its_own_living_tokens_and_of_no_others() {
    let house = House::new().await;
    let tokens = house.tokens("server").await;
    let told = inspect(&house, "server", &tokens.access_token)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((told.app, told.is_access), (house.id("server"), true));
    assert_eq!(told.scopes, [ApiScope::TokensRead].into());
    assert_eq!(told.expires_at.as_second() - told.issued_at.as_second(), 3600);
    let told = inspect(&house, "server", &tokens.refresh_token)
        .await
        .unwrap()
        .unwrap();
    assert!(!told.is_access);

    house.add("third", None);
    let others = house.tokens("third").await;
    let next = house.refresh("server", &tokens.refresh_token).await.unwrap();
    for dead in [
        &others.access_token,
        &others.refresh_token,
        &tokens.refresh_token,
        &Secret::new("x".to_owned()),
    ] {
        assert_eq!(inspect(&house, "server", dead).await.unwrap(), None);
    }
    house
        .grants("server")
        .iter()
        .for_each(|grant| house.take_away(grant.id));
    assert_eq!(inspect(&house, "server", &next.access_token).await.unwrap(), None);
    // A public client cannot prove that it is the one it says.
    let error = inspect(&house, "third", &others.access_token).await.unwrap_err();
    assert_eq!(error.code, OAuthErrorCode::InvalidClient);
}
