//! Answers of an authorization endpoint that are not ours, or not right. The open flow always survives, and can then
//! still be completed.

use crate::tests::common::{Browser, NAME, World, answer_of, paste, patch, ui};
use crate::{ConnectOptions, Engine, FlowState, StartedFlow};
use serde_json::json;
use std::time::Duration;
use tokenry_core::{Code, EventKind, Outcome, Redirect};
use tokenry_testkit::{AuthorizeAnswer, Behaviour, Iss, Kind};

async fn flow_by(engine: &Engine, provider: &str, redirect: Redirect) -> StartedFlow {
    let how = ConnectOptions {
        redirect: Some(redirect),
        ..ConnectOptions::default()
    };
    engine.connect(&ui(), provider, how).await.unwrap()
}

async fn world() -> (World, Engine) {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    for name in [NAME, "other"] {
        engine.add_provider(&ui(), world.provider(name)).await.unwrap();
    }
    (world, engine)
}

/// The flow still waits, and nothing was sent to the provider's token endpoint.
async fn still_waits(world: &World, engine: &Engine, flow: &StartedFlow, after: &str) {
    let state = engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap().state;
    assert_eq!(state, FlowState::Waiting, "{after}");
    assert_eq!(world.server.count(Kind::Code), 0, "{after}");
}

async fn refused(engine: &Engine, url: &str) -> Code {
    let error = engine.callback(&ui(), url).await.expect_err(url);
    let text = format!("{error} {error:?}");
    assert!(!text.contains('<'), "no markup: {text}");
    error.code()
}

/// Checklist A3.1: an unknown, missing or mismatched state is discarded, and pending flows are not touched.
#[tokio::test]
async fn an_answer_with_an_unknown_state_is_ignored_and_the_flow_stays_open() {
    let (world, engine) = world().await;
    let flow = world.flow(&engine).await;
    let good = answer_of(&flow);
    let state = flow.state.expose();
    let flip = if state.starts_with('A') { "B" } else { "A" };
    for other in [
        "unknown".to_owned(),
        format!("{flip}{}", &state[1..]),
        state.to_uppercase() + "x",
        state[..state.len() - 1].to_owned(),
        "A".repeat(8000),
    ] {
        let url = good.replace(&format!("state={state}"), &format!("state={other}"));
        assert_ne!(url, good);
        assert_eq!(refused(&engine, &url).await, Code::FlowExpired);
        still_waits(&world, &engine, &flow, &url).await;
    }
    let none = good.replace(&format!("state={state}"), "x=y");
    assert_eq!(refused(&engine, &none).await, Code::ValidationError);
    engine.callback(&ui(), &good).await.unwrap();
}

/// Checklist A1.5: one-time `state`. A10: at most one code redemption.
#[tokio::test]
async fn a_replayed_state_is_ignored_and_another_flow_stays_open() {
    let (world, engine) = world().await;
    let (used, open) = (world.flow(&engine).await, world.flow(&engine).await);
    let (first, second) = (answer_of(&used), answer_of(&open));
    engine.callback(&ui(), &first).await.unwrap();
    assert_eq!(refused(&engine, &first).await, Code::FlowExpired);
    let state = engine.flow(&ui(), open.flow, Duration::ZERO).await.unwrap().state;
    assert_eq!(state, FlowState::Waiting);
    assert_eq!(world.server.count(Kind::Code), 1);
    assert!(world.server.family_alive());
    engine.callback(&ui(), &second).await.unwrap();
}

#[tokio::test]
async fn two_answers_at_the_same_moment_are_one() {
    let (world, engine) = world().await;
    let flow = world.flow(&engine).await;
    let url = answer_of(&flow);
    let ui = ui();
    let (a, b) = tokio::join!(engine.callback(&ui, &url), engine.callback(&ui, &url));
    assert!(a.is_ok() != b.is_ok());
    assert_eq!(world.server.count(Kind::Code), 1);
    assert!(world.server.family_alive());
}

/// The state of one flow with the code of another, and the state of one provider at the path of another.
#[tokio::test]
async fn a_state_at_another_providers_address_is_refused() {
    let (world, engine) = world().await;
    let flow = flow_by(&engine, NAME, Redirect::DeepLink).await;
    let good = answer_of(&flow);
    for url in [
        good.replace("/cb/sandbox", "/cb/other"),
        good.replace("/cb/sandbox", "/cb/other"),
        good.replace("io.github.tokenry:/cb", "http://127.0.0.1:49152/cb"),
        good.replace("io.github.tokenry:/cb", "https://example.com/cb"),
    ] {
        assert_ne!(url, good);
        assert_eq!(refused(&engine, &url).await, Code::ValidationError, "{url}");
        still_waits(&world, &engine, &flow, &url).await;
    }
    engine.callback(&ui(), &good).await.unwrap();
}

