//! Consent flows from their start to each of their ends.

use crate::tests::accounts::renewing;
use crate::tests::common::{Browser, NAME, World, answer_of, paste, seen, status, token, ui, until, view};
use crate::{Change, ConnectOptions, Engine, Error, FlowState, SchemeState};
use std::time::Duration;
use tokenry_core::{Code, ConnectionStatus, Flow, Redirect, Secret};
use tokenry_testkit::{AuthorizeAnswer, Behaviour, Fault, Kind};

pub(crate) async fn added(behaviour: Behaviour) -> (World, Engine) {
    let world = World::trusting(behaviour);
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    (world, engine)
}

#[tokio::test]
async fn a_loopback_flow_goes_through_begin_and_ends_connected() {
    let (world, engine) = added(Behaviour::default()).await;
    let how = ConnectOptions::default();
    let flow = engine.connect(&ui(), NAME, how).await.unwrap();
    engine.open_flow(&ui(), flow.flow).await.unwrap();
    assert_eq!(flow.redirect, Redirect::Loopback);
    assert!(flow.browser_url.path().starts_with("/begin/"));
    assert_eq!(
        *world.host.opened.lock().unwrap(),
        std::slice::from_ref(&flow.browser_url)
    );
    engine.open_flow(&ui(), flow.flow).await.unwrap();
    assert_eq!(world.host.opened.lock().unwrap().len(), 2);
    let waiting = engine.connections(&ui()).await.unwrap();
    assert_eq!(waiting[0].flow, Some(flow.flow));
    assert_eq!(waiting[0].connection.status, ConnectionStatus::Pending);

    let watcher = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.flow(&ui(), flow.flow, Duration::from_secs(60)).await })
    };
    let mut browser = Browser::default();
    let answer = browser.sign_in(&flow).await;
    assert_eq!(browser.get(&answer).await.status, 303);
    let ended = watcher.await.unwrap().unwrap();
    assert_eq!(ended.state, FlowState::Connected);
    assert_eq!((ended.authorization_url, ended.browser_url), (None, None));
    let account = view(&engine).await.connection.account.unwrap();
    assert_eq!(account.display_name(), "ada@example.com");
    token(&engine, 0).await.unwrap();
    let (_, used) = (engine.open_flow(&ui(), flow.flow).await.unwrap_err(), &answer);
    assert!(engine.callback(&ui(), used).await.is_err());
}

/// Another browser, or a program that saw the address, has no cookie.
#[tokio::test]
async fn an_answer_from_another_browser_is_refused_and_the_flow_stays_open() {
    let (_world, engine) = added(Behaviour::default()).await;
    let flow = engine
        .connect(&ui(), NAME, ConnectOptions::default())
        .await
        .unwrap();
    let mut browser = Browser::default();
    let answer = browser.sign_in(&flow).await;
    assert_eq!(Browser::default().get(&answer).await.status, 403);
    assert_eq!(browser.get(&answer).await.status, 303);
    until("connected", async || {
        (status(&engine).await == ConnectionStatus::Active).then_some(())
    })
    .await;
}

