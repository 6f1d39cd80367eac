//! Refusals of a made-up code, as servers send them.

use super::*;
use tokenry_core::{CheckResult, Name, OsRandom, ProviderId, ProviderPatch, Secret, SystemClock, Timestamp};

fn provider(method: &str, secret: Option<&str>, grant: &str) -> Provider {
    let id = ProviderId::new(&SystemClock, &OsRandom);
    let fields = serde_json::json!({
        "name": "kit",
        "client_id": "c1",
        "grant_type": grant,
        "token_endpoint": "https://as.example/token",
        "authorization_endpoint": "https://as.example/authorize",
        "token_endpoint_auth_method": method,
    });
    let serde_json::Value::Object(fields) = fields else {
        unreachable!()
    };
    let (mut provider, _) = Provider::create(id, ProviderPatch::from(fields), Timestamp::now()).unwrap();
    provider.client_secret = secret.map(|secret| Secret::new(secret.to_owned()));
    assert_eq!(provider.name, "kit".parse::<Name>().unwrap());
    provider
}

fn rejected(status: u16, error: &str, description: &str) -> Result<(), Failure> {
    Err(Failure::Rejected {
        error: error.to_owned(),
        description: (!description.is_empty()).then(|| description.to_owned()),
        status,
    })
}

/// Refusals as servers send them, and what they are about.
#[test]
fn each_refusal_of_a_made_up_code_is_about_one_thing() {
    use CheckResult::{NotChecked, Ok as Good, Problem};
    let client = provider("client_secret_post", Some("s"), "authorization_code");
    let none = || Err(Failure::InvalidGrant { description: None });
    for (outcome, name, result) in [
        (none(), CLIENT, Good),
        (
            rejected(
                200,
                "bad_verification_code",
                "The code passed is incorrect or expired.",
            ),
            CLIENT,
            Good,
        ),
        (rejected(200, "invalid_code", ""), CLIENT, Good),
        (
            rejected(400, "Invalid verification code format.", ""),
            CLIENT,
            Good,
        ),
        (
            rejected(401, "invalid_client", "client authentication failed"),
            CLIENT,
            Problem,
        ),
        (
            rejected(
                401,
                "unauthorized_client",
                "Invalid client or Invalid client credentials",
            ),
            CLIENT,
            Problem,
        ),
        (
            rejected(400, "unauthorized_client", "not allowed for this client"),
            CLIENT,
            Problem,
        ),
        (
            rejected(200, "incorrect_client_credentials", "…"),
            CLIENT,
            Problem,
        ),
        (rejected(401, "HTTP 401", ""), CLIENT, Problem),
        (
            rejected(400, "invalid_request", "The client_id is unknown"),
            CLIENT,
            Problem,
        ),
        (rejected(400, "redirect_uri_mismatch", ""), REDIRECT, Problem),
        (
            rejected(400, "invalid_request", "Invalid redirect URI"),
            REDIRECT,
            Problem,
        ),
        (
            rejected(400, "invalid_request", "The request is malformed."),
            CLIENT,
            NotChecked,
        ),
        (rejected(404, "HTTP 404", ""), ENDPOINT, Problem),
        (rejected(405, "HTTP 405", ""), ENDPOINT, Problem),
        (Ok(()), ENDPOINT, Problem),
    ] {
        let items = judged(&client, &outcome);
        let item = items.last().unwrap();
        assert_eq!(
            (item.name.as_str(), item.result),
            (name, result),
            "{outcome:?}: {items:?}"
        );
        assert_eq!(item.next.is_some(), result == Problem, "{items:?}");
    }
}

#[test]
fn an_answer_of_another_server_tells_nothing_of_the_client() {
    let client = provider("none", None, "authorization_code");
    for status in [404, 503, 200] {
        let failure = Failure::Interfered {
            status,
            message: "A web page came in place of an answer.".to_owned(),
            retry_after: None,
        };
        let items = judged(&client, &Err(failure));
        let found: Vec<_> = items
            .iter()
            .map(|item| (item.name.as_str(), item.result))
            .collect();
        let expected = [
            (ENDPOINT, CheckResult::Problem),
            (CLIENT, CheckResult::NotChecked),
        ];
        assert_eq!(found, expected, "{status}");
    }
}

#[test]
fn the_advice_names_another_method_or_the_secret_that_is_missing() {
    for (method, secret, says) in [
        (
            "client_secret_post",
            Some("s"),
            "--token-endpoint-auth-method client_secret_basic",
        ),
        (
            "client_secret_basic",
            Some("s"),
            "--token-endpoint-auth-method client_secret_post",
        ),
        ("client_secret_basic", None, "Set the client secret"),
        ("none", None, "If the client has a secret"),
        ("private_key_jwt", None, "public key"),
    ] {
        let client = provider(method, secret, "authorization_code");
        let items = judged(&client, &rejected(401, "invalid_client", ""));
        let next = items.last().unwrap().next.clone().unwrap();
        assert!(next.contains(says), "{method}: {next}");
    }
}

/// Its client may not use codes at all, which the server says only to a client that it knows.
#[test]
fn a_service_that_may_not_use_codes_has_the_right_client() {
    let service = provider("client_secret_basic", Some("s"), "client_credentials");
    for (error, description) in [
        ("unauthorized_client", "grant not allowed"),
        (
            "invalid_request",
            "requested grant type is not allowed for this client",
        ),
    ] {
        let items = judged(&service, &rejected(400, error, description));
        assert_eq!(items.last().unwrap().result, CheckResult::Ok, "{error}");
    }
}
