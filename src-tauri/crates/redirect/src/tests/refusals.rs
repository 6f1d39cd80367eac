//! Requests that are refused, and who is told.

use super::*;

const CODE: &str = "/cb/example?code=c&state=the-state";

/// Nothing was delivered, and the answer can still come.
async fn still_waits(flow: &Flow, after: &str) {
    assert_eq!(flow.delivered(), 0, "{after}");
    let cookie = flow.cookie().await;
    assert_eq!(status(&flow.get(CODE, &cookie).await), 303, "{after}");
    assert_eq!(flow.delivered(), 1, "{after}");
}

#[tokio::test]
async fn what_is_refused_with_the_flows_cookie_or_state_is_told_once_with_its_reason() {
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    for (target, headers, says) in [
        (
            "/cb/example?code=a&code=b&state=the-state",
            cookie.as_str(),
            "parameter twice",
        ),
        (
            "/cb/example?code=a%0d&state=the-state",
            &cookie,
            "control characters",
        ),
        ("/cb/example?code=a", &cookie, "no state"),
        ("/cb/example", &cookie, "no state"),
        ("/cb/other?code=c&state=the-state", &cookie, "another address"),
        ("/cb/example/?code=c&state=the-state", &cookie, "another address"),
        (CODE, "", "browser in which the sign-in was started"),
        (
            "/cb/example?code=%zz&state=the-state",
            "",
            "browser in which the sign-in was started",
        ),
        (
            CODE,
            &format!("{cookie}Sec-Fetch-Mode: cors\r\n"),
            "script or a frame",
        ),
        (CODE, "Sec-Fetch-Dest: iframe\r\n", "script or a frame"),
    ] {
        let answer = flow.get(target, headers).await;
        let told = flow.told();
        assert_eq!(told.len(), 1, "{target} {headers}: {told:?}");
        assert!(told[0].contains(says), "{target} {headers}: {told:?}");
        assert!(body(&answer).contains(says), "the page says the same: {answer}");
        assert!(
            !told[0].contains("the-state") && !told[0].contains("code=a"),
            "{told:?}"
        );
    }
    let other_host = format!(
        "GET {CODE} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n",
        flow.address.port()
    );
    assert_eq!(status(&flow.raw(&other_host).await), 421);
    assert!(flow.told()[0].contains("another host name"));
    let form = format!(
        "POST /cb/example HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\r\n",
        flow.address
    );
    assert_eq!(status(&flow.raw(&form).await), 405);
    assert!(flow.told()[0].contains("form_post"));
    still_waits(&flow, "all of them").await;
}

#[tokio::test]
async fn what_is_not_about_the_flow_is_not_told() {
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    for (target, headers) in [
        ("/cb/example?code=c&state=another", ""),
        ("/cb/example?code=c", ""),
        ("/favicon.ico", cookie.as_str()),
        ("/", &cookie),
        ("/begin/x", &cookie),
        ("/done", ""),
    ] {
        flow.get(target, headers).await;
        assert_eq!(flow.told(), Vec::<String>::new(), "{target}");
    }
    still_waits(&flow, "all of them").await;
    flow.get(CODE, &cookie).await;
    assert_eq!(
        flow.told(),
        Vec::<String>::new(),
        "an answer that was taken is no refusal"
    );
}

/// Browsers and link previews fetch ahead; the user has not followed the link yet.
#[tokio::test]
async fn a_prefetch_a_preview_and_a_head_do_not_use_the_answer_up() {
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    for ahead in [
        "Sec-Purpose: prefetch",
        "Sec-Purpose: prefetch;prerender",
        "Sec-Purpose: PREFETCH;anonymous-client-ip",
        "Purpose: prefetch",
        "X-Purpose: preview",
        "X-Moz: prefetch",
        "X-Purpose: x\r\nX-Purpose: preview",
    ] {
        for target in [CODE, flow.serving.begin_url.path(), "/done"] {
            let answer = flow.get(target, &format!("{cookie}{ahead}\r\n")).await;
            assert_eq!(status(&answer), 503, "{ahead}");
            assert_eq!(header(&answer, "cache-control"), Some("no-store"));
            assert!(header(&answer, "set-cookie").is_none());
        }
    }
    let head = format!("HEAD {CODE} HTTP/1.1\r\nHost: {}\r\n{cookie}\r\n", flow.address);
    assert_eq!(status(&flow.raw(&head).await), 405);
    assert_eq!(flow.told(), Vec::<String>::new());
    let other = flow.get(CODE, &format!("{cookie}Sec-Purpose: x\r\n")).await;
    assert_eq!(status(&other), 303, "another purpose is none of our business");
}

/// Servers redirect to such addresses, and not every client encodes them.
#[tokio::test]
async fn an_answer_in_raw_latin_1_or_utf_8_is_read() {
    for words in [&b"Acc\xe8s refus\xe9"[..], "Accès refusé".as_bytes()] {
        let flow = Flow::simple().await;
        let cookie = flow.cookie().await;
        let mut request = b"GET /cb/example?state=the-state&error=e&error_description=".to_vec();
        request.extend(words.iter().map(|byte| if *byte == b' ' { b'+' } else { *byte }));
        request.extend(format!(" HTTP/1.1\r\nHost: {}\r\n{cookie}\r\n", flow.address).bytes());
        assert_eq!(status(&flow.raw(&request).await), 303);
        assert!(body(&flow.get("/done", "").await).contains("<p>Accès refusé</p>"));
    }
    // Only there: a code is ASCII.
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    let mut request = b"GET /cb/example?state=the-state&code=\xe8".to_vec();
    request.extend(format!(" HTTP/1.1\r\nHost: {}\r\n{cookie}\r\n", flow.address).bytes());
    assert_eq!(status(&flow.raw(&request).await), 400);
    assert_eq!(flow.told().len(), 1);
}