/// The address of the documents: a client that knows nothing of `browser_url` opens it, and only the state decides.
#[tokio::test]
async fn the_providers_own_address_leads_to_a_connection_without_a_cookie() {
    let (world, engine) = added(Behaviour::default()).await;
    let flow = engine
        .connect(&ui(), NAME, ConnectOptions::default())
        .await
        .unwrap();
    let sent: std::collections::BTreeMap<_, _> = flow.authorization_url.query_pairs().into_owned().collect();
    let endpoint = world.server.authorization_endpoint().to_string();
    assert!(flow.authorization_url.as_str().starts_with(&endpoint));
    assert_eq!(sent["state"], flow.state.expose());
    assert_eq!(sent["redirect_uri"], flow.redirect_uri);
    for name in [
        "client_id",
        "scope",
        "response_type",
        "code_challenge",
        "code_challenge_method",
    ] {
        assert!(sent.contains_key(name), "{name}");
    }
    let answer = answer_of(&flow);
    let wrong = answer.replace(flow.state.expose(), "another-state");
    Browser::default().get(&wrong).await;
    let waiting = engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap();
    assert_eq!(waiting.state, FlowState::Waiting);
    assert_eq!(Browser::default().get(&answer).await.status, 303);
    until("connected", async || {
        (status(&engine).await == ConnectionStatus::Active).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_code_and_its_state_can_be_exchanged_by_hand() {
    let (_world, engine) = added(Behaviour::default()).await;
    let flow = engine
        .connect(&ui(), NAME, ConnectOptions::default())
        .await
        .unwrap();
    let mut browser = Browser::default();
    let answer = url::Url::parse(&browser.sign_in(&flow).await).unwrap();
    let get = |name: &str| {
        let value = answer.query_pairs().find(|(key, _)| key == name);
        value.unwrap().1.into_owned()
    };
    let (code, state, iss) = (get("code"), get("state"), get("iss"));
    let secret = |text: &str| Secret::new(text.to_owned());
    let wrong = engine
        .exchange(&ui(), secret(&code), secret("unknown"), None)
        .await;
    assert_eq!(wrong.unwrap_err().code(), Code::FlowExpired);
    let wrong = engine.exchange(&ui(), secret(&code), secret(&state), None).await;
    assert_eq!(
        wrong.unwrap_err().code(),
        Code::ValidationError,
        "its issuer was promised"
    );
    engine
        .exchange(&ui(), secret(&code), secret(&state), Some(iss))
        .await
        .unwrap();
    token(&engine, 0).await.unwrap();
}

#[tokio::test]
async fn a_flow_that_is_called_off_leaves_nothing() {
    let (_world, engine) = added(Behaviour::default()).await;
    for redirect in [Redirect::Loopback, Redirect::Paste] {
        let how = ConnectOptions {
            redirect: Some(redirect),
            ..ConnectOptions::default()
        };
        let flow = engine.connect(&ui(), NAME, how).await.unwrap();
        engine.cancel_flow(&ui(), flow.flow).await.unwrap();
        let ended = engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap();
        assert_eq!(ended.state, FlowState::Cancelled);
        assert!(engine.connections(&ui()).await.unwrap().is_empty());
        let again = engine.cancel_flow(&ui(), flow.flow).await.unwrap_err();
        assert_eq!(again.code(), Code::FlowExpired);
        let late = format!("{}?code=x&state={}", flow.redirect_uri, flow.state.expose());
        assert_eq!(
            engine.callback(&ui(), &late).await.unwrap_err().code(),
            Code::FlowExpired
        );
    }
}

/// security.md, "The way of a Connect click": single use, 10 minutes.
#[tokio::test]
async fn a_flow_ends_after_ten_minutes_by_the_clock_on_the_wall() {
    let (world, engine) = added(Behaviour::default()).await;
    let flow = engine
        .connect(&ui(), NAME, ConnectOptions::default())
        .await
        .unwrap();
    let mut browser = Browser::default();
    let answer = browser.sign_in(&flow).await;
    world.pass(599);
    engine
        .connect(&ui(), NAME, paste(ConnectOptions::default()))
        .await
        .unwrap();
    let waiting = engine
        .flow(&ui(), flow.flow, Duration::from_millis(50))
        .await
        .unwrap();
    assert_eq!(waiting.state, FlowState::Waiting);
    world.pass(2);
    let late = engine.callback(&ui(), &answer).await.unwrap_err();
    assert_eq!(
        late.code(),
        Code::FlowExpired,
        "whether or not anybody has noticed yet"
    );
    // Any new flow makes the scheduler look at the clock.
    engine
        .connect(&ui(), NAME, paste(ConnectOptions::default()))
        .await
        .unwrap();
    until("it is over", async || {
        let state = engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap().state;
        (state == FlowState::Expired).then_some(())
    })
    .await;
    let left = engine.connections(&ui()).await.unwrap();
    assert!(left.iter().all(|c| c.connection.id != flow.connection));
    assert_eq!(world.server.count(Kind::Code), 0);
    world.pass(1200);
    engine
        .connect(&ui(), NAME, paste(ConnectOptions::default()))
        .await
        .unwrap();
    until("it is forgotten", async || {
        let view = engine.flow(&ui(), flow.flow, Duration::ZERO).await;
        matches!(view, Err(Error::FlowExpired)).then_some(())
    })
    .await;
}

/// Its answer came in the last second: that it is being exchanged while its time goes by changes nothing.
#[tokio::test]
async fn an_answer_in_the_last_moment_still_counts() {
    let (world, engine) = added(Behaviour::default()).await;
    let flow = world.flow(&engine).await;
    let store = engine.store().unwrap();
    let recorded = store.get::<Flow>(flow.flow.row()).unwrap().unwrap();
    drop(store);
    let answer = answer_of(&flow);
    world.server.queue(Fault::Gate);
    let late = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.callback(&ui(), &answer).await })
    };
    seen(&world, "the exchange", |server| server.count(Kind::Code) == 1).await;
    world.pass(601);
    // As the scheduler does when its time is up.
    engine.expire(&recorded).await;
    let cancelled = engine.cancel_flow(&ui(), flow.flow).await;
    assert_eq!(cancelled.unwrap_err().code(), Code::FlowExpired);
    world.server.set(|behaviour| behaviour.signed_in = 0);
    world.server.release();
    // The code itself is older than a minute by now, which is the provider's affair.
    let error = late.await.unwrap().unwrap_err();
    assert_eq!(error.provider_error(), Some("invalid_grant"));
    let ended = engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap();
    assert!(
        matches!(ended.state, FlowState::Failed { .. }),
        "{:?}",
        ended.state
    );
}

