//! Consent flows from their start to each of their ends.

use crate::common::{Browser, NAME, World, answer_of, paste, poke, seen, status, token, ui, until, view};
use std::time::Duration;
use tokenry_core::{Code, ConnectionStatus, RedirectPreference, Secret};
use tokenry_engine::{ConnectOptions, Engine, Error, FlowState, SchemeState};
use tokenry_testkit::{Account, AuthorizeAnswer, Behaviour, Fault, Kind};

async fn added(behaviour: Behaviour) -> (World, Engine) {
    let world = World::new(behaviour);
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    (world, engine)
}

fn people() -> Behaviour {
    Behaviour {
        accounts: vec![
            Account::new("sub-1", "Ada", "ada@example.com"),
            Account::new("sub-2", "Grace", "grace@example.com"),
            Account::new("sub-3", "Grace the Second", "grace@example.com"),
        ],
        ..Behaviour::default()
    }
}

fn renewing(reference: &str) -> ConnectOptions {
    ConnectOptions {
        renew: Some(reference.to_owned()),
        ..ConnectOptions::default()
    }
}

#[tokio::test]
async fn a_loopback_flow_goes_through_begin_and_ends_connected() {
    let (world, engine) = added(Behaviour::default()).await;
    let how = ConnectOptions {
        open_browser: true,
        ..ConnectOptions::default()
    };
    let flow = engine.connect(&ui(), NAME, how).await.unwrap();
    assert_eq!(flow.redirect, RedirectPreference::Loopback);
    assert!(flow.authorization_url.path().starts_with("/begin/"));
    assert_eq!(
        *world.host.opened.lock().unwrap(),
        std::slice::from_ref(&flow.authorization_url)
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
    assert_eq!(ended.authorization_url, None);
    let account = view(&engine).await.connection.account.unwrap();
    assert_eq!(account.shown(), "ada@example.com");
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
        .exchange(&ui(), secret(&code), secret("nobody's"), None)
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
    for redirect in [RedirectPreference::Loopback, RedirectPreference::Paste] {
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
    let answer = answer_of(&flow);
    world.server.queue(Fault::Gate);
    let late = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.callback(&ui(), &answer).await })
    };
    seen(&world, "the exchange", |server| server.count(Kind::Code) == 1).await;
    world.pass(601);
    engine
        .connect(&ui(), NAME, paste(ConnectOptions::default()))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
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
async fn the_same_account_again_renews_and_makes_no_twin() {
    let (world, engine) = added(people()).await;
    let first = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let again = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(first.connection.id, again.connection.id);
    assert_eq!(engine.connections(&ui()).await.unwrap().len(), 1);
    engine.refresh(&ui(), NAME).await.unwrap();
    let log = world.server.log();
    let refresh = log.iter().find(|r| r.kind == Kind::Refresh).unwrap();
    assert_eq!(
        refresh.family,
        Some(1),
        "the newest grant is the one that is used"
    );

    // A label of its own says that a connection of its own is wanted.
    let own = ConnectOptions {
        label: Some("ci".to_owned()),
        ..ConnectOptions::default()
    };
    let own = world.sign_in(&engine, own).await.unwrap();
    assert_ne!(own.connection.id, first.connection.id);
    assert_eq!(own.name, format!("{NAME}/ci"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sign_ins_of_one_account_at_the_same_moment_make_one_connection() {
    let (world, engine) = added(people()).await;
    let (a, b) = (world.flow(&engine).await, world.flow(&engine).await);
    let (a, b) = (answer_of(&a), answer_of(&b));
    let ui = ui();
    let (a, b) = tokio::join!(engine.callback(&ui, &a), engine.callback(&ui, &b));
    assert_eq!(a.unwrap().connection.id, b.unwrap().connection.id);
    assert_eq!(engine.connections(&ui).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_second_account_gets_its_own_label_and_each_has_a_name_that_works() {
    let (world, engine) = added(people()).await;
    let mut names = Vec::new();
    for person in 0..3 {
        world.server.set(|behaviour| behaviour.signed_in = person);
        let made = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
        names.push(made.name);
    }
    let expected = [NAME, "sandbox/grace@example.com", "sandbox/grace@example.com-2"];
    assert_eq!(names, expected);
    for (person, name) in names.iter().enumerate() {
        let view = engine.connection(&ui(), name).await.unwrap();
        assert_eq!(&view.name, name);
        assert_eq!(
            view.connection.account.unwrap().subject,
            format!("sub-{}", person + 1)
        );
        engine.token(&ui(), name, Duration::ZERO).await.unwrap();
    }
    let bare = engine.token(&ui(), "grace@example.com", Duration::ZERO).await;
    bare.unwrap();
    let several = engine.provider_connection(&ui(), NAME).await.unwrap_err();
    assert_eq!(several.code(), Code::Conflict);
    assert!(
        expected.iter().all(|name| several.to_string().contains(name)),
        "{several}"
    );
}

/// A label that is taken, or cannot be typed, is refused before the browser opens.
#[tokio::test]
async fn a_label_is_unique_and_can_be_typed() {
    let (world, engine) = added(people()).await;
    let labelled = |label: &str| ConnectOptions {
        label: Some(label.to_owned()),
        ..ConnectOptions::default()
    };
    world.sign_in(&engine, labelled("work")).await.unwrap();
    let flow = engine
        .connect(&ui(), NAME, paste(labelled("open")))
        .await
        .unwrap();
    for taken in ["work", " work ", "open"] {
        let error = engine.connect(&ui(), NAME, labelled(taken)).await.unwrap_err();
        assert_eq!(error.code(), Code::Conflict);
    }
    for bad in ["a/b", "a\nb", "\u{202e}x", &"x".repeat(65)] {
        let error = engine.connect(&ui(), NAME, labelled(bad)).await.unwrap_err();
        assert_eq!(error.fields().unwrap().keys().collect::<Vec<_>>(), ["label"]);
    }
    // The account's own name is what the open flow's label happens to be.
    engine.cancel_flow(&ui(), flow.flow).await.unwrap();
    engine
        .connect(&ui(), NAME, paste(labelled("grace@example.com")))
        .await
        .unwrap();
    world.server.set(|behaviour| behaviour.signed_in = 1);
    let made = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(made.name, "sandbox/grace@example.com-2");
}

/// security.md, "Redirects": a different account than the one being renewed never overwrites it.
#[tokio::test]
async fn a_renewal_with_another_account_is_refused_and_leaves_the_old_one_as_it_was() {
    let (world, engine) = added(people()).await;
    let first = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let before = token(&engine, 0).await.unwrap();
    world.server.set(|behaviour| behaviour.signed_in = 1);
    let error = world.sign_in(&engine, renewing(NAME)).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert!(error.to_string().contains("grace@example.com"), "{error}");
    let after = token(&engine, 0).await.unwrap();
    assert_eq!(before.access_token.expose(), after.access_token.expose());
    let shown = view(&engine).await.connection;
    assert_eq!(shown.account, first.connection.account);
    assert_eq!(shown.status, ConnectionStatus::Active);
    engine.refresh(&ui(), NAME).await.unwrap();
    let families = world.server.families();
    assert!(families[0].ended.is_none());
    assert!(
        families[1].ended.is_some(),
        "tokens that nobody will use were given back"
    );
}

#[tokio::test]
async fn a_renewal_with_the_same_account_brings_it_back_to_life() {
    let (world, engine) = added(people()).await;
    let first = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    world.server.withdraw();
    engine.refresh(&ui(), NAME).await.unwrap_err();
    let flow = engine.connect(&ui(), NAME, paste(renewing(NAME))).await.unwrap();
    assert_eq!(flow.connection, first.connection.id);
    assert!(matches!(status(&engine).await, ConnectionStatus::NeedsReauth(_)));
    assert_eq!(view(&engine).await.flow, Some(flow.flow));
    let renewed = engine.callback(&ui(), &answer_of(&flow)).await.unwrap();
    assert_eq!(renewed.connection.status, ConnectionStatus::Active);
    assert_eq!(engine.connections(&ui()).await.unwrap().len(), 1);
    poke(&engine, NAME).await;
    token(&engine, 0).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_renewed_is_said_before_the_browser_opens() {
    let (world, engine) = added(people()).await;
    engine.add_provider(&ui(), world.provider("other")).await.unwrap();
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let other = engine.connect(&ui(), "other", renewing(NAME)).await.unwrap_err();
    assert_eq!(other.code(), Code::ValidationError);
    let nobody = engine.connect(&ui(), NAME, renewing("nobody")).await.unwrap_err();
    assert_eq!(nobody.code(), Code::NotFound);
    let flow = engine
        .connect(&ui(), "other", paste(ConnectOptions::default()))
        .await
        .unwrap();
    let pending = renewing(&flow.connection.to_string());
    let pending = engine.connect(&ui(), "other", pending).await.unwrap_err();
    assert_eq!(pending.code(), Code::Conflict);
}

/// security.md, "Redirects": before a flow starts we check that the scheme is still ours.
#[tokio::test]
async fn a_deep_link_flow_is_not_started_where_the_scheme_is_somebody_elses() {
    let (world, engine) = added(Behaviour::default()).await;
    let how = || ConnectOptions {
        redirect: Some(RedirectPreference::DeepLink),
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
