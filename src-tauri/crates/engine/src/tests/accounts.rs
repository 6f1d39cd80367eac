//! Whose a connection is: further accounts, labels, and renewals.

use crate::tests::common::{NAME, World, answer_of, paste, patch, poke, status, token, ui, view};
use crate::tests::flows::added;
use crate::{ConnectOptions, NewGrant, Operation};
use serde_json::json;
use std::time::Duration;
use tokenry_core::{ApiScope, Code, ConnectionStatus};
use tokenry_testkit::{Account, Behaviour, Kind};

fn people() -> Behaviour {
    Behaviour {
        accounts: vec![
            Account::new("sub-1", "Ada", "ada@example.com"),
            Account::new("sub-2", "Grace", "grace@example.com"),
            Account::new("sub-3", "Grace the Second", "grace@example.com"),
        ],
        ..Behaviour::default()
    }
}

pub(crate) fn renewing(reference: &str) -> ConnectOptions {
    ConnectOptions {
        renew: Some(reference.to_owned()),
        ..ConnectOptions::default()
    }
}
#[tokio::test]
async fn the_same_account_again_renews_and_makes_no_twin() {
    let (world, engine) = added(people()).await;
    let first = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let again = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(first.connection.id, again.connection.id);
    assert_eq!(engine.connections(&ui()).await.unwrap().len(), 1);
    engine.refresh(&ui(), NAME).await.unwrap();
    let log = world.server.log();
    let refresh = log.iter().find(|r| r.kind == Kind::Refresh).unwrap();
    assert_eq!(
        refresh.family,
        Some(1),
        "the newest grant is the one that is used"
    );

    // A label of its own says that a connection of its own is wanted.
    let own = ConnectOptions {
        label: Some("ci".to_owned()),
        ..ConnectOptions::default()
    };
    let own = world.sign_in(&engine, own).await.unwrap();
    assert_ne!(own.connection.id, first.connection.id);
    assert_eq!(own.name, format!("{NAME}/ci"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sign_ins_of_one_account_at_the_same_moment_make_one_connection() {
    let (world, engine) = added(people()).await;
    let (a, b) = (world.flow(&engine).await, world.flow(&engine).await);
    let (a, b) = (answer_of(&a), answer_of(&b));
    let ui = ui();
    let (a, b) = tokio::join!(engine.callback(&ui, &a), engine.callback(&ui, &b));
    assert_eq!(a.unwrap().connection.id, b.unwrap().connection.id);
    assert_eq!(engine.connections(&ui).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_second_account_gets_its_own_label_and_each_has_a_name_that_works() {
    let (world, engine) = added(people()).await;
    let mut names = Vec::new();
    for person in 0..3 {
        world.server.set(|behaviour| behaviour.signed_in = person);
        let made = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
        names.push(made.name);
    }
    let expected = [NAME, "sandbox/grace@example.com", "sandbox/grace@example.com-2"];
    assert_eq!(names, expected);
    for (person, name) in names.iter().enumerate() {
        let view = engine.connection(&ui(), name).await.unwrap();
        assert_eq!(&view.name, name);
        assert_eq!(
            view.connection.account.unwrap().subject,
            format!("sub-{}", person + 1)
        );
        engine.token(&ui(), name, Duration::ZERO).await.unwrap();
    }
    let bare = engine.token(&ui(), "grace@example.com", Duration::ZERO).await;
    bare.unwrap();
    let several = engine
        .connection_for(&ui(), NAME, Operation::Token)
        .await
        .unwrap_err();
    assert_eq!(several.code(), Code::Conflict);
    assert!(
        expected.iter().all(|name| several.to_string().contains(name)),
        "{several}"
    );
}

/// A label that is taken, or cannot be typed, is refused before the browser opens.
#[tokio::test]
async fn a_label_is_unique_and_can_be_typed() {
    let (world, engine) = added(people()).await;
    let labelled = |label: &str| ConnectOptions {
        label: Some(label.to_owned()),
        ..ConnectOptions::default()
    };
    world.sign_in(&engine, labelled("work")).await.unwrap();
    let flow = engine
        .connect(&ui(), NAME, paste(labelled("open")))
        .await
        .unwrap();
    for taken in ["work", " work ", "open"] {
        let error = engine.connect(&ui(), NAME, labelled(taken)).await.unwrap_err();
        assert_eq!(error.code(), Code::Conflict);
    }
    for bad in ["a/b", "a\nb", "\u{202e}x", &"x".repeat(65)] {
        let error = engine.connect(&ui(), NAME, labelled(bad)).await.unwrap_err();
        assert_eq!(error.fields().unwrap().keys().collect::<Vec<_>>(), ["label"]);
    }
    // The account's own name is what the open flow's label happens to be.
    engine.cancel_flow(&ui(), flow.flow).await.unwrap();
    engine
        .connect(&ui(), NAME, paste(labelled("grace@example.com")))
        .await
        .unwrap();
    world.server.set(|behaviour| behaviour.signed_in = 1);
    let made = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(made.name, "sandbox/grace@example.com-2");
}

/// security.md, "Redirects": a different account than the one being renewed never overwrites it.
#[tokio::test]
async fn a_renewal_with_another_account_is_refused_and_leaves_the_old_one_as_it_was() {
    let (world, engine) = added(people()).await;
    let first = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let before = token(&engine, 0).await.unwrap();
    world.server.set(|behaviour| behaviour.signed_in = 1);
    let error = world.sign_in(&engine, renewing(NAME)).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert!(error.to_string().contains("grace@example.com"), "{error}");
    let after = token(&engine, 0).await.unwrap();
    assert_eq!(before.access_token.expose(), after.access_token.expose());
    let shown = view(&engine).await.connection;
    assert_eq!(shown.account, first.connection.account);
    assert_eq!(shown.status, ConnectionStatus::Active);
    engine.refresh(&ui(), NAME).await.unwrap();
    let families = world.server.families();
    assert!(families[0].ended.is_none());
    assert!(families[1].ended.is_some(), "unused tokens were revoked");
}

/// security.md, "Redirects": a different account than the one being renewed never overwrites it: the user is asked. One
/// that is not told may be a different one.
#[tokio::test]
async fn a_renewal_whose_account_is_not_told_replaces_nothing_until_the_user_says_that_it_is_the_same() {
    let (world, engine) = added(people()).await;
    let first = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert!(first.connection.account.is_some());
    let before = token(&engine, 0).await.unwrap();
    let silent = patch(json!({"userinfo_endpoint": null}));
    engine.change_provider(&ui(), NAME, silent).await.unwrap();
    world.server.set(|behaviour| behaviour.signed_in = 1);
    for allow_further in [false, true] {
        let how = ConnectOptions {
            allow_further,
            ..renewing(NAME)
        };
        let error = world.sign_in(&engine, how).await.unwrap_err();
        assert_eq!(error.code(), Code::Conflict);
        let words = error.to_string();
        assert!(
            words.contains("ada@example.com") && words.contains("--same-account"),
            "{words}"
        );
        let after = token(&engine, 0).await.unwrap();
        assert_eq!(before.access_token.expose(), after.access_token.expose());
        assert_eq!(engine.connections(&ui()).await.unwrap().len(), 1);
    }
    // What may be of the same grant is not revoked: that could end it.
    assert_eq!(world.server.revocations(), 0);
    let same = ConnectOptions {
        allow_unknown_account: true,
        ..renewing(NAME)
    };
    let renewed = world.sign_in(&engine, same).await.unwrap();
    assert_eq!(renewed.connection.id, first.connection.id);
    let after = token(&engine, 0).await.unwrap();
    assert_ne!(before.access_token.expose(), after.access_token.expose());
}

#[tokio::test]
async fn an_app_cannot_say_that_an_account_which_is_not_told_is_the_same() {
    let (world, engine) = added(people()).await;
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let silent = patch(json!({"userinfo_endpoint": null}));
    engine.change_provider(&ui(), NAME, silent).await.unwrap();
    let (_, token) = engine
        .register_app(&ui(), "backup", Vec::new(), false)
        .await
        .unwrap();
    let grant = NewGrant {
        app: "backup".to_owned(),
        scopes: [ApiScope::AuthWrite].into(),
        connections: vec![NAME.to_owned()],
        ..NewGrant::default()
    };
    engine.give_grant(&ui(), grant).await.unwrap();
    let app = engine.authenticate(&token.unwrap(), None).await.unwrap();
    let same = ConnectOptions {
        allow_unknown_account: true,
        ..renewing(NAME)
    };
    let flow = engine.connect(&app, NAME, paste(same)).await.unwrap();
    let error = engine.callback(&app, &answer_of(&flow)).await.unwrap_err();
    assert!(
        error.to_string().contains("did not tell which account"),
        "{error}"
    );
}

#[tokio::test]
async fn a_renewal_with_the_same_account_brings_it_back_to_life() {
    let (world, engine) = added(people()).await;
    let first = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    world.server.withdraw();
    engine.refresh(&ui(), NAME).await.unwrap_err();
    let flow = engine.connect(&ui(), NAME, paste(renewing(NAME))).await.unwrap();
    assert_eq!(flow.connection, first.connection.id);
    assert!(matches!(status(&engine).await, ConnectionStatus::NeedsReauth(_)));
    assert_eq!(view(&engine).await.flow, Some(flow.flow));
    let renewed = engine.callback(&ui(), &answer_of(&flow)).await.unwrap();
    assert_eq!(renewed.connection.status, ConnectionStatus::Active);
    assert_eq!(engine.connections(&ui()).await.unwrap().len(), 1);
    poke(&engine, NAME).await;
    token(&engine, 0).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_renewed_is_said_before_the_browser_opens() {
    let (world, engine) = added(people()).await;
    engine.add_provider(&ui(), world.provider("other")).await.unwrap();
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let other = engine.connect(&ui(), "other", renewing(NAME)).await.unwrap_err();
    assert_eq!(other.code(), Code::ValidationError);
    let unknown = engine
        .connect(&ui(), NAME, renewing("unknown"))
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let flow = engine
        .connect(&ui(), "other", paste(ConnectOptions::default()))
        .await
        .unwrap();
    let pending = renewing(&flow.connection.to_string());
    let pending = engine.connect(&ui(), "other", pending).await.unwrap_err();
    assert_eq!(pending.code(), Code::Conflict);
}

/// Two connections of one account: whichever is named is renewed, and the other stays as it was.
#[tokio::test]
async fn of_two_connections_of_one_account_the_one_that_is_named_is_renewed() {
    for has_account in [true, false] {
        let world = World::trusting(people());
        let engine = world.start().await;
        let mut provider = world.provider(NAME);
        if !has_account {
            provider = provider.with("userinfo_endpoint", json!(null));
        }
        engine.add_provider(&ui(), provider).await.unwrap();
        let labelled = |label: Option<&str>| ConnectOptions {
            label: label.map(str::to_owned),
            ..ConnectOptions::default()
        };
        let plain = world.sign_in(&engine, labelled(None)).await.unwrap();
        let ci = world.sign_in(&engine, labelled(Some("ci"))).await.unwrap();
        let obtained = async |name: &str| {
            engine
                .connection(&ui(), name)
                .await
                .unwrap()
                .connection
                .last_refreshed_at
        };
        for (reference, named) in [
            (NAME.to_owned(), &plain),
            (format!("{NAME}/ci"), &ci),
            (ci.connection.id.to_string(), &ci),
            ("ci".to_owned(), &ci),
            (plain.connection.id.to_string(), &plain),
        ] {
            for allow_further in [true, false] {
                world.pass(10);
                let before = [obtained(NAME).await, obtained("ci").await];
                let how = ConnectOptions {
                    allow_further,
                    ..renewing(&reference)
                };
                let renewed = world.sign_in(&engine, how).await.unwrap();
                assert_eq!(renewed.connection.id, named.connection.id, "{reference}");
                let after = [obtained(NAME).await, obtained("ci").await];
                let is_plain = named.connection.id == plain.connection.id;
                assert_eq!(
                    (before[0] != after[0], before[1] != after[1]),
                    (is_plain, !is_plain),
                    "{reference}"
                );
            }
        }
        assert_eq!(engine.connections(&ui()).await.unwrap().len(), 2, "no third");
    }
}

/// Without a connection that is named, the one with the provider's own name is meant.
#[tokio::test]
async fn the_same_account_without_a_label_renews_the_connection_without_one() {
    let (world, engine) = added(people()).await;
    for label in ["a", "b", "c"] {
        let how = ConnectOptions {
            label: Some(label.to_owned()),
            ..ConnectOptions::default()
        };
        world.sign_in(&engine, how).await.unwrap();
        world.pass(1);
    }
    let oldest = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(oldest.name, "sandbox/a");
    let unlabelled = engine.connection(&ui(), "c").await.unwrap().connection.id;
    let change = crate::ConnectionChange {
        label: Some(None),
        ..crate::ConnectionChange::default()
    };
    engine.change_connection(&ui(), "c", change).await.unwrap();
    let again = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    assert_eq!(again.connection.id, unlabelled);
}

/// Named by its provider alone, a connection is renewed by its own account only; another one gets its own.
#[tokio::test]
async fn another_account_gets_a_connection_of_its_own_where_that_is_allowed() {
    let (world, engine) = added(people()).await;
    let first = world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let how = || ConnectOptions {
        allow_further: true,
        ..renewing(NAME)
    };
    world.server.set(|behaviour| behaviour.signed_in = 1);
    let second = world.sign_in(&engine, how()).await.unwrap();
    assert_eq!(second.name, "sandbox/grace@example.com");
    let kept = engine
        .connection(&ui(), &first.connection.id.to_string())
        .await
        .unwrap();
    assert_eq!(kept.connection.account, first.connection.account);
    engine
        .refresh(&ui(), &first.connection.id.to_string())
        .await
        .unwrap();
    // Once more: it is the second's own by now.
    let again = world.sign_in(&engine, how()).await.unwrap();
    assert_eq!(again.connection.id, second.connection.id);
    assert_eq!(engine.connections(&ui()).await.unwrap().len(), 2);
}
