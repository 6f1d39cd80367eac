//! A question says what changes, and a yes covers only that (security.md, "Local interfaces": prompts).

use super::{Program, answer, question, questions};
use crate::tests::common::{NAME, World, patch, ui};
use crate::{ChangeKind, ConnectOptions, Engine, Error, NewGrant, Operation, Prompt, PromptAnswer};
use serde_json::json;
use tokenry_core::{
    ApiScope, Caller, Code, NarrowingMethod, ProviderPatch, Redirect, Rotation, Rule, Scopes,
    TokenEndpointAuthMethod,
};
use tokenry_testkit::Behaviour;
use tokio::task::JoinHandle;

pub(super) type Row<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

pub(super) fn rows(prompt: &Prompt) -> Vec<Row<'_>> {
    let rows = prompt.changes.iter();
    rows.map(|row| (row.field.as_str(), row.from.as_deref(), row.to.as_deref()))
        .collect()
}

pub(super) fn kind_of(prompt: &Prompt, field: &str) -> Option<ChangeKind> {
    let found = prompt.changes.iter().find(|row| row.field == field);
    found.map(|row| row.kind)
}

fn change(engine: &Engine, caller: &Caller, change: ProviderPatch) -> JoinHandle<Result<(), Error>> {
    let (engine, caller) = (engine.clone(), caller.clone());
    tokio::spawn(async move { engine.change_provider(&caller, NAME, change).await.map(drop) })
}

fn named(name: &str) -> ProviderPatch {
    patch(json!({"display_name": name.to_owned()}))
}

/// Everything that decides where secrets go, how they are protected, or whether a grant survives.
fn decisive(server: &tokenry_testkit::Server) -> Vec<(&'static str, ProviderPatch)> {
    let mut elsewhere = server.token_endpoint();
    elsewhere.set_query(Some("tenant=2"));
    let mut path = server.authorization_endpoint();
    path.set_path("/other");
    vec![
        ("token_endpoint", patch(json!({"token_endpoint": elsewhere}))),
        (
            "authorization_endpoint",
            patch(json!({"authorization_endpoint": path})),
        ),
        (
            "refresh_endpoint",
            patch(json!({"refresh_endpoint": server.token_endpoint()})),
        ),
        ("revocation_endpoint", patch(json!({"revocation_endpoint": null}))),
        ("userinfo_endpoint", patch(json!({"userinfo_endpoint": null}))),
        ("use_pkce", patch(json!({"use_pkce": false}))),
        (
            "authorization_response_iss_parameter_supported",
            patch(json!({"authorization_response_iss_parameter_supported": false})),
        ),
        (
            "token_endpoint_auth_method",
            patch(json!({"token_endpoint_auth_method": TokenEndpointAuthMethod::ClientSecretBasic})),
        ),
        ("client_id", patch(json!({"client_id": "another"}))),
        ("client_secret", patch(json!({"client_secret": "c4n4ry-new"}))),
        ("issuer", patch(json!({"issuer": null}))),
        (
            "issuer_aliases",
            patch(json!({"issuer_aliases": ["https://b.example"]})),
        ),
        (
            "authorize_params",
            patch(json!({"authorize_params": {"audience": "x"}})),
        ),
        ("redirect", patch(json!({"redirect": Redirect::Paste}))),
        ("rotation", patch(json!({"rotation": Rotation::Unknown}))),
        (
            "narrowing",
            patch(json!({"narrowing": NarrowingMethod::Exchange})),
        ),
    ]
}

async fn app(engine: &Engine, scopes: &[ApiScope], connections: &[&str]) -> Caller {
    let (_, token) = engine
        .register_app(&ui(), "backup", Vec::new(), false)
        .await
        .unwrap();
    let grant = NewGrant {
        app: "backup".to_owned(),
        scopes: scopes.iter().copied().collect(),
        connections: connections.iter().map(ToString::to_string).collect(),
        ..NewGrant::default()
    };
    engine.give_grant(&ui(), grant).await.unwrap();
    engine.authenticate(&token.unwrap(), None).await.unwrap()
}