/// security.md, "Redirects": a response on another redirect URI is refused.
#[tokio::test]
async fn a_deep_link_for_a_loopback_flow_is_refused() {
    let (world, engine) = world().await;
    let flow = flow_by(&engine, NAME, Redirect::Loopback).await;
    let mut browser = Browser::default();
    let good = browser.sign_in(&flow).await;
    let query = good.split_once('?').unwrap().1;
    let port: u16 = url::Url::parse(&good).unwrap().port().unwrap();
    let elsewhere = if port == 50_000 { 50_001 } else { 50_000 };
    for url in [
        format!("io.github.tokenry:/cb/{NAME}?{query}"),
        format!("http://127.0.0.1:{elsewhere}/cb/{NAME}?{query}"),
    ] {
        assert_eq!(refused(&engine, &url).await, Code::ValidationError);
        still_waits(&world, &engine, &flow, &url).await;
    }
    assert_eq!(browser.get(&good).await.status, 303);
    let state = engine
        .flow(&ui(), flow.flow, Duration::from_secs(10))
        .await
        .unwrap()
        .state;
    assert_eq!(state, FlowState::Connected);
}

/// security.md, "Redirects": judged as raw text before any parser sees it.
#[tokio::test]
async fn a_malformed_answer_is_refused_before_it_is_parsed() {
    let (world, engine) = world().await;
    let flow = flow_by(&engine, NAME, Redirect::DeepLink).await;
    let good = answer_of(&flow);
    let (place, query) = good.split_once('?').unwrap();
    let many: String = (0..32).map(|n| format!("&p{n}=x")).collect();
    let mut bad = vec![
        format!("{good}&state=again"),
        format!("{good}&code=again"),
        format!("{good}&st%61te=again"),
        format!("{good}&error=access_denied"),
        format!("{good}{many}"),
        format!("{good}&x=%zz"),
        format!("{good}&x=%ff"),
        format!("{good}&x=%"),
        format!("{good}&x=a b"),
        format!("{good}&x=\u{202e}"),
        good.replace("io.github.tokenry", "IO.github.tokenry"),
        good.replace("io.github.tokenry:", "io.github.tokenry.evil:"),
        good.replace("io.github.tokenry:", "evil:io.github.tokenry:"),
        good.replace(":/cb/", ":///cb/"),
        good.replace(":/cb/", "://evil/cb/"),
        good.replace("/cb/", "/cb/../cb/"),
        good.replace("/cb/", "/cb/%73"),
        good.replace("/cb/", "//cb//"),
        good.replace("/cb/", "/other/"),
        place.to_owned(),
        format!("{place}?{}", query.replace("code=", "kode=")),
        String::new(),
        "io.github.tokenry".to_owned(),
        "io.github.tokenry:".to_owned(),
        "not an address".to_owned(),
    ];
    for control in [
        "\0",
        "\r\n",
        "\t",
        "\u{1b}[31m",
        "\u{7f}",
        "%00",
        "%0d%0a",
        "%1b",
        "%c2%85",
    ] {
        bad.push(format!("{good}&x={control}"));
        bad.push(format!("{place}{control}?{query}"));
    }
    for url in &bad {
        let error = engine.deep_link(&ui(), url).await.expect_err(url);
        assert_eq!(error.code(), Code::ValidationError, "{url}");
    }
    let oversized = format!("{good}&x={}", "y".repeat(16 * 1024));
    assert_eq!(refused(&engine, &oversized).await, Code::PayloadTooLarge);
    still_waits(&world, &engine, &flow, "all of them").await;
    let (events, _) = engine.events(&ui(), None, 100).await.unwrap();
    let noted = events
        .iter()
        .filter(|event| event.kind == EventKind::RedirectRefused && event.outcome == Outcome::Refused);
    assert_eq!(
        noted.map(|event| event.count).sum::<u64>(),
        bad.len() as u64 + 1,
        "each of them is counted in the activity log"
    );
    engine.callback(&ui(), &good).await.unwrap();
}

/// security.md, "Redirects": some servers rewrite `:/cb/x`; that is one path, and nothing else is.
#[tokio::test]
async fn the_rewritten_forms_of_a_deep_link_are_taken() {
    let (world, engine) = world().await;
    for rewrite in [
        ":/cb/sandbox?",
        "://cb/sandbox?",
        ":/cb/sandbox/?",
        "://cb/sandbox/?",
    ] {
        let flow = flow_by(&engine, NAME, Redirect::DeepLink).await;
        let url = answer_of(&flow).replace(":/cb/sandbox?", rewrite);
        engine.callback(&ui(), &url).await.unwrap();
    }
    world
        .server
        .set(|behaviour| behaviour.rewrite_custom_scheme = true);
    let flow = flow_by(&engine, NAME, Redirect::DeepLink).await;
    engine.callback(&ui(), &answer_of(&flow)).await.unwrap();
}

