use crate::{
    furnished::{Furnished, document, operations},
    support::{House, program},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokenry_core::{ApiScope, Caller};

/// GETs because a browser is sent there, and no reads: they start a sign-in, ask a person, or end a sign-in
/// (RFC 6749 §4.1.1 and §4.1.2).
const FOR_BROWSERS: &[&str] = &["authorize", "oauth_authorize", "oauth2_callback"];
/// Hands a secret out to whoever is not the window, and that is always written down.
const HANDS_OUT: &str = "show_credential";

/// Everything a caller can see, but for the log of what callers do.
async fn everything(house: &House) -> Value {
    let mut all = json!({});
    for path in [
        "/v1/oauth-providers",
        "/v1/connections",
        "/v1/credentials",
        "/v1/apps",
        "/v1/status",
    ] {
        let answer = house.ask_as(Caller::Ui, "GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}");
        all[path] = answer.json;
    }
    all
}

/// Whatever was still to be written is written after this.
async fn settled(house: &House) {
    house.ask("GET", "/v1/events", None).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// The rows of all tables, byte by byte: the store's files, but for the one that readers share.
fn stored(house: &House) -> Vec<(PathBuf, Vec<u8>)> {
    let is_kept = |path: &Path| path.is_file() && !path.to_string_lossy().ends_with("-shm");
    let mut files: Vec<_> = fs::read_dir(house.folder.path().join("p"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| is_kept(path))
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn every_get_twice_leaves_the_store_as_it_was() {
    let document = document();
    let furnished = Furnished::new().await;
    let house = &furnished.house;
    settled(house).await;
    let (before, rows) = (everything(house).await, stored(house));
    let mut called = 0;
    for operation in operations(&document) {
        if operation.method != "get" || FOR_BROWSERS.contains(&operation.id()) {
            continue;
        }
        let name = operation.name();
        let mut answered = false;
        for caller in [Caller::Ui, program(), furnished.app(ApiScope::ALL)] {
            if operation.id() == HANDS_OUT && caller != Caller::Ui {
                continue;
            }
            for method in ["GET", "HEAD", "GET", "HEAD"] {
                let answer = furnished
                    .call_by(method, &document, operation, caller.clone())
                    .await;
                assert!(
                    matches!(answer.status, 200 | 403),
                    "{method} {name}: {}",
                    answer.status
                );
                answered |= answer.status == 200;
            }
            assert_eq!(stored(house), rows, "{name} wrote to the store for {caller:?}");
        }
        assert!(answered, "{name} is answered to nobody");
        called += 1;
    }
    assert!(called > 15, "{called}");
    settled(house).await;
    assert_eq!(stored(house), rows, "something was written later");
    assert_eq!(everything(house).await, before);
    assert_eq!(house.server.refreshes() + house.server.revocations(), 0);
}

#[tokio::test]
async fn what_a_get_hands_out_is_written_down_each_time() {
    let furnished = Furnished::new().await;
    let house = &furnished.house;
    let hand_outs = async || {
        let page = house.ask("GET", "/v1/events?limit=500", None).await.json;
        let lines = page["events"].as_array().unwrap().iter();
        lines
            .filter(|line| line["kind"] == "credential_handed_out")
            .count()
    };
    assert_eq!(hand_outs().await, 0);
    for times in 1..=2 {
        let answer = house.ask("GET", "/v1/credentials/mail", None).await;
        assert_eq!(answer.json["data"]["username"], "YQ==");
        assert_eq!(hand_outs().await, times);
    }
    let shown = house
        .ask_as(Caller::Ui, "GET", "/v1/credentials/mail", None)
        .await;
    assert_eq!((shown.status, &shown.json["data"]), (200, &json!({})));
    assert_eq!(hand_outs().await, 2, "the window is handed nothing");
}
