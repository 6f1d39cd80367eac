//! Tokens by the address that a program wants to use.

use crate::support::{Answer, Fixture};
use serde_json::{Value, json};

const FORGE: &str = "https://forge.example/acme";

async fn token(fixture: &Fixture, url: &str) -> Answer {
    let body = json!({"url": url, "kinds": ["git"]});
    fixture.ask("POST", "/v1/resolve", body).await
}

fn names(answer: &Answer) -> Vec<&str> {
    let connections = answer.json["connections"].as_array().unwrap();
    let names = connections.iter().map(|one| one["connection_name"].as_str());
    names.map(Option::unwrap).collect()
}

#[tokio::test]
async fn the_token_of_an_address_is_that_of_the_only_connection_that_serves_it() {
    let fixture = Fixture::connected().await;
    let bindings = json!({"bindings": [FORGE]});
    let bound = fixture.ask("PATCH", "/v1/connections/sandbox", bindings).await;
    assert_eq!(bound.status, 200, "{}", bound.text);
    let answer = token(&fixture, "https://forge.example/acme/site.git").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(names(&answer), ["sandbox"]);
    assert_eq!(answer.json["connections"][0]["address"], FORGE);
    let by_name = fixture.ask("POST", "/v1/connections/sandbox/token", None).await;
    assert_eq!(answer.json["token"], by_name.json);

    for elsewhere in [
        "https://forge.example/other",
        "https://forge.example.evil.example/acme",
    ] {
        let answer = token(&fixture, elsewhere).await;
        let nothing = json!({"connections": [], "token": null});
        assert_eq!((answer.status, &answer.json), (200, &nothing), "{elsewhere}");
    }
    for refused in ["http://forge.example/acme", "forge.example", ""] {
        let answer = token(&fixture, refused).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "validation_error"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn no_token_is_given_where_only_the_user_can_choose() {
    let fixture = Fixture::new().await;
    let mut provider = fixture.provider("sandbox");
    provider["resource"] = json!(FORGE);
    let added = fixture.ask("POST", "/v1/oauth-providers", provider).await;
    assert_eq!(added.status, 201, "{}", added.text);
    for label in ["home", "work"] {
        fixture.connect("sandbox", Some(label)).await;
    }
    let answer = token(&fixture, FORGE).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(names(&answer), ["sandbox/home", "sandbox/work"]);
    assert_eq!(answer.json["token"], Value::Null);
}
