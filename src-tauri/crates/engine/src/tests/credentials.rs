//! Credentials that are entered by hand: what has to be in them, who is handed their values, and what stays.

use crate::tests::common::{NAME, World, poke, ui, until};
use crate::{AnyCredential, CredentialChange, CredentialView, Engine, Error, NewCredential};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::collections::BTreeMap;
use tokenry_core::{
    AppCaller, AppId, Caller, Code, CredentialType, EventKind, OsRandom, Peer, Rule, Secret, SystemClock,
};
use tokenry_testkit::Behaviour;

/// A value that must turn up only in the answer to a caller that may have it.
pub(crate) const CANARY: &str = "canary-value-7f3a";

pub(crate) fn program() -> Caller {
    Caller::Program(Peer {
        uid: 1,
        pid: 2,
        started: 3,
        program: Some("/usr/bin/thing".to_owned()),
        session: None,
        helper: None,
        remote: None,
    })
}

pub(crate) fn app() -> Caller {
    Caller::App(AppCaller {
        app: AppId::new(&SystemClock, &OsRandom),
        grant: None,
        scopes: None,
        token: None,
        peer: None,
    })
}

pub(crate) fn encoded(text: &str) -> Secret {
    Secret::new(STANDARD.encode(text))
}

fn data(fields: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    let pair = |(field, text): &(&str, &str)| ((*field).to_owned(), encoded(text));
    fields.iter().map(pair).collect()
}

pub(crate) fn new(name: &str, kind: CredentialType, fields: &[(&str, &str)]) -> NewCredential {
    NewCredential {
        name: name.parse().unwrap(),
        project: None,
        kind,
        data: data(fields),
        redact_fields: Default::default(),
        expires_at: None,
    }
}

pub(crate) fn basic(name: &str) -> NewCredential {
    new(
        name,
        CredentialType::BasicAuth,
        &[("username", "ada"), ("password", CANARY)],
    )
}

pub(crate) fn given(fields: &[(&str, &str)]) -> CredentialChange {
    CredentialChange {
        data: data(fields).into_iter().map(|(k, v)| (k, Some(v))).collect(),
        ..CredentialChange::default()
    }
}

pub(crate) fn entered(any: AnyCredential) -> CredentialView {
    match any {
        AnyCredential::Entered(view) => view,
        AnyCredential::Connection { .. } => panic!("it is a connection"),
    }
}

async fn values(engine: &Engine, caller: &Caller, name: &str) -> BTreeMap<String, String> {
    let view = entered(engine.credential(caller, name).await.unwrap());
    let text = |value: &Secret| String::from_utf8(STANDARD.decode(value.expose()).unwrap()).unwrap();
    view.data
        .iter()
        .map(|(field, value)| (field.clone(), text(value)))
        .collect()
}

fn wrong_fields(error: &Error) -> Vec<&str> {
    assert_eq!(error.code(), Code::ValidationError, "{error}");
    error.fields().unwrap().keys().map(String::as_str).collect()
}

pub(crate) async fn started() -> (World, Engine) {
    let world = World::trusting(Behaviour::default());
    let engine = world.start().await;
    (world, engine)
}

#[tokio::test]
async fn a_program_is_handed_the_values_and_the_window_never_is() {
    let (world, engine) = started().await;
    engine.add_credential(&ui(), basic("mail")).await.unwrap();
    let seen = entered(engine.credential(&ui(), "mail").await.unwrap());
    assert!(seen.data.is_empty());
    assert_eq!(seen.fields, ["password", "username"]);
    let handed = values(&engine, &program(), "mail").await;
    assert_eq!(handed["password"], CANARY);
    assert_eq!(handed["username"], "ada");
    let copied = engine.credential_value(&ui(), "mail", "password").await.unwrap();
    assert_eq!(copied.expose(), CANARY);
    let engine = world.restart(engine).await;
    assert_eq!(values(&engine, &program(), &seen.id.to_string()).await, handed);
}

