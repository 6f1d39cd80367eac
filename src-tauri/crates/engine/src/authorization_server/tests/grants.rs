//! What an access token opens: no more than was asked for, and no longer than its grant.

use super::house::{House, query_with};
use crate::{
    ConsentMode, Engine, Error,
    authorization_server::tests::house::{Answered, ISSUER, query},
    tests::common::{NAME, World, ui},
};
use std::time::Duration;
use tokenry_core::{ApiScope, Caller, Code, Rule, Secret};
use tokenry_testkit::Behaviour;

#[tokio::test]
async fn an_access_token_opens_what_was_granted_and_nothing_else() {
    let house = House::new().await;
    let tokens = house.tokens("script").await;
    assert_eq!(tokens.expires_in, 3600);
    let caller = house.caller(&tokens.access_token).await.unwrap();
    assert!(matches!(&caller, Caller::App(app) if app.app == house.id("script") && app.grant.is_some()));
    house.engine.token(&caller, NAME, Duration::ZERO).await.unwrap();
    for refused in [
        house.engine.connections(&caller).await.err(),
        house.engine.providers(&caller).await.err(),
        house.engine.events(&caller, None, 1).await.err(),
        house.engine.disconnect(&caller, NAME).await.err(),
    ] {
        assert_eq!(refused.map(|error| error.code()), Some(Code::PermissionDenied));
    }
}

