//! What a question says that is not about a provider (security.md, "Local interfaces": prompts).

use super::{
    Program, answer,
    changes::{kind_of, rows},
    question, questions,
};
use crate::tests::common::{NAME, World, paste, ui};
use crate::{
    ChangeKind, ConnectOptions, ConnectionChange, CredentialChange, NewCredential, NewGrant, PromptAnswer,
};
use std::collections::BTreeMap;
use tokenry_core::{ApiScope, CredentialType, Scopes, Secret};
use tokenry_testkit::Behaviour;

#[tokio::test]
async fn the_question_for_changing_a_connection_says_its_label_and_whether_it_is_paused() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let ask = |wanted: ConnectionChange| {
        let (engine, caller) = (engine.clone(), program.caller());
        tokio::spawn(async move { engine.change_connection(&caller, NAME, wanted).await.map(drop) })
    };
    let both = ConnectionChange {
        label: Some(Some("work".to_owned())),
        paused: Some(true),
        bindings: None,
    };
    let changing = ask(both);
    let prompt = question(&engine).await;
    assert_eq!(
        rows(&prompt),
        [
            ("label", None, Some("work")),
            ("paused", Some("false"), Some("true"))
        ]
    );
    changing.abort();
    questions(&engine, 0).await;
    let paused = ask(ConnectionChange {
        label: None,
        paused: Some(true),
        bindings: None,
    });
    let prompt = question(&engine).await;
    answer(&engine, &prompt, PromptAnswer::Session).await.unwrap();
    paused.await.unwrap().unwrap();
    // A yes to pausing it is none to resuming it.
    let resumed = ask(ConnectionChange {
        label: None,
        paused: Some(false),
        bindings: None,
    });
    let prompt = question(&engine).await;
    assert_eq!(rows(&prompt), [("paused", Some("true"), Some("false"))]);
    resumed.abort();
}

#[tokio::test]
async fn the_question_for_a_grant_says_what_the_app_gets_or_loses() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    engine
        .register_app(&ui(), "backup", Vec::new(), false)
        .await
        .unwrap();
    let grant = NewGrant {
        app: "backup".to_owned(),
        scopes: [ApiScope::TokensRead].into(),
        connections: vec![NAME.to_owned()],
        credentials: Vec::new(),
        token_scopes: Some(Scopes::parse("read")),
        while_locked: true,
        expires_at: Some("2999-01-01T00:00:00Z".parse().unwrap()),
    };
    let (giving, caller, asked) = (engine.clone(), program.caller(), grant.clone());
    let giving = tokio::spawn(async move { giving.give_grant(&caller, asked).await });
    let prompt = question(&engine).await;
    let words = format!("{:?}", rows(&prompt));
    for part in ["backup", "tokens:read", NAME, "\"read\"", "while_locked", "2999"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(prompt.changes.iter().all(|row| row.kind == ChangeKind::Set));
    answer(&engine, &prompt, PromptAnswer::Once).await.unwrap();
    let given = giving.await.unwrap().unwrap();
    let (taking, caller) = (engine.clone(), program.caller());
    let taking = tokio::spawn(async move { taking.remove_grant(&caller, given.id).await });
    let prompt = question(&engine).await;
    let words = format!("{:?} {:?}", prompt.notes, rows(&prompt));
    for part in ["backup", "tokens:read", NAME] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(prompt.changes.iter().any(|row| row.kind == ChangeKind::Removed));
    taking.abort();
    questions(&engine, 0).await;
    // Where an app's codes are sent decides who gets them.
    let redirects = vec!["https://app.example/cb".to_owned()];
    let (adding, caller) = (engine.clone(), program.caller());
    let adding = tokio::spawn(async move { adding.register_app(&caller, "other", redirects, true).await });
    let prompt = question(&engine).await;
    let words = format!("{:?}", rows(&prompt));
    assert!(
        words.contains("https://app.example/cb") && words.contains("other"),
        "{words}"
    );
    adding.abort();
}

