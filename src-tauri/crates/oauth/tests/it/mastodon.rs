//! Mastodon's registration of apps, which is RFC 7591 but for two names.

use crate::discovery::{AS, server};
use crate::host::Host;
use crate::registration::{at, wish};
use crate::server::{Server, http, json};
use tokenry_core::{Scopes, TokenEndpointAuthMethod as Method};
use tokenry_oauth::registration::{Wish, register};

#[tokio::test]
async fn mastodons_own_registration_is_found_where_there_is_no_other() {
    for (more, as_app) in [
        ("", true),
        (r#","registration_endpoint":"{host}/register""#, false),
    ] {
        let more = format!(r#"{more},"app_registration_endpoint":"{{host}}/register""#);
        let host = Host::start(&[(AS, server("", &more))]).await;
        let found = host.look_up("").await.unwrap();
        assert!(
            found
                .settings
                .registration_endpoint
                .unwrap()
                .ends_with("/register")
        );
        assert_eq!((found.offered.registration, found.registers_apps), (true, as_app));
    }
}

/// Mastodon's `POST /api/v1/apps`: the same but for the name of the scopes.
#[tokio::test]
async fn an_app_is_registered_at_mastodon_and_its_answer_is_read() {
    let body = r#"{"id":"7","name":"Tokenry","scopes":["read"],"redirect_uri":"http://127.0.0.1:28101/cb/example",
        "redirect_uris":["http://127.0.0.1:28101/cb/example"],"client_id":"c1","client_secret":"CANARY-secret",
        "client_secret_expires_at":0,"vapid_key":"k"}"#;
    let server = Server::start(json("200 OK", body)).await;
    let wish = Wish {
        auth_method: Method::ClientSecretPost,
        as_app: true,
        ..wish()
    };
    let granted = register(&http(), &server.url, &at(&server), &wish).await.unwrap();
    let request = server.request();
    assert!(request.contains(r#""scopes":"read write""#), "{request}");
    assert!(!request.contains(r#""scope":"#), "{request}");
    assert_eq!(granted.auth_method, Method::ClientSecretPost);
    assert_eq!(granted.client_secret.unwrap().expose(), "CANARY-secret");
    assert_eq!(granted.registration.client_secret_expires_at, None);
    assert_eq!(granted.scopes, Some(Scopes::parse("read")));
}
