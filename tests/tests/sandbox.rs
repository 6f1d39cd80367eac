//! The Sandbox is a real authorization server: what the other tests rely on, seen from outside.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use tokenry_e2e::browser::{Browser, Landing};
use tokenry_e2e::sandbox::{CONFIDENTIAL, PUBLIC, SERVICE, Sandbox};
use tokenry_testkit::http::{self, Response};
use url::Url;

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";
const DEEP_LINK: &str = "io.github.tokenry:/cb/my-sandbox";

fn authorization_url(sandbox: &Sandbox, client: &str, redirect: &str) -> String {
    let mut url = sandbox.endpoint("authorization_endpoint");
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", redirect),
        ("state", "s1"),
        ("scope", "openid profile email offline_access"),
        ("prompt", "consent"),
        (
            "code_challenge",
            &URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER)),
        ),
        ("code_challenge_method", "S256"),
    ]);
    url.into()
}

fn parameters(address: &str) -> HashMap<String, String> {
    Url::parse(address).unwrap().query_pairs().into_owned().collect()
}

fn token(sandbox: &Sandbox, form: &[(&str, &str)]) -> Response {
    http::post(&sandbox.endpoint("token_endpoint"), &[], form).unwrap()
}

fn exchange(sandbox: &Sandbox, code: &str, redirect: &str) -> Response {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", PUBLIC),
        ("code", code),
        ("redirect_uri", redirect),
        ("code_verifier", VERIFIER),
    ];
    token(sandbox, &form)
}

fn refresh(sandbox: &Sandbox, refresh_token: &str) -> Response {
    token(
        sandbox,
        &[
            ("grant_type", "refresh_token"),
            ("client_id", PUBLIC),
            ("refresh_token", refresh_token),
        ],
    )
}

/// Signs in by deep link and gives the token answer.
fn connect(sandbox: &Sandbox, name: &str) -> Response {
    let url = authorization_url(sandbox, PUBLIC, DEEP_LINK);
    let landing = sandbox.agree(&mut Browser::new(), &url, name);
    let answer = parameters(landing.handed_over());
    exchange(sandbox, &answer["code"], DEEP_LINK)
}

fn text(reply: &Response, name: &str) -> String {
    reply.json()[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {reply:?}"))
        .to_owned()
}

fn userinfo(sandbox: &Sandbox, access_token: &str) -> Response {
    let header = format!("Bearer {access_token}");
    http::get(
        &sandbox.endpoint("userinfo_endpoint"),
        &[("authorization", &header)],
    )
    .unwrap()
}

#[test]
fn a_code_comes_back_to_a_loopback_port_and_is_worth_tokens_and_an_identity() {
    let sandbox = Sandbox::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let redirect = format!("http://{}/cb/any-name-2", listener.local_addr().unwrap());
    let callback = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap())
            .read_line(&mut line)
            .unwrap();
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\ndone").unwrap();
        line
    });
    let url = authorization_url(&sandbox, PUBLIC, &redirect);
    let landing = sandbox.agree(&mut Browser::new(), &url, "Grace Hopper");
    assert_eq!(landing.page().1, "done");
    let line = callback.join().unwrap();
    let answer = parameters(&format!("http://x{}", line.split(' ').nth(1).unwrap()));
    assert_eq!(
        (answer["state"].as_str(), answer["iss"].as_str()),
        ("s1", sandbox.issuer())
    );

    let reply = exchange(&sandbox, &answer["code"], &redirect);
    assert_eq!(
        (reply.status, text(&reply, "scope").as_str()),
        (200, "openid profile email offline_access")
    );
    let who = userinfo(&sandbox, &text(&reply, "access_token"));
    assert_eq!(
        (text(&who, "name").as_str(), text(&who, "email").as_str()),
        ("Grace Hopper", "grace.hopper@example.com")
    );
}

#[test]
fn a_deep_link_comes_back_with_one_slash() {
    let sandbox = Sandbox::start();
    let url = authorization_url(&sandbox, PUBLIC, DEEP_LINK);
    let landing = sandbox.agree(&mut Browser::new(), &url, "Ada");
    assert!(
        landing
            .handed_over()
            .starts_with("io.github.tokenry:/cb/my-sandbox?code="),
        "{landing:?}"
    );
}

#[test]
fn one_browser_signs_in_as_several_people_and_one_person_is_one_account() {
    let sandbox = Sandbox::start();
    let mut browser = Browser::new();
    let mut subject = |name: &str| {
        let url = authorization_url(&sandbox, PUBLIC, DEEP_LINK);
        let landing = sandbox.agree(&mut browser, &url, name);
        let reply = exchange(&sandbox, &parameters(landing.handed_over())["code"], DEEP_LINK);
        text(&userinfo(&sandbox, &text(&reply, "access_token")), "sub")
    };
    let (ada, grace) = (subject("Ada"), subject("Grace"));
    assert_ne!(ada, grace);
    assert_eq!(subject("Ada"), ada);
}

#[test]
fn a_person_who_says_no_sends_back_access_denied() {
    let sandbox = Sandbox::start();
    let url = authorization_url(&sandbox, PUBLIC, DEEP_LINK);
    let landing = sandbox.deny(&mut Browser::new(), &url, "Ada");
    let answer = parameters(landing.handed_over());
    assert_eq!(
        (answer["error"].as_str(), answer["state"].as_str()),
        ("access_denied", "s1")
    );
    assert_eq!(answer["iss"], sandbox.issuer());
}

