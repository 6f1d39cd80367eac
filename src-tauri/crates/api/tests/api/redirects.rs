//! The redirect settings of providers over HTTP.

use crate::support::Fixture;
use serde_json::json;

#[tokio::test]
async fn the_redirect_uri_to_register_is_the_one_that_a_sign_in_sends() {
    let fixture = Fixture::new().await;
    // Each has ports of its own: the sign-ins before are still open.
    for (name, settings) in [
        ("plain", json!({})),
        ("localhost", json!({"loopback_host": "localhost"})),
        ("ipv6", json!({"loopback_host": "[::1]"})),
        ("path", json!({"redirect_path": "/callback"})),
        ("link", json!({"redirect": "deep_link"})),
        (
            "slashes",
            json!({"redirect": "deep_link", "deep_link_form": "double_slash"}),
        ),
        ("paste", json!({"redirect": "paste"})),
        (
            "own",
            json!({"redirect": "paste", "redirect_uri": "https://example.com/done"}),
        ),
    ] {
        fixture.add(name).await;
        let path = format!("/v1/oauth-providers/{name}");
        let changed = fixture.ask("PUT", &path, settings.clone()).await;
        let answer = fixture.ask("GET", &format!("{path}/authorize"), None).await;
        let sent = &answer.json["redirect_uri"];
        assert_eq!(
            *sent, changed.json["redirect_uris"][0],
            "{settings}: {}",
            answer.text
        );
        let url: url::Url = answer.json["authorization_url"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let in_url = url
            .query_pairs()
            .find(|(key, _)| key == "redirect_uri")
            .unwrap()
            .1;
        assert_eq!(*sent, *in_url, "{settings}");
        let flow = answer.json["flow_id"].as_str().unwrap();
        let shown = fixture.ask("GET", &format!("/v1/flows/{flow}"), None).await;
        assert_eq!(shown.json["redirect_uri"], *sent, "{settings}");
    }
}

/// Where any port is taken there is none to register, and each sign-in may have another.
#[tokio::test]
async fn a_provider_that_takes_any_port_is_registered_without_one() {
    let fixture = Fixture::new().await;
    fixture.add("sandbox").await;
    let any = json!({"loopback_any_port": true});
    let changed = fixture.ask("PUT", "/v1/oauth-providers/sandbox", any).await;
    assert_eq!(
        changed.json["redirect_uris"],
        json!(["http://127.0.0.1/cb/sandbox"])
    );
    let answer = fixture
        .ask("GET", "/v1/oauth-providers/sandbox/authorize", None)
        .await;
    let mut sent: url::Url = answer.json["redirect_uri"].as_str().unwrap().parse().unwrap();
    assert!(sent.port().is_some());
    sent.set_port(None).unwrap();
    assert_eq!(sent.as_str(), "http://127.0.0.1/cb/sandbox");
}

#[tokio::test]
async fn redirect_settings_that_no_provider_could_be_told_are_refused_with_the_field() {
    let fixture = Fixture::new().await;
    let first = fixture.add("sandbox").await;
    let port = first["loopback_ports"][0].clone();
    for (settings, field, says) in [
        (json!({"loopback_ports": [80]}), "loopback_ports", "the system's"),
        (
            json!({"loopback_ports": [8080, 8080]}),
            "loopback_ports",
            "different",
        ),
        (
            json!({"redirect_path": "callback"}),
            "redirect_path",
            "must be a path",
        ),
        (
            json!({"redirect_path": "/a/../b"}),
            "redirect_path",
            "must be a path",
        ),
        (
            json!({"redirect_path": "/a?b=c"}),
            "redirect_path",
            "must be a path",
        ),
        (json!({"redirect_path": "/begin/x"}), "redirect_path", "listener"),
        (
            json!({"redirect_uri": "http://example.com/cb"}),
            "redirect_uri",
            "https",
        ),
        (
            json!({"redirect_uri": "https://example.com/cb?x=1"}),
            "redirect_uri",
            "query",
        ),
        (
            json!({"redirect_uri": "https://a@example.com/cb"}),
            "redirect_uri",
            "user name",
        ),
        (
            json!({"redirect_uri": "https://EXAMPLE.com/cb"}),
            "redirect_uri",
            "https://example.com/cb",
        ),
        (
            json!({"redirect_uri": "javascript:alert(1)"}),
            "redirect_uri",
            "https",
        ),
    ] {
        let answer = fixture
            .ask("PUT", "/v1/oauth-providers/sandbox", settings.clone())
            .await;
        let fields = &answer.json["error"]["details"]["fields"];
        let wrong = fields[field].as_str().unwrap_or_default();
        assert!(wrong.contains(says), "{settings}: {}", answer.text);
    }
    // Checklist A2.4: at another server no redirect URI can be the same.
    let other = json!({
        "name": "other", "client_id": "x", "authorization_endpoint": "https://other.example/authorize",
        "token_endpoint": "https://other.example/token", "loopback_ports": [port], "redirect_path": "/cb/sandbox",
    });
    let answer = fixture.ask("POST", "/v1/oauth-providers", other).await;
    let fields = &answer.json["error"]["details"]["fields"];
    let wrong = fields["redirect_path"].as_str().unwrap_or_default();
    assert!(wrong.contains("of sandbox already"), "{}", answer.text);
}
