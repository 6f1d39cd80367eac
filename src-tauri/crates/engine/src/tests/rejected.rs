//! Access tokens that a resource rejected: one refresh for each, and never a loop.

use crate::tests::apps::{grant, newest, registered};
use crate::tests::common::{NAME, World, set_rotation, status, token, ui, view};
use crate::{Engine, Error, Fingerprint, RejectedOutcome, TokenRequest, TokenView};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokenry_core::{
    ApiScope, Code, ConnectionStatus, EventKind, Outcome, Rotation as KnownRotation, Scopes, Secret,
};
use tokenry_testkit::{Behaviour, Fault, Rotation};

pub(crate) fn fingerprint(token: &Secret) -> Fingerprint {
    let digest = Sha256::digest(token.expose());
    Fingerprint::parse(&tokenry_core::hex(&digest)).unwrap()
}

async fn report(engine: &Engine, token: &TokenView) -> Result<RejectedOutcome, Error> {
    engine
        .token_rejected(&ui(), NAME, fingerprint(&token.access_token))
        .await
}

/// Checklist A12.4: 401 invalid_token is one refresh, then stop.
#[tokio::test]
async fn a_rejected_token_is_refreshed_once_and_then_it_is_an_old_one() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let first = token(&engine, 0).await.unwrap();
    assert_eq!(report(&engine, &first).await.unwrap(), RejectedOutcome::Refreshed);
    assert_eq!(report(&engine, &first).await.unwrap(), RejectedOutcome::Newer);
    let second = token(&engine, 0).await.unwrap();
    assert!(world.server.accepts(second.access_token.expose()));
    assert_ne!(second.access_token.expose(), first.access_token.expose());
    assert_eq!(world.server.refreshes(), 1);
    let unknown = fingerprint(&Secret::new("some other token".to_owned()));
    let answer = engine.token_rejected(&ui(), NAME, unknown).await.unwrap();
    assert_eq!((answer, world.server.refreshes()), (RejectedOutcome::Newer, 1));

    let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
    let reports = events
        .iter()
        .filter(|event| event.kind == EventKind::TokenRejected);
    let details: Vec<_> = reports.map(|event| event.detail.clone().unwrap()).collect();
    assert_eq!(
        details,
        [
            "A newer token is there",
            "A newer token is there",
            "It was refreshed"
        ]
    );
}

/// However many report the same token at once, it is one refresh; and three in ten minutes are all that are made.
#[tokio::test]
async fn reports_of_one_token_at_a_time_are_one_refresh_and_a_loop_ends_after_three() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let first = token(&engine, 0).await.unwrap();
    let (one, two, three) = tokio::join!(
        report(&engine, &first),
        report(&engine, &first),
        report(&engine, &first)
    );
    let answers = [one, two, three].map(Result::unwrap);
    assert!(answers.contains(&RejectedOutcome::Refreshed));
    assert_eq!(world.server.refreshes(), 1);
    for _ in 0..2 {
        let next = token(&engine, 0).await.unwrap();
        assert_eq!(report(&engine, &next).await.unwrap(), RejectedOutcome::Refreshed);
    }
    let fourth = token(&engine, 0).await.unwrap();
    let error = report(&engine, &fourth).await.unwrap_err();
    assert_eq!(error.code(), Code::RateLimited);
    let wait = error.retry_after().unwrap();
    assert!(wait <= Duration::from_secs(600), "{wait:?}");
    assert_eq!(world.server.refreshes(), 3);
    world.pass(wait.as_secs());
    assert_eq!(
        report(&engine, &fourth).await.unwrap(),
        RejectedOutcome::Refreshed
    );
}

#[tokio::test]
async fn a_rejected_token_without_a_refresh_token_needs_a_new_sign_in_and_says_so() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    world.server.set(|behaviour| behaviour.refresh_tokens = false);
    world
        .sign_in(
            &engine,
            crate::ConnectOptions {
                label: Some("poor".to_owned()),
                ..Default::default()
            },
        )
        .await
        .unwrap();
    let name = format!("{NAME}/poor");
    let poor = engine.token(&ui(), &name, Duration::ZERO).await.unwrap();
    let error = engine
        .token_rejected(&ui(), &name, fingerprint(&poor.access_token))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NeedsReauth);
    assert!(
        error.to_string().contains("tokenry connect sandbox/poor"),
        "{error}"
    );
    let shown = engine.connection(&ui(), &name).await.unwrap();
    // A report is a claim: it is shown, and takes the token from no program.
    assert_eq!(shown.connection.status, ConnectionStatus::Active);
    assert!(shown.notice.unwrap().contains("was rejected"));
    engine.token(&ui(), &name, Duration::ZERO).await.unwrap();
    let how = crate::ConnectOptions {
        renew: Some(name.clone()),
        ..Default::default()
    };
    world.sign_in(&engine, how).await.unwrap();
    assert_eq!(engine.connection(&ui(), &name).await.unwrap().notice, None);
    assert_eq!(world.server.refreshes(), 0);
}

/// SECURITY.md, "Refresh": what may be sent is decided by the journal, for every caller; only the user may try more.
#[tokio::test]
async fn a_report_sends_no_refresh_token_that_may_be_used_up() {
    let (world, engine) = World::connected(Behaviour::rotating(Rotation::Strict)).await;
    set_rotation(&engine, KnownRotation::Unknown).await;
    let first = token(&engine, 0).await.unwrap();
    world.server.queue(Fault::LoseAnswer);
    report(&engine, &first).await.unwrap_err();
    assert_eq!(world.server.refreshes(), 1);
    world.pass(120);
    let again = report(&engine, &first).await.unwrap_err();
    assert_ne!(again.code(), Code::RateLimited);
    assert_eq!(world.server.refreshes(), 1, "{again}");
    assert_eq!(status(&engine).await, ConnectionStatus::Active);
}

/// A narrowed token is dropped: the next request fetches another one.
#[tokio::test]
async fn a_rejected_narrowed_token_is_dropped_and_the_own_one_stays() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let own = token(&engine, 0).await.unwrap();
    let wish = || TokenRequest {
        scopes: Some(Scopes::parse("read")),
        ..TokenRequest::default()
    };
    let less = engine.token(&ui(), NAME, wish()).await.unwrap();
    assert_eq!(report(&engine, &less).await.unwrap(), RejectedOutcome::Newer);
    let next = engine.token(&ui(), NAME, wish()).await.unwrap();
    assert_ne!(next.access_token.expose(), less.access_token.expose());
    assert!(view(&engine).await.connection.refreshable && world.server.family_alive());
    assert_ne!(own.access_token.expose(), next.access_token.expose());
}

/// An app reports by its grant for tokens, also when it has the token: its access ends with its grant.
#[tokio::test]
async fn an_app_reports_by_its_grant_and_its_refusal_is_in_the_log() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let (_, app) = registered(&engine, "backup").await;
    let held = fingerprint(&token(&engine, 0).await.unwrap().access_token);
    let refused = engine.token_rejected(&app, NAME, held).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(
        newest(&engine, EventKind::TokenHandedOut).await.outcome,
        Outcome::Refused
    );
    assert_eq!(world.server.refreshes(), 0);
    let given = grant("backup", &[ApiScope::TokensRead], &[NAME]);
    engine.give_grant(&ui(), given).await.unwrap();
    let done = engine.token_rejected(&app, NAME, held).await.unwrap();
    assert_eq!((done, world.server.refreshes()), (RejectedOutcome::Refreshed, 1));
    assert_eq!(
        newest(&engine, EventKind::TokenRejected).await.caller.app(),
        app.app()
    );
}