/// Checklist A3.2 and A3.3: the table of RFC 9207 §2.4, for error answers too.
#[tokio::test]
async fn a_wrong_or_missing_issuer_is_refused_for_error_answers_too() {
    let (world, engine) = world().await;
    let issuer = world.server.issuer();
    let wrong = [
        Iss::Wrong("https://evil.example".to_owned()),
        Iss::Wrong(format!("{issuer}/")),
        Iss::Wrong(issuer.to_uppercase()),
        Iss::Wrong(String::new()),
        Iss::PromisedAndAbsent,
    ];
    for answer in [
        AuthorizeAnswer::Grant,
        AuthorizeAnswer::Error {
            error: "access_denied".to_owned(),
            description: Some("believe me".to_owned()),
        },
    ] {
        let flow = world.flow(&engine).await;
        for iss in &wrong {
            world.server.set(|behaviour| {
                behaviour.iss = iss.clone();
                behaviour.authorize = answer.clone();
            });
            let url = answer_of(&flow);
            let error = engine.callback(&ui(), &url).await.unwrap_err();
            assert_eq!(error.code(), Code::ValidationError, "{iss:?}");
            assert!(!error.to_string().contains("believe me"), "{error}");
            still_waits(&world, &engine, &flow, &url).await;
        }
    }
    world.server.set(|behaviour| {
        behaviour.iss = Iss::Right;
        behaviour.authorize = AuthorizeAnswer::Grant;
    });
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_was_not_promised_may_be_missing_and_must_be_right_when_it_comes() {
    let (world, engine) = world().await;
    let change = patch(json!({"authorization_response_iss_parameter_supported": false}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    world
        .server
        .set(|behaviour| behaviour.iss = Iss::Wrong("https://evil.example".to_owned()));
    let flow = world.flow(&engine).await;
    assert_eq!(refused(&engine, &answer_of(&flow)).await, Code::ValidationError);
    still_waits(&world, &engine, &flow, "a wrong one").await;
    world.server.set(|behaviour| behaviour.iss = Iss::Absent);
    engine.callback(&ui(), &answer_of(&flow)).await.unwrap();
}

/// Checklist A3.6: all values are hostile.
#[tokio::test]
async fn markup_in_an_error_answer_is_text_and_the_flow_ends_without_a_connection() {
    let (world, engine) = world().await;
    let error = "<script>alert(1)</script>";
    world.server.set(|behaviour| {
        behaviour.authorize = AuthorizeAnswer::Error {
            error: error.to_owned(),
            description: Some(format!("{error}\u{202e}{}", "x".repeat(5000))),
        };
    });
    let flow = flow_by(&engine, NAME, Redirect::Loopback).await;
    let mut browser = Browser::default();
    let answer = browser.sign_in(&flow).await;
    assert_eq!(browser.get(&answer).await.status, 303);
    let page = browser
        .get(&format!("{}done", &answer[..answer.find("cb/").unwrap()]))
        .await;
    assert!(!page.body.contains("<script>"), "{}", page.body);
    assert!(page.body.contains("&lt;script&gt;"), "{}", page.body);
    let ended = engine
        .flow(&ui(), flow.flow, Duration::from_secs(10))
        .await
        .unwrap();
    let FlowState::Failed { code, message } = ended.state else {
        panic!("{:?}", ended.state)
    };
    assert_eq!(code, Code::ProviderError);
    assert!(
        message.chars().count() < 500 && !message.contains('\u{202e}'),
        "{message}"
    );
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
}

/// Any text may come as a callback; the engine judges it and goes on.
#[tokio::test]
async fn rubbish_of_every_kind_is_refused() {
    let (world, engine) = world().await;
    let flow = world.flow(&engine).await;
    let mut seed = 7_u64;
    for _ in 0..2000 {
        let mut text = String::new();
        for _ in 0..40 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let alphabet = [
                '?', '&', '=', '%', '/', ':', '#', '+', 'a', '0', '\0', 'é', '.', '-', 'c', 'b',
            ];
            text.push(alphabet[(seed >> 33) as usize % alphabet.len()]);
        }
        for url in [text.clone(), format!("io.github.tokenry:/cb/{NAME}?{text}")] {
            engine.callback(&ui(), &url).await.expect_err(&url);
        }
    }
    still_waits(&world, &engine, &flow, "rubbish").await;
    let how = paste(ConnectOptions::default());
    engine.connect(&ui(), NAME, how).await.unwrap();
    engine.callback(&ui(), &answer_of(&flow)).await.unwrap();
}
