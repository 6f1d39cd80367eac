//! Requests and answers of providers that differ from RFC 6749, as their settings say.

use crate::server::{Reply, Server, answer, flow, http, json, provider, secret};
use std::collections::BTreeMap;
use tokenry_core::{BodyFormat, Captured, HttpMethod, OsRandom, Provider, Scopes, TokenEndpointAuthMethod};
use tokenry_oauth::{Answer, Failure, authorization_code, client_credentials, refresh, revocation};

const GOOD: &str = r#"{"access_token":"a"}"#;

fn map(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |text: &str| text.to_owned();
    of.iter()
        .map(|(name, value)| (owned(name), owned(value)))
        .collect()
}

/// A provider with every setting of its requests.
fn odd(server: &Server) -> Provider {
    let mut provider = provider(&server.url);
    let settings = &mut provider.settings;
    settings.param_names = map(&[
        ("client_id", "client_key"),
        ("scope", "user_scope"),
        ("refresh_token", "old_token"),
        ("code_verifier", "proof"),
        ("code_challenge", "challenge"),
        ("token", "access_token"),
    ]);
    settings.token_params = map(&[("action", "requesttoken"), ("user_scope", "all")]);
    settings.refresh_params = map(&[("action", "refresh")]);
    settings.revocation_params = map(&[("reason", "user")]);
    settings.token_headers = map(&[
        ("Notion-Version", "2022-06-28"),
        ("Accept", "application/vnd.x+json"),
    ]);
    provider
}

/// The parameters in the body of the only request, and its head in lower case.
fn sent(server: &Server, format: BodyFormat) -> (BTreeMap<String, String>, String) {
    let request = server.request();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    let media = match format {
        BodyFormat::Form => "application/x-www-form-urlencoded",
        BodyFormat::Json => "application/json",
    };
    assert!(head.contains(&format!("\ncontent-type: {media}\r\n")), "{head}");
    let read = match format {
        BodyFormat::Form => server.form(),
        BodyFormat::Json => serde_json::from_str(body).unwrap(),
    };
    (read, head)
}

#[tokio::test]
async fn every_request_has_the_names_parameters_headers_and_form_of_the_settings() {
    let client = [
        ("client_key", "client:ä"),
        ("client_secret", "CANARY-client secret%"),
    ];
    for format in [BodyFormat::Form, BodyFormat::Json] {
        for kind in ["code", "refresh", "client", "revoke"] {
            let server = Server::start(json("200 OK", GOOD)).await;
            let mut provider = odd(&server);
            provider.settings.token_body_format = format;
            let flow = flow(&provider, &server.url);
            let verifier = flow.verifier.as_ref().unwrap().expose().to_owned();
            let (http, token) = (http(), secret("the-token"));
            let own: Vec<(&str, &str)> = match kind {
                "code" => {
                    let done =
                        authorization_code::exchange(&http, &provider, &flow, &token, &Captured::new()).await;
                    done.unwrap();
                    vec![
                        ("grant_type", "authorization_code"),
                        ("code", "the-token"),
                        ("redirect_uri", &flow.redirect_uri),
                        ("proof", &verifier),
                        ("action", "requesttoken"),
                        ("user_scope", "all"),
                    ]
                }
                "refresh" => {
                    refresh::refresh(&http, &provider, &token).await.unwrap();
                    vec![
                        ("grant_type", "refresh_token"),
                        ("old_token", "the-token"),
                        ("action", "refresh"),
                    ]
                }
                "client" => {
                    // A scope of this very request comes before the one of every request.
                    let scopes = Scopes::parse("b c");
                    client_credentials::fetch(&http, &provider, &scopes)
                        .await
                        .unwrap();
                    vec![
                        ("grant_type", "client_credentials"),
                        ("action", "requesttoken"),
                        ("user_scope", "b c"),
                    ]
                }
                _ => {
                    let hint = revocation::Hint::AccessToken;
                    revocation::revoke(&http, &provider, &token, hint).await.unwrap();
                    vec![
                        ("access_token", "the-token"),
                        ("token_type_hint", "access_token"),
                        ("reason", "user"),
                    ]
                }
            };
            let expected = map(&[&own[..], &client[..]].concat());
            let (read, head) = sent(&server, format);
            assert_eq!(read, expected, "{kind} {format:?}");
            assert!(head.contains("\nnotion-version: 2022-06-28\r"), "{head}");
            assert!(head.contains("\naccept: application/vnd.x+json\r"), "{head}");
            assert_eq!(head.matches("\naccept:").count(), 1, "{head}");
        }
    }
}

