//! The setting that demands the passphrase at questions which are decided each time.

use super::{Program, question, questions};
use crate::tests::common::{NAME, World, patch, ui};
use crate::{Engine, Error, Prompt, PromptAnswer, Proof, SettingsChange, VaultChoice};
use serde_json::json;
use tokenry_core::{Code, Secret};
use tokenry_testkit::Behaviour;

const PASSPHRASE: &str = "correct horse battery";

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn asking(ask: bool, passphrase: Option<&str>) -> SettingsChange {
    SettingsChange {
        ask_passphrase: Some(ask),
        passphrase: passphrase.map(secret),
        ..SettingsChange::default()
    }
}

async fn with_passphrase() -> (World, Engine) {
    let world = World::new(Behaviour::default());
    let mut options = world.options();
    options.vault = VaultChoice::Passphrase;
    options.passphrase = Some(secret(PASSPHRASE));
    let engine = Engine::start(options).await.unwrap();
    world.connect(&engine).await;
    (world, engine)
}

/// The same, with the setting on.
async fn asking_for_it() -> (World, Engine) {
    let (world, engine) = with_passphrase().await;
    engine
        .change_settings(&ui(), asking(true, Some(PASSPHRASE)))
        .await
        .unwrap();
    (world, engine)
}

async fn answer(
    engine: &Engine,
    prompt: &Prompt,
    answer: PromptAnswer,
    passphrase: Option<&str>,
) -> Result<(), Error> {
    let proof = Proof::Number(prompt.number.clone());
    let caller = tokenry_core::Caller::Consent;
    engine
        .answer_with(&caller, prompt.id, &proof, answer, passphrase.map(secret))
        .await
}

fn change(engine: &Engine, program: &Program) -> tokio::task::JoinHandle<Result<(), Error>> {
    let (engine, caller) = (engine.clone(), program.caller());
    let off = patch(json!({"use_pkce": false}));
    tokio::spawn(async move { engine.change_provider(&caller, NAME, off).await.map(drop) })
}

/// security.md, "Local interfaces": prompts. A program that can press Allow does not know the passphrase.
#[tokio::test]
async fn a_question_that_is_decided_each_time_takes_the_passphrase_where_the_user_chose_so() {
    let (_world, engine) = asking_for_it().await;
    let program = Program::start();
    let changing = change(&engine, &program);
    let prompt = question(&engine).await;
    assert!(prompt.passphrase);
    for given in [None, Some("wrong horse")] {
        let error = answer(&engine, &prompt, PromptAnswer::Once, given)
            .await
            .unwrap_err();
        assert!(error.fields().unwrap().contains_key("passphrase"), "{error}");
        assert_eq!(question(&engine).await.id, prompt.id, "it stays open");
    }
    answer(&engine, &prompt, PromptAnswer::Once, Some(PASSPHRASE))
        .await
        .unwrap();
    changing.await.unwrap().unwrap();
    // What is allowed day by day takes none, and neither does a no.
    let asked = super::ask(&engine, &program.caller());
    let prompt = question(&engine).await;
    assert!(!prompt.passphrase);
    answer(&engine, &prompt, PromptAnswer::Deny, None).await.unwrap();
    assert!(asked.await.unwrap().is_err());
}

#[tokio::test]
async fn the_third_wrong_passphrase_denies_the_question() {
    let (_world, engine) = asking_for_it().await;
    let program = Program::start();
    let changing = change(&engine, &program);
    let prompt = question(&engine).await;
    for _ in 0..3 {
        let wrong = answer(&engine, &prompt, PromptAnswer::Once, Some("wrong horse")).await;
        assert_eq!(wrong.unwrap_err().code(), Code::ValidationError);
    }
    assert_eq!(changing.await.unwrap().unwrap_err().code(), Code::ConsentDenied);
    questions(&engine, 0).await;
}

#[tokio::test]
async fn the_setting_is_switched_with_the_passphrase_only_and_needs_a_vault_that_has_one() {
    let (_world, engine) = with_passphrase().await;
    for given in [None, Some("wrong horse")] {
        engine
            .change_settings(&ui(), asking(true, given))
            .await
            .unwrap_err();
    }
    engine
        .change_settings(&ui(), asking(true, Some(PASSPHRASE)))
        .await
        .unwrap();
    for given in [None, Some("wrong horse")] {
        engine
            .change_settings(&ui(), asking(false, given))
            .await
            .unwrap_err();
    }
    assert!(engine.settings(&ui()).await.unwrap().ask_passphrase);
    engine
        .change_settings(&ui(), asking(false, Some(PASSPHRASE)))
        .await
        .unwrap();

    let (_world, engine) = World::connected(Behaviour::default()).await;
    let error = engine
        .change_settings(&ui(), asking(true, Some(PASSPHRASE)))
        .await;
    assert!(
        error
            .unwrap_err()
            .fields()
            .unwrap()
            .contains_key("ask_passphrase")
    );
}
