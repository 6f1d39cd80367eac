use crate::support::House;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn the_get_form_of_authorize_starts_a_flow_and_opens_no_browser() {
    let house = House::new().await;
    house.add("sandbox").await;
    let path = "/v1/oauth-providers/sandbox/authorize?label=work&scope=read%20extra&redirect=paste";
    let answer = house.ask("GET", path, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let url = answer.json["authorization_url"].as_str().unwrap();
    assert!(
        url.contains("scope=read+extra") || url.contains("scope=read%20extra"),
        "{url}"
    );
    assert!(url.contains(answer.json["state"].as_str().unwrap()));
    assert!(house.host.opened.lock().unwrap().is_empty());
    let waiting = house
        .ask("GET", "/v1/connections/sandbox%2Fwork", None)
        .await
        .json;
    assert!(
        waiting["status"] == "pending" && waiting["flow_id"] == answer.json["flow_id"],
        "{waiting}"
    );
    assert_eq!(waiting["missing_scopes"], json!([]));
}

#[tokio::test]
async fn the_browser_is_opened_on_request_and_again() {
    let house = House::new().await;
    house.add("sandbox").await;
    let body = json!({"redirect": "loopback"});
    let started = house
        .ask("POST", "/v1/oauth-providers/sandbox/authorize", body)
        .await
        .json;
    let path = format!("/v1/flows/{}/open", started["flow_id"].as_str().unwrap());
    for _ in 0..2 {
        let answer = house.ask("POST", &path, None).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let opened = house.host.opened.lock().unwrap();
    assert_eq!(opened.len(), 2);
    assert!(opened.iter().all(|url| url.as_str() == started["browser_url"]));
}

#[tokio::test]
async fn a_flow_is_followed_until_it_is_connected() {
    let house = House::new().await;
    house.add("sandbox").await;
    let (started, url) = house.signed_in("sandbox", None).await;
    let path = format!("/v1/flows/{}", started["flow_id"].as_str().unwrap());
    let waiting = house.ask("GET", &path, None).await.json;
    assert_eq!(
        (&waiting["status"], &waiting["connection_id"]),
        (&json!("waiting"), &started["connection_id"])
    );
    let long_poll = format!("{path}?wait_seconds=30");
    let (ended, _) = tokio::join!(house.ask("GET", &long_poll, None), async {
        house.ask("POST", "/v1/callback", json!({ "url": url })).await
    });
    assert_eq!(ended.json["status"], "connected");
    assert!(ended.json.get("authorization_url").is_none());
    assert!(ended.json.get("browser_url").is_none());
}

#[tokio::test]
async fn a_long_poll_ends_when_its_time_is_up() {
    let house = House::new().await;
    house.add("sandbox").await;
    let (started, _) = house.signed_in("sandbox", None).await;
    let begun = Instant::now();
    let path = format!(
        "/v1/flows/{}?wait_seconds=1",
        started["flow_id"].as_str().unwrap()
    );
    assert_eq!(house.ask("GET", &path, None).await.json["status"], "waiting");
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn no_code_is_named_and_its_flow_goes_on() {
    let house = House::new().await;
    house.add("sandbox").await;
    let (started, url) = house.signed_in("sandbox", None).await;
    let url: url::Url = url.parse().unwrap();
    let of = |key: &str| url.query_pairs().find(|(k, _)| k == key).unwrap().1.into_owned();
    let with = |code: String| json!({"code": code, "state": of("state"), "iss": of("iss")});
    let exchange = "/v1/oauth-providers/exchange";
    let answer = house.ask("POST", exchange, with(String::new())).await;
    assert_eq!(
        (answer.status, answer.code(), answer.field("code")),
        (422, "validation_error", "must not be empty")
    );
    assert_eq!(
        house.server.count(tokenry_testkit::Kind::Code),
        0,
        "nothing was sent"
    );
    let flow = format!("/v1/flows/{}", started["flow_id"].as_str().unwrap());
    assert_eq!(house.ask("GET", &flow, None).await.json["status"], "waiting");
    let answer = house.ask("POST", exchange, with(of("code"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn a_code_with_its_state_is_exchanged() {
    let house = House::new().await;
    house.add("sandbox").await;
    let (_, url) = house.signed_in("sandbox", None).await;
    let url: url::Url = url.parse().unwrap();
    let of = |key: &str| url.query_pairs().find(|(k, _)| k == key).unwrap().1.into_owned();
    let body = json!({"code": of("code"), "state": of("state"), "iss": of("iss")});
    let answer = house
        .ask("POST", "/v1/oauth-providers/exchange", body.clone())
        .await;
    assert_eq!(
        (answer.status, &answer.json),
        (200, &json!({"success": true})),
        "{}",
        answer.text
    );
    assert_eq!(
        house.ask("GET", "/v1/connections/sandbox", None).await.json["status"],
        "active"
    );
    let again = house.ask("POST", "/v1/oauth-providers/exchange", body).await;
    assert!(again.status >= 400, "a state is used once: {}", again.text);
}

#[tokio::test]
async fn a_cancelled_flow_is_over() {
    let house = House::new().await;
    house.add("sandbox").await;
    let (started, url) = house.signed_in("sandbox", None).await;
    let path = format!("/v1/flows/{}", started["flow_id"].as_str().unwrap());
    assert_eq!(house.ask("DELETE", &path, None).await.status, 200);
    assert_eq!(house.ask("GET", &path, None).await.json["status"], "cancelled");
    assert!(
        house
            .ask("POST", "/v1/callback", json!({ "url": url }))
            .await
            .status
            >= 400
    );
    assert_eq!(house.ask("GET", "/v1/connections", None).await.json, json!([]));
    let again = house.ask("DELETE", &path, None).await;
    assert_eq!((again.status, again.code()), (410, "flow_expired"));
}

#[tokio::test]
async fn a_redirect_that_is_none_of_ours_is_refused_and_the_flow_stays_open() {
    let house = House::new().await;
    house.add("sandbox").await;
    let (started, _) = house.signed_in("sandbox", None).await;
    for url in [
        "",
        "https://evil.example/",
        "io.github.tokenry:/cb/sandbox?code=1&state=unknown",
        "x:\u{0}",
    ] {
        let answer = house.ask("POST", "/v1/callback", json!({ "url": url })).await;
        assert!(
            answer.status >= 400 && !answer.code().is_empty(),
            "{url:?}: {}",
            answer.text
        );
    }
    let path = format!("/v1/flows/{}", started["flow_id"].as_str().unwrap());
    assert_eq!(house.ask("GET", &path, None).await.json["status"], "waiting");
}

#[tokio::test]
async fn a_flow_that_never_was_is_not_found() {
    let house = House::new().await;
    let answer = house.ask("GET", "/v1/flows/not-an-id", None).await;
    assert_eq!((answer.status, answer.code()), (404, "not_found"));
}