#[tokio::test]
async fn a_secret_can_be_the_user_name_of_basic_and_is_nowhere_else_then() {
    let server = Server::start(json("200 OK", GOOD)).await;
    let mut provider = provider(&server.url);
    provider.settings.token_endpoint_auth_method = TokenEndpointAuthMethod::SecretAsUserName;
    provider.client_secret = Some(secret("sk_live_CANARY"));
    refresh::refresh(&http(), &provider, &secret("r")).await.unwrap();
    // base64 of `sk_live_CANARY:`.
    let request = server.request();
    assert!(
        request.contains("authorization: Basic c2tfbGl2ZV9DQU5BUlk6\r\n"),
        "{request}"
    );
    let expected = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "r"),
        ("client_id", "client:ä"),
    ];
    assert_eq!(server.form(), map(&expected));
}

#[test]
fn the_browser_is_sent_to_the_address_that_the_settings_say() {
    let begun = |change: fn(&mut Provider)| {
        let mut provider = provider(&"https://as.example/token".parse().unwrap());
        change(&mut provider);
        let scopes = Scopes::parse("a:b/c d");
        let redirect = "http://127.0.0.1:1/cb/example";
        authorization_code::begin(&provider, redirect, &scopes, &[], &OsRandom)
            .unwrap()
            .authorization_url
            .to_string()
    };
    let plain = begun(|_| {});
    assert!(
        plain.contains("scope=a%3Ab%2Fc+d") && plain.contains("client_id=client%3A%C3%A4"),
        "{plain}"
    );
    let raw = begun(|provider| provider.settings.raw_scope = true);
    assert!(
        raw.contains("scope=a:b/c%20d") && raw.contains("client_id=client%3A%C3%A4"),
        "{raw}"
    );
    let renamed = begun(|provider| {
        let names = [
            ("client_id", "client_key"),
            ("scope", "user_scope"),
            ("code_challenge", "cc"),
        ];
        provider.settings.param_names = map(&names);
    });
    for (there, name) in [
        (true, "client_key"),
        (true, "user_scope"),
        (true, "cc"),
        (true, "state"),
        (true, "code_challenge_method"),
        (false, "client_id"),
        (false, "scope"),
        (false, "code_challenge"),
    ] {
        let found = renamed.contains(&format!("&{name}=")) || renamed.contains(&format!("?{name}="));
        assert_eq!(found, there, "{name}: {renamed}");
    }
    let fragment = begun(|provider| provider.settings.authorize_fragment = Some("/oauth/authorize".into()));
    assert!(
        fragment.starts_with("https://as.example/authorize#/oauth/authorize?response_type=code&"),
        "{fragment}"
    );
}

/// A caller's parameter never stands beside one of ours under the provider's name of it.
#[test]
fn a_parameter_with_the_name_of_a_renamed_one_is_refused() {
    let mut provider = provider(&"https://as.example/token".parse().unwrap());
    provider.settings.param_names = map(&[("client_id", "client_key")]);
    let extra = [("Client_Key".to_owned(), "evil".to_owned())];
    let begun = authorization_code::begin(
        &provider,
        "http://127.0.0.1:1/cb/example",
        &Scopes::default(),
        &extra,
        &OsRandom,
    );
    assert!(matches!(begun, Err(tokenry_oauth::Error::ReservedParameter(_))));
}