#[test]
fn nothing_but_our_callback_paths_is_redirected_to() {
    let sandbox = Sandbox::start();
    for redirect in [
        "http://127.0.0.1:9/other",
        "http://127.0.0.1:9/cb/UPPER",
        "http://127.0.0.1:9/cb/a/b",
        "http://127.0.0.1:9/cb/a?b=c",
        "http://localhost:9/cb/a",
        "https://example.com/cb/a",
        "http://127.0.0.1.example.com/cb/a",
        "io.github.tokenry:/other",
        "io.github.other:/cb/a",
    ] {
        let landing = Browser::new().open(&authorization_url(&sandbox, PUBLIC, redirect));
        let Landing::Page { url, status, body } = landing else {
            panic!("{redirect} was followed")
        };
        assert!(url.as_str().starts_with(sandbox.issuer()), "{redirect}");
        assert_eq!(status, 400, "{redirect}");
        assert!(body.contains("invalid_redirect_uri"), "{body}");
    }
}

#[test]
fn the_pages_load_nothing_from_anywhere_and_show_names_as_text() {
    let sandbox = Sandbox::start();
    let mut browser = Browser::new();
    let login = browser.open(&authorization_url(&sandbox, PUBLIC, DEEP_LINK));
    let (url, body) = login.page();
    let action = format!("{}/login", url.path());
    let consent = browser.submit(url, &action, &[("login", "<b>Eve</b>")]);
    for page in [body, consent.page().1] {
        assert!(
            !page.contains("http://") && !page.contains("https://") && !page.contains("src="),
            "{page}"
        );
    }
    assert!(consent.page().1.contains("&lt;b&gt;Eve&lt;/b&gt;"));
}

#[test]
fn every_refresh_rotates_and_a_replaced_token_ends_the_grant() {
    let sandbox = Sandbox::start();
    let first = text(&connect(&sandbox, "Ada"), "refresh_token");
    let reply = refresh(&sandbox, &first);
    assert_eq!(reply.status, 200);
    let (second, access) = (text(&reply, "refresh_token"), text(&reply, "access_token"));
    assert_ne!(first, second);
    assert!(sandbox.is_active(&second) && sandbox.is_active(&access));
    assert_eq!(text(&refresh(&sandbox, &first), "error"), "invalid_grant");
    assert_eq!(text(&refresh(&sandbox, &second), "error"), "invalid_grant");
    assert!(!sandbox.is_active(&access));
}

#[test]
fn a_revoked_refresh_token_takes_its_access_token_with_it() {
    let sandbox = Sandbox::start();
    let reply = connect(&sandbox, "Ada");
    let (access, refresh_token) = (text(&reply, "access_token"), text(&reply, "refresh_token"));
    let form = [("client_id", PUBLIC), ("token", &refresh_token)];
    let revoked = http::post(&sandbox.endpoint("revocation_endpoint"), &[], &form).unwrap();
    assert_eq!(revoked.status, 200);
    assert!(!sandbox.is_active(&refresh_token) && !sandbox.is_active(&access));
    assert_eq!(userinfo(&sandbox, &access).status, 401);
}

#[test]
fn client_credentials_need_the_secret_and_give_an_access_token_alone() {
    let sandbox = Sandbox::with_access_token_ttl(7);
    let ask = |authorization: &str| {
        let form = [("grant_type", "client_credentials"), ("scope", "read")];
        http::post(
            &sandbox.endpoint("token_endpoint"),
            &[("authorization", authorization)],
            &form,
        )
        .unwrap()
    };
    let reply = ask(&sandbox.basic(SERVICE));
    assert_eq!(
        (reply.status, reply.json()["expires_in"].as_i64()),
        (200, Some(7))
    );
    assert_eq!(reply.json().get("refresh_token"), None);
    assert!(sandbox.is_active(&text(&reply, "access_token")));
    let wrong = ask("Basic dG9rZW5yeS1zYW5kYm94LXNlcnZpY2U6d3Jvbmc=");
    assert_eq!(
        (wrong.status, text(&wrong, "error").as_str()),
        (401, "invalid_client")
    );
}

#[test]
fn a_confidential_client_needs_its_secret_to_redeem_a_code() {
    let sandbox = Sandbox::start();
    let url = authorization_url(&sandbox, CONFIDENTIAL, DEEP_LINK);
    let landing = sandbox.agree(&mut Browser::new(), &url, "Ada");
    let code = parameters(landing.handed_over())["code"].clone();
    let redeem = |secret: &str| {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", CONFIDENTIAL),
            ("client_secret", secret),
            ("code", &code),
            ("redirect_uri", DEEP_LINK),
            ("code_verifier", VERIFIER),
        ];
        token(&sandbox, &form)
    };
    assert_eq!(text(&redeem("wrong"), "error"), "invalid_client");
    assert_eq!(redeem(sandbox.client_secret(CONFIDENTIAL)).status, 200);
}

#[test]
fn it_ends_when_its_lifeline_is_cut() {
    assert_eq!(Sandbox::start().stop(), 0);
}
