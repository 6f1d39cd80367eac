//! Sign-ins over HTTP.

use crate::support::{Fixture, program};
use serde_json::json;
use std::time::{Duration, Instant};
use tokenry_core::{Caller, Peer};
use tokenry_testkit::DeviceAnswer;

#[tokio::test]
async fn the_get_form_of_authorize_starts_a_flow_and_opens_no_browser() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let path = "/v1/oauth-providers/sandbox/authorize?label=work&scope=read%20extra&redirect=paste";
    let answer = fixture.ask("GET", path, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let url = answer.json["authorization_url"].as_str().unwrap();
    assert!(
        url.contains("scope=read+extra") || url.contains("scope=read%20extra"),
        "{url}"
    );
    assert!(url.contains(answer.json["state"].as_str().unwrap()));
    assert!(fixture.host.opened.lock().unwrap().is_empty());
    let waiting = fixture
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
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let body = json!({"redirect": "loopback"});
    let started = fixture
        .ask("POST", "/v1/oauth-providers/sandbox/authorize", body)
        .await
        .json;
    let path = format!("/v1/flows/{}/open", started["flow_id"].as_str().unwrap());
    for _ in 0..2 {
        let answer = fixture.ask("POST", &path, None).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let opened = fixture.host.opened.lock().unwrap();
    assert_eq!(opened.len(), 2);
    assert!(opened.iter().all(|url| url.as_str() == started["browser_url"]));
}

#[tokio::test]
async fn a_sign_in_is_followed_until_it_is_connected() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let (started, url) = fixture.signed_in("sandbox", None).await;
    let path = format!("/v1/flows/{}", started["flow_id"].as_str().unwrap());
    let waiting = fixture.ask("GET", &path, None).await.json;
    assert_eq!(
        (&waiting["status"], &waiting["connection_id"]),
        (&json!("waiting"), &started["connection_id"])
    );
    let long_poll = format!("{path}?wait_seconds=30");
    let (ended, _) = tokio::join!(fixture.ask("GET", &long_poll, None), async {
        fixture.ask("POST", "/v1/callback", json!({ "url": url })).await
    });
    assert_eq!(ended.json["status"], "connected");
    assert!(ended.json.get("authorization_url").is_none());
    assert!(ended.json.get("browser_url").is_none());
}

#[tokio::test]
async fn a_long_poll_ends_when_its_time_is_up() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let (started, _) = fixture.signed_in("sandbox", None).await;
    let begun = Instant::now();
    let path = format!(
        "/v1/flows/{}?wait_seconds=1",
        started["flow_id"].as_str().unwrap()
    );
    assert_eq!(fixture.ask("GET", &path, None).await.json["status"], "waiting");
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_redirect_without_a_code_leaves_its_sign_in_open() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let (started, url) = fixture.signed_in("sandbox", None).await;
    let url: url::Url = url.parse().unwrap();
    let of = |key: &str| url.query_pairs().find(|(k, _)| k == key).unwrap().1.into_owned();
    let with = |code: String| json!({"code": code, "state": of("state"), "iss": of("iss")});
    let exchange = "/v1/oauth-providers/exchange";
    let answer = fixture.ask("POST", exchange, with(String::new())).await;
    assert_eq!(
        (answer.status, answer.code(), answer.field("code")),
        (422, "validation_error", "must not be empty")
    );
    assert_eq!(
        fixture.server.count(tokenry_testkit::Kind::Code),
        0,
        "nothing was sent"
    );
    let flow = format!("/v1/flows/{}", started["flow_id"].as_str().unwrap());
    assert_eq!(fixture.ask("GET", &flow, None).await.json["status"], "waiting");
    let answer = fixture.ask("POST", exchange, with(of("code"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn a_code_with_its_state_is_exchanged() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let (_, url) = fixture.signed_in("sandbox", None).await;
    let url: url::Url = url.parse().unwrap();
    let of = |key: &str| url.query_pairs().find(|(k, _)| k == key).unwrap().1.into_owned();
    let body = json!({"code": of("code"), "state": of("state"), "iss": of("iss")});
    let answer = fixture
        .ask("POST", "/v1/oauth-providers/exchange", body.clone())
        .await;
    assert_eq!(
        (answer.status, &answer.json),
        (200, &json!({"success": true})),
        "{}",
        answer.text
    );
    assert_eq!(
        fixture.ask("GET", "/v1/connections/sandbox", None).await.json["status"],
        "active"
    );
    let again = fixture.ask("POST", "/v1/oauth-providers/exchange", body).await;
    assert!(again.status >= 400, "a state is used once: {}", again.text);
}

#[tokio::test]
async fn a_cancelled_sign_in_has_ended() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let (started, url) = fixture.signed_in("sandbox", None).await;
    let path = format!("/v1/flows/{}", started["flow_id"].as_str().unwrap());
    assert_eq!(fixture.ask("DELETE", &path, None).await.status, 200);
    assert_eq!(fixture.ask("GET", &path, None).await.json["status"], "cancelled");
    assert!(
        fixture
            .ask("POST", "/v1/callback", json!({ "url": url }))
            .await
            .status
            >= 400
    );
    assert_eq!(fixture.ask("GET", "/v1/connections", None).await.json, json!([]));
    let again = fixture.ask("DELETE", &path, None).await;
    assert_eq!((again.status, again.code()), (410, "flow_expired"));
}

#[tokio::test]
async fn a_foreign_redirect_is_refused_and_the_sign_in_stays_open() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let (started, _) = fixture.signed_in("sandbox", None).await;
    for url in [
        "",
        "https://evil.example/",
        "io.github.tokenry:/cb/sandbox?code=1&state=unknown",
        "x:\u{0}",
    ] {
        let answer = fixture.ask("POST", "/v1/callback", json!({ "url": url })).await;
        assert!(
            answer.status >= 400 && !answer.code().is_empty(),
            "{url:?}: {}",
            answer.text
        );
    }
    let path = format!("/v1/flows/{}", started["flow_id"].as_str().unwrap());
    assert_eq!(fixture.ask("GET", &path, None).await.json["status"], "waiting");
}