/// Lists, events, errors and what is logged of a record never hold a value.
#[tokio::test]
async fn a_value_stands_in_no_list_no_event_and_no_error() {
    let (_world, engine) = started().await;
    let made = engine.add_credential(&program(), basic("mail")).await.unwrap();
    let mut shown = format!("{made:?}");
    values(&engine, &program(), "mail").await;
    engine
        .change_credential(&ui(), "mail", given(&[("username", "bob")]))
        .await
        .unwrap();
    shown += &format!("{:?}", engine.credentials(&program()).await.unwrap());
    shown += &format!(
        "{:?}",
        entered(engine.credential(&program(), "mail").await.unwrap())
    );
    let mut wrong = basic("other");
    wrong
        .data
        .insert(CANARY.to_owned(), Secret::new(format!("{CANARY}!")));
    wrong.data.remove(CANARY);
    wrong
        .data
        .insert("password".to_owned(), Secret::new(format!("{CANARY}!")));
    let error = engine.add_credential(&ui(), wrong).await.unwrap_err();
    shown += &format!("{error} {error:?}");
    engine.remove_credential(&ui(), "mail").await.unwrap();
    shown += &format!("{:?}", engine.events(&ui(), None, 100).await.unwrap());
    let plain = [CANARY.to_owned(), STANDARD.encode(CANARY)];
    assert!(
        plain.iter().all(|value| !shown.contains(value.as_str())),
        "{shown}"
    );
}

#[tokio::test]
async fn each_field_that_is_wrong_is_named() {
    let (_world, engine) = started().await;
    let large = "x".repeat(64 * 1024 + 1);
    let many: Vec<(String, Secret)> = (0..65).map(|n| (format!("f{n}"), encoded("x"))).collect();
    let raw = |text: &str| {
        let mut new = new("bad", CredentialType::Raw, &[]);
        new.data.insert("value".to_owned(), Secret::new(text.to_owned()));
        new
    };
    let with = |mut new: NewCredential, field: &str, text: &str| {
        new.data.insert(field.to_owned(), encoded(text));
        new
    };
    let redacting = |mut new: NewCredential, field: &str| {
        new.redact_fields.insert(field.to_owned());
        new
    };
    let default = || new("bad", CredentialType::Default, &[("a", "b")]);
    let long_name = "é".repeat(101);
    let in_error = format!("data.{long_name}");
    let mut expired = default();
    expired.expires_at = Some("2025-12-31T23:59:59Z".parse().unwrap());
    let mut crowded = default();
    crowded.data = many.into_iter().collect();
    for (bad, fields) in [
        (new("bad", CredentialType::Raw, &[]), &["data.value"][..]),
        (new("bad", CredentialType::OAuth2Refresh, &[]), &["type"]),
        (
            new("bad", CredentialType::BasicAuth, &[]),
            &["data.password", "data.username"],
        ),
        (with(basic("bad"), "more", "x"), &["data.more"]),
        (with(basic("bad"), "username", "a:b"), &["data.username"]),
        (with(basic("bad"), "username", "\u{feff}a"), &["data.username"]),
        (with(basic("bad"), "password", "a\nb"), &["data.password"]),
        (raw(""), &["data.value"]),
        (raw("not base64"), &["data.value"]),
        (raw("YQ"), &["data.value"]),
        (raw("YR=="), &["data.value"]),
        (raw("YWI_"), &["data.value"]),
        (raw("YQ==\n"), &["data.value"]),
        (with(raw("YQ=="), "value", &large), &["data.value"]),
        (with(default(), &long_name, "x"), &[&*in_error]),
        (redacting(default(), &long_name), &["redact_fields"]),
        (expired, &["expires_at"]),
        (crowded, &["data"]),
    ] {
        let error = engine.add_credential(&ui(), bad).await.unwrap_err();
        assert_eq!(wrong_fields(&error), fields, "{error}");
    }
    assert!(engine.credentials(&ui()).await.unwrap().is_empty());
    let largest = "x".repeat(64 * 1024);
    engine
        .add_credential(&ui(), with(raw("YQ=="), "value", &largest))
        .await
        .unwrap();
}