#[tokio::test]
async fn a_lock_in_the_middle_of_an_exchange_loses_nothing() {
    let (world, engine) = added(Behaviour::default()).await;
    let flow = world.flow(&engine).await;
    let answer = answer_of(&flow);
    world.server.queue(Fault::Gate);
    let finishing = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.callback(&ui(), &answer).await })
    };
    seen(&world, "the exchange", |server| server.count(Kind::Code) == 1).await;
    engine.lock(&ui()).await.unwrap();
    engine.unlock(&ui(), None, false).await.unwrap();
    engine.lock(&ui()).await.unwrap();
    world.server.release();
    let connected = finishing.await.unwrap().unwrap();
    assert_eq!(connected.connection.status, ConnectionStatus::Active);
    engine.unlock(&ui(), None, false).await.unwrap();
    token(&engine, 0).await.unwrap();
    let engine = world.restart(engine).await;
    assert_eq!(engine.status().vault.problem, None);
    engine.refresh(&ui(), NAME).await.unwrap();
}

#[tokio::test]
async fn a_lock_and_an_unlock_leave_open_flows_open() {
    let (_world, engine) = added(Behaviour::default()).await;
    let flow = engine
        .connect(&ui(), NAME, ConnectOptions::default())
        .await
        .unwrap();
    let mut browser = Browser::default();
    let answer = browser.sign_in(&flow).await;
    engine.lock(&ui()).await.unwrap();
    assert_eq!(
        engine.callback(&ui(), &answer).await.unwrap_err().code(),
        Code::VaultLocked
    );
    let watcher = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.flow(&ui(), flow.flow, Duration::from_secs(60)).await })
    };
    engine.unlock(&ui(), None, false).await.unwrap();
    assert_eq!(engine.connections(&ui()).await.unwrap()[0].flow, Some(flow.flow));
    assert_eq!(browser.get(&answer).await.status, 303);
    assert_eq!(watcher.await.unwrap().unwrap().state, FlowState::Connected);
}

#[tokio::test]
async fn a_caller_that_goes_away_in_the_exchange_cancels_nothing() {
    let (world, engine) = added(Behaviour::default()).await;
    let flow = world.flow(&engine).await;
    let answer = answer_of(&flow);
    world.server.queue(Fault::Gate);
    let finishing = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.callback(&ui(), &answer).await })
    };
    seen(&world, "the exchange", |server| server.count(Kind::Code) == 1).await;
    finishing.abort();
    world.server.release();
    let ended = engine
        .flow(&ui(), flow.flow, Duration::from_secs(60))
        .await
        .unwrap();
    assert_eq!(ended.state, FlowState::Connected);
}

