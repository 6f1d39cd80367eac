//! Step-up: a resource wants more, and only the user can give it.

use super::{Program, answer, question, questions};
use crate::tests::{
    apps::{grant, registered},
    common::{NAME, World, answer_of, patch, token, ui, view},
    rejected::fingerprint,
};
use crate::{Challenge, Engine, Error, Fingerprint, FlowState, Operation, PromptAnswer, StepUp, Wants};
use serde_json::json;
use std::time::Duration;
use tokenry_core::{ApiScope, Caller, Code, Scopes};
use tokenry_testkit::{Behaviour, DeviceAnswer, Kind};

fn more(scopes: &str) -> Challenge {
    Challenge {
        resource: Some("https://mcp.example/mcp".to_owned()),
        wants: Wants::Scopes(Scopes::parse(scopes)),
    }
}

async fn held(engine: &Engine) -> Fingerprint {
    fingerprint(&token(engine, 0).await.unwrap().access_token)
}

/// Reports the current token with this challenge; the user gives this answer.
async fn asked(
    engine: &Engine,
    caller: &Caller,
    challenge: Challenge,
    reply: PromptAnswer,
) -> Result<StepUp, Error> {
    let (asking, caller, held) = (engine.clone(), caller.clone(), held(engine).await);
    let asked = tokio::spawn(async move { asking.step_up(&caller, NAME, held, challenge).await });
    let prompt = question(engine).await;
    assert_eq!(prompt.operation, Operation::StepUp);
    answer(engine, &prompt, reply).await.unwrap();
    asked.await.unwrap()
}

/// Checklist A12.4: the union of the requested and the challenged scopes, bounded, per resource.
#[tokio::test]
async fn a_step_up_asks_the_user_once_and_signs_in_with_the_scopes_of_before_and_the_new_ones() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let (program, old) = (Program::start(), held(&engine).await);
    let done = asked(
        &engine,
        &program.caller(),
        more("write admin"),
        PromptAnswer::Once,
    )
    .await;
    let StepUp::SignIn { flow, is_open } = done.unwrap() else {
        panic!("no sign-in was started");
    };
    assert!(!is_open, "this engine has no window");
    // The same again is the same sign-in, and no prompt.
    let again = engine
        .step_up(&program.caller(), NAME, old, more("write admin"))
        .await;
    assert!(matches!(again.unwrap(), StepUp::SignIn { flow: same, .. } if same == flow));
    questions(&engine, 0).await;

    let started = engine.flow(&ui(), flow, std::time::Duration::ZERO).await.unwrap();
    let url = started.authorization_url.unwrap();
    let (_, sent) = url.query_pairs().find(|(name, _)| name == "scope").unwrap();
    assert_eq!(sent, "read write admin");
    let mut browser = crate::tests::common::Browser::default();
    let begun = browser.get(started.browser_url.unwrap().as_str()).await;
    let redirected = browser.get(begun.location().unwrap()).await;
    browser.get(redirected.location().unwrap()).await;
    let shown = crate::tests::common::until("it is connected", async || {
        let shown = view(&engine).await.connection;
        (shown.granted_scopes == Scopes::parse("read write admin")).then_some(shown)
    })
    .await;
    assert_eq!(shown.account.unwrap().email.as_deref(), Some("ada@example.com"));
    let newer = engine
        .step_up(&program.caller(), NAME, old, more("write admin"))
        .await;
    assert!(matches!(newer.unwrap(), StepUp::Newer));
    // A resource that still wants it does not start a loop.
    let now = held(&engine).await;
    let error = engine
        .step_up(&program.caller(), NAME, now, more("write admin"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert!(
        error.to_string().contains("holds these scopes already"),
        "{error}"
    );
    assert_eq!(world.server.refreshes(), 0);
}

#[tokio::test]
async fn a_step_up_that_the_user_denied_is_not_asked_again() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let denied = asked(&engine, &program.caller(), more("admin"), PromptAnswer::Deny).await;
    assert_eq!(denied.unwrap_err().code(), Code::ConsentDenied);
    world.pass(3600);
    let now = held(&engine).await;
    let again = engine
        .step_up(&program.caller(), NAME, now, more("admin"))
        .await
        .unwrap_err();
    assert_eq!(again.code(), Code::Conflict, "{again}");
    questions(&engine, 0).await;
    assert_eq!(
        world.server.count(Kind::Authorize),
        1,
        "that of the first sign-in"
    );
}

/// An app with a grant for tokens may ask for more; the user decides each time, and its limit holds.
#[tokio::test]
async fn an_app_may_ask_for_more_by_its_grant_for_tokens_and_the_user_decides() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let (_, app) = registered(&engine, "agent").await;
    let now = held(&engine).await;
    let refused = engine.step_up(&app, NAME, now, more("admin")).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let mut limited = grant("agent", &[ApiScope::TokensRead], &[NAME]);
    limited.token_scopes = Some(Scopes::parse("read"));
    let given = engine.give_grant(&ui(), limited).await.unwrap();
    let refused = engine.step_up(&app, NAME, now, more("admin")).await.unwrap_err();
    assert_eq!(
        refused.code(),
        Code::PermissionDenied,
        "its limit is not for it to widen"
    );
    engine.remove_grant(&ui(), given.id).await.unwrap();
    let whole = grant("agent", &[ApiScope::TokensRead], &[NAME]);
    engine.give_grant(&ui(), whole).await.unwrap();
    let done = asked(&engine, &app, more("admin"), PromptAnswer::Once).await;
    assert!(matches!(done.unwrap(), StepUp::SignIn { .. }));
}

