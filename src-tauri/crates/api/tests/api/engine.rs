use crate::support::House;
use serde_json::json;

#[tokio::test]
async fn the_status_is_told_while_locked_and_nothing_else_is() {
    let house = House::connected().await;
    let open = house.ask("GET", "/v1/status", None).await.json;
    assert_eq!(
        (&open["vault"]["state"], &open["connections"]),
        (&json!("unlocked"), &json!({"active": 1}))
    );
    assert!(open["pid"] == std::process::id() && open["window"] == false);
    assert_eq!(
        house.ask("POST", "/v1/lock", None).await.json,
        json!({"success": true})
    );
    let shut = house.ask("GET", "/v1/status", None).await.json;
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
        let answer = house.ask(method, path, None).await;
        assert_eq!(
            (answer.status, answer.code()),
            (423, "vault_locked"),
            "{path}: {}",
            answer.text
        );
    }
    assert_eq!(
        house.ask("POST", "/v1/unlock", json!({})).await.json,
        json!({"success": true})
    );
    assert_eq!(
        house
            .ask("POST", "/v1/connections/sandbox/token", None)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_wrong_passphrase_keeps_the_vault_shut_and_is_not_repeated() {
    let house = House::new().await;
    house.ask("POST", "/v1/lock", None).await;
    let answer = house
        .ask("POST", "/v1/unlock", json!({"passphrase": "hunter2hunter2"}))
        .await;
    assert!(
        answer.status >= 400 && !answer.text.contains("hunter2"),
        "{}",
        answer.text
    );
    assert_eq!(
        house.ask("GET", "/v1/status", None).await.json["vault"]["state"],
        "locked"
    );
}

#[tokio::test]
async fn an_engine_without_a_window_shows_none_and_hands_over() {
    let house = House::new().await;
    let answer = house.ask("POST", "/v1/window/show", None).await;
    assert_eq!((answer.status, answer.code()), (409, "conflict"));
    assert_eq!(
        house.ask("POST", "/v1/hand-over", None).await.json,
        json!({"success": true})
    );
    tokio::time::timeout(std::time::Duration::from_secs(5), house.engine.finished())
        .await
        .unwrap();
}

#[tokio::test]
async fn the_log_is_read_in_pages_newest_first() {
    let house = House::connected().await;
    for n in 0..5 {
        house.add(&format!("p{n}")).await;
    }
    let first = house.ask("GET", "/v1/events?limit=3", None).await.json;
    let mark = first["next"].as_i64().unwrap();
    let second = house
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
        let answer = house.ask("GET", &format!("/v1/events?limit={limit}"), None).await;
        assert!(
            answer.code() == "validation_error" && !answer.field("limit").is_empty(),
            "{limit}: {}",
            answer.text
        );
    }
}