#[tokio::test]
async fn the_question_for_changing_a_provider_says_what_changes_and_no_secret() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let wanted = patch(json!({
        "display_name": "Trusted", "use_pkce": false, "client_secret": "c4n4ry-new", "client_id": "tokenry",
        "default_scopes": ["read"], "authorize_params": {"login_hint": "Trust\u{202e}ed"},
    }));
    let changing = change(&engine, &program.caller(), wanted);
    let prompt = question(&engine).await;
    assert_eq!(prompt.operation, Operation::MoveEndpoint);
    assert_eq!(
        rows(&prompt),
        [
            ("display_name", Some(NAME), Some("Trusted")),
            ("default_scopes", Some("read write"), Some("read")),
            ("use_pkce", Some("true"), Some("false")),
            ("authorize_params", None, Some("login_hint=Trusted")),
            ("client_secret", None, None),
        ]
    );
    assert_eq!(kind_of(&prompt, "client_secret"), Some(ChangeKind::Set));
    assert!(!format!("{prompt:?}").contains("c4n4ry"));
    assert!(!prompt.for_session);
    answer(&engine, &prompt, PromptAnswer::Once).await.unwrap();
    changing.await.unwrap().unwrap();

    // And on the same host, to another path.
    let mut elsewhere = world.server.token_endpoint();
    elsewhere.set_path("/other");
    let moved = patch(json!({
        "token_endpoint": elsewhere.clone(), "client_secret": null,
        "token_endpoint_auth_method": TokenEndpointAuthMethod::None,
    }));
    let changing = change(&engine, &program.caller(), moved);
    let prompt = question(&engine).await;
    let now = world.server.token_endpoint();
    assert_eq!(prompt.changes[0].from.as_deref(), Some(now.as_str()));
    assert_eq!(prompt.changes[0].to.as_deref(), Some(elsewhere.as_str()));
    assert_eq!(kind_of(&prompt, "client_secret"), Some(ChangeKind::Removed));
    answer(&engine, &prompt, PromptAnswer::Deny).await.unwrap();
    assert_eq!(changing.await.unwrap().unwrap_err().code(), Code::ConsentDenied);
}

#[tokio::test]
async fn a_yes_for_the_session_to_a_new_display_name_covers_nothing_else() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let changing = change(&engine, &program.caller(), named("Mine"));
    let prompt = question(&engine).await;
    assert!(prompt.for_session);
    answer(&engine, &prompt, PromptAnswer::Session).await.unwrap();
    changing.await.unwrap().unwrap();
    let others = [
        named("Another"),
        named("Mine").with("use_pkce", json!(false)),
        patch(json!({"client_id": "another", "client_secret": "s"})),
    ];
    for other in others {
        let changing = change(&engine, &program.caller(), other);
        let prompt = question(&engine).await;
        answer(&engine, &prompt, PromptAnswer::Once).await.unwrap();
        changing.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_decides_where_secrets_go_is_asked_each_time_of_programs_and_of_apps_with_a_grant() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let app = app(&engine, &[ApiScope::ProvidersWrite], &[]).await;
    for caller in [program.caller(), app.clone()] {
        for (field, wanted) in decisive(&world.server) {
            let changing = change(&engine, &caller, wanted);
            let prompt = tokio::select! {
                prompt = question(&engine) => prompt,
                () = async { while !changing.is_finished() { tokio::task::yield_now().await } } => {
                    panic!("{field} changed without a question: {caller:?}")
                }
            };
            assert_eq!(prompt.operation, Operation::MoveEndpoint, "{field}");
            assert!(!prompt.for_session, "{field}");
            assert!(
                prompt.changes.iter().any(|row| row.field == field),
                "{field}: {:?}",
                prompt.changes
            );
            changing.abort();
            questions(&engine, 0).await;
        }
    }
    // What is of no consequence for that is done at once by an app that may change providers.
    change(&engine, &app, named("Mine")).await.unwrap().unwrap();
    let stricter = patch(json!({"default_scopes": Scopes::parse("read")}));
    change(&engine, &app, stricter).await.unwrap().unwrap();
    // And the user, in the window, is not asked about their own changes.
    let own = patch(json!({"use_pkce": false}));
    engine.change_provider(&ui(), NAME, own).await.unwrap();
}

