//! Responses of the listener, and their headers.

use super::*;
use crate::page::{POLICY, STYLE};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

const CODE: &str = "/cb/example?code=the-code&state=the-state";

#[tokio::test]
async fn begin_gives_the_flows_cookie_and_passes_on_to_the_provider() {
    let flow = Flow::simple().await;
    let answer = flow.get(flow.serving.begin_url.path(), "").await;
    assert_eq!(status(&answer), 303);
    assert_eq!(header(&answer, "location"), Some(PROVIDER));
    assert_eq!(
        header(&answer, "referrer-policy"),
        Some("no-referrer"),
        "the once is never repeated"
    );
    let cookie = header(&answer, "set-cookie").unwrap();
    assert!(
        cookie.ends_with("; Path=/cb; HttpOnly; SameSite=Lax; Max-Age=600"),
        "{cookie}"
    );
    assert!(
        cookie.starts_with(&format!("tokenry-{}-", flow.address.port())),
        "{cookie}"
    );
    for wrong in [
        "/begin/",
        "/begin/x",
        "/begin",
        &format!("/begin/{}", "0".repeat(64)),
    ] {
        let answer = flow.get(wrong, "").await;
        assert_eq!(
            (status(&answer), header(&answer, "set-cookie")),
            (404, None),
            "{wrong}"
        );
    }
}

/// Checklist A1.14: a pushed request is used before it expires (RFC 9126 §2.2).
#[tokio::test]
async fn a_browser_that_comes_too_late_for_a_pushed_request_is_not_sent_to_the_provider() {
    let now = Instant::now();
    for (until, expected) in [(now + Duration::from_secs(60), 303), (now, 410)] {
        let listener = listener().await;
        let address = SocketAddr::from(([127, 0, 0, 1], listener.port()));
        let serving = listener.forward(provider(Some(until)), &OsRandom).unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let path = serving.begin_url.path();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_all(stream).await;
        assert_eq!(status(&answer), expected);
        assert_eq!(header(&answer, "location").is_some(), expected == 303, "{answer}");
        assert_eq!(answer.contains("Start it again"), expected == 410, "{answer}");
    }
}

#[tokio::test]
async fn an_answer_with_the_cookie_is_delivered_and_its_page_is_at_a_clean_path_once() {
    let flow = Flow::simple().await;
    let cookie = format!("Cookie: a=b; x\r\n{}", flow.cookie().await);
    let answer = flow.get(CODE, &cookie).await;
    assert_eq!(
        (status(&answer), header(&answer, "location")),
        (303, Some("/done"))
    );
    assert!(!answer.contains("the-code"));
    let delivered = flow.delivered.lock().unwrap()[0].clone();
    assert_eq!(delivered.state.expose(), "the-state");
    assert_eq!(delivered.uri, "/cb/example");

    let page = flow.get("/done", "").await;
    assert_eq!(status(&page), 200);
    assert!(
        body(&page).contains("<h1>Connected</h1><p>As Ann &amp; Co.</p>"),
        "{page}"
    );
    assert!(!body(&flow.get("/done", "").await).contains("Ann"));
}

/// Checklist A2.8: no-store, no referrer, nothing from elsewhere, no frames, no script.
#[tokio::test]
async fn every_answer_is_hardened() {
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    let mut answers = vec![flow.raw("POST / HTTP/1.1\r\nHost: x\r\n\r\n").await];
    for target in [
        flow.serving.begin_url.path(),
        "/",
        "/cb/example",
        "/favicon.ico",
        CODE,
        "/done",
    ] {
        answers.push(flow.get(target, &cookie).await);
    }
    for answer in answers {
        for (name, value) in [
            ("content-security-policy", POLICY),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("content-type", "text/html; charset=utf-8"),
        ] {
            assert_eq!(header(&answer, name), Some(value), "{answer}");
        }
        assert!(!answer.contains("<script") && header(&answer, "access-control-allow-origin").is_none());
    }
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    assert!(
        POLICY.starts_with(&format!("default-src 'none'; style-src 'sha256-{hash}';")),
        "sha256-{hash}"
    );
}

/// Checklist A3.6: markup in an error is text.
#[tokio::test]
async fn markup_in_an_error_is_shown_as_text() {
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    let target = "/cb/example?state=s&error=%3Ch1%3E&error_description=%3Cimg+src=x+onerror=%22alert('1')%22%3E%26amp;";
    assert_eq!(status(&flow.get(target, &cookie).await), 303);
    let page = flow.get("/done", "").await;
    assert!(body(&page).contains("<h1>Refused: &lt;h1&gt;</h1>"), "{page}");
    assert!(
        body(&page).contains("<p>&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;</p>"),
        "{page}"
    );
    assert!(
        body(&page).contains("<title>Refused: &lt;h1&gt; – Tokenry</title>"),
        "{page}"
    );
}

#[tokio::test]
async fn after_a_good_answer_no_other_is_taken_and_after_a_bad_one_the_next_is() {
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    let denied = "/cb/example?error=access_denied&state=x";
    assert_eq!(status(&flow.get(denied, &cookie).await), 303);
    assert_eq!(status(&flow.get(CODE, &cookie).await), 303);
    for late in ["/cb/example?code=another&state=the-state", denied] {
        assert_eq!(status(&flow.get(late, &cookie).await), 410);
    }
    assert_eq!(flow.delivered(), 2);
}

/// A browser that goes back, or restores its tabs.
#[tokio::test]
async fn the_same_answer_once_more_shows_the_same_page_and_is_not_delivered_again() {
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    for _ in 0..3 {
        assert_eq!(status(&flow.get(CODE, &cookie).await), 303);
        assert!(flow.get("/done", "").await.contains("As Ann &amp; Co."));
    }
    assert_eq!(flow.delivered(), 1);
    assert_eq!(status(&flow.get(CODE, "").await), 403, "not without the cookie");
}

#[tokio::test]
async fn two_answers_at_the_same_moment_are_delivered_one_after_the_other() {
    let flow = Flow::start(|redirected| {
        Box::pin(async move {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            page_for(&redirected)
        })
    })
    .await;
    let cookie = flow.cookie().await;
    let (one, two) = tokio::join!(flow.get(CODE, &cookie), flow.get(CODE, &cookie));
    let mut both = [status(&one), status(&two)];
    both.sort_unstable();
    assert_eq!((both, flow.delivered()), ([303, 303], 1));
    let other = "/cb/example?code=another&state=the-state";
    let (one, two) = tokio::join!(flow.get(CODE, &cookie), flow.get(other, &cookie));
    assert_eq!((status(&one), status(&two), flow.delivered()), (303, 410, 1));
}
