//! Revocation (RFC 7009) and introspection (RFC 7662): A13.9.

use super::setup::{Setup, encoded, proof};
use crate::{Introspection, OAuthError, OAuthErrorCode};
use tokenry_core::{ApiScope, Secret};

pub(super) async fn revoke(setup: &Setup, app: &str, token: &Secret) -> Result<(), OAuthError> {
    let mut form = vec![("token", token.expose()), ("token_type_hint", "nonsense")];
    form.extend(proof(app));
    setup.engine.revoke_issued(None, encoded(&form).as_bytes()).await
}

async fn inspect(setup: &Setup, app: &str, token: &Secret) -> Result<Option<Introspection>, OAuthError> {
    let mut form = vec![("token", token.expose())];
    form.extend(proof(app));
    setup
        .engine
        .introspect_issued(None, encoded(&form).as_bytes())
        .await
}

#[tokio::test]
async fn a_revoked_access_token_is_dead_and_a_revoked_refresh_token_ends_its_family() {
    let setup = Setup::new().await;
    let tokens = setup.tokens("script").await;
    revoke(&setup, "script", &tokens.access_token).await.unwrap();
    assert!(!setup.opens(&tokens.access_token).await);
    let next = setup.refresh("script", &tokens.refresh_token).await.unwrap();
    revoke(&setup, "script", &next.refresh_token).await.unwrap();
    assert!(!setup.opens(&next.access_token).await);
    assert!(setup.refresh("script", &next.refresh_token).await.is_err());
    // RFC 7009 §2.2: what is not known is as good as revoked.
    for unknown in [
        &next.refresh_token,
        &Secret::new("tokenry_access_x".to_owned()),
        &Secret::new("x".to_owned()),
    ] {
        revoke(&setup, "script", unknown).await.unwrap();
    }
}

#[tokio::test]
async fn another_clients_token_is_not_revoked() {
    let setup = Setup::new().await;
    let tokens = setup.tokens("script").await;
    for token in [&tokens.access_token, &tokens.refresh_token] {
        let error = revoke(&setup, "server", token).await.unwrap_err();
        assert_eq!(error.code, OAuthErrorCode::InvalidGrant);
    }
    assert!(setup.opens(&tokens.access_token).await);
    let missing = setup
        .engine
        .revoke_issued(None, b"client_id=script")
        .await
        .unwrap_err();
    assert_eq!(missing.code, OAuthErrorCode::InvalidRequest);
}

#[tokio::test]
async fn a_client_that_proved_itself_hears_of_its_own_living_tokens_and_of_no_others() {
    let setup = Setup::new().await;
    let tokens = setup.tokens("server").await;
    let told = inspect(&setup, "server", &tokens.access_token)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((told.app, told.is_access), (setup.id("server"), true));
    assert_eq!(told.scopes, [ApiScope::TokensRead].into());
    assert_eq!(told.expires_at.as_second() - told.issued_at.as_second(), 3600);
    let told = inspect(&setup, "server", &tokens.refresh_token)
        .await
        .unwrap()
        .unwrap();
    assert!(!told.is_access);

    setup.add("third", None);
    let others = setup.tokens("third").await;
    let next = setup.refresh("server", &tokens.refresh_token).await.unwrap();
    for dead in [
        &others.access_token,
        &others.refresh_token,
        &tokens.refresh_token,
        &Secret::new("x".to_owned()),
    ] {
        assert_eq!(inspect(&setup, "server", dead).await.unwrap(), None);
    }
    setup
        .grants("server")
        .iter()
        .for_each(|grant| setup.take_away(grant.id));
    assert_eq!(inspect(&setup, "server", &next.access_token).await.unwrap(), None);
    // A public client cannot prove that it is the one it says.
    let error = inspect(&setup, "third", &others.access_token).await.unwrap_err();
    assert_eq!(error.code, OAuthErrorCode::InvalidClient);
}
