//! The device authorization grant (RFC 8628). Checklist A7.

use crate::server::{Reply, Server, answer, flow, http, json, provider, secret};
use std::time::Duration;
use tokenry_core::{Provider, Scopes, TokenEndpointAuthMethod};
use tokenry_oauth::device::{self, Polled, Started};
use tokenry_oauth::{Failure, SigningKey};

const GOOD: &str =
    r#""device_code":"CANARY-device","user_code":"WDJB-MJHT","verification_uri":"https://as.example/device""#;

fn asking(server: &Server) -> Provider {
    let mut provider = provider(&server.url);
    provider.settings.device_authorization_endpoint = Some(server.url.to_string());
    provider
}

async fn begun(body: &str) -> Result<Started, Failure> {
    let server = Server::start(json("200 OK", body)).await;
    device::begin(&http(), &asking(&server), &Scopes::parse("read"), &[]).await
}

#[tokio::test]
async fn the_request_has_the_scopes_and_parameters_of_a_sign_in_and_the_client() {
    let server = Server::start(json("200 OK", &format!("{{{GOOD}}}"))).await;
    let mut provider = asking(&server);
    let settings = &mut provider.settings;
    settings.scope_separator = ",".to_owned();
    settings.resource = Some("https://api.example/".to_owned());
    settings.authorize_params = [("audience", "https://b.example"), ("nonce", "n")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let scopes = Scopes::parse("read offline_access");
    provider.dpop_key = Some(SigningKey::generate().unwrap());
    let extra = [("acr_values".to_owned(), "mfa".to_owned())];
    let started = device::begin(&http(), &provider, &scopes, &extra).await.unwrap();
    assert_eq!(started.resource.as_deref(), Some("https://api.example/"));
    let form = server.form();
    let form: Vec<_> = form.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        form,
        [
            ("acr_values", "mfa"),
            ("audience", "https://b.example"),
            ("client_id", "client:ä"),
            ("client_secret", "CANARY-client secret%"),
            ("prompt", "consent"),
            ("resource", "https://api.example/"),
            ("scope", "read,offline_access"),
        ]
    );
    assert!(!server.request().contains("dpop"), "nothing is bound yet");

    let server = Server::start(json("200 OK", &format!("{{{GOOD}}}"))).await;
    let mut provider = asking(&server);
    provider.settings.token_endpoint_auth_method = TokenEndpointAuthMethod::ClientSecretBasic;
    device::begin(&http(), &provider, &Scopes::default(), &[])
        .await
        .unwrap();
    assert!(server.request().contains("authorization: Basic "));
    assert!(!server.form().contains_key("scope"), "an empty one is none");
}

