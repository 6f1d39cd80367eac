//! A sign-in for a credential by its name.

use crate::tests::common::{Browser, NAME, World, answer_of, paste, patch, ui, view};
use crate::tests::credentials::{app, program};
use crate::tests::flows::added;
use crate::{ConnectOptions, FlowState, SchemeState};
use serde_json::json;
use std::time::Duration;
use tokenry_core::{Code, ConnectionStatus, Redirect, Secret};
use tokenry_testkit::Behaviour;

#[tokio::test]
async fn a_providers_name_makes_a_new_credential_that_is_pending_until_the_answer() {
    let (_world, engine) = added(Behaviour::default()).await;
    let flow = engine.start_oauth(&program(), NAME).await.unwrap();
    let pending = engine
        .connection(&ui(), &flow.connection.to_string())
        .await
        .unwrap();
    assert_eq!(pending.connection.status, ConnectionStatus::Pending);
    let again = engine.start_oauth(&program(), NAME).await.unwrap();
    assert_eq!(
        (again.flow, again.connection),
        (flow.flow, flow.connection),
        "one sign-in, not two"
    );
    let by_id = engine
        .start_oauth(&program(), &flow.connection.to_string())
        .await
        .unwrap();
    assert_eq!(by_id.authorization_url, flow.authorization_url);
    let mut browser = Browser::default();
    let answer = browser.sign_in(&flow).await;
    browser.get(&answer).await;
    let ended = engine
        .flow(&ui(), flow.flow, Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(ended.state, FlowState::Connected);
    assert_eq!(view(&engine).await.connection.id, flow.connection);
    assert_eq!(view(&engine).await.connection.status, ConnectionStatus::Active);
}

#[tokio::test]
async fn a_connections_name_renews_it() {
    let (_world, engine) = World::connected_and_trusting(Behaviour::default()).await;
    let before = view(&engine).await.connection.id;
    let flow = engine.start_oauth(&program(), NAME).await.unwrap();
    assert_eq!(flow.connection, before);
    assert_eq!(engine.connections(&ui()).await.unwrap().len(), 1);
}

/// `:own` on another caller's credential is refused; without any grant so is everything.
#[tokio::test]
async fn an_app_cannot_start_a_sign_in_for_another_apps_credential() {
    let (_world, engine) = World::connected_and_trusting(Behaviour::default()).await;
    let id = view(&engine).await.connection.id.to_string();
    for name in [NAME, &id] {
        let error = engine.start_oauth(&app(), name).await.unwrap_err();
        assert_eq!(error.code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let (world, engine) = added(Behaviour::default()).await;
    let error = engine.start_oauth(&ui(), "unknown").await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let change = patch(json!({"redirect": Redirect::DeepLink}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    *world.host.scheme.lock().unwrap() = Some(SchemeState::NotRegistered);
    let error = engine.start_oauth(&ui(), NAME).await.unwrap_err();
    assert_eq!(error.code(), Code::OauthUnavailable);
    engine.lock(&ui()).await.unwrap();
    let error = engine.start_oauth(&ui(), NAME).await.unwrap_err();
    assert_eq!(error.code(), Code::VaultLocked);
}

fn query_of(answer: &str) -> &str {
    answer.split_once('?').unwrap().1
}

/// The cookie is bound to its flow, and is not the `state`.
#[tokio::test]
async fn an_answer_with_the_cookie_of_another_flow_is_refused_and_the_flow_stays_open() {
    let (world, engine) = added(Behaviour::default()).await;
    let (flow, other) = (world.flow(&engine).await, world.flow(&engine).await);
    let cookie = engine.state_cookie(&flow.state).unwrap();
    let wrong = engine.state_cookie(&other.state).unwrap();
    assert!(cookie.expose() != flow.state.expose() && cookie.expose() != wrong.expose());
    let answer = answer_of(&flow);
    for bad in [wrong.expose(), "", flow.state.expose()] {
        let error = engine
            .answered(&program(), query_of(&answer), Some(bad))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::ValidationError);
    }
    engine
        .answered(&program(), query_of(&answer), Some(cookie.expose()))
        .await
        .unwrap();
    let used = engine
        .answered(&program(), query_of(&answer), Some(cookie.expose()))
        .await;
    assert_eq!(used.unwrap_err().code(), Code::FlowExpired);
}

#[tokio::test]
async fn a_query_is_judged_as_strictly_as_an_address_and_open_flows_stay_open() {
    let (world, engine) = added(Behaviour::default()).await;
    let flow = world.flow(&engine).await;
    let answer = answer_of(&flow);
    let good = query_of(&answer);
    let state = flow.state.expose();
    for (bad, code) in [
        (String::new(), Code::ValidationError),
        ("code=x".to_owned(), Code::ValidationError),
        (format!("state={state}"), Code::ValidationError),
        (format!("code=x&error=y&state={state}"), Code::ValidationError),
        (format!("{good}&code=again"), Code::ValidationError),
        (format!("{good}&state=again"), Code::ValidationError),
        (format!("{good}&x=%00"), Code::ValidationError),
        (format!("{good}&x=%0d%0aSet-Cookie:a"), Code::ValidationError),
        (format!("{good}&x=%zz"), Code::ValidationError),
        (format!("{good}&{}", "a=b&".repeat(40)), Code::ValidationError),
        (
            format!("code=x&state={}", "y".repeat(20_000)),
            Code::PayloadTooLarge,
        ),
        ("code=x&state=unknown".to_owned(), Code::FlowExpired),
        (format!("code=x&state={state}"), Code::ValidationError),
        (
            format!("code=x&state={state}&iss=https%3A%2F%2Fevil.example"),
            Code::ValidationError,
        ),
    ] {
        let error = engine.answered(&program(), &bad, None).await.unwrap_err();
        assert_eq!(error.code(), code, "{bad}: {error}");
    }
    engine.answered(&program(), good, None).await.unwrap();
}

#[tokio::test]
async fn an_error_of_the_provider_is_passed_on_cleaned() {
    let (world, engine) = added(Behaviour::default()).await;
    let iss = |flow: &crate::StartedFlow| {
        let iss: String = url::form_urlencoded::byte_serialize(world.server.issuer().as_bytes()).collect();
        format!("state={}&iss={iss}", flow.state.expose())
    };
    let denied = world.flow(&engine).await;
    let query = format!(
        "error=access_denied&error_description=no%E2%80%AE!&{}",
        iss(&denied)
    );
    let error = engine.answered(&program(), &query, None).await.unwrap_err();
    assert_eq!(error.code(), Code::ConsentDenied);
    assert!(error.to_string().contains("(no!)"), "{error}");
    let broken = world.flow(&engine).await;
    let query = format!(
        "error=invalid_scope&error_description={}&{}",
        "x".repeat(500),
        iss(&broken)
    );
    let error = engine.answered(&program(), &query, None).await.unwrap_err();
    assert_eq!(
        (error.code(), error.provider_error()),
        (Code::ProviderError, Some("invalid_scope"))
    );
    assert!(error.to_string().len() < 400, "{error}");
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
}

/// Only the app that started a flow, or the person, brings its answer.
#[tokio::test]
async fn an_app_cannot_bring_the_answer_of_a_flow_that_is_not_its_own() {
    let (world, engine) = added(Behaviour::default()).await;
    let flow = world.flow(&engine).await;
    let answer = answer_of(&flow);
    let error = engine
        .answered(&app(), query_of(&answer), None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    engine.answered(&ui(), query_of(&answer), None).await.unwrap();
}

#[tokio::test]
async fn a_label_that_waits_is_found_by_its_name() {
    let (_world, engine) = added(Behaviour::default()).await;
    let how = paste(ConnectOptions {
        label: Some("work".to_owned()),
        ..ConnectOptions::default()
    });
    let flow = engine.connect(&program(), NAME, how).await.unwrap();
    for caller in [program(), ui()] {
        let same = engine
            .start_oauth(&caller, &format!("{NAME}/work"))
            .await
            .unwrap();
        assert_eq!((same.flow, same.state.expose()), (flow.flow, flow.state.expose()));
        let _: Secret = same.state;
    }
}
