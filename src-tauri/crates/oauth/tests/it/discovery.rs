//! Looking addresses up, at servers that tell the truth and at hostile ones (checklist A6.1 to A6.5, A6.12).

use crate::host::Host;
use crate::server::{Reply, answer, http, json};
use tokenry_core::{DiscoveredKind, Timestamp, TokenEndpointAuthMethod};
use tokenry_oauth::Failure;
use tokenry_oauth::discovery::{Cache, Found, Problem, Query, look_up};

impl Host {
    pub(crate) async fn look_up(&self, path: &str) -> Result<Found, Problem> {
        self.query(path, Query::default()).await
    }

    async fn query(&self, path: &str, query: Query) -> Result<Found, Problem> {
        let address = format!("{}{path}", self.url);
        let query = Query { address, ..query };
        look_up(&http(), &Cache::default(), &query, Timestamp::UNIX_EPOCH).await
    }
}

pub(crate) const AS: &str = "/.well-known/oauth-authorization-server";
const RESOURCE: &str = "/.well-known/oauth-protected-resource";

fn ok(body: &str) -> Reply {
    json("200 OK", body)
}

/// The metadata of `{host}` and a path, with other members.
pub(crate) fn server(path: &str, more: &str) -> Reply {
    ok(&format!(
        r#"{{"issuer":"{{host}}{path}","authorization_endpoint":"{{host}}/authorize","token_endpoint":"{{host}}/token",
            "code_challenge_methods_supported":["plain","S256"]{more}}}"#
    ))
}

fn resource(resource: &str, more: &str) -> Reply {
    ok(&format!(
        r#"{{"resource":"{{host}}{resource}","authorization_servers":["{{host}}"]{more}}}"#
    ))
}

fn challenge(parameters: &str) -> Reply {
    let head = format!("WWW-Authenticate: Bearer {parameters}\r\n");
    answer("401 Unauthorized", &head, "")
}

fn message(result: Result<Found, Problem>) -> String {
    match result.unwrap_err() {
        Problem::Failure(Failure::Unusable { message } | Failure::Unanswered { message }) => message,
        other => panic!("{other:?}"),
    }
}