/// The grant is wider, and the token is not: `scope` of the answer says what it is good for.
#[tokio::test]
async fn a_token_that_was_asked_for_with_less_than_the_grant_is_good_for_less() {
    let house = House::new().await;
    house.grant("server", &[ApiScope::TokensRead, ApiScope::ActivityRead], None);
    let asked = query_with("server", "scope", "activity:read");
    let code = Answered::of(house.go(&asked).await.unwrap().location())
        .get("code")
        .to_owned();
    let tokens = house.exchange("server", &code).await.unwrap();
    assert_eq!(tokens.scopes, [ApiScope::ActivityRead].into());
    let caller = house.caller(&tokens.access_token).await.unwrap();
    house.engine.events(&caller, None, 1).await.unwrap();
    let refused = house.engine.token(&caller, NAME, Duration::ZERO).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_grant_or_an_app_that_was_taken_away_ends_its_tokens_at_once() {
    let house = House::new().await;
    let tokens = house.tokens("script").await;
    assert!(house.opens(&tokens.access_token).await);
    house.take_away(house.grants("script")[0].id);
    assert!(!house.opens(&tokens.access_token).await);
    assert!(house.refresh("script", &tokens.refresh_token).await.is_err());

    let tokens = house.tokens("script").await;
    let (id, store) = (house.id("script"), house.store());
    store
        .change(house.engine.now(), |transaction| transaction.delete_app(id))
        .unwrap();
    assert!(!house.opens(&tokens.access_token).await);
}

#[tokio::test]
async fn no_token_outlives_its_grant() {
    let house = House::new().await;
    let end = house.engine.now() + Duration::from_secs(100);
    house.grant("server", &[ApiScope::TokensRead], Some(end));
    let code = Answered::of(house.go(&query("server")).await.unwrap().location())
        .get("code")
        .to_owned();
    let tokens = house.exchange("server", &code).await.unwrap();
    assert_eq!(tokens.expires_in, 100);
    house.world.pass(40);
    let next = house.refresh("server", &tokens.refresh_token).await.unwrap();
    assert_eq!(next.expires_in, 60);
    house.world.pass(60);
    assert!(!house.opens(&next.access_token).await);
    assert!(house.refresh("server", &next.refresh_token).await.is_err());
}

#[tokio::test]
async fn an_access_token_lives_an_hour_and_what_is_none_is_nobodys() {
    let house = House::new().await;
    let tokens = house.tokens("script").await;
    house.world.pass(3599);
    assert!(house.opens(&tokens.access_token).await);
    house.world.pass(1);
    assert!(house.caller(&tokens.access_token).await.is_none());
    for none in [
        tokens.refresh_token.expose().to_owned(),
        format!("{}x", tokens.access_token.expose()),
        "tokenry_access_".to_owned(),
        String::new(),
        super::house::SECRET.to_owned(),
    ] {
        assert!(house.caller(&Secret::new(none)).await.is_none());
    }
}

#[tokio::test]
async fn who_hears_of_changes_by_an_access_token_does_so_for_as_long_as_that_lives() {
    let house = House::new().await;
    house.grant("server", &[ApiScope::ActivityRead], None);
    let asked = query_with("server", "scope", "activity:read");
    let code = Answered::of(house.go(&asked).await.unwrap().location())
        .get("code")
        .to_owned();
    let first = house.exchange("server", &code).await.unwrap();
    let caller = house.caller(&first.access_token).await.unwrap();
    house.world.pass(600);
    let left = house.engine.may_hear_changes(&caller).unwrap();
    assert_eq!(left, Some(Duration::from_secs(3000)));
    let next = house.refresh("server", &first.refresh_token).await.unwrap();
    house.world.pass(3000);
    let ended = house.engine.may_hear_changes(&caller).unwrap_err();
    assert_eq!(ended.code(), Code::Unauthorized);

    // One that was revoked, and nothing else with it.
    let caller = house.caller(&next.access_token).await.unwrap();
    house.engine.may_hear_changes(&caller).unwrap();
    super::tokens::revoke(&house, "server", &next.access_token)
        .await
        .unwrap();
    let ended = house.engine.may_hear_changes(&caller).unwrap_err();
    assert_eq!(ended.code(), Code::Unauthorized);
}

#[tokio::test]
async fn after_a_lock_a_token_is_good_again_and_while_locked_it_is_not() {
    let house = House::new().await;
    let tokens = house.tokens("script").await;
    house.engine.lock(&ui()).await.unwrap();
    let error = house
        .engine
        .caller_of_issued(&tokens.access_token, None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::VaultLocked);
    house.engine.unlock(&ui(), None, false).await.unwrap();
    assert!(house.opens(&tokens.access_token).await);
}

pub(super) async fn started(asking: ConsentMode) -> House {
    let world = World::new(Behaviour::default());
    let mut options = world.options();
    options.asking = asking;
    let engine = Engine::start(options).await.unwrap();
    world.connect(&engine).await;
    let house = House { world, engine };
    house.add("script", None);
    house
}

/// `tokenry serve --approve never` and `all`: what is let through without a question is in the log as that, and ends.
#[tokio::test]
async fn an_engine_that_asks_nobody_refuses_or_says_in_the_log_what_it_let_through() {
    let house = started(ConsentMode::Never).await;
    let refused = house
        .engine
        .authorize(None, ISSUER, &query("script"))
        .await
        .unwrap();
    assert_eq!(Answered::of(refused.location()).get("error"), "access_denied");

    let house = started(ConsentMode::AllowAll).await;
    let allowed = house
        .engine
        .authorize(None, ISSUER, &query("script"))
        .await
        .unwrap();
    assert_ne!(Answered::of(allowed.location()).get("code"), "");
    let grant = &house.grants("script")[0];
    assert_eq!(grant.connections, house.connections());
    assert!(grant.expires_at.is_some());
    let (events, _) = house.engine.events(&ui(), None, 1).await.unwrap();
    assert_eq!(events[0].rule, Some(Rule::ApproveAll));
}

/// A full disk, or a profile that may only be read: an error, and no token.
#[tokio::test]
async fn a_failure_of_the_store_is_told_in_the_words_of_the_rfc() {
    let error = crate::OAuthError::from(Error::ReadOnly("it is older".to_owned()));
    assert_eq!(error.code.as_str(), "temporarily_unavailable");
    let error = crate::OAuthError::from(Error::Internal("x".to_owned()));
    assert_eq!(
        (error.code.as_str(), error.code.http_status()),
        ("server_error", 500)
    );
}
