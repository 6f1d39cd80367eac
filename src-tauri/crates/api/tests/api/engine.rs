//! Status, lock, unlock and the activity log over HTTP.

use crate::support::Fixture;
use serde_json::json;

#[tokio::test]
async fn only_the_status_is_available_while_locked() {
    let fixture = Fixture::connected().await;
    let open = fixture.ask("GET", "/v1/status", None).await.json;
    assert_eq!(
        (&open["vault"]["state"], &open["connections"]),
        (&json!("unlocked"), &json!({"active": 1}))
    );
    assert!(open["pid"] == std::process::id() && open["window"] == false);
    assert_eq!(
        fixture.ask("POST", "/v1/lock", None).await.json,
        json!({"success": true})
    );
    let shut = fixture.ask("GET", "/v1/status", None).await.json;
    assert_eq!(
        (&shut["vault"]["state"], &shut["providers"]),
        (&json!("locked"), &json!(0))
    );
    for (method, path) in [
        ("GET", "/v1/oauth-providers"),
        ("GET", "/v1/connections"),
        ("GET", "/v1/events"),
        ("POST", "/v1/connections/sandbox/token"),
        ("POST", "/v1/oauth-providers/sandbox/authorize"),
        ("DELETE", "/v1/connections/sandbox"),
    ] {
        let answer = fixture.ask(method, path, None).await;
        assert_eq!(
            (answer.status, answer.code()),
            (423, "vault_locked"),
            "{path}: {}",
            answer.text
        );
    }
    assert_eq!(
        fixture.ask("POST", "/v1/unlock", json!({})).await.json,
        json!({"success": true})
    );
    assert_eq!(
        fixture
            .ask("POST", "/v1/connections/sandbox/token", None)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_wrong_passphrase_does_not_unlock_and_is_not_repeated() {
    let fixture = Fixture::new().await;
    fixture.ask("POST", "/v1/lock", None).await;
    let answer = fixture
        .ask("POST", "/v1/unlock", json!({"passphrase": "hunter2hunter2"}))
        .await;
    assert!(
        answer.status >= 400 && !answer.text.contains("hunter2"),
        "{}",
        answer.text
    );
    assert_eq!(
        fixture.ask("GET", "/v1/status", None).await.json["vault"]["state"],
        "locked"
    );
}

#[tokio::test]
async fn an_engine_without_a_window_cannot_show_one_and_hands_over() {
    let fixture = Fixture::new().await;
    let answer = fixture.ask("POST", "/v1/window/show", None).await;
    assert_eq!((answer.status, answer.code()), (409, "conflict"));
    assert_eq!(
        fixture.ask("POST", "/v1/hand-over", None).await.json,
        json!({"success": true})
    );
    tokio::time::timeout(std::time::Duration::from_secs(5), fixture.engine.finished())
        .await
        .unwrap();
}

#[tokio::test]
async fn the_log_is_read_in_pages_newest_first() {
    let fixture = Fixture::connected().await;
    for n in 0..5 {
        fixture.add(&format!("p{n}")).await;
    }
    let first = fixture.ask("GET", "/v1/events?limit=3", None).await.json;
    let mark = first["next"].as_i64().unwrap();
    let second = fixture
        .ask("GET", &format!("/v1/events?limit=3&before={mark}"), None)
        .await
        .json;
    // As times and not as texts: a fraction is as long as it has to be.
    let times = |page: &serde_json::Value| -> Vec<tokenry_core::Timestamp> {
        page["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["at"].as_str().unwrap().parse().unwrap())
            .collect()
    };
    let mut all = [times(&first), times(&second)].concat();
    assert_eq!(all.len(), 6);
    let newest_first = all.clone();
    all.sort();
    all.reverse();
    assert_eq!(all, newest_first);
    for limit in ["0", "501", "-1", "many"] {
        let answer = fixture
            .ask("GET", &format!("/v1/events?limit={limit}"), None)
            .await;
        assert!(
            answer.code() == "validation_error" && !answer.field("limit").is_empty(),
            "{limit}: {}",
            answer.text
        );
    }
}
