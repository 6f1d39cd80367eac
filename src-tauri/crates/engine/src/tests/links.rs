//! Links with our scheme. The program that opens one shows no answer, so the window has to say what came of it.

use crate::tests::common::{NAME, answer_of, ui};
use crate::tests::flows::added;
use crate::{Change, ConnectOptions, Engine};
use tokenry_core::{Caller, Code, Redirect};
use tokenry_testkit::{AuthorizeAnswer, Behaviour};
use tokio::sync::broadcast::Receiver;

fn refused(changes: &mut Receiver<Change>) -> Vec<(Code, String)> {
    let mut refused = Vec::new();
    while let Ok(change) = changes.try_recv() {
        if let Change::LinkRefused(code, message) = change {
            refused.push((code, message));
        }
    }
    refused
}

async fn link(engine: &Engine) -> String {
    let how = ConnectOptions {
        redirect: Some(Redirect::DeepLink),
        ..ConnectOptions::default()
    };
    let flow = engine.connect(&ui(), NAME, how).await.unwrap();
    assert!(flow.redirect_uri.starts_with("io.github.tokenry:"));
    answer_of(&flow)
}

#[tokio::test]
async fn a_link_of_no_open_sign_in_is_announced_without_anything_of_the_link() {
    let (_world, engine) = added(Behaviour::default()).await;
    let link = link(&engine).await;
    let mut changes = engine.changes();
    engine.callback(&ui(), &link).await.unwrap();
    assert_eq!(refused(&mut changes), []);
    for (stale, code) in [
        (link.as_str(), Code::FlowExpired),
        (
            "io.github.tokenry:/cb/sandbox?code=canary&state=canary",
            Code::FlowExpired,
        ),
        (
            "io.github.tokenry:/cb/sandbox?error=access_denied&state=canary",
            Code::FlowExpired,
        ),
        ("io.github.tokenry:/cb/sandbox", Code::ValidationError),
        ("io.github.tokenry:/other/canary", Code::ValidationError),
    ] {
        let error = engine.callback(&ui(), stale).await.unwrap_err();
        let told = refused(&mut changes);
        assert_eq!(told, [(error.code(), error.to_string())], "{stale}");
        assert_eq!(told[0].0, code, "{stale}");
        assert!(!told[0].1.contains("canary"), "{told:?}");
    }
    engine.lock(&ui()).await.unwrap();
    engine.callback(&ui(), &link).await.unwrap_err();
    assert_eq!(refused(&mut changes).len(), 1, "a locked vault knows no flow");
}

#[tokio::test]
async fn what_a_sign_in_or_a_terminal_says_itself_is_not_announced_as_a_link() {
    let (_world, engine) = added(Behaviour {
        authorize: AuthorizeAnswer::Error {
            error: "access_denied".to_owned(),
            description: None,
        },
        ..Behaviour::default()
    })
    .await;
    let denied = link(&engine).await;
    let mut changes = engine.changes();
    let error = engine.callback(&ui(), &denied).await.unwrap_err();
    assert_eq!(error.code(), Code::ConsentDenied);
    assert_eq!(refused(&mut changes), [], "its flow says so");
    let pasted = "http://127.0.0.1:9/cb/sandbox?code=x&state=y";
    engine.callback(&Caller::Ui, pasted).await.unwrap_err();
    assert_eq!(refused(&mut changes), [], "who pastes sees the answer");
}
