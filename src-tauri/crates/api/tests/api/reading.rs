use crate::support::House;
use serde_json::{Value, json};
use std::time::Duration;

/// Everything a caller can see, but for the log of what callers do.
async fn everything(house: &House) -> Value {
    let mut all = json!({});
    for path in ["/v1/oauth-providers", "/v1/connections", "/v1/status"] {
        all[path] = house.ask("GET", path, None).await.json;
    }
    all
}

#[tokio::test]
async fn reading_changes_nothing() {
    let house = House::connected().await;
    let (started, _) = house.signed_in("sandbox", Some("waiting")).await;
    let flow = format!("/v1/flows/{}", started["flow_id"].as_str().unwrap());
    house.ask("GET", "/v1/events", None).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (before, rows) = (everything(&house).await, stored(&house));
    let gets = [
        "/v1/oauth-providers",
        "/v1/oauth-providers/sandbox",
        "/v1/oauth-providers/sandbox/status",
        "/v1/connections",
        "/v1/connections/sandbox",
        "/v1/events?limit=5",
        "/v1/status",
        "/openapi.json",
        flow.as_str(),
    ];
    for path in gets {
        for method in ["GET", "HEAD"] {
            assert_eq!(house.ask(method, path, None).await.status, 200, "{method} {path}");
        }
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(everything(&house).await, before);
    assert_eq!(stored(&house), rows, "a file of the store was written");
    assert_eq!(house.server.refreshes() + house.server.revocations(), 0);
}

/// The store's files, byte by byte, but for the one that readers share.
fn stored(house: &House) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(house.folder.path().join("p"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.to_string_lossy().ends_with("-shm"))
        .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}
