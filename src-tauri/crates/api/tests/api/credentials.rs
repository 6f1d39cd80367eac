//! Credentials over HTTP: their format, their errors, and where their values may appear.

use crate::support::{Fixture, program};
use serde_json::{Value, json};
use tokenry_core::{AppCaller, AppId, Caller, OsRandom, SystemClock};

/// `canary-value`.
const CANARY: &str = "Y2FuYXJ5LXZhbHVl";

fn mail() -> Value {
    json!({"name": "mail", "type": "basic_auth", "data": {"username": "YWRh", "password": CANARY}})
}

fn app() -> Caller {
    Caller::App(AppCaller {
        app: AppId::new(&SystemClock, &OsRandom),
        grant: None,
        scopes: None,
        token: None,
        peer: None,
    })
}

async fn made(fixture: &Fixture, body: Value) -> Value {
    let answer = fixture.ask("POST", "/v1/credentials", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert!(!answer.text.contains(CANARY), "{}", answer.text);
    answer.json
}

#[tokio::test]
async fn a_credential_is_made_shown_changed_and_deleted() {
    let fixture = Fixture::new().await;
    let new = made(&fixture, mail()).await;
    assert_eq!(new["type"], "basic_auth");
    assert_eq!(
        (&new["project"], &new["status"]),
        (&json!("default"), &json!("active"))
    );
    assert_eq!(
        (&new["fields"], &new["data"]),
        (&json!(["password", "username"]), &json!({}))
    );
    assert_eq!(
        (&new["redact_fields"], &new["expires_at"]),
        (&json!([]), &Value::Null)
    );
    let by_id = format!("/v1/credentials/{}", new["id"].as_str().unwrap());
    for path in ["/v1/credentials/mail", &by_id] {
        let shown = fixture.ask("GET", path, None).await;
        assert_eq!(shown.json["data"], mail()["data"], "{}", shown.text);
        assert_eq!(shown.headers["cache-control"], "no-store");
    }
    let body = json!({"data": {"username": "Ym9i"}, "expires_at": "2999-01-01T00:00:00Z"});
    let changed = fixture.ask("PUT", &by_id, body).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(
        (&changed.json["data"], &changed.json["expires_at"]),
        (&json!({}), &json!("2999-01-01T00:00:00Z"))
    );
    let kept = fixture.ask("PUT", &by_id, json!({"expires_at": null})).await;
    assert_eq!(kept.json["expires_at"], Value::Null);
    let shown = fixture.ask("GET", &by_id, None).await.json;
    assert_eq!(shown["data"], json!({"username": "Ym9i", "password": CANARY}));
    let gone = fixture.ask("DELETE", "/v1/credentials/mail", None).await;
    assert_eq!((gone.status, &gone.json), (200, &json!({"success": true})));
    let missing = fixture.ask("GET", "/v1/credentials/mail", None).await;
    assert_eq!((missing.status, missing.code()), (404, "not_found"));
}

/// SECURITY.md, "Webview": no value reaches the window, whichever operation it uses.
#[tokio::test]
async fn the_window_gets_no_value() {
    let fixture = Fixture::new().await;
    let made = fixture
        .ask_as(Caller::Ui, "POST", "/v1/credentials", Some(mail()))
        .await;
    let mut seen = made.text;
    for (method, path, body) in [
        ("GET", "/v1/credentials/mail", None),
        ("GET", "/v1/credentials", None),
        (
            "PUT",
            "/v1/credentials/mail",
            Some(json!({"data": {"username": "Ym9i"}})),
        ),
        ("GET", "/v1/events", None),
    ] {
        let answer = fixture.ask_as(Caller::Ui, method, path, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        seen += &answer.text;
    }
    assert!(!seen.contains(CANARY) && !seen.contains("canary-value"), "{seen}");
}

#[tokio::test]
async fn no_list_no_event_and_no_error_holds_a_value() {
    let fixture = Fixture::connected().await;
    made(&fixture, mail()).await;
    fixture.ask("GET", "/v1/credentials/mail", None).await;
    let mut seen = String::new();
    for (method, path, body) in [
        ("GET", "/v1/credentials", None),
        ("POST", "/v1/credentials", Some(mail())),
        (
            "PUT",
            "/v1/credentials/mail",
            Some(json!({"data": {"password": format!("{CANARY}!")}})),
        ),
        ("PUT", "/v1/credentials/mail", Some(json!({"data": [CANARY]}))),
        (
            "PUT",
            "/v1/credentials/mail",
            Some(json!({"data": {"password": [CANARY]}})),
        ),
        ("PUT", "/v1/credentials/mail", Some(json!({"data": CANARY}))),
        ("PUT", "/v1/credentials/mail", Some(json!({"expires_at": CANARY}))),
        ("DELETE", "/v1/credentials/mail", None),
        ("GET", "/v1/events", None),
    ] {
        let answer = fixture.ask_as(program(), method, path, body).await;
        seen += &answer.text;
    }
    assert!(!seen.contains(CANARY) && !seen.contains("canary-value"), "{seen}");
    assert!(
        seen.contains("credential_handed_out") && seen.contains("credential_removed"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_list_has_connections_with_their_status() {
    let fixture = Fixture::connected().await;
    made(&fixture, mail()).await;
    let list = fixture.ask("GET", "/v1/credentials", None).await.json;
    let types: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["type"].clone())
        .collect();
    assert_eq!(types, ["basic_auth", "oauth2_refresh"]);
    assert_eq!(
        (&list[1]["name"], &list[1]["status"]),
        (&json!("sandbox"), &json!("active"))
    );
    for path in ["/v1/credentials/sandbox", "/v1/credentials/mail"] {
        assert_eq!(fixture.ask("GET", path, None).await.status, 200);
    }
    for (method, body) in [("PUT", Some(json!({}))), ("DELETE", None)] {
        let answer = fixture
            .ask_as(program(), method, "/v1/credentials/sandbox", body)
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (409, "conflict"),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn the_envelope_names_every_invalid_field() {
    let fixture = Fixture::new().await;
    let good = mail();
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    for (body, field) in [
        (json!({}), "name"),
        (with("name", json!("Not Kebab")), "name"),
        (with("project", json!("../x")), "project"),
        (with("type", json!("oauth2_refresh")), "type"),
        (with("type", json!("magic")), "type"),
        (with("data", json!({"username": "YWRh"})), "data.password"),
        (
            with("data", json!({"username": "YWRh", "password": "hunter2!"})),
            "data.password",
        ),
        (
            with("data", json!({"username": "YWRh", "password": null})),
            "data.password",
        ),
        (with("redact_fields", json!("password")), "redact_fields"),
        (with("redactFields", json!(1)), "redactFields"),
        (with("expiresAt", json!("soon")), "expires_at"),
        (with("expires_at", json!("soon")), "expires_at"),
        (with("expires_at", json!("2001-01-01T00:00:00Z")), "expires_at"),
        (with("token", json!("x")), "token"),
    ] {
        let answer = fixture.ask("POST", "/v1/credentials", body.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "validation_error"),
            "{body}: {}",
            answer.text
        );
        assert!(!answer.field(field).is_empty(), "{body}: {}", answer.text);
    }
    assert_eq!(fixture.ask("GET", "/v1/credentials", None).await.json, json!([]));
}

#[tokio::test]
async fn a_body_of_more_than_a_mebibyte_is_not_read() {
    let fixture = Fixture::new().await;
    let body = json!({"name": "big", "type": "raw", "data": {"value": "QUFB".repeat(300_000)}});
    let answer = fixture.ask("POST", "/v1/credentials", body).await;
    assert_eq!((answer.status, answer.code()), (413, "payload_too_large"));
}

/// evershell-oauth-start: the address and the state cookie; `pending`, and `active` once the callback is done.
#[tokio::test]
async fn start_returns_the_url_and_a_cookie_of_the_sign_in() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let path = "/v1/credentials/sandbox/oauth/start";
    let started = fixture.ask("POST", path, None).await;
    assert_eq!(started.status, 200, "{}", started.text);
    let cookie = started.headers["set-cookie"].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let listed = fixture.ask("GET", "/v1/credentials", None).await.json;
    assert_eq!(
        (&listed[0]["type"], &listed[0]["status"]),
        (&json!("oauth2_refresh"), &json!("pending"))
    );
    assert!(
        started.json["auth_url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    let by_name = fixture.ask("GET", "/v1/credentials/sandbox", None).await;
    assert_eq!(
        (by_name.status, &by_name.json["status"]),
        (200, &json!("pending")),
        "{}",
        by_name.text
    );
    let again = fixture.ask("POST", path, None).await;
    assert_eq!(again.json, started.json, "the same sign-in goes on");
    assert_eq!(again.headers["set-cookie"], cookie);
}

/// The error of a refusal and its line in the log have one id.
#[tokio::test]
async fn a_refused_show_is_logged_as_refused_with_the_request_id_of_its_error() {
    let fixture = Fixture::new().await;
    let shut = json!({"name": "shut", "data": {"open": "YQ==", "key": CANARY}, "redact_fields": ["key"]});
    made(&fixture, shut).await;
    let one = fixture.ask("GET", "/v1/credentials/shut?field=open", None).await;
    assert_eq!(one.json["data"], json!({"open": "YQ=="}), "{}", one.text);
    let none = fixture.ask("GET", "/v1/credentials/shut?field=other", None).await;
    assert_eq!((none.status, &none.json["data"]), (200, &json!({})));
    let redacted = fixture.ask("GET", "/v1/credentials/shut?field=key", None).await;
    assert_eq!((redacted.status, redacted.code()), (403, "permission_denied"));
    let logged = async |count: usize| {
        let begun = std::time::Instant::now();
        loop {
            let mut events = fixture.ask("GET", "/v1/events", None).await.json["events"].clone();
            let list = events.as_array_mut().unwrap();
            list.retain(|event| event["kind"] == "credential_handed_out");
            if list.len() == count {
                break std::mem::take(list);
            }
            assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{list:?}");
        }
    };
    // Events of one batch may be in any order, so the first refusal is logged before the second happens.
    logged(2).await;
    let denied = fixture.ask_as(app(), "GET", "/v1/credentials/shut", None).await;
    assert_eq!((denied.status, denied.code()), (403, "permission_denied"));
    let events = logged(3).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| (&event["outcome"], &event["request_id"]))
        .collect();
    let id = |answer: &crate::support::Answer| answer.json["error"]["request_id"].clone();
    let (denied, redacted) = (id(&denied), id(&redacted));
    let refused = json!("refused");
    assert_eq!(
        told,
        [
            (&refused, &denied),
            (&refused, &redacted),
            (&json!("done"), &Value::Null)
        ]
    );
}

#[tokio::test]
async fn start_on_another_type_names_that_type() {
    let fixture = Fixture::new().await;
    made(&fixture, mail()).await;
    fixture.add_machine("machine").await;
    for (name, field, says) in [
        ("mail", "type", "basic_auth"),
        ("machine", "grant_type", "client_credentials"),
    ] {
        let path = format!("/v1/credentials/{name}/oauth/start");
        let answer = fixture.ask("POST", &path, None).await;
        assert_eq!((answer.status, answer.code()), (422, "validation_error"));
        assert!(answer.field(field).contains(says), "{}", answer.text);
    }
    // An app that may not start sign-ins gets the same error for every name, so it learns nothing about the credential.
    for name in ["mail", "nosuch"] {
        let path = format!("/v1/credentials/{name}/oauth/start");
        let hidden = fixture.ask_as(app(), "POST", &path, None).await;
        assert_eq!((hidden.status, hidden.code()), (403, "permission_denied"));
    }
}

/// versori-oauth2-callback, the Credential object: `type` has a default, `{}` is valid data for it, and its spellings.
#[tokio::test]
async fn the_spellings_of_the_reference_are_accepted() {
    let fixture = Fixture::new().await;
    let least = made(&fixture, json!({"name": "least", "data": {}})).await;
    assert_eq!(
        (&least["type"], &least["fields"]),
        (&json!("default"), &json!([]))
    );
    let body = json!({
        "name": "whole", "organisationID": "work", "type": "Default", "data": {"a": "YQ==", "b": CANARY},
        "redactFields": ["b"], "expiresAt": "2999-11-07T05:31:56Z",
    });
    let whole = made(&fixture, body).await;
    assert_eq!(whole["project"], "work");
    assert_eq!(whole["redact_fields"], json!(["b"]));
    assert_eq!(whole["expires_at"], "2999-11-07T05:31:56Z");
    let raw = json!({"name": "raw", "type": "Raw", "data": {"value": "YQ=="}, "redactFields": ["value"]});
    assert_eq!(made(&fixture, raw).await["redact_fields"], json!([]), "ignored");
    let basic = json!({"name": "basic", "type": "BasicAuth", "data": mail()["data"]});
    assert_eq!(made(&fixture, basic).await["type"], "basic_auth");
    let refresh = json!({"name": "refresh", "type": "OAuth2Refresh", "data": {}});
    let refused = fixture.ask("POST", "/v1/credentials", refresh).await;
    assert!(refused.field("type").contains("consent flow"), "{}", refused.text);
}

#[tokio::test]
async fn start_is_refused_for_an_app_without_a_grant_and_while_locked() {
    let fixture = Fixture::connected().await;
    let path = "/v1/credentials/sandbox/oauth/start";
    let refused = fixture.ask_as(app(), "POST", path, None).await;
    assert_eq!((refused.status, refused.code()), (403, "permission_denied"));
    let missing = fixture
        .ask("POST", "/v1/credentials/unknown/oauth/start", None)
        .await;
    assert_eq!((missing.status, missing.code()), (404, "not_found"));
    fixture.ask("POST", "/v1/lock", None).await;
    for (method, path) in [("POST", path), ("GET", "/v1/credentials")] {
        let locked = fixture.ask(method, path, None).await;
        assert_eq!((locked.status, locked.code()), (423, "vault_locked"));
    }
}