/// Checklist A7.1: the interval is 5 seconds by default.
#[tokio::test]
async fn times_are_read_within_bounds_and_googles_name_of_the_address_is_known() {
    for (more, seconds, interval) in [
        ("", 600, 5),
        (r#","expires_in":1800,"interval":7"#, 1800, 7),
        (r#","expires_in":"900","interval":"2""#, 900, 2),
        (r#","expires_in":1e300,"interval":1e300"#, 3600, 60),
        (r#","interval":0"#, 600, 5),
        (r#","interval":-1"#, 600, 5),
        (r#","interval":null"#, 600, 5),
    ] {
        let started = begun(&format!("{{{GOOD}{more}}}")).await.unwrap();
        let told = (started.expires_in.as_secs(), started.interval.as_secs());
        assert_eq!(told, (seconds, interval), "{more}");
    }
    let google = GOOD.replace("verification_uri", "verification_url");
    let started = begun(&format!("{{{google}}}")).await.unwrap();
    assert_eq!(started.verification_uri.as_str(), "https://as.example/device");
    assert_eq!(started.user_code, "WDJB-MJHT");
    assert_eq!(started.device_code.expose(), "CANARY-device");
    assert!(!format!("{started:?}").contains("CANARY"));
}

/// Checklist A7.5: an address that is opened is https. What is printed in a terminal has no control characters.
#[tokio::test]
async fn an_answer_that_cannot_be_shown_and_opened_safely_starts_nothing() {
    let long = "A".repeat(41);
    let endless = format!("https://as.example/{}", "a".repeat(2048));
    let huge = "d".repeat(8193);
    let mut bad = vec![
        "{}".to_owned(),
        "[]".to_owned(),
        format!(r#"{{{GOOD},"user_code":"OTHER"}}"#),
        format!(r#"{{{GOOD},"error":"invalid_request"}}"#),
        format!(r#"{{{GOOD},"expires_in":0}}"#),
        format!(r#"{{{GOOD},"expires_in":-5}}"#),
        format!("{{{GOOD}"),
    ];
    for code in [
        "",
        " ",
        " A",
        "A\\nB",
        "A\\u001b[31m",
        "A\\u202eB",
        "Ä",
        "\\u200b",
        &long,
    ] {
        bad.push(format!("{{{}}}", GOOD.replace("WDJB-MJHT", code)));
    }
    for code in ["", "a\\r\\nb", "ä", &huge] {
        bad.push(format!("{{{}}}", GOOD.replace("CANARY-device", code)));
    }
    for uri in [
        "",
        "http://as.example/device",
        "https://user@as.example/",
        "https://user:pass@as.example/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "as.example/device",
        "https://as.example/a b",
        "https://as.example/\\u001b]0;x",
        "https://",
        &endless,
    ] {
        bad.push(format!("{{{}}}", GOOD.replace("https://as.example/device", uri)));
    }
    for body in bad {
        let begun = begun(&body).await;
        let shown = body.chars().take(200).collect::<String>();
        assert!(begun.is_err(), "{shown}: {begun:?}");
    }
    let page = "http://127.0.0.1:7/device";
    let started = begun(&format!(
        "{{{}}}",
        GOOD.replace("https://as.example/device", page)
    ))
    .await;
    assert_eq!(
        started.unwrap().verification_uri.as_str(),
        page,
        "this machine is fine"
    );
}

#[tokio::test]
async fn a_complete_address_that_cannot_be_opened_is_left_out() {
    for (uri, is_kept) in [
        ("https://as.example/device?user_code=WDJB-MJHT", true),
        ("http://as.example/device", false),
        ("javascript:alert(1)", false),
        ("https://as.example/\\n", false),
        ("7", false),
    ] {
        let started = begun(&format!(r#"{{{GOOD},"verification_uri_complete":"{uri}"}}"#)).await;
        assert_eq!(
            started.unwrap().verification_uri_complete.is_some(),
            is_kept,
            "{uri}"
        );
    }
}

#[tokio::test]
async fn a_refused_request_says_so_and_a_missing_endpoint_sends_nothing() {
    let server = Server::start(json("404 Not Found", r#"{"error":"device_flow_disabled"}"#)).await;
    let mut provider = asking(&server);
    let scopes = Scopes::default();
    let refused = device::begin(&http(), &provider, &scopes, &[]).await.unwrap_err();
    assert_eq!(refused.provider_error(), Some("device_flow_disabled"));
    assert!(device::check(&provider, &scopes, &[]).is_ok());
    let ours = [("scope".to_owned(), "all".to_owned())];
    assert!(device::check(&provider, &scopes, &ours).is_err());
    provider.settings.device_authorization_endpoint = None;
    let missing = device::begin(&http(), &provider, &scopes, &[]).await;
    assert!(matches!(missing, Err(Failure::NotSent { .. })));
    assert!(device::check(&provider, &scopes, &[]).is_err());
    server.request();
}

/// Checklist A7.1 and A7.2: each answer by its code, whatever its status.
#[tokio::test]
async fn every_answer_of_the_token_endpoint_is_understood() {
    let said = |status: &str, error: &str| json(status, &format!(r#"{{"error":"{error}"}}"#));
    let pending = "authorization_pending";
    for (reply, expected) in [
        (said("400 Bad Request", pending), "pending"),
        (said("428 Precondition Required", pending), "pending"),
        (said("200 OK", pending), "pending"),
        (said("400 Bad Request", "slow_down"), "slower"),
        (said("200 OK", "slow_down"), "slower"),
        (said("429 Too Many Requests", "slow_down"), "slower"),
        (said("403 Forbidden", "slow_down"), "slower"),
        (
            answer(
                "200 OK",
                "Content-Type: application/x-www-form-urlencoded\r\n",
                "error=slow_down&interval=10",
            ),
            "slower",
        ),
        (said("400 Bad Request", "expired_token"), "expired"),
        (said("200 OK", "expired_token"), "expired"),
        (said("400 Bad Request", "access_denied"), "denied"),
        (said("403 Forbidden", "access_denied"), "denied"),
        (said("400 Bad Request", "authorization_declined"), "denied"),
        (said("400 Bad Request", "invalid_grant"), "refused invalid_grant"),
        (
            said("401 Unauthorized", "invalid_client"),
            "refused invalid_client",
        ),
        (
            said("200 OK", "incorrect_device_code"),
            "refused incorrect_device_code",
        ),
        (json("200 OK", r#"{"token_type":"Bearer"}"#), "again"),
        (said("429 Too Many Requests", "rate_limited"), "again"),
        (said("503 Service Unavailable", "x"), "again"),
        (
            answer(
                "200 OK",
                "Content-Type: text/html\r\n",
                "<html>authorization_pending",
            ),
            "again",
        ),
        (answer("302 Found", "Location: /x\r\n", ""), "again"),
        (Reply::Stall(Vec::new()), "again"),
        (
            json(
                "200 OK",
                r#"{"access_token":"t","error":"authorization_pending"}"#,
            ),
            "pending",
        ),
        (json("200 OK", r#"{"access_token":"t"}"#), "tokens"),
    ] {
        let server = Server::start(reply).await;
        let mut provider = asking(&server);
        provider.settings.token_params = [("x".to_owned(), "y".to_owned())].into();
        let mut flow = flow(&provider, &server.url);
        flow.resource = Some("https://api.example/".to_owned());
        let polled = device::poll(&http(), &provider, &flow, &secret("CANARY-device")).await;
        assert!(!format!("{polled:?}").contains("CANARY"));
        let found = match polled {
            Ok(Polled::Pending) => "pending".to_owned(),
            Ok(Polled::SlowDown) => "slower".to_owned(),
            Ok(Polled::Expired) => "expired".to_owned(),
            Ok(Polled::Denied(_)) => "denied".to_owned(),
            Ok(Polled::Tokens(_)) => "tokens".to_owned(),
            Err(failure) if device::may_mend(&failure) => "again".to_owned(),
            Err(failure) => format!("refused {}", failure.provider_error().unwrap_or_default()),
        };
        assert_eq!(found, expected, "{}", server.request());
        let form = server.form();
        assert_eq!(form["grant_type"], device::GRANT_TYPE);
        assert_eq!(form["device_code"], "CANARY-device");
        assert_eq!(
            (form["resource"].as_str(), form["x"].as_str()),
            ("https://api.example/", "y")
        );
    }
}

#[tokio::test]
async fn a_denial_is_told_in_the_providers_words_and_a_code_it_repeats_is_not_shown() {
    let body = r#"{"error":"access_denied","error_description":"CANARY-device: not today"}"#;
    let server = Server::start(json("400 Bad Request", body)).await;
    let provider = asking(&server);
    let flow = flow(&provider, &server.url);
    let polled = device::poll(&http(), &provider, &flow, &secret("CANARY-device")).await;
    let Ok(Polled::Denied(Some(words))) = polled else {
        panic!("{polled:?}")
    };
    assert!(
        words.contains("not today") && !words.contains("CANARY"),
        "{words}"
    );
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_asked_again() {
    let server = Server::start(json("200 OK", "{}")).await;
    let provider = asking(&server);
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token", gone.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(gone);
    let polled = device::poll(&http(), &provider, &flow(&provider, &url), &secret("CANARY")).await;
    assert!(polled.is_err_and(|failure| device::may_mend(&failure)));
    let mut interval = device::PollInterval::new(Duration::from_secs(5));
    interval.failed();
    assert_eq!(interval.wait(), Duration::from_secs(10));
}
