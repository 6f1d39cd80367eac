//! A GET changes nothing, except that a returned secret is logged.

use crate::{
    populated::{Populated, document, operations},
    support::{Fixture, program},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokenry_core::{ApiScope, Caller};

/// GETs because a browser navigates there, but not reads: they start a sign-in, prompt the user, or end a sign-in
/// (RFC 6749 §4.1.1 and §4.1.2).
const FOR_BROWSERS: &[&str] = &["authorize", "oauth_authorize", "oauth2_callback"];
/// Returns a secret to every caller but the window, and logs that.
const HANDS_OUT: &str = "show_credential";

/// Everything a caller can read, except the activity log.
async fn everything(fixture: &Fixture) -> Value {
    let mut all = json!({});
    for path in [
        "/v1/oauth-providers",
        "/v1/connections",
        "/v1/credentials",
        "/v1/apps",
        "/v1/status",
    ] {
        let answer = fixture.ask_as(Caller::Ui, "GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}");
        all[path] = answer.json;
    }
    all
}

/// Waits until all pending writes are done.
async fn settled(fixture: &Fixture) {
    fixture.ask("GET", "/v1/events", None).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// The rows of all tables, byte by byte: the store's files, but for the one that readers share.
fn stored(fixture: &Fixture) -> Vec<(PathBuf, Vec<u8>)> {
    let is_kept = |path: &Path| path.is_file() && !path.to_string_lossy().ends_with("-shm");
    let mut files: Vec<_> = fs::read_dir(fixture.folder.path().join("p"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| is_kept(path))
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn every_get_twice_leaves_the_store_unchanged() {
    let document = document();
    let populated = Populated::new().await;
    let fixture = &populated.fixture;
    settled(fixture).await;
    let (before, rows) = (everything(fixture).await, stored(fixture));
    let mut called = 0;
    for operation in operations(&document) {
        if operation.method != "get" || FOR_BROWSERS.contains(&operation.id()) {
            continue;
        }
        let name = operation.name();
        let mut answered = false;
        for caller in [Caller::Ui, program(), populated.app(ApiScope::ALL)] {
            if operation.id() == HANDS_OUT && caller != Caller::Ui {
                continue;
            }
            for method in ["GET", "HEAD", "GET", "HEAD"] {
                let answer = populated
                    .call_by(method, &document, operation, caller.clone())
                    .await;
                // The fixture's provider was made of no preset.
                let is_known = operation.id() == "show_preset_update" && answer.status == 409;
                answered |= is_known;
                assert!(
                    is_known || matches!(answer.status, 200 | 403),
                    "{method} {name}: {}",
                    answer.status
                );
                answered |= answer.status == 200;
            }
            assert_eq!(stored(fixture), rows, "{name} wrote to the store for {caller:?}");
        }
        assert!(answered, "{name} has no response");
        called += 1;
    }
    assert!(called > 15, "{called}");
    settled(fixture).await;
    assert_eq!(stored(fixture), rows, "something was written later");
    assert_eq!(everything(fixture).await, before);
    assert_eq!(fixture.server.refreshes() + fixture.server.revocations(), 0);
}

#[tokio::test]
async fn a_get_that_returns_a_secret_is_logged_each_time() {
    let populated = Populated::new().await;
    let fixture = &populated.fixture;
    let hand_outs = async || {
        let page = fixture.ask("GET", "/v1/events?limit=500", None).await.json;
        let lines = page["events"].as_array().unwrap().iter();
        lines
            .filter(|line| line["kind"] == "credential_handed_out")
            .count()
    };
    assert_eq!(hand_outs().await, 0);
    for times in 1..=2 {
        let answer = fixture.ask("GET", "/v1/credentials/mail", None).await;
        assert_eq!(answer.json["data"]["username"], "YQ==");
        assert_eq!(hand_outs().await, times);
    }
    let shown = fixture
        .ask_as(Caller::Ui, "GET", "/v1/credentials/mail", None)
        .await;
    assert_eq!((shown.status, &shown.json["data"]), (200, &json!({})));
    assert_eq!(hand_outs().await, 2, "the window is handed nothing");
}