#[tokio::test]
async fn an_unknown_sign_in_is_not_found() {
    let fixture = Fixture::new().await;
    let answer = fixture.ask("GET", "/v1/flows/not-an-id", None).await;
    assert_eq!((answer.status, answer.code()), (404, "not_found"));
}

/// RFC 8628. Checklist A7. The device code stays in the engine, and another program sees only that a sign-in is open.
#[tokio::test]
async fn a_sign_in_on_another_device_shows_its_code_and_never_the_device_code() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let endpoint = json!({"device_authorization_endpoint": fixture.server.device_authorization_endpoint()});
    fixture.ask("PUT", "/v1/oauth-providers/sandbox", endpoint).await;
    let path = "/v1/oauth-providers/sandbox/device";
    let started = fixture.ask("POST", path, json!({"label": "phone"})).await;
    assert_eq!(started.status, 200, "{}", started.text);
    let page = format!("{}/activate", fixture.server.issuer());
    let expected = json!({
        "user_code": "WDJB-MJHT", "verification_uri": page, "interval": 1,
        "verification_uri_complete": format!("{page}?user_code=WDJB-MJHT"),
    });
    let members = started.json.as_object().unwrap().keys();
    let members: Vec<_> = members.map(String::as_str).collect();
    let known =
        "connection_id expires_at flow_id interval user_code verification_uri verification_uri_complete";
    assert_eq!(members.join(" "), known);
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&started.json[name], value, "{name}");
    }

    let path = format!("/v1/flows/{}", started.json["flow_id"].as_str().unwrap());
    let waiting = fixture.ask("GET", &path, None).await;
    assert_eq!(
        (&waiting.json["status"], &waiting.json["device"]),
        (&json!("waiting"), &expected)
    );
    for name in ["authorization_url", "browser_url", "redirect_uri"] {
        assert!(waiting.json.get(name).is_none(), "{name}");
    }
    let other = match program() {
        Caller::Program(peer) => Caller::Program(Peer {
            program: Some("/usr/bin/other".to_owned()),
            ..peer
        }),
        caller => caller,
    };
    let other = fixture.ask_as(other, "GET", &path, None).await;
    assert_eq!(other.json["status"], "waiting");
    assert!(other.json.get("device").is_none(), "{}", other.text);

    fixture
        .server
        .set(|behaviour| behaviour.device = DeviceAnswer::Grant);
    let ended = fixture.ask("GET", &format!("{path}?wait_seconds=30"), None).await;
    assert_eq!(ended.json["status"], "connected", "{}", ended.text);
    assert!(ended.json.get("device").is_none(), "{}", ended.text);
    let log = fixture.server.log();
    let code = log.iter().find_map(|seen| seen.parameter("device_code")).unwrap();
    for text in [&started.text, &waiting.text, &other.text, &ended.text] {
        assert!(!text.contains(code), "{text}");
    }
    let token = fixture.ask("GET", "/v1/connections/sandbox%2Fphone", None).await;
    assert_eq!(token.json["status"], "active");
}