#[tokio::test]
async fn a_question_with_another_secret_is_another_question() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let with = |text: &str| patch(json!({"client_secret": text}));
    let first = change(&engine, &program.caller(), with("theirs"));
    question(&engine).await;
    let second = change(&engine, &program.caller(), with("mine"));
    let open = questions(&engine, 2).await;
    answer(&engine, &open[0], PromptAnswer::Once).await.unwrap();
    first.await.unwrap().unwrap();
    second.abort();
    let provider = engine.provider(&ui(), NAME).await.unwrap();
    assert_eq!(provider.client_secret.unwrap().expose(), "theirs");
}

#[tokio::test]
async fn removing_a_provider_asks_an_app_too_and_names_the_connections_that_go() {
    let (world, engine) = World::connected(Behaviour {
        accounts: (0..15)
            .map(|n| tokenry_testkit::Account::new(&format!("sub-{n}"), "A", &format!("a{n}@example.com")))
            .collect(),
        ..Behaviour::default()
    })
    .await;
    for person in 1..15 {
        world.server.set(|behaviour| behaviour.signed_in = person);
        let how = ConnectOptions {
            label: Some(format!("acc-{person:02}")),
            ..ConnectOptions::default()
        };
        world.sign_in(&engine, how).await.unwrap();
    }
    let all: Vec<_> = engine.connections(&ui()).await.unwrap();
    let names: Vec<_> = all.iter().map(|view| view.name.as_str()).collect();
    let app = app(&engine, &[ApiScope::ProvidersWrite, ApiScope::AuthWrite], &names).await;
    let (removing, caller) = (engine.clone(), app.clone());
    let removing = tokio::spawn(async move { removing.remove_provider(&caller, NAME, true).await });
    let prompt = question(&engine).await;
    assert_eq!(
        (prompt.operation, prompt.disconnects),
        (Operation::DeleteProvider, 15)
    );
    assert_eq!(prompt.disconnecting.len(), 13, "{:?}", prompt.disconnecting);
    assert_eq!(prompt.disconnecting[1], "sandbox/acc-01");
    assert_eq!(prompt.disconnecting[12], "and 3 more");
    answer(&engine, &prompt, PromptAnswer::Once).await.unwrap();
    removing.await.unwrap().unwrap();

    // Without a connection, too.
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    let (removing, caller) = (engine.clone(), app.clone());
    let removing = tokio::spawn(async move { removing.remove_provider(&caller, NAME, false).await });
    answer(&engine, &question(&engine).await, PromptAnswer::Deny)
        .await
        .unwrap();
    assert_eq!(removing.await.unwrap().unwrap_err().rule(), Some(Rule::Denied));
    assert_eq!(engine.providers(&ui()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_app_that_may_change_providers_cannot_disconnect_by_removing_one() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let app = app(&engine, &[ApiScope::ProvidersWrite], &[NAME]).await;
    let refused = engine.remove_provider(&app, NAME, true).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.to_string().contains("auth:write"), "{refused}");
    assert_eq!(world.server.revocations(), 0);
    assert_eq!(engine.connections(&ui()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_question_for_a_new_provider_says_where_its_secrets_go_and_is_asked_each_time() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let program = Program::start();
    let mut new = world.provider("other");
    let mut endpoint = world.server.token_endpoint();
    endpoint.set_path("/elsewhere");
    new = new.with("token_endpoint", json!(endpoint.clone()));
    let (adding, caller) = (engine.clone(), program.caller());
    let adding = tokio::spawn(async move { adding.add_provider(&caller, new).await });
    let prompt = question(&engine).await;
    let row = ("token_endpoint", None, Some(endpoint.as_str()));
    assert!(rows(&prompt).contains(&row), "{:?}", prompt.changes);
    assert!(!prompt.for_session);
    adding.abort();
}
