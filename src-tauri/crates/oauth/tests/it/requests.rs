//! What is sent, and where to.

use crate::server::{Server, flow, http, json, provider, secret};
use std::collections::BTreeMap;
use tokenry_core::{Captured, OsRandom, Provider, Random, Scopes, TokenEndpointAuthMethod};
use tokenry_oauth::{Error, authorization_code, client_credentials, refresh};
use url::Url;

const GOOD: &str = r#"{"access_token":"a"}"#;

/// Counts up, so that what is made of it can be foreseen.
struct Counting(std::sync::atomic::AtomicU8);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    }
}

fn somewhere() -> Provider {
    provider(&"https://as.example/token".parse().unwrap())
}

fn query(url: &Url) -> BTreeMap<String, String> {
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    let query: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(
        query.len(),
        pairs.len(),
        "no parameter comes twice (checklist A1.9): {url}"
    );
    query
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

/// Checklist A1.1, A1.2, A1.5, A1.8.
#[test]
fn an_authorization_request_has_code_pkce_s256_and_a_state_of_256_bits() {
    let mut provider = somewhere();
    provider.settings.authorization_endpoint = Some("https://as.example/authorize?tenant=t%201".into());
    provider.settings.scope_separator = ",".into();
    provider.settings.authorize_params = BTreeMap::from([pair("prompt", "none"), pair("audience", "api")]);
    let random = Counting(0.into());
    let extra = [pair("prompt", "login consent")];
    let redirect = "io.github.tokenry:/cb/example";
    let started =
        authorization_code::begin(&provider, redirect, &Scopes::parse("a b"), &extra, &random).unwrap();

    assert_eq!(
        started.state.expose(),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    );
    let verifier = started.verifier.unwrap();
    assert_eq!(verifier.expose(), "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8");
    let expected = [
        pair("tenant", "t 1"),
        pair("response_type", "code"),
        pair("client_id", "client:ä"),
        pair("state", started.state.expose()),
        // The SHA-256 of the verifier in base64url, worked out by another program.
        pair("code_challenge", "zwkx4Wi0nph1A8rxivb-JTtrPYKoEAjD6OHuZ8fI3FU"),
        pair("code_challenge_method", "S256"),
        pair("redirect_uri", redirect),
        pair("scope", "a,b"),
        pair("prompt", "login consent"),
        pair("audience", "api"),
    ];
    assert_eq!(query(&started.authorization_url), BTreeMap::from(expected));
    assert!(
        started
            .authorization_url
            .as_str()
            .starts_with("https://as.example/authorize?tenant=t%201&")
    );
}

#[test]
fn state_and_verifier_are_fresh_each_time_and_no_scope_sends_no_scope() {
    let provider = somewhere();
    let begin = || {
        authorization_code::begin(
            &provider,
            "http://127.0.0.1:1/cb/example",
            &Scopes::default(),
            &[],
            &OsRandom,
        )
        .unwrap()
    };
    let (one, two) = (begin(), begin());
    assert!(
        !tokenry_core::same_secret(&one.state, &two.state)
            && tokenry_core::same_secret(&one.state, &one.state)
    );
    assert!(!tokenry_core::same_secret(
        one.verifier.as_ref().unwrap(),
        two.verifier.as_ref().unwrap()
    ));
    assert!(!tokenry_core::same_secret(
        &one.state,
        one.verifier.as_ref().unwrap()
    ));
    assert!(!query(&one.authorization_url).contains_key("scope"));
}

/// OpenID Connect Core §11: without it a server gives no refresh token.
#[test]
fn offline_access_sends_prompt_consent_unless_a_prompt_is_named_or_it_is_off() {
    let mut provider = somewhere();
    let prompt = |provider: &Provider, scopes: &str, extra: &[(String, String)]| {
        let redirect = "http://127.0.0.1:1/cb/example";
        let scopes = Scopes::parse(scopes);
        let started = authorization_code::begin(provider, redirect, &scopes, extra, &OsRandom).unwrap();
        query(&started.authorization_url).remove("prompt")
    };
    let consent = Some("consent".to_owned());
    assert_eq!(prompt(&provider, "openid offline_access", &[]), consent);
    assert_eq!(prompt(&provider, "openid", &[]), None);
    let login = [pair("prompt", "login")];
    assert_eq!(
        prompt(&provider, "offline_access", &login).as_deref(),
        Some("login")
    );
    assert_eq!(
        prompt(&provider, "offline_access", &[pair("approval_prompt", "force")]),
        None
    );
    provider.settings.authorize_params = BTreeMap::from([pair("prompt", "select_account")]);
    assert_eq!(
        prompt(&provider, "offline_access", &[]).as_deref(),
        Some("select_account")
    );
    provider.settings.authorize_params.clear();
    provider.settings.prompt_consent_for_offline_access = false;
    assert_eq!(prompt(&provider, "offline_access", &[]), None);
}

#[test]
fn parameters_of_ours_and_repeated_ones_are_refused_by_name() {
    let begin = |provider: &Provider, extra: &[(String, String)]| {
        authorization_code::begin(
            provider,
            "http://127.0.0.1:1/cb/example",
            &Scopes::default(),
            extra,
            &OsRandom,
        )
        .map(|_| ())
    };
    let provider = somewhere();
    for key in [
        "state",
        "redirect_uri",
        "client_id",
        "code_challenge",
        "scope",
        "request",
        "request_uri",
    ] {
        assert_eq!(
            begin(&provider, &[pair(key, "x")]),
            Err(Error::ReservedParameter(key.into()))
        );
        let mut set_by_provider = provider.clone();
        set_by_provider
            .settings
            .authorize_params
            .insert(key.into(), "x".into());
        assert_eq!(
            begin(&set_by_provider, &[]),
            Err(Error::ReservedParameter(key.into()))
        );
        let mut set_by_address = provider.clone();
        set_by_address.settings.authorization_endpoint = Some(format!("https://as.example/?{key}=x"));
        assert_eq!(
            begin(&set_by_address, &[]),
            Err(Error::ReservedParameter(key.into()))
        );
    }
    let twice = Err(Error::RepeatedParameter("p".into()));
    assert_eq!(begin(&provider, &[pair("p", "1"), pair("p", "2")]), twice);
    let mut address = provider.clone();
    address.settings.authorization_endpoint = Some("https://as.example/?p=1".into());
    assert_eq!(begin(&address, &[pair("p", "2")]), twice);
    address.settings.authorization_endpoint = Some("https://as.example/?p=1&p=2".into());
    assert_eq!(begin(&address, &[]), twice);
}

/// Checklist A1.10, A1.4.
#[test]
fn no_browser_is_sent_to_an_unsafe_place() {
    let begin = |provider: &Provider, redirect: &str| {
        authorization_code::begin(provider, redirect, &Scopes::default(), &[], &OsRandom).map(|_| ())
    };
    let loopback = "http://127.0.0.1:1/cb/example";
    let mut provider = somewhere();
    for unsafe_place in [
        "http://as.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://u:p@as.example/",
        "https://as.example/#f",
    ] {
        provider.settings.authorization_endpoint = Some(unsafe_place.into());
        assert_eq!(
            begin(&provider, loopback),
            Err(Error::UnsafeAuthorizationEndpoint("example".into()))
        );
    }
    provider.settings.authorization_endpoint = None;
    assert_eq!(
        begin(&provider, loopback),
        Err(Error::NoAuthorizationEndpoint("example".into()))
    );
    let mut provider = somewhere();
    for wrong in ["", "/cb/example", "http://127.0.0.1:1/cb/example#f"] {
        assert_eq!(begin(&provider, wrong), Err(Error::RedirectUri));
    }
    provider.settings.use_pkce = false;
    assert_eq!(
        begin(&provider, "io.github.tokenry:/cb/example"),
        Err(Error::DeepLinkWithoutPkce("example".into()))
    );
    assert_eq!(begin(&provider, loopback), Ok(()));
}

/// Checklist A1.6, A4.11: to the flow's endpoint, whatever the provider says by now.
#[tokio::test]
async fn a_code_goes_to_the_endpoint_of_its_flow_with_its_redirect_uri_and_verifier() {
    let (recorded, now) = (
        Server::start(json("200 OK", GOOD)).await,
        Server::start(json("200 OK", GOOD)).await,
    );
    let provider = provider(&now.url);
    let flow = flow(&provider, &recorded.url);
    authorization_code::exchange(&http(), &provider, &flow, &secret("the+code"), &Captured::new())
        .await
        .unwrap();
    assert!(now.requests().is_empty());
    let expected = [
        pair("grant_type", "authorization_code"),
        pair("code", "the+code"),
        pair("redirect_uri", &flow.redirect_uri),
        pair("code_verifier", flow.verifier.as_ref().unwrap().expose()),
        pair("client_id", "client:ä"),
        pair("client_secret", "CANARY-client secret%"),
    ];
    assert_eq!(recorded.form(), BTreeMap::from(expected));
    let request = recorded.request();
    let head = request.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
    assert!(
        head.starts_with("post /token http/1.1"),
        "credentials are never in the address: {head}"
    );
    assert!(head.contains("accept: application/json") && head.contains("user-agent: tokenry/"));
    assert!(head.contains("\naccept-encoding: identity"), "{head}");
    for absent in ["cookie", "referer", "authorization", "origin"] {
        assert!(!head.contains(&format!("\n{absent}:")), "{absent}");
    }
}

/// Checklist A4.2, A4.3: one way to prove who we are, and Basic with form-encoded parts.
#[tokio::test]
async fn each_client_authentication_is_used_alone_on_every_grant() {
    use TokenEndpointAuthMethod::{ClientSecretBasic, ClientSecretPost, None};
    // base64 of `client%3A%C3%A4:CANARY-client+secret%25`.
    let basic = "authorization: Basic Y2xpZW50JTNBJUMzJUE0OkNBTkFSWS1jbGllbnQrc2VjcmV0JTI1";
    for (method, has_secret) in [
        (ClientSecretBasic, true),
        (ClientSecretPost, true),
        (None, true),
        (ClientSecretBasic, false),
    ] {
        let server = Server::start(json("200 OK", GOOD)).await;
        let mut provider = provider(&server.url);
        provider.settings.token_endpoint_auth_method = method;
        if !has_secret {
            provider.client_secret = Option::None;
        }
        let flow = flow(&provider, &server.url);
        refresh::refresh(&http(), &provider, &secret("r")).await.unwrap();
        authorization_code::exchange(&http(), &provider, &flow, &secret("c"), &Captured::new())
            .await
            .unwrap();
        client_credentials::fetch(&http(), &provider, &Scopes::default())
            .await
            .unwrap();
        let by_header = method == ClientSecretBasic;
        // Without a secret it is empty: base64 of `client%3A%C3%A4:`.
        let basic = if has_secret {
            basic
        } else {
            "authorization: Basic Y2xpZW50JTNBJUMzJUE0Og==\r\n"
        };
        for request in server.requests() {
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            assert_eq!(head.contains(basic), by_header, "{method:?}: {head}");
            assert_eq!(head.to_ascii_lowercase().contains("\nauthorization:"), by_header);
            assert_eq!(
                body.contains("client_id=client%3A%C3%A4"),
                !by_header,
                "{method:?}: {body}"
            );
            assert_eq!(
                body.contains("client_secret="),
                method == ClientSecretPost,
                "{method:?}: {body}"
            );
        }
    }
}

#[tokio::test]
async fn a_refresh_sends_the_token_to_the_refresh_endpoint_and_no_scope() {
    let (token, own) = (
        Server::start(json("200 OK", GOOD)).await,
        Server::start(json("200 OK", GOOD)).await,
    );
    let mut provider = provider(&token.url);
    provider.settings.refresh_endpoint = Some(own.url.to_string());
    refresh::refresh(&http(), &provider, &secret("r&=1"))
        .await
        .unwrap();
    assert!(token.requests().is_empty());
    let expected = [
        pair("grant_type", "refresh_token"),
        pair("refresh_token", "r&=1"),
        pair("client_id", "client:ä"),
        pair("client_secret", "CANARY-client secret%"),
    ];
    assert_eq!(own.form(), BTreeMap::from(expected));
}

#[tokio::test]
async fn client_credentials_ask_for_scopes_only_when_there_are_some() {
    for (scopes, sent) in [("", None), ("a b", Some("a,b"))] {
        let server = Server::start(json("200 OK", GOOD)).await;
        let mut provider = provider(&server.url);
        provider.settings.scope_separator = ",".into();
        client_credentials::fetch(&http(), &provider, &Scopes::parse(scopes))
            .await
            .unwrap();
        let form = server.form();
        assert_eq!(form["grant_type"], "client_credentials");
        assert_eq!(form.get("scope").map(String::as_str), sent);
    }
}

#[tokio::test]
async fn a_failure_without_a_grant_never_says_that_one_ended() {
    let server = Server::start(json("400 Bad Request", r#"{"error":"invalid_grant"}"#)).await;
    let failure = client_credentials::fetch(&http(), &provider(&server.url), &Scopes::default())
        .await
        .unwrap_err();
    assert!(
        matches!(failure, tokenry_oauth::Failure::Rejected { status: 400, .. }),
        "{failure:?}"
    );
}

/// `localhost` is this machine, whatever a resolver says.
#[tokio::test]
async fn localhost_is_reached_on_loopback() {
    let server = Server::start(json("200 OK", GOOD)).await;
    let url = format!("http://localhost:{}/token", server.url.port().unwrap())
        .parse()
        .unwrap();
    refresh::refresh(&http(), &provider(&url), &secret("r"))
        .await
        .unwrap();
    assert_eq!(server.requests().len(), 1);
}
