//! Sign-ins on another device (RFC 8628) from their start to each of their ends. Checklist A7.

use crate::tests::accounts::renewing;
use crate::tests::common::{NAME, World, patch, seen, token, ui, view};
use crate::{ConnectOptions, Engine, Error, FlowState, StartedFlow};
use serde_json::json;
use std::time::{Duration, Instant};
use tokenry_core::{Code, ConnectionStatus, EventKind, Flow, FlowId};
use tokenry_testkit::{Account, Behaviour, DeviceAnswer, Fault, Kind};

fn on_device(how: ConnectOptions) -> ConnectOptions {
    ConnectOptions { device: true, ..how }
}

/// A provider with a device endpoint and nothing for a browser.
async fn added(behaviour: Behaviour) -> (World, Engine) {
    let world = World::trusting(behaviour);
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    let device = world.server.device_authorization_endpoint();
    let change = patch(json!({"device_authorization_endpoint": device, "authorization_endpoint": null}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    (world, engine)
}

async fn started(engine: &Engine) -> StartedFlow {
    let how = on_device(ConnectOptions::default());
    engine.connect(&ui(), NAME, how).await.unwrap()
}

fn answering(world: &World, answer: DeviceAnswer) {
    world.server.set(|behaviour| behaviour.device = answer);
}

async fn ended(engine: &Engine, flow: FlowId) -> FlowState {
    let view = engine.flow(&ui(), flow, Duration::from_secs(30)).await;
    view.unwrap().state
}

#[tokio::test]
async fn a_user_signs_in_on_another_device_and_the_tokens_come() {
    let (world, engine) = added(Behaviour::default()).await;
    let flow = started(&engine).await;
    let device = flow.device.clone().unwrap();
    assert_eq!((device.user_code.as_str(), device.interval), ("WDJB-MJHT", 1));
    assert!(
        world.host.opened.lock().unwrap().is_empty(),
        "no browser is opened"
    );
    let waiting = engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap();
    let shown = waiting.device.unwrap();
    assert_eq!(shown.user_code, "WDJB-MJHT");
    assert_eq!(shown.device_code.expose(), "", "only the record has it");
    assert_eq!((waiting.state, waiting.redirect_uri), (FlowState::Waiting, None));
    let end = waiting.expires_at.as_second() - world.clock_now().as_second();
    assert_eq!(end, 900, "its life is the code's");

    seen(&world, "a poll", |server| server.count(Kind::DeviceCode) > 0).await;
    answering(&world, DeviceAnswer::Grant);
    assert_eq!(ended(&engine, flow.flow).await, FlowState::Connected);
    let account = view(&engine).await.connection.account.unwrap();
    assert_eq!(account.display_name(), "ada@example.com");
    token(&engine, 0).await.unwrap();
    engine.refresh(&ui(), NAME).await.unwrap();
    let (events, _) = engine.events(&ui(), None, 100).await.unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    for kind in [EventKind::FlowStarted, EventKind::Connected] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
    let asked = world.server.log();
    let asked = asked.iter().find(|request| request.kind == Kind::Device).unwrap();
    assert_eq!(asked.parameter("scope"), Some("read write"));
    let record = engine.store().unwrap().get::<Flow>(flow.flow.row()).unwrap();
    assert!(record.is_none(), "it is used up");
}

/// Checklist A7.1: `access_denied` and `expired_token` end it, and so does any other refusal.
#[tokio::test]
async fn a_refusal_of_the_token_endpoint_ends_the_flow_and_leaves_no_connection() {
    for (error, code) in [
        ("access_denied", Some(Code::ConsentDenied)),
        ("expired_token", None),
        ("invalid_grant", Some(Code::ProviderError)),
        ("unsupported_grant_type", Some(Code::ProviderError)),
    ] {
        let (world, engine) = added(Behaviour::default()).await;
        answering(&world, DeviceAnswer::Error(error.to_owned()));
        let flow = started(&engine).await;
        let state = ended(&engine, flow.flow).await;
        let found = match &state {
            FlowState::Failed { code, .. } => Some(*code),
            FlowState::Expired => None,
            other => panic!("{error}: {other:?}"),
        };
        assert_eq!(found, code, "{error}: {state:?}");
        assert!(engine.connections(&ui()).await.unwrap().is_empty(), "{error}");
        let again = engine.cancel_flow(&ui(), flow.flow).await.unwrap_err();
        assert_eq!(again.code(), Code::FlowExpired);
        assert_eq!(world.server.count(Kind::DeviceCode), 1, "it is asked no more");
    }
}

#[tokio::test]
async fn tokens_that_come_after_the_flow_was_cancelled_are_given_back() {
    let (world, engine) = added(Behaviour::default()).await;
    answering(&world, DeviceAnswer::Grant);
    world.server.queue(Fault::Gate);
    let flow = started(&engine).await;
    seen(&world, "the poll", |server| server.count(Kind::DeviceCode) == 1).await;
    engine.cancel_flow(&ui(), flow.flow).await.unwrap();
    assert_eq!(ended(&engine, flow.flow).await, FlowState::Cancelled);
    world.server.release();
    seen(&world, "both revocations", |server| server.revocations() == 2).await;
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
}

/// Checklist A7.3: the end of the code by the clock, whatever the provider says.
#[tokio::test]
async fn a_code_ends_by_the_clock_and_is_asked_about_no_more() {
    let (world, engine) = added(Behaviour::default()).await;
    let flow = started(&engine).await;
    world.pass(901);
    started(&engine).await;
    assert_eq!(ended(&engine, flow.flow).await, FlowState::Expired);
    let (events, _) = engine.events(&ui(), None, 100).await.unwrap();
    let end = events
        .iter()
        .find(|event| event.kind == EventKind::FlowEnded)
        .unwrap();
    assert_eq!(end.detail.as_deref(), Some("its code expired"));
}

#[tokio::test]
async fn a_locked_vault_asks_for_nothing_and_a_restart_goes_on() {
    let (world, engine) = added(Behaviour::default()).await;
    let flow = started(&engine).await;
    engine.lock(&ui()).await.unwrap();
    answering(&world, DeviceAnswer::Grant);
    let polls = world.server.count(Kind::DeviceCode);
    let waiting = engine.flow(&ui(), flow.flow, Duration::from_millis(1200)).await;
    assert_eq!(waiting.unwrap().state, FlowState::Waiting);
    assert!(
        world.server.count(Kind::DeviceCode) <= polls + 1,
        "one may be on its way"
    );
    engine.unlock(&ui(), None, false).await.unwrap();
    assert_eq!(ended(&engine, flow.flow).await, FlowState::Connected);

    answering(&world, DeviceAnswer::Pending);
    let how = ConnectOptions {
        label: Some("second".to_owned()),
        ..on_device(ConnectOptions::default())
    };
    let flow = engine.connect(&ui(), NAME, how).await.unwrap();
    let engine = world.restart(engine).await;
    answering(&world, DeviceAnswer::Grant);
    assert_eq!(ended(&engine, flow.flow).await, FlowState::Connected);
}

/// Checklist A7.1: five seconds more after `slow_down`.
#[tokio::test]
async fn a_provider_that_wants_to_be_asked_less_often_is_asked_less_often() {
    let (world, engine) = added(Behaviour::default()).await;
    answering(&world, DeviceAnswer::Error("slow_down".to_owned()));
    let flow = started(&engine).await;
    seen(&world, "the first poll", |server| {
        server.count(Kind::DeviceCode) == 1
    })
    .await;
    let asked = Instant::now();
    answering(&world, DeviceAnswer::Grant);
    assert_eq!(ended(&engine, flow.flow).await, FlowState::Connected);
    assert!(asked.elapsed() > Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(world.server.count(Kind::DeviceCode), 2);
}

/// Many servers look at the client only when they give tokens.
#[tokio::test]
async fn how_the_client_authenticates_is_found_while_the_user_signs_in() {
    let (world, engine) = added(Behaviour::default()).await;
    let change = patch(json!({"client_id": "tokenry-basic", "client_secret": "testkit-secret"}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    let flow = started(&engine).await;
    seen(&world, "a second poll", |server| {
        server.count(Kind::DeviceCode) > 2
    })
    .await;
    answering(&world, DeviceAnswer::Grant);
    assert_eq!(ended(&engine, flow.flow).await, FlowState::Connected);
    let refused = world.server.log();
    let refused = refused
        .iter()
        .filter(|request| request.kind == Kind::DeviceCode && request.status == Some(401));
    assert_eq!(refused.count(), 1, "it is tried the wrong way once");
    engine.refresh(&ui(), NAME).await.unwrap();
}

/// Checklist A7.2: what says nothing of the sign-in does not end it.
#[tokio::test]
async fn a_provider_that_cannot_answer_is_asked_again_later() {
    let (world, engine) = added(Behaviour::default()).await;
    answering(&world, DeviceAnswer::Grant);
    world.server.queue(Fault::CaptivePortalHtml200);
    let flow = started(&engine).await;
    assert_eq!(ended(&engine, flow.flow).await, FlowState::Connected);
    assert_eq!(world.server.count(Kind::DeviceCode), 2);
}

#[tokio::test]
async fn signing_in_again_renews_the_connection_and_refuses_another_account() {
    let people = ["sub-1", "sub-2"].map(|sub| Account::new(sub, sub, sub));
    let behaviour = Behaviour {
        accounts: people.to_vec(),
        device: DeviceAnswer::Grant,
        ..Behaviour::default()
    };
    let (world, engine) = added(behaviour).await;
    let first = started(&engine).await;
    assert_eq!(ended(&engine, first.flow).await, FlowState::Connected);
    for (signed_in, is_renewed) in [(0, true), (1, false)] {
        world.server.set(|behaviour| behaviour.signed_in = signed_in);
        let how = on_device(renewing(NAME));
        let flow = engine.connect(&ui(), NAME, how).await.unwrap();
        assert_eq!(flow.connection, first.connection);
        let state = ended(&engine, flow.flow).await;
        assert_eq!(state == FlowState::Connected, is_renewed, "{state:?}");
        let connections = engine.connections(&ui()).await.unwrap();
        assert_eq!(connections.len(), 1);
        assert_eq!(connections[0].connection.status, ConnectionStatus::Active);
    }
    token(&engine, 0).await.unwrap();
}

#[tokio::test]
async fn what_cannot_start_says_why_and_leaves_nothing_behind() {
    let (world, engine) = added(Behaviour::default()).await;
    let browser = engine.connect(&ui(), NAME, ConnectOptions::default()).await;
    let error = browser.unwrap_err();
    assert!(error.to_string().contains("--device"), "{error}");
    let open = started(&engine).await;
    let by_name = engine.start_oauth(&ui(), NAME).await.unwrap_err();
    assert!(matches!(by_name, Error::Conflict(_)), "{by_name}");
    engine.cancel_flow(&ui(), open.flow).await.unwrap();
    // A wrong client is found out before a code is shown.
    let change = patch(json!({"client_id": "unknown"}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    let how = on_device(ConnectOptions::default());
    let refused = engine.connect(&ui(), NAME, how).await.unwrap_err();
    assert_eq!(refused.code(), Code::ProviderError);
    let change = patch(json!({
        "device_authorization_endpoint": null, "authorization_endpoint": world.server.authorization_endpoint()
    }));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    let how = on_device(ConnectOptions::default());
    let none = engine.connect(&ui(), NAME, how).await.unwrap_err();
    assert_eq!(none.code(), Code::ValidationError, "{none}");
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
}

/// The browser gets an address of ours, as at any sign-in, and no answer of a browser ends this one.
#[tokio::test]
async fn the_page_can_be_opened_here_and_no_redirect_is_an_answer() {
    let (world, engine) = added(Behaviour::default()).await;
    let flow = started(&engine).await;
    engine.open_flow(&ui(), flow.flow).await.unwrap();
    let opened = world.host.opened.lock().unwrap()[0].clone();
    assert!(opened.path().starts_with("/begin/"), "{opened}");
    let answer = tokio::task::spawn_blocking(move || tokenry_testkit::http::get(&opened, &[]).unwrap());
    let answer = answer.await.unwrap();
    let page = flow.device.as_ref().unwrap().verification_uri_complete.clone();
    assert_eq!(answer.location(), page.as_ref().map(url::Url::as_str));
    let state = flow.state.clone();
    let forged = engine
        .exchange(&ui(), tokenry_core::Secret::new("code".to_owned()), state, None)
        .await;
    assert_eq!(forged.unwrap_err().code(), Code::FlowExpired);
    assert_eq!(
        engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap().state,
        FlowState::Waiting
    );
}