/// RFC 9470 §4: `acr_values` and `max_age` go into the authorization request.
#[tokio::test]
async fn a_stronger_sign_in_is_asked_for_with_acr_values_and_max_age() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let challenge = Challenge {
        resource: None,
        wants: Wants::Authentication {
            acr_values: Some("urn:mfa phr".to_owned()),
            max_age: Some(300),
        },
    };
    let done = asked(&engine, &Program::start().caller(), challenge, PromptAnswer::Once).await;
    let StepUp::SignIn { flow, .. } = done.unwrap() else {
        panic!("no sign-in was started");
    };
    let started = engine.flow(&ui(), flow, std::time::Duration::ZERO).await.unwrap();
    let url = started.authorization_url.unwrap();
    let sent = |wanted: &str| {
        url.query_pairs()
            .find(|(name, _)| name == wanted)
            .unwrap()
            .1
            .into_owned()
    };
    assert_eq!(
        (sent("acr_values"), sent("max_age")),
        ("urn:mfa phr".to_owned(), "300".to_owned())
    );
    assert_eq!(sent("scope"), "read write");
}

#[tokio::test]
async fn a_challenge_that_says_nothing_or_too_much_is_refused_before_any_prompt() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let (program, now) = (Program::start(), held(&engine).await);
    let at = |resource: &str, wants: Wants| Challenge {
        resource: Some(resource.to_owned()),
        wants,
    };
    let acr = |text: &str| Wants::Authentication {
        acr_values: Some(text.to_owned()),
        max_age: None,
    };
    let nothing = Wants::Authentication {
        acr_values: None,
        max_age: None,
    };
    for (challenge, field) in [
        (more(""), "challenge.scope"),
        (
            at("not a uri", Wants::Scopes(Scopes::parse("a"))),
            "challenge.resource",
        ),
        (at("https://a.example/#b", acr("x")), "challenge.resource"),
        (at("https://a.example/", nothing), "challenge"),
        (at("https://a.example/", acr("\u{202e}")), "challenge.acr_values"),
        (
            at("https://a.example/", acr(&"x".repeat(1025))),
            "challenge.acr_values",
        ),
    ] {
        let error = engine
            .step_up(&program.caller(), NAME, now, challenge)
            .await
            .unwrap_err();
        assert!(error.fields().unwrap().contains_key(field), "{field}: {error}");
    }
    let has = engine
        .step_up(&program.caller(), NAME, now, more("read"))
        .await
        .unwrap_err();
    assert_eq!(has.code(), Code::Conflict);
    questions(&engine, 0).await;
}

/// A program that started the sign-in may name what came of it, as it could have at the start; no other program may.
#[tokio::test]
async fn the_program_of_a_sign_in_names_an_unknown_account_without_a_prompt() {
    use crate::{ConnectOptions, ConnectionChange};
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    let provider = world
        .provider(NAME)
        .with("userinfo_endpoint", serde_json::Value::Null);
    engine.add_provider(&ui(), provider).await.unwrap();
    let program = Program::start();
    let (asking, caller) = (engine.clone(), program.caller());
    let how = crate::tests::common::paste(ConnectOptions::default());
    let started = tokio::spawn(async move { asking.connect(&caller, NAME, how).await });
    let prompt = question(&engine).await;
    answer(&engine, &prompt, PromptAnswer::Once).await.unwrap();
    let flow = started.await.unwrap().unwrap();
    let made = engine
        .callback(&program.caller(), &answer_of(&flow))
        .await
        .unwrap();
    assert!(made.connection.account.is_none());
    let name = |label: &str| ConnectionChange {
        label: Some(Some(label.to_owned())),
        paused: None,
        bindings: None,
    };
    let named = engine
        .change_connection(&program.caller(), NAME, name("work"))
        .await
        .unwrap();
    assert_eq!(named.name, format!("{NAME}/work"));
    // Once it has a name, a change is asked about.
    let (asking, caller) = (engine.clone(), program.caller());
    let again = tokio::spawn(async move { asking.change_connection(&caller, NAME, name("other")).await });
    let prompt = question(&engine).await;
    assert_eq!(prompt.operation, Operation::WriteConnection);
    answer(&engine, &prompt, PromptAnswer::Deny).await.unwrap();
    assert_eq!(again.await.unwrap().unwrap_err().code(), Code::ConsentDenied);
}

/// RFC 8628: where there is no page for a browser.
#[tokio::test]
async fn a_step_up_is_on_another_device_where_that_is_the_only_way() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let change = patch(json!({
        "authorization_endpoint": null,
        "device_authorization_endpoint": world.server.device_authorization_endpoint(),
    }));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    let program = Program::start();
    let done = asked(&engine, &program.caller(), more("admin"), PromptAnswer::Once).await;
    let StepUp::SignIn { flow, .. } = done.unwrap() else {
        panic!("no sign-in was started");
    };
    world
        .server
        .set(|behaviour| behaviour.device = DeviceAnswer::Grant);
    let ended = engine.flow(&ui(), flow, Duration::from_secs(30)).await.unwrap();
    assert_eq!(ended.state, FlowState::Connected);
    let scopes = view(&engine).await.connection.requested_scopes;
    assert!(scopes.contains("admin") && scopes.contains("read"), "{scopes}");
}
