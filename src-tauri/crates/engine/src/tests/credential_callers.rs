//! Who may see, read and change credentials.

use crate::tests::common::{World, ui, until};
use crate::tests::credentials::{app, basic, entered, given, program, started};
use crate::{ConsentMode, CredentialChange, Engine, Options, Prompt, PromptAnswer, Proof};
use tokenry_core::{Caller, Code, EventKind, Rule, Secret};
use tokenry_testkit::Behaviour;

/// `:own` is what the calling app made itself; without a grant it is nothing else.
#[tokio::test]
async fn an_app_without_a_grant_sees_and_reads_nothing() {
    let (_world, engine) = started().await;
    engine.add_credential(&ui(), basic("mail")).await.unwrap();
    for error in [
        engine.credentials(&app()).await.map(drop).unwrap_err(),
        engine.credential(&app(), "mail").await.map(drop).unwrap_err(),
        engine
            .credential_value(&app(), "mail", "password")
            .await
            .map(drop)
            .unwrap_err(),
        engine
            .add_credential(&app(), basic("more"))
            .await
            .map(drop)
            .unwrap_err(),
        engine
            .change_credential(&app(), "mail", given(&[("username", "x")]))
            .await
            .map(drop)
            .unwrap_err(),
        engine.remove_credential(&app(), "mail").await.unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::PermissionDenied, "{error}");
    }
}

/// Where no prompt can be shown, a program reads names and no value.
#[tokio::test]
async fn a_program_without_consent_gets_no_token() {
    let world = World::trusting(Behaviour::default());
    let options = Options {
        asking: ConsentMode::Never,
        ..world.options()
    };
    let engine = Engine::start(options).await.unwrap();
    engine.add_credential(&ui(), basic("mail")).await.unwrap();
    assert_eq!(engine.credentials(&program()).await.unwrap().len(), 1);
    for error in [
        engine.credential(&program(), "mail").await.map(drop).unwrap_err(),
        engine
            .add_credential(&program(), basic("more"))
            .await
            .map(drop)
            .unwrap_err(),
        engine.remove_credential(&program(), "mail").await.unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::InteractionRequired, "{error}");
    }
    let (events, _) = engine.events(&ui(), None, 10).await.unwrap();
    let refused = events
        .iter()
        .find(|event| event.kind == EventKind::CredentialHandedOut)
        .unwrap();
    assert_eq!(refused.rule, Some(Rule::CannotAsk));
}

/// An engine whose person is there, and answers.
async fn asking() -> (World, Engine) {
    let world = World::trusting(Behaviour::default());
    let options = Options {
        asking: ConsentMode::Possible,
        ..world.options()
    };
    let engine = Engine::start(options).await.unwrap();
    engine.add_credential(&ui(), basic("mail")).await.unwrap();
    (world, engine)
}

/// This very process: a caller that is gone is not answered.
fn here() -> Caller {
    Caller::Program(tokenry_peer::of_process(0, std::process::id()))
}

async fn question(engine: &Engine) -> Prompt {
    until("a question", async || {
        engine.prompts(&Caller::Consent).unwrap().pop()
    })
    .await
}

async fn answer(engine: &Engine, prompt: &Prompt, answer: PromptAnswer) {
    let proof = Proof::Number(Secret::new(prompt.number.expose().to_owned()));
    engine
        .answer(&Caller::Consent, prompt.id, &proof, answer)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_program_that_requests_values_waits_for_the_users_consent() {
    let (_world, engine) = asking().await;
    for (said, handed) in [(PromptAnswer::Once, true), (PromptAnswer::Deny, false)] {
        let asker = engine.clone();
        let reading = tokio::spawn(async move { asker.credential(&here(), "mail").await });
        let prompt = question(&engine).await;
        assert_eq!(prompt.credential.as_deref(), Some("mail"));
        answer(&engine, &prompt, said).await;
        match reading.await.unwrap() {
            Ok(found) => assert!(handed && entered(found).data.contains_key("password")),
            Err(error) => assert!(!handed && error.code() == Code::ConsentDenied, "{error}"),
        }
    }
}

#[tokio::test]
async fn the_question_says_what_would_change_and_holds_no_value() {
    let (_world, engine) = asking().await;
    let asker = engine.clone();
    let change = CredentialChange {
        expires_at: Some(Some("2999-01-01T00:00:00Z".parse().unwrap())),
        ..given(&[("password", "another-secret")])
    };
    let changing = tokio::spawn(async move { asker.change_credential(&here(), "mail", change).await });
    let prompt = question(&engine).await;
    let changes = format!("{:?}", prompt.changes);
    assert!(
        changes.contains("data.password") && changes.contains("2999"),
        "{changes}"
    );
    assert!(!format!("{prompt:?}").contains("another-secret"));
    answer(&engine, &prompt, PromptAnswer::Once).await;
    changing.await.unwrap().unwrap();
}

/// What was deleted or changed while the question was open is not put back.
#[tokio::test]
async fn a_yes_is_for_the_credential_as_it_was_when_it_was_asked_about() {
    let (world, engine) = asking().await;
    world.pass(1);
    let asker = engine.clone();
    let changing = tokio::spawn(async move {
        asker
            .change_credential(&here(), "mail", given(&[("username", "theirs")]))
            .await
    });
    let prompt = question(&engine).await;
    engine
        .change_credential(&ui(), "mail", given(&[("username", "mine")]))
        .await
        .unwrap();
    answer(&engine, &prompt, PromptAnswer::Once).await;
    assert_eq!(changing.await.unwrap().unwrap_err().code(), Code::Conflict);
    let asker = engine.clone();
    let changing = tokio::spawn(async move {
        asker
            .change_credential(&here(), "mail", given(&[("username", "theirs")]))
            .await
    });
    question(&engine).await;
    engine.remove_credential(&ui(), "mail").await.unwrap();
    assert_eq!(changing.await.unwrap().unwrap_err().code(), Code::Conflict);
    assert!(engine.credentials(&ui()).await.unwrap().is_empty());
}