/// Checklist A3.7: `access_denied` keeps an existing connection as it was.
#[tokio::test]
async fn a_denied_consent_leaves_everything_as_it_was() {
    let (world, engine) = added(Behaviour::default()).await;
    world
        .server
        .set(|behaviour| behaviour.authorize = AuthorizeAnswer::denied());
    let error = world
        .sign_in(&engine, ConnectOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::ConsentDenied);
    assert!(engine.connections(&ui()).await.unwrap().is_empty());

    world
        .server
        .set(|behaviour| behaviour.authorize = AuthorizeAnswer::Grant);
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let before = token(&engine, 0).await.unwrap();
    world
        .server
        .set(|behaviour| behaviour.authorize = AuthorizeAnswer::denied());
    let error = world.sign_in(&engine, renewing(NAME)).await.unwrap_err();
    assert_eq!(error.code(), Code::ConsentDenied);
    let after = token(&engine, 0).await.unwrap();
    assert_eq!(before.access_token.expose(), after.access_token.expose());
    engine.refresh(&ui(), NAME).await.unwrap();
}

#[tokio::test]
async fn a_failed_exchange_ends_the_flow_and_leaves_no_connection() {
    for (fault, code) in [
        (Fault::InvalidClient, Code::ProviderError),
        (Fault::Error500BeforeRotating, Code::ProviderUnreachable),
        (Fault::CaptivePortalHtml200, Code::ProviderUnreachable),
        (Fault::LoseAnswer, Code::ProviderUnreachable),
        (Fault::TokenType("DPoP".to_owned()), Code::ProviderError),
    ] {
        let (world, engine) = added(Behaviour::default()).await;
        world.server.queue(fault.clone());
        let flow = world.flow(&engine).await;
        let answer = answer_of(&flow);
        let error = engine.callback(&ui(), &answer).await.unwrap_err();
        assert_eq!(error.code(), code, "{fault:?}");
        let ended = engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap();
        assert!(
            matches!(ended.state, FlowState::Failed { .. }),
            "{:?}",
            ended.state
        );
        assert!(engine.connections(&ui()).await.unwrap().is_empty());
        assert_eq!(
            engine.callback(&ui(), &answer).await.unwrap_err().code(),
            Code::FlowExpired
        );
        assert_eq!(
            world.server.count(Kind::Code),
            1,
            "a code is redeemed at most once"
        );
    }
}

#[tokio::test]
async fn the_last_word_of_a_started_flow_is_that_its_connection_shows_it() {
    let (world, engine) = added(Behaviour::default()).await;
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let mut changes = engine.changes();
    let flow = engine.connect(&ui(), NAME, renewing(NAME)).await.unwrap();
    let mut told = Vec::new();
    while let Ok(change) = changes.try_recv() {
        told.push(change);
    }
    let last = told.pop();
    assert!(
        matches!(last, Some(Change::Connection(id)) if id == flow.connection),
        "{last:?}"
    );
    assert_eq!(view(&engine).await.flow, Some(flow.flow));
}

/// security.md, "Redirects": before a flow starts we check that the scheme is still ours.
#[tokio::test]
async fn a_deep_link_flow_is_not_started_where_another_program_has_the_scheme() {
    let (world, engine) = added(Behaviour::default()).await;
    let how = || ConnectOptions {
        redirect: Some(Redirect::DeepLink),
        ..ConnectOptions::default()
    };
    for (state, says) in [
        (SchemeState::Others("evil.desktop".to_owned()), "evil.desktop"),
        (SchemeState::NotRegistered, "start the desktop app"),
    ] {
        *world.host.scheme.lock().unwrap() = Some(state);
        let error = engine.connect(&ui(), NAME, how()).await.unwrap_err();
        assert_eq!(error.code(), Code::OauthUnavailable);
        assert!(error.to_string().contains(says), "{error}");
    }
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
    *world.host.scheme.lock().unwrap() = None;
    engine.connect(&ui(), NAME, how()).await.unwrap();
}
