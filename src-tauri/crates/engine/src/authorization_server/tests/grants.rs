//! What an access token opens: no more than was asked for, and no longer than its grant.

use super::setup::{Setup, query_with};
use crate::{
    ConsentMode, Engine, Error,
    authorization_server::tests::setup::{Answered, ISSUER, query},
    tests::common::{NAME, World, ui},
};
use std::time::Duration;
use tokenry_core::{ApiScope, Caller, Code, Rule, Secret};
use tokenry_testkit::Behaviour;

#[tokio::test]
async fn an_access_token_opens_what_was_granted_and_nothing_else() {
    let setup = Setup::new().await;
    let tokens = setup.tokens("script").await;
    assert_eq!(tokens.expires_in, 3600);
    let caller = setup.caller(&tokens.access_token).await.unwrap();
    assert!(matches!(&caller, Caller::App(app) if app.app == setup.id("script") && app.grant.is_some()));
    setup.engine.token(&caller, NAME, Duration::ZERO).await.unwrap();
    for refused in [
        setup.engine.connections(&caller).await.err(),
        setup.engine.providers(&caller).await.err(),
        setup.engine.events(&caller, None, 1).await.err(),
        setup.engine.disconnect(&caller, NAME).await.err(),
    ] {
        assert_eq!(refused.map(|error| error.code()), Some(Code::PermissionDenied));
    }
}

/// The grant is wider, and the token is not: `scope` of the answer says what it is good for.
#[tokio::test]
async fn a_token_that_was_asked_for_with_less_than_the_grant_is_good_for_less() {
    let setup = Setup::new().await;
    setup.grant("server", &[ApiScope::TokensRead, ApiScope::ActivityRead], None);
    let asked = query_with("server", "scope", "activity:read");
    let code = Answered::of(setup.go(&asked).await.unwrap().location())
        .get("code")
        .to_owned();
    let tokens = setup.exchange("server", &code).await.unwrap();
    assert_eq!(tokens.scopes, [ApiScope::ActivityRead].into());
    let caller = setup.caller(&tokens.access_token).await.unwrap();
    setup.engine.events(&caller, None, 1).await.unwrap();
    let refused = setup.engine.token(&caller, NAME, Duration::ZERO).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_grant_or_an_app_that_was_taken_away_ends_its_tokens_at_once() {
    let setup = Setup::new().await;
    let tokens = setup.tokens("script").await;
    assert!(setup.opens(&tokens.access_token).await);
    setup.take_away(setup.grants("script")[0].id);
    assert!(!setup.opens(&tokens.access_token).await);
    assert!(setup.refresh("script", &tokens.refresh_token).await.is_err());

    let tokens = setup.tokens("script").await;
    let (id, store) = (setup.id("script"), setup.store());
    store
        .change(setup.engine.now(), |transaction| transaction.delete_app(id))
        .unwrap();
    assert!(!setup.opens(&tokens.access_token).await);
}

#[tokio::test]
async fn no_token_outlives_its_grant() {
    let setup = Setup::new().await;
    let end = setup.engine.now() + Duration::from_secs(100);
    setup.grant("server", &[ApiScope::TokensRead], Some(end));
    let code = Answered::of(setup.go(&query("server")).await.unwrap().location())
        .get("code")
        .to_owned();
    let tokens = setup.exchange("server", &code).await.unwrap();
    assert_eq!(tokens.expires_in, 100);
    setup.world.pass(40);
    let next = setup.refresh("server", &tokens.refresh_token).await.unwrap();
    assert_eq!(next.expires_in, 60);
    setup.world.pass(60);
    assert!(!setup.opens(&next.access_token).await);
    assert!(setup.refresh("server", &next.refresh_token).await.is_err());
}

#[tokio::test]
async fn an_access_token_lives_an_hour_and_other_text_names_no_caller() {
    let setup = Setup::new().await;
    let tokens = setup.tokens("script").await;
    setup.world.pass(3599);
    assert!(setup.opens(&tokens.access_token).await);
    setup.world.pass(1);
    assert!(setup.caller(&tokens.access_token).await.is_none());
    for none in [
        tokens.refresh_token.expose().to_owned(),
        format!("{}x", tokens.access_token.expose()),
        "tokenry_access_".to_owned(),
        String::new(),
        super::setup::SECRET.to_owned(),
    ] {
        assert!(setup.caller(&Secret::new(none)).await.is_none());
    }
}

#[tokio::test]
async fn who_hears_of_changes_by_an_access_token_does_so_for_as_long_as_that_lives() {
    let setup = Setup::new().await;
    setup.grant("server", &[ApiScope::ActivityRead], None);
    let asked = query_with("server", "scope", "activity:read");
    let code = Answered::of(setup.go(&asked).await.unwrap().location())
        .get("code")
        .to_owned();
    let first = setup.exchange("server", &code).await.unwrap();
    let caller = setup.caller(&first.access_token).await.unwrap();
    setup.world.pass(600);
    let left = setup.engine.may_hear_changes(&caller).unwrap();
    assert_eq!(left, Some(Duration::from_secs(3000)));
    let next = setup.refresh("server", &first.refresh_token).await.unwrap();
    setup.world.pass(3000);
    let ended = setup.engine.may_hear_changes(&caller).unwrap_err();
    assert_eq!(ended.code(), Code::Unauthorized);

    // One that was revoked, and nothing else with it.
    let caller = setup.caller(&next.access_token).await.unwrap();
    setup.engine.may_hear_changes(&caller).unwrap();
    super::tokens::revoke(&setup, "server", &next.access_token)
        .await
        .unwrap();
    let ended = setup.engine.may_hear_changes(&caller).unwrap_err();
    assert_eq!(ended.code(), Code::Unauthorized);
}

#[tokio::test]
async fn after_a_lock_a_token_is_good_again_and_while_locked_it_is_not() {
    let setup = Setup::new().await;
    let tokens = setup.tokens("script").await;
    setup.engine.lock(&ui()).await.unwrap();
    let error = setup
        .engine
        .caller_of_issued(&tokens.access_token, None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::VaultLocked);
    setup.engine.unlock(&ui(), None, false).await.unwrap();
    assert!(setup.opens(&tokens.access_token).await);
}

pub(super) async fn started(asking: ConsentMode) -> Setup {
    let world = World::new(Behaviour::default());
    let mut options = world.options();
    options.asking = asking;
    let engine = Engine::start(options).await.unwrap();
    world.connect(&engine).await;
    let setup = Setup { world, engine };
    setup.add("script", None);
    setup
}

/// `tokenry serve --approve never` and `all`: what is let through without a question is in the log as that, and ends.
#[tokio::test]
async fn an_engine_that_never_asks_refuses_or_logs_what_it_allowed() {
    let setup = started(ConsentMode::Never).await;
    let refused = setup
        .engine
        .authorize(None, ISSUER, &query("script"))
        .await
        .unwrap();
    assert_eq!(Answered::of(refused.location()).get("error"), "access_denied");

    let setup = started(ConsentMode::AllowAll).await;
    let allowed = setup
        .engine
        .authorize(None, ISSUER, &query("script"))
        .await
        .unwrap();
    assert_ne!(Answered::of(allowed.location()).get("code"), "");
    let grant = &setup.grants("script")[0];
    assert_eq!(grant.connections, setup.connections());
    assert!(grant.expires_at.is_some());
    let (events, _) = setup.engine.events(&ui(), None, 1).await.unwrap();
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