/// versori-oauth2-callback: data of `Default` may contain arbitrary properties and is always valid; the list of
/// redacted fields is ignored for other types.
#[tokio::test]
async fn a_default_credential_takes_any_field_name_of_200_bytes_and_no_field_at_all() {
    let (_world, engine) = started().await;
    let nothing = new("nothing", CredentialType::Default, &[]);
    let view = engine.add_credential(&ui(), nothing).await.unwrap();
    assert!(view.fields.is_empty());
    let longest = "é".repeat(100);
    let names = ["", " a ", "a\nb", "a\u{202e}b", "A.b/c=d", &longest];
    let any = new("any", CredentialType::Default, &names.map(|name| (name, "x")));
    engine.add_credential(&ui(), any).await.unwrap();
    let handed = values(&engine, &program(), "any").await;
    assert_eq!(handed.len(), names.len());
    assert!(names.iter().all(|name| handed[*name] == "x"));
    let mut ignored = basic("ignored");
    ignored.redact_fields = ["password".to_owned(), "nothing".to_owned()].into();
    let view = engine.add_credential(&ui(), ignored).await.unwrap();
    assert!(view.redact_fields.is_empty());
    let change = CredentialChange {
        redact_fields: ["password".to_owned()].into(),
        ..CredentialChange::default()
    };
    engine.change_credential(&ui(), "ignored", change).await.unwrap();
    assert_eq!(values(&engine, &program(), "ignored").await["password"], CANARY);
}

#[tokio::test]
async fn an_update_changes_what_it_gives_and_nothing_else() {
    let (world, engine) = started().await;
    let made = engine.add_credential(&ui(), basic("mail")).await.unwrap();
    world.pass(60);
    let change = CredentialChange {
        name: Some("post".parse().unwrap()),
        ..given(&[("username", "bob")])
    };
    let after = engine.change_credential(&ui(), "mail", change).await.unwrap();
    assert_eq!((after.id, after.created_at), (made.id, made.created_at));
    assert!(after.updated_at > made.updated_at);
    let handed = values(&engine, &program(), "post").await;
    assert_eq!(
        (handed["username"].as_str(), handed["password"].as_str()),
        ("bob", CANARY)
    );
    let gone = engine.credential(&ui(), "mail").await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    let without = CredentialChange {
        data: [
            ("password".to_owned(), None),
            ("x".to_owned(), Some(encoded("y"))),
        ]
        .into(),
        ..CredentialChange::default()
    };
    let error = engine
        .change_credential(&ui(), "post", without)
        .await
        .unwrap_err();
    assert_eq!(wrong_fields(&error), ["data.password", "data.x"]);
    assert_eq!(values(&engine, &program(), "post").await, handed);
}

#[tokio::test]
async fn a_redacted_field_is_never_returned_again_and_stays_when_an_update_does_not_give_it() {
    let (_world, engine) = started().await;
    let mut draft = new(
        "keys",
        CredentialType::Default,
        &[("open", "o"), ("shut", CANARY)],
    );
    draft.redact_fields = ["shut".to_owned(), "later".to_owned()].into();
    engine.add_credential(&program(), draft).await.unwrap();
    let nothing = CredentialChange::default();
    let more = CredentialChange {
        redact_fields: ["extra".to_owned()].into(),
        ..given(&[("open", "o2"), ("later", CANARY), ("extra", CANARY)])
    };
    for change in [nothing, more] {
        engine
            .change_credential(&program(), "keys", change)
            .await
            .unwrap();
        let view = entered(engine.credential(&program(), "keys").await.unwrap());
        assert_eq!(view.data.keys().collect::<Vec<_>>(), ["open"]);
        assert!(view.redact_fields.contains("shut") && view.fields.contains(&"shut".to_owned()));
        for caller in [ui(), program()] {
            let error = engine
                .credential_value(&caller, "keys", "shut")
                .await
                .unwrap_err();
            assert_eq!(error.code(), Code::PermissionDenied);
        }
    }
    assert_eq!(values(&engine, &program(), "keys").await["open"], "o2");
}

#[tokio::test]
async fn a_name_is_one_credentials_in_its_project() {
    let (_world, engine) = started().await;
    engine.add_credential(&ui(), basic("mail")).await.unwrap();
    let error = engine.add_credential(&ui(), basic("mail")).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    let mut elsewhere = basic("mail");
    elsewhere.project = Some("work".parse().unwrap());
    let other = engine.add_credential(&ui(), elsewhere).await.unwrap();
    let found = entered(engine.credential(&ui(), "work/mail").await.unwrap());
    assert_eq!(found.id, other.id);
    engine.add_credential(&ui(), basic("post")).await.unwrap();
    let rename = CredentialChange {
        name: Some("mail".parse().unwrap()),
        ..CredentialChange::default()
    };
    let error = engine.change_credential(&ui(), "post", rename).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    let add = || async { engine.add_credential(&ui(), basic("race")).await.is_ok() };
    let (one, two) = tokio::join!(add(), add());
    assert!(one != two, "of two at the same moment one is kept");
}

