//! What the loopback listener does not take is told to those who wait, and the flow goes on.

use crate::tests::common::{Browser, NAME, ui, until};
use crate::tests::flows::added;
use crate::{Change, ConnectOptions, Engine, FlowState, FlowView, StartedFlow};
use std::time::{Duration, Instant};
use tokenry_core::{Code, FlowId};
use tokenry_testkit::{AuthorizeAnswer, Behaviour, Iss, Kind};

async fn started(engine: &Engine) -> (StartedFlow, Browser, String) {
    let flow = engine
        .connect(&ui(), NAME, ConnectOptions::default())
        .await
        .unwrap();
    let mut browser = Browser::default();
    let answer = browser.sign_in(&flow).await;
    (flow, browser, answer)
}

fn waiting(engine: &Engine, flow: FlowId, seen: u32) -> tokio::task::JoinHandle<FlowView> {
    let engine = engine.clone();
    tokio::spawn(async move {
        let wait = Duration::from_secs(60);
        engine.flow_news(&ui(), flow, wait, Some(seen)).await.unwrap()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_listener_refuses_is_heard_at_once_and_the_flow_stays_open() {
    let (world, engine) = added(Behaviour::default()).await;
    let (flow, mut browser, good) = started(&engine).await;
    let mut changes = engine.changes();
    let base = good.split('?').next().unwrap().to_owned();
    let state = flow.state.expose();
    let issuer = url::form_urlencoded::byte_serialize(world.server.issuer().as_bytes()).collect::<String>();
    let mut seen = 0;
    for (answer, status, says) in [
        (format!("{good}&code=again"), 400, "parameter twice"),
        (
            format!("{base}?state={state}"),
            400,
            "neither a code nor an error",
        ),
        (
            format!("{base}?state={state}&code=a%00"),
            400,
            "control characters",
        ),
        (format!("{base}?code=c"), 400, "no state"),
        (good.replace("/cb/sandbox", "/cb/other"), 404, "another address"),
        (
            good.replace(&issuer, "https%3A%2F%2Fevil.example"),
            303,
            "evil.example",
        ),
    ] {
        let hearing = waiting(&engine, flow.flow, seen);
        let began = Instant::now();
        assert_eq!(browser.get(&answer).await.status, status, "{answer}");
        let heard = hearing.await.unwrap();
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "not after ten minutes: {answer}"
        );
        assert_eq!(heard.state, FlowState::Waiting, "{answer}");
        let refused = heard.refused.expect(&answer);
        assert!(refused.message.contains(says), "{answer}: {}", refused.message);
        assert_eq!(refused.code, Code::ValidationError);
        assert!(!refused.message.contains(state), "{}", refused.message);
        seen += 1;
        assert_eq!(heard.refusals, seen, "{answer}");
    }
    let mut told = false;
    while let Ok(change) = changes.try_recv() {
        told |= matches!(change, Change::Flow(id) if id == flow.flow);
    }
    assert!(told, "the window hears, too");
    assert_eq!(world.server.count(Kind::Code), 0);
    assert_eq!(browser.get(&good).await.status, 303);
    let ended = engine
        .flow(&ui(), flow.flow, Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!((ended.state, ended.refused), (FlowState::Connected, None));
}

/// The page tells the user to use the other browser; so does the terminal.
#[tokio::test]
async fn an_answer_from_another_browser_is_told_when_it_has_the_flows_state() {
    let (_world, engine) = added(Behaviour::default()).await;
    let (flow, mut browser, good) = started(&engine).await;
    let stranger = good.replace(flow.state.expose(), "unknown");
    assert_eq!(Browser::default().get(&stranger).await.status, 403);
    let view = engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap();
    assert_eq!(view.refusals, 0, "of no flow of ours");
    assert_eq!(Browser::default().get(&good).await.status, 403);
    let view = engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap();
    assert!(
        view.refused
            .unwrap()
            .message
            .contains("browser in which the sign-in was started")
    );
    assert_eq!(browser.get(&good).await.status, 303);
}

#[tokio::test]
async fn an_answer_that_comes_while_the_vault_is_locked_is_told_and_can_be_loaded_again() {
    let (_world, engine) = added(Behaviour::default()).await;
    let (flow, mut browser, good) = started(&engine).await;
    engine.lock(&ui()).await.unwrap();
    assert_eq!(browser.get(&good).await.status, 303);
    engine.unlock(&ui(), None, false).await.unwrap();
    let view = engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap();
    assert_eq!(view.refused.unwrap().code, Code::VaultLocked);
    assert_eq!(browser.get(&good).await.status, 303);
    until("connected", async || {
        let view = engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap();
        (view.state == FlowState::Connected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_same_answer_loaded_twice_shows_the_success_again() {
    let (world, engine) = added(Behaviour::default()).await;
    let (_flow, mut browser, good) = started(&engine).await;
    let done = good
        .replace(good.split_once("/cb/").unwrap().1, "")
        .replace("/cb/", "/done");
    for _ in 0..3 {
        assert_eq!(browser.get(&good).await.status, 303);
        assert!(browser.get(&done).await.body.contains("Connected"));
    }
    assert_eq!(
        browser.get(&format!("{good}x")).await.status,
        410,
        "another answer is not taken"
    );
    assert_eq!(world.server.count(Kind::Code), 1);
}

/// exit 13 of the command line.
#[tokio::test]
async fn a_denial_in_the_providers_own_words_is_a_denial() {
    let (world, engine) = added(Behaviour::default()).await;
    for error in [
        "user_cancelled_login",
        "user_cancelled_authorize",
        "user_denied",
        "access_denied",
    ] {
        world.server.set(|behaviour| {
            behaviour.authorize = AuthorizeAnswer::Error {
                error: error.to_owned(),
                description: None,
            };
        });
        let denied = world
            .sign_in(&engine, ConnectOptions::default())
            .await
            .unwrap_err();
        assert_eq!(denied.code(), Code::ConsentDenied, "{error}");
    }
    // As Facebook says that an app is not set up.
    world.server.set(|behaviour| {
        behaviour.iss = Iss::Right;
        behaviour.authorize = AuthorizeAnswer::Error {
            error: String::new(),
            description: None,
        };
        behaviour.extra = vec![
            ("error_code".to_owned(), "1349126".to_owned()),
            ("error_message".to_owned(), "App not set up".to_owned()),
        ];
    });
    let error = world
        .sign_in(&engine, ConnectOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::ProviderError);
    assert!(error.to_string().contains("App not set up"), "{error}");
}

/// A deep link is judged as it comes; what the user pasted may be broken into lines.
#[tokio::test]
async fn a_pasted_deep_link_may_have_line_breaks_and_one_of_the_system_may_not() {
    let (_world, engine) = added(Behaviour::default()).await;
    let how = ConnectOptions {
        redirect: Some(tokenry_core::Redirect::DeepLink),
        ..ConnectOptions::default()
    };
    let flow = engine.connect(&ui(), NAME, how).await.unwrap();
    let good = crate::tests::common::answer_of(&flow);
    let broken = good.replacen("state=", "sta\n te=", 1) + "#_=_";
    assert_eq!(
        engine.deep_link(&ui(), &broken).await.unwrap_err().code(),
        Code::ValidationError
    );
    let view = engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap();
    assert_eq!(view.state, FlowState::Waiting);
    engine.callback(&ui(), &broken).await.unwrap();
}
