//! What is not OAuth, for an app that comes through the authorization server.

use super::{
    grants::started,
    setup::{Answered, ISSUER, Setup, query_with},
};
use crate::{ConsentMode, NewCredential, Prompt, PromptAnswer, Proof, tests::common::ui};
use std::collections::BTreeSet;
use tokenry_core::{Caller, Code, CredentialId, CredentialType, Secret};

async fn add(setup: &Setup, name: &str) -> CredentialId {
    let draft = NewCredential {
        name: name.parse().unwrap(),
        project: None,
        kind: CredentialType::Raw,
        // base64: `weather`
        data: [("value".to_owned(), Secret::new("d2VhdGhlcg==".to_owned()))].into(),
        redact_fields: BTreeSet::new(),
        expires_at: None,
    };
    setup.engine.add_credential(&ui(), draft).await.unwrap().id
}

fn names(prompt: &Prompt) -> Vec<&str> {
    let choices = prompt.credential_choices.iter();
    choices.map(|choice| choice.name.as_str()).collect()
}

fn only(credential: CredentialId) -> PromptAnswer {
    PromptAnswer::App {
        connections: BTreeSet::new(),
        credentials: [credential].into(),
        until: None,
    }
}

#[tokio::test]
async fn an_app_is_offered_the_credentials_and_reads_those_that_were_chosen() {
    let setup = Setup::new().await;
    let (given, _) = (add(&setup, "given").await, add(&setup, "kept").await);
    let asked = query_with("script", "scope", "credentials:read");
    let (redirect, prompt) = tokio::join!(setup.go(&asked), async {
        let prompt = setup.question().await;
        setup.say(&prompt, only(given)).await;
        prompt
    });
    assert_eq!(names(&prompt), ["given", "kept"]);
    assert!(prompt.choices.is_empty(), "it is about no connection");
    assert_eq!(setup.grants("script")[0].credentials, [given].into());

    let code = Answered::of(redirect.unwrap().location()).get("code").to_owned();
    let tokens = setup.exchange("script", &code).await.unwrap();
    let caller = setup.caller(&tokens.access_token).await.unwrap();
    assert!(
        setup
            .engine
            .credential_value(&caller, "given", "value")
            .await
            .is_ok()
    );
    let refused = setup.engine.credential_value(&caller, "kept", "value").await;
    assert_eq!(refused.map(drop).unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_credential_that_was_not_offered_cannot_be_chosen() {
    let setup = Setup::new().await;
    let kept = add(&setup, "kept").await;
    let asked = query_with("script", "scope", "tokens:read");
    let (redirect, ()) = tokio::join!(setup.go(&asked), async {
        let prompt = setup.question().await;
        assert!(names(&prompt).is_empty(), "it is about no credential");
        let proof = Proof::Number(prompt.number.clone());
        let (engine, window) = (&setup.engine, Caller::Consent);
        let wrong = engine.answer(&window, prompt.id, &proof, only(kept)).await;
        assert_eq!(wrong.unwrap_err().code(), Code::ValidationError);
        setup.say(&prompt, PromptAnswer::Deny).await;
    });
    assert_eq!(Answered::of(redirect.unwrap().location()).get("code"), "");
    assert!(setup.grants("script").is_empty());
}

/// security.md, "Local interfaces": a request whose content changes closes its prompt.
#[tokio::test]
async fn a_question_ends_when_there_is_another_credential_to_choose() {
    let setup = Setup::new().await;
    let asked = query_with("script", "scope", "credentials:write");
    let (redirect, ()) = tokio::join!(setup.go(&asked), async {
        setup.question().await;
        add(&setup, "new").await;
    });
    let answered = Answered::of(redirect.unwrap().location());
    assert_eq!(answered.get("error"), "temporarily_unavailable");
}

#[tokio::test]
async fn an_engine_that_never_asks_gives_what_the_prompt_would_have_offered() {
    let setup = started(ConsentMode::AllowAll).await;
    let there = add(&setup, "there").await;
    let asked = query_with("script", "scope", "credentials:read");
    let redirect = setup.engine.authorize(None, ISSUER, &asked).await.unwrap();
    assert_ne!(Answered::of(redirect.location()).get("code"), "");
    let grant = &setup.grants("script")[0];
    assert_eq!(grant.credentials, [there].into());
    assert!(grant.connections.is_empty(), "it is about no connection");
}