#[tokio::test]
async fn a_credential_that_is_deleted_is_gone_after_a_restart_too() {
    let (world, engine) = started().await;
    engine.add_credential(&ui(), basic("mail")).await.unwrap();
    engine.remove_credential(&program(), "mail").await.unwrap();
    let again = engine.remove_credential(&program(), "mail").await.unwrap_err();
    assert_eq!(again.code(), Code::NotFound);
    let engine = world.restart(engine).await;
    assert!(engine.credentials(&ui()).await.unwrap().is_empty());
    assert_eq!(
        engine.credential(&program(), "mail").await.unwrap_err().code(),
        Code::NotFound
    );
    engine.add_credential(&ui(), basic("mail")).await.unwrap();
}

/// `oauth2_refresh` is shown here and is changed by its own operations.
#[tokio::test]
async fn a_connection_is_listed_with_its_status_and_only_read() {
    let (_world, engine) = World::connected_and_trusting(Behaviour::default()).await;
    let all = engine.credentials(&program()).await.unwrap();
    assert!(matches!(&all[..], [AnyCredential::Connection { view, project }]
        if view.name == NAME && project.as_str() == "default"));
    assert!(matches!(
        engine.credential(&program(), NAME).await.unwrap(),
        AnyCredential::Connection { .. }
    ));
    let change = engine
        .change_credential(&ui(), NAME, given(&[("a", "b")]))
        .await
        .unwrap_err();
    let delete = engine.remove_credential(&ui(), NAME).await.unwrap_err();
    for error in [change, delete] {
        assert_eq!(error.code(), Code::Conflict);
        assert!(error.to_string().contains("/v1/connections"), "{error}");
    }
    assert_eq!(engine.connections(&ui()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_done_stands_in_the_log_with_its_rule_and_when_it_was_used() {
    let (world, engine) = started().await;
    let made = engine.add_credential(&program(), basic("mail")).await.unwrap();
    world.pass(5);
    values(&engine, &program(), "mail").await;
    let (events, _) = engine.events(&ui(), None, 10).await.unwrap();
    let told = |kind| events.iter().find(|event| event.kind == kind).unwrap();
    for kind in [EventKind::CredentialAdded, EventKind::CredentialHandedOut] {
        assert_eq!(
            (told(kind).credential, told(kind).rule),
            (Some(made.id), Some(Rule::ApproveAll))
        );
        assert_eq!(told(kind).detail.as_deref(), Some("mail"));
    }
    let used = until("the use is written", async || {
        entered(engine.credential(&ui(), "mail").await.unwrap()).last_used_at
    });
    assert_eq!(used.await.as_second() - made.created_at.as_second(), 5);
}

#[tokio::test]
async fn a_value_that_is_no_text_is_not_copied_and_is_handed_out_as_it_was() {
    let (_world, engine) = started().await;
    let mut draft = new("blob", CredentialType::Raw, &[]);
    draft.data.insert(
        "value".to_owned(),
        Secret::new(STANDARD.encode([0xff, 0x00, 0xfe])),
    );
    engine.add_credential(&ui(), draft).await.unwrap();
    let error = engine.credential_value(&ui(), "blob", "value").await.unwrap_err();
    assert_eq!(wrong_fields(&error), ["data.value"]);
    let view = entered(engine.credential(&program(), "blob").await.unwrap());
    assert_eq!(
        STANDARD.decode(view.data["value"].expose()).unwrap(),
        [0xff, 0x00, 0xfe]
    );
    let error = engine
        .credential_value(&ui(), "blob", "nothing")
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
}

#[tokio::test]
async fn while_the_vault_is_locked_there_is_nothing_to_read() {
    let (_world, engine) = World::connected_and_trusting(Behaviour::default()).await;
    engine.add_credential(&ui(), basic("mail")).await.unwrap();
    poke(&engine, NAME).await;
    engine.lock(&ui()).await.unwrap();
    for error in [
        engine.credentials(&ui()).await.map(drop).unwrap_err(),
        engine.credential(&program(), "mail").await.map(drop).unwrap_err(),
        engine
            .add_credential(&ui(), basic("more"))
            .await
            .map(drop)
            .unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::VaultLocked);
    }
}