/// MCP, Streamable HTTP: a server without a stream of its own answers a GET with 405, and only a POST with a challenge.
#[tokio::test]
async fn a_server_that_takes_only_a_post_says_there_where_its_metadata_is() {
    for status in ["404 Not Found", "405 Method Not Allowed"] {
        let host = Host::start(&[
            ("/mcp", answer(status, "", "")),
            (
                "POST /mcp",
                challenge(r#"resource_metadata="{host}/own/place", scope="files""#),
            ),
            (
                "/own/place",
                resource("/mcp", r#","scopes_supported":["files","more"]"#),
            ),
            (AS, server("", "")),
        ])
        .await;
        let found = host.look_up("/mcp").await.unwrap();
        assert_eq!(found.settings.default_scopes, ["files"], "{status}");
        assert_eq!(host.asked()[..3], ["/mcp", "POST /mcp", "/own/place"]);
    }
}

#[tokio::test]
async fn an_issuer_tells_its_settings_and_what_it_offers() {
    let host = Host::start(&[(
        AS,
        server(
            "",
            r#","jwks_uri":"{host}/jwks","userinfo_endpoint":"{host}/me","revocation_endpoint":"{host}/revoke",
            "device_authorization_endpoint":"{host}/device","registration_endpoint":"{host}/register",
            "pushed_authorization_request_endpoint":"{host}/par","require_pushed_authorization_requests":true,
            "authorization_response_iss_parameter_supported":true,"dpop_signing_alg_values_supported":["ES256"],
            "client_id_metadata_document_supported":true,"id_token_signing_alg_values_supported":["RS512"],
            "token_endpoint_auth_methods_supported":["none","client_secret_basic"],
            "scopes_supported":["openid","email","offline_access","admin"]"#,
        ),
    )])
    .await;
    let found = host.look_up("").await.unwrap();
    assert_eq!(found.kind, DiscoveredKind::Issuer);
    let settings = &found.settings;
    assert_eq!(settings.issuer.as_ref(), Some(&host.url));
    assert_eq!(settings.token_endpoint, Some(format!("{}/token", host.url)));
    assert_eq!(settings.default_scopes, ["openid", "email"]);
    assert_eq!(settings.offline_scope.as_deref(), Some("offline_access"));
    assert_eq!(settings.id_token_signing_algs, ["RS512"]);
    assert!(settings.require_pushed_authorization_requests);
    assert_eq!(
        settings.token_endpoint_auth_method,
        TokenEndpointAuthMethod::ClientSecretBasic
    );
    let offered = found.offered;
    assert!(offered.pkce && offered.iss_parameter && offered.revocation && offered.dpop);
    assert!(offered.pushed_authorization_requests && offered.device_flow);
    assert!(offered.registration && offered.client_id_metadata_documents);
    assert_eq!(
        found.warnings,
        ["Nothing that is sent to it is encrypted (http)."]
    );
    assert_eq!(host.asked(), ["/", "POST /", AS]);
}

/// Checklist A6.2.
#[tokio::test]
async fn an_issuer_with_a_path_is_asked_for_in_the_order_of_the_standards() {
    let appended = "/realms/x/.well-known/openid-configuration";
    let host = Host::start(&[(appended, server("/realms/x", ""))]).await;
    let found = host.look_up("/realms/x/").await.unwrap();
    assert_eq!(found.settings.issuer, Some(format!("{}/realms/x", host.url)));
    assert_eq!(
        host.asked(),
        [
            "/realms/x/",
            "POST /realms/x/",
            "/.well-known/oauth-authorization-server/realms/x",
            "/.well-known/openid-configuration/realms/x",
            appended,
        ]
    );
    let by_document = host.look_up(appended).await.unwrap();
    assert_eq!(by_document.settings, found.settings);
}

/// Checklist A6.1.
#[tokio::test]
async fn the_metadata_of_another_issuer_is_not_used() {
    let long = "/realms/x/.well-known/openid-configuration";
    for issuer in [
        "https://other.example",
        "{host}/other",
        "{host}/realms/X",
        "{host}/realms/x?y",
        "{host}/realms/%78",
        "{host}/{tenantid}",
    ] {
        let body = format!(r#"{{"issuer":"{issuer}","token_endpoint":"{{host}}/token"}}"#);
        let host = Host::start(&[(long, ok(&body))]).await;
        for typed in ["/realms/x", long] {
            let message = message(host.look_up(typed).await);
            assert!(message.contains("not used"), "{issuer}: {message}");
        }
    }
}

#[tokio::test]
async fn endpoints_that_break_the_rules_are_refused_or_left_out() {
    for bad in [
        r#""http://as.example/x""#,
        r#""https://10.0.0.1/x""#,
        r#""https://169.254.169.254/x""#,
        r#""https://intranet/x""#,
        r#""https://user:pass@as.example/x""#,
        r#""https://as.example/x#y""#,
        r#""https://as.example/\u0000""#,
        r#""javascript:alert(1)""#,
        r#""/token""#,
        "7",
        r#"["https://as.example/x"]"#,
        r#"{"url":"https://as.example/x"}"#,
    ] {
        for required in ["token_endpoint", "authorization_endpoint"] {
            let other = match required {
                "token_endpoint" => "authorization_endpoint",
                _ => "token_endpoint",
            };
            let body = format!(r#"{{"issuer":"{{host}}","{required}":{bad},"{other}":"{{host}}/x"}}"#);
            let host = Host::start(&[(AS, ok(&body))]).await;
            let message = message(host.look_up("").await);
            assert!(message.contains("not accepted"), "{bad}: {message}");
        }
        let host = Host::start(&[(AS, server("", &format!(r#","revocation_endpoint":{bad}"#)))]).await;
        let found = host.look_up("").await.unwrap();
        assert_eq!(found.settings.revocation_endpoint, None, "{bad}");
        assert!(!found.offered.revocation, "{bad}");
        let told = |warning: &String| warning.contains("revocation endpoint is left out");
        assert!(found.warnings.iter().any(told), "{bad}: {:?}", found.warnings);
    }
}

#[tokio::test]
async fn hostile_documents_are_refused() {
    let huge = format!(r#"{{"issuer":"{{host}}","x":"{}"}}"#, "a".repeat(300_000));
    let deep = format!(r#"{{"issuer":"{{host}}","x":{}"#, "[".repeat(100_000));
    for (body, why) in [
        (
            r#"{"issuer":"{host}","issuer":"{host}","token_endpoint":"{host}/t"}"#,
            "repeats a key",
        ),
        (
            r#"{"issuer":"{host}","token_endpoint":"{host}/t","x":{"a":1,"a":2}}"#,
            "repeats a key",
        ),
        (r#"{"issuer":"{host}""#, "ends too early"),
        (r#"["issuer"]"#, "not a JSON object"),
        (r#""issuer""#, "not a JSON object"),
        (r#"{"issuer":"{host}"} {}"#, "something else around"),
        (huge.as_str(), "longer than 256 KiB"),
        (deep.as_str(), "nested too deeply"),
    ] {
        let host = Host::start(&[(AS, ok(body))]).await;
        let message = message(host.look_up("").await);
        assert!(message.contains(why), "{why}: {message}");
    }
    for body in [
        r#"{"issuer":"{host}"}"#,
        r#"{"issuer":"{host}","token_endpoint":null}"#,
        r#"{"issuer":"{host}","token_endpoint":""}"#,
    ] {
        let host = Host::start(&[(AS, ok(body))]).await;
        let message = message(host.look_up("").await);
        assert!(message.contains("names no token endpoint"), "{message}");
    }
}

#[tokio::test]
async fn redirects_and_pages_are_no_metadata_and_slow_documents_end() {
    let page = answer("200 OK", "Content-Type: text/html\r\n", "<html>hello</html>");
    let redirect = answer("302 Found", "Location: /elsewhere\r\n", "");
    for reply in [page, redirect] {
        let host = Host::start(&[(AS, reply), ("/elsewhere", server("", ""))]).await;
        let message = message(host.look_up("").await);
        assert!(message.contains("has no metadata"), "{message}");
        assert!(!host.asked().contains(&"/elsewhere".to_owned()), "never followed");
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{\"issuer\":";
    let host = Host::start(&[(AS, Reply::Stall(head.into()))]).await;
    let message = message(host.look_up("").await);
    assert!(message.contains("broke off"), "{message}");
}

#[tokio::test]
async fn a_document_with_an_etag_is_not_sent_again() {
    let Reply::Bytes(bytes) = server("", "") else {
        unreachable!("it is whole");
    };
    let text = String::from_utf8(bytes)
        .unwrap()
        .replacen("\r\n", "\r\nETag: \"v1\"\r\n", 1);
    let host = Host::start(&[(AS, Reply::Bytes(text.into()))]).await;
    let cache = Cache::default();
    let query = Query {
        address: format!("{}{AS}", host.url),
        ..Query::default()
    };
    let mut found = Vec::new();
    for _ in 0..2 {
        found.push(
            look_up(&http(), &cache, &query, Timestamp::UNIX_EPOCH)
                .await
                .unwrap()
                .settings,
        );
    }
    assert_eq!(found[0], found[1]);
    assert_eq!(host.asked(), [AS.to_owned(), format!("{AS} 304")]);
}

/// Checklist A6.5: the metadata that the challenge names is asked for, and no other.
#[tokio::test]
async fn a_resource_tells_its_authorization_server_and_the_scopes_that_it_wants() {
    let named = r#"resource_metadata="{host}/meta", scope="read write""#;
    let host = Host::start(&[
        ("/mcp", challenge(named)),
        (
            "/meta",
            resource(
                "/mcp",
                r#","scopes_supported":["all"],"resource_name":"Files\u202e""#,
            ),
        ),
        (AS, server("", r#","registration_endpoint":"{host}/register""#)),
    ])
    .await;
    let found = host.look_up("/mcp").await.unwrap();
    assert_eq!(found.kind, DiscoveredKind::ProtectedResource);
    assert_eq!(found.settings.resource, Some(format!("{}/mcp", host.url)));
    assert_eq!(found.settings.default_scopes, ["read", "write"]);
    assert_eq!(found.settings.display_name, "Files");
    assert_eq!(found.authorization_servers, [host.url.as_str()]);
    assert_eq!(host.asked(), ["/mcp", "/meta", AS]);
}

#[tokio::test]
async fn without_the_address_of_its_metadata_a_resource_is_asked_at_its_path_then_at_the_root() {
    let with_path = format!("{RESOURCE}/mcp");
    for (path, described) in [(with_path.as_str(), "/mcp"), (RESOURCE, "/mcp")] {
        let scopes = r#","scopes_supported":["all","no scope\u0007"]"#;
        let host = Host::start(&[
            ("/mcp", challenge(r#"realm="x""#)),
            (path, resource(described, scopes)),
            (AS, server("", "")),
        ])
        .await;
        let found = host.look_up("/mcp").await.unwrap();
        assert_eq!(found.settings.default_scopes, ["all"]);
        let mut asked = vec!["/mcp", with_path.as_str()];
        asked.extend((path == RESOURCE).then_some(RESOURCE));
        asked.push(AS);
        assert_eq!(host.asked(), asked);
    }
}

#[tokio::test]
async fn the_metadata_of_another_resource_is_not_used_and_that_of_a_parent_only_when_accepted() {
    let accepting = || Query {
        accept_parent_resource: true,
        ..Query::default()
    };
    for (described, is_parent) in [
        ("", true),
        ("/", true),
        ("/mcp", true),
        ("/mc", false),
        ("/mcp/x/y", false),
    ] {
        let host = Host::start(&[
            ("/mcp/x", challenge(r#"resource_metadata="{host}/meta""#)),
            ("/meta", resource(described, "")),
            (AS, server("", "")),
        ])
        .await;
        let strict = message(host.look_up("/mcp/x").await);
        assert!(strict.contains("another resource"), "{strict}");
        assert_eq!(strict.contains("--parent-resource"), is_parent, "{strict}");
        let found = host.query("/mcp/x", accepting()).await;
        assert_eq!(found.is_ok(), is_parent, "{described}");
        if let Ok(found) = found {
            assert_eq!(found.settings.resource, Some(format!("{}{described}", host.url)));
            assert!(
                found
                    .warnings
                    .iter()
                    .any(|warning| warning.contains("Tokens are for all of"))
            );
        }
    }
    let other = Host::start(&[(
        "/mcp",
        challenge(r#"resource_metadata="https://169.254.169.254/latest""#),
    )])
    .await;
    assert!(message(other.look_up("/mcp").await).contains("was not asked"));
}

#[tokio::test]
async fn of_several_authorization_servers_the_first_is_taken_or_the_one_that_is_chosen() {
    let servers = r#"{"resource":"{host}/mcp","authorization_servers":["{host}/one","{host}/two"]}"#;
    let host = Host::start(&[
        ("/mcp", challenge(r#"resource_metadata="{host}/meta""#)),
        ("/meta", ok(servers)),
        (&format!("{AS}/one"), server("/one", "")),
        (&format!("{AS}/two"), server("/two", "")),
    ])
    .await;
    let choosing = |server: String| Query {
        authorization_server: Some(server),
        ..Query::default()
    };
    let first = host.look_up("/mcp").await.unwrap();
    assert_eq!(first.settings.issuer, Some(format!("{}/one", host.url)));
    assert!(
        first.warnings.iter().any(|warning| warning.contains("/two")),
        "{:?}",
        first.warnings
    );
    let second = host
        .query("/mcp", choosing(format!("{}/two", host.url)))
        .await
        .unwrap();
    assert_eq!(second.settings.issuer, Some(format!("{}/two", host.url)));
    let none = host
        .query("/mcp", choosing("https://evil.example".to_owned()))
        .await;
    assert!(matches!(none, Err(Problem::AuthorizationServer(_))), "{none:?}");
}

/// Checklist A1.4.
#[tokio::test]
async fn the_server_of_a_resource_without_pkce_is_refused_and_an_issuer_without_it_is_warned_of() {
    for methods in ["", r#","code_challenge_methods_supported":["plain"]"#] {
        let body = format!(
            r#"{{"issuer":"{{host}}","authorization_endpoint":"{{host}}/a","token_endpoint":"{{host}}/t"{methods}}}"#
        );
        let host = Host::start(&[
            ("/mcp", challenge(r#"resource_metadata="{host}/meta""#)),
            ("/meta", resource("/mcp", "")),
            (AS, ok(&body)),
        ])
        .await;
        assert!(message(host.look_up("/mcp").await).contains("PKCE with S256"));
        let issuer = host.look_up("").await.unwrap();
        assert!(issuer.warnings[0].contains("PKCE"), "{:?}", issuer.warnings);
    }
}

/// MCP servers before RFC 9728.
#[tokio::test]
async fn a_resource_without_metadata_has_the_authorization_server_of_its_own_host() {
    let host = Host::start(&[("/mcp", challenge("")), (AS, server("", ""))]).await;
    let found = host.look_up("/mcp").await.unwrap();
    assert_eq!(found.settings.resource, Some(format!("{}/mcp", host.url)));
    assert_eq!(found.settings.issuer.as_ref(), Some(&host.url));
    let bare = Host::start(&[("/mcp", challenge(""))]).await;
    assert!(message(bare.look_up("/mcp").await).contains("does not say where"));
}

#[tokio::test]
async fn endpoints_on_another_domain_are_named() {
    let host = Host::start(&[(
        AS,
        ok(
            r#"{"issuer":"{host}","authorization_endpoint":"https://a.login.example.co.uk/a",
            "token_endpoint":"https://b.example.co.uk/t","code_challenge_methods_supported":["S256"]}"#,
        ),
    )])
    .await;
    let found = host.look_up("").await.unwrap();
    assert_eq!(
        found.warnings[0],
        "On another domain than 127.0.0.1: example.co.uk (sign-in, tokens)."
    );
}