#[tokio::test]
async fn the_question_for_a_credential_names_its_fields_and_tells_no_value() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let value = |text: &str| Secret::new(text.to_owned());
    let new = NewCredential {
        name: "mail".parse().unwrap(),
        project: None,
        kind: CredentialType::Default,
        data: BTreeMap::from([
            ("user".to_owned(), value("YQ==")),
            ("key".to_owned(), value("YzRuNHJ5")),
        ]),
        redact_fields: ["key".to_owned()].into(),
        expires_at: None,
    };
    let (adding, caller) = (engine.clone(), program.caller());
    let adding = tokio::spawn(async move { adding.add_credential(&caller, new).await });
    let prompt = question(&engine).await;
    assert_eq!(
        rows(&prompt),
        [
            ("name", None, Some("mail")),
            ("type", None, Some("default")),
            ("data.key", None, None),
            ("data.user", None, None),
            ("redact_fields", None, Some("key")),
        ]
    );
    assert!(!format!("{prompt:?}").contains("YzRuNHJ5"));
    answer(&engine, &prompt, PromptAnswer::Once).await.unwrap();
    adding.await.unwrap().unwrap();

    let wanted = CredentialChange {
        name: Some("post".parse().unwrap()),
        data: BTreeMap::from([
            ("user".to_owned(), None),
            ("key".to_owned(), Some(value("bmV3"))),
            ("more".to_owned(), Some(value("bmV3"))),
        ]),
        ..CredentialChange::default()
    };
    let (changing, caller) = (engine.clone(), program.caller());
    let changing = tokio::spawn(async move { changing.change_credential(&caller, "mail", wanted).await });
    let prompt = question(&engine).await;
    assert_eq!(rows(&prompt)[0], ("name", Some("mail"), Some("post")));
    let kinds = ["data.key", "data.more", "data.user"].map(|field| kind_of(&prompt, field));
    assert_eq!(
        kinds,
        [
            Some(ChangeKind::Changed),
            Some(ChangeKind::Set),
            Some(ChangeKind::Removed)
        ]
    );
    // A yes to one value is none to the next.
    assert!(!prompt.for_session);
    changing.abort();
}

#[tokio::test]
async fn the_question_for_a_sign_in_says_how_it_comes_back_what_it_asks_for_and_whose_it_will_be() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let start = |how: ConnectOptions| {
        let (engine, caller) = (engine.clone(), program.caller());
        tokio::spawn(async move { engine.connect(&caller, NAME, how).await.map(drop) })
    };
    let how = ConnectOptions {
        label: Some("work".to_owned()),
        scopes: Some(Scopes::parse("read")),
        ..paste(ConnectOptions::default())
    };
    let starting = start(how.clone());
    let prompt = question(&engine).await;
    assert_eq!(prompt.requested_scopes, ["read"]);
    let row = |field: &str| {
        rows(&prompt)
            .into_iter()
            .find(|row| row.0 == field)
            .unwrap()
            .2
            .map(str::to_owned)
    };
    assert_eq!(row("label").as_deref(), Some("work"));
    assert_eq!(row("redirect").as_deref(), Some("paste"));
    assert!(row("owner").is_some());
    answer(&engine, &prompt, PromptAnswer::Session).await.unwrap();
    starting.await.unwrap().unwrap();
    // Another redirect, more scopes or a renewal is another sign-in.
    let others = [
        ConnectOptions {
            label: Some("w2".to_owned()),
            ..how.clone()
        },
        ConnectOptions {
            scopes: Some(Scopes::parse("read write")),
            label: Some("w3".to_owned()),
            ..how.clone()
        },
        ConnectOptions {
            renew: Some(NAME.to_owned()),
            label: None,
            ..how.clone()
        },
    ];
    for other in others {
        let renews = other.renew.is_some();
        let starting = start(other);
        let prompt = question(&engine).await;
        assert_eq!(prompt.connection.is_some(), renews);
        starting.abort();
        questions(&engine, 0).await;
    }
    // Further parameters of the request decide what comes of it, and are asked about each time.
    let parameters = vec![("audience".to_owned(), "https://api.example".to_owned())];
    let starting = start(ConnectOptions {
        parameters,
        ..paste(ConnectOptions::default())
    });
    let prompt = question(&engine).await;
    assert!(rows(&prompt).contains(&("parameter audience", None, Some("https://api.example"))));
    assert!(!prompt.for_session);
    starting.abort();
}