/// Instagram: the long-lived token is sent for another one, by GET and without the client's secret.
#[tokio::test]
async fn a_refresh_by_get_has_its_own_grant_type_and_no_secret_of_the_client() {
    let server = Server::start(json("200 OK", r#"{"access_token":"a2","expires_in":5}"#)).await;
    let mut provider = provider(&server.url);
    provider.settings.refresh_method = HttpMethod::Get;
    provider.settings.refresh_params = map(&[("grant_type", "ig_refresh_token")]);
    provider.settings.param_names = map(&[("refresh_token", "access_token")]);
    provider.settings.token_response_paths = map(&[("refresh_token", "access_token")]);
    let answer = refresh::refresh(&http(), &provider, &secret("a1+"))
        .await
        .unwrap();
    assert_eq!(answer.refresh_token.unwrap().expose(), "a2");
    let request = server.request();
    assert!(
        request.starts_with("GET /token?access_token=a1%2B&grant_type=ig_refresh_token HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        !request.contains("client_secret") && !request.contains("uthorization"),
        "{request}"
    );
}

async fn read(reply: Reply, change: impl FnOnce(&mut Provider)) -> Result<Answer, Failure> {
    let server = Server::start(reply).await;
    let mut provider = provider(&server.url);
    change(&mut provider);
    let flow = flow(&provider, &server.url);
    authorization_code::exchange(&http(), &provider, &flow, &secret("the-code"), &Captured::new()).await
}

const SLACK: &str = r#"{"ok":true,"access_token":"bot","token_type":"bot","scope":"b","expires_in":1,"team":{"id":"T1"},
    "authed_user":{"id":"U1","access_token":"user","refresh_token":"r2","token_type":"user","expires_in":43200,"scope":"a,c"}}"#;

fn slack(provider: &mut Provider) {
    provider.settings.token_response_paths = map(&[
        ("access_token", "authed_user.access_token"),
        ("refresh_token", "authed_user.refresh_token"),
        ("expires_in", "authed_user.expires_in"),
        ("scope", "authed_user.scope"),
        ("token_type", ""),
    ]);
    provider.settings.captures = map(&[
        ("team", "token_response.team.id"),
        ("user", "token_response.authed_user.id"),
    ]);
}

#[tokio::test]
async fn members_are_read_at_their_paths_and_values_are_captured() {
    let answer = read(json("200 OK", SLACK), slack).await.unwrap();
    assert_eq!(answer.access_token.unwrap().expose(), "user");
    assert_eq!(answer.refresh_token.unwrap().expose(), "r2");
    assert_eq!((answer.expires_in, answer.complaint), (Some(43200), None));
    assert_eq!(answer.scope.unwrap().to_string(), "a c");
    let captured: Vec<_> = answer
        .captured
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect();
    assert_eq!(captured, [("team", "T1"), ("user", "U1")]);

    // Without the user's token, the bot's is not taken for it.
    let bot = SLACK.replace(r#""access_token":"user","refresh_token":"r2","#, "");
    let failure = read(json("200 OK", &bot), slack).await.unwrap_err();
    assert!(matches!(failure, Failure::Unanswered { .. }), "{failure:?}");
}

/// After a rotation, a refresh token that is overlooked is a grant that is lost.
#[tokio::test]
async fn a_refresh_answer_is_read_in_the_mapped_form_the_plain_one_and_when_it_is_damaged() {
    for (body, token) in [
        (SLACK.to_owned(), "r2"),
        (
            r#"{"ok":true,"access_token":"user","refresh_token":"r3","token_type":"user"}"#.to_owned(),
            "r3",
        ),
        (SLACK.replace(r#""team""#, r#""x":NaN,"team""#), "r2"),
        (format!("Notice: x\n{SLACK}"), "r2"),
    ] {
        let server = Server::start(json("200 OK", &body)).await;
        let mut provider = provider(&server.url);
        slack(&mut provider);
        let answer = refresh::refresh(&http(), &provider, &secret("r1")).await.unwrap();
        assert_eq!(answer.refresh_token.unwrap().expose(), token, "{body}");
    }
}

#[tokio::test]
async fn the_end_of_a_token_is_read_in_every_form() {
    const JWT: &str = "e30.eyJleHAiOjE4MDAwMDAwMDB9.sig";
    let date = "Date: Fri, 15 Jan 2027 07:00:00 GMT\r\nContent-Type: application/json\r\n";
    for (body, from_jwt, default, seconds) in [
        (
            r#"{"access_token":"a","expires_in":"60"}"#.to_owned(),
            false,
            Some(5),
            Some(60),
        ),
        (
            r#"{"access_token":"a","expires_at":1800000000}"#.to_owned(),
            false,
            Some(5),
            Some(3600),
        ),
        (
            r#"{"access_token":"a","expires_at":"2027-01-15T08:00:00Z"}"#.to_owned(),
            false,
            None,
            Some(3600),
        ),
        (
            r#"{"access_token":"a","expires_at":1800000000000}"#.to_owned(),
            false,
            None,
            Some(3600),
        ),
        (
            r#"{"access_token":"a","expires_at":5}"#.to_owned(),
            false,
            None,
            Some(0),
        ),
        (
            r#"{"access_token":"a","expires_in":-1}"#.to_owned(),
            false,
            Some(5),
            Some(5),
        ),
        (r#"{"access_token":"a"}"#.to_owned(), true, Some(5), Some(5)),
        (r#"{"access_token":"a"}"#.to_owned(), false, None, None),
        (
            format!(r#"{{"access_token":"{JWT}","expires_in":60}}"#),
            true,
            Some(5),
            Some(3600),
        ),
        (
            format!(r#"{{"access_token":"{JWT}","expires_in":60}}"#),
            false,
            Some(5),
            Some(60),
        ),
    ] {
        let read = read(answer("200 OK", date, &body), |provider| {
            provider.settings.expiry_from_jwt = from_jwt;
            provider.settings.default_expires_in = default;
        });
        assert_eq!(read.await.unwrap().expires_in, seconds, "{body}");
    }
    let undated = read(
        json("200 OK", r#"{"access_token":"a","expires_at":1800000000}"#),
        |_| {},
    )
    .await
    .unwrap();
    assert_eq!(undated.expires_at.unwrap().as_second(), 1_800_000_000);
}

#[tokio::test]
async fn an_error_in_a_success_is_told_in_the_words_at_its_path_and_without_secrets() {
    let withings = |provider: &mut Provider| {
        provider.settings.token_body_format = BodyFormat::Json;
        provider.settings.param_names = map(&[("code", "grant_code"), ("client_secret", "key")]);
        provider.settings.token_response_paths = map(&[
            ("error", "result.reason"),
            ("error_description", "result.more"),
            ("access_token", "body.t"),
        ]);
    };
    for (body, words) in [
        (r#"{"ok":false,"error":"invalid_code"}"#, "invalid_code"),
        (r#"{"error":{"code":"bad_thing","message":"No"}}"#, "bad_thing"),
        (
            r#"{"status":601,"result":{"reason":"too_old","more":"the-code is old, CANARY-client secret%"}}"#,
            "too_old (“… is old, …”)",
        ),
        (
            r#"{"status":601,"result":{"reason":["x"]},"error":"plain"}"#,
            "plain",
        ),
    ] {
        let failure = read(json("200 OK", body), withings).await.unwrap_err();
        assert!(failure.to_string().contains(words), "{failure}");
        assert!(matches!(failure, Failure::Rejected { .. }), "{failure:?}");
        assert!(!format!("{failure:?}").contains("CANARY"), "{failure:?}");
    }
    // TikTok's success has an error, too.
    let fine = read(
        json(
            "200 OK",
            r#"{"error":{"code":"ok","message":""},"body":{"t":"a"}}"#,
        ),
        withings,
    )
    .await;
    assert_eq!(fine.unwrap().access_token.unwrap().expose(), "a");
}
