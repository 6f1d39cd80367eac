//! SECURITY.md, "Local interfaces", of the server on 127.0.0.1: requests of web pages and broken programs.

use crate::loopback::{LoopbackFixture, Reply, say};
use std::time::{Duration, Instant};
use tokio::{io::AsyncWriteExt, net::TcpStream};

const TOKEN: &str = "/v1/connections/sandbox/token";

/// No token was returned, and the engine still responds.
async fn unharmed(loopback: &LoopbackFixture) {
    assert_eq!(
        loopback
            .say(&loopback.request("GET", "/v1/status", &[]))
            .await
            .status,
        200
    );
    assert!(loopback.logged("token_handed_out").await.is_empty());
}

/// The same on 127.0.0.1, also where the HTTP library never saw the request.
#[tokio::test]
async fn every_loopback_response_has_nosniff_and_same_origin() {
    let loopback = LoopbackFixture::open().await;
    for request in [
        loopback.request("GET", "/v1/status", &[]),
        loopback.bare("GET", "/v1/status", &[]),
        loopback.request("GET", "/v1/status", &["Origin: https://evil.example"]),
        "GET /v1/status HTTP/1.1\nHost: x\n\n".to_owned(),
    ] {
        let heard = loopback.say(&request).await;
        for header in [
            "x-content-type-options: nosniff",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(heard.head.contains(header), "{request:?}: {heard:?}");
        }
    }
}

fn is_refused(heard: &Reply) -> bool {
    (heard.status, heard.code()) == (403, "permission_denied") && !heard.head.contains("access-control")
}

/// A name of an attacker that resolves to 127.0.0.1 (DNS rebinding).
#[tokio::test]
async fn only_127_0_0_1_and_localhost_with_the_port_are_accepted_as_host() {
    let loopback = LoopbackFixture::open().await;
    let (port, token) = (loopback.port, &loopback.token);
    let ask = async |target: &str, hosts: &str| {
        let authorization = format!("Authorization: Bearer {token}");
        loopback
            .say(&format!(
                "POST {target} HTTP/1.1\r\n{hosts}{authorization}\r\n\r\n"
            ))
            .await
    };
    for hosts in [
        String::new(),
        "Host:\r\n".to_owned(),
        "Host: 127.0.0.1\r\n".to_owned(),
        "Host: localhost\r\n".to_owned(),
        "Host: tokenry\r\n".to_owned(),
        format!("Host: evil.example:{port}\r\n"),
        format!("Host: localhost.evil.example:{port}\r\n"),
        format!("Host: evil.localhost:{port}\r\n"),
        format!("Host: 127.0.0.1.nip.io:{port}\r\n"),
        format!("Host: LOCALHOST:{port}\r\n"),
        format!("Host: localhost.:{port}\r\n"),
        format!("Host: 127.1:{port}\r\n"),
        format!("Host: 2130706433:{port}\r\n"),
        format!("Host: 0.0.0.0:{port}\r\n"),
        format!("Host: [::1]:{port}\r\n"),
        format!("Host: a@127.0.0.1:{port}\r\n"),
        format!("Host: 127.0.0.1:0{port}\r\n"),
        format!("Host: 127.0.0.1:{}\r\n", port.wrapping_add(1)),
        format!("Host: 127.0.0.1:{port}, evil.example\r\n"),
        format!("Host: 127.0.0.1:{port}\r\nHost: evil.example\r\n"),
        format!("Host: 127.0.0.1:{port}\r\nHost: 127.0.0.1:{port}\r\n"),
    ] {
        let heard = ask(TOKEN, &hosts).await;
        assert!(is_refused(&heard), "{hosts:?}: {heard:?}");
    }
    let absolute = format!("http://evil.example{TOKEN}");
    assert!(is_refused(
        &ask(&absolute, &format!("Host: 127.0.0.1:{port}\r\n")).await
    ));
    unharmed(&loopback).await;
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}")] {
        let hosts = format!("Host: {host}\r\n");
        assert_eq!(ask("/v1/connections/sandbox/refresh", &hosts).await.status, 200);
        assert_eq!(
            ask(&format!("http://{host}/v1/connections/sandbox/refresh"), &hosts)
                .await
                .status,
            200
        );
    }
}

/// A page's script sends one with everything but a plain GET, its own origin included.
#[tokio::test]
async fn any_origin_is_refused_and_no_response_has_a_cors_header() {
    let loopback = LoopbackFixture::open().await;
    let own = format!("Origin: http://127.0.0.1:{}", loopback.port);
    for origin in ["Origin: https://evil.example", "Origin: null", "Origin:", &own] {
        for path in [TOKEN, "/oauth/token", "/oauth/authorize", "/nowhere"] {
            let heard = loopback.say(&loopback.request("POST", path, &[origin])).await;
            assert!(is_refused(&heard), "{origin} {path}: {heard:?}");
        }
    }
    for path in [TOKEN, "/oauth/token", "/v1/status"] {
        for headers in [
            &[][..],
            &[
                "Origin: https://evil.example",
                "Access-Control-Request-Method: POST",
            ],
            &["Access-Control-Request-Private-Network: true"],
        ] {
            let heard = loopback.say(&loopback.request("OPTIONS", path, headers)).await;
            assert!(
                is_refused(&heard) && !heard.head.contains("allow:"),
                "{path}: {heard:?}"
            );
        }
    }
    for request in [
        loopback.request("GET", "/v1/status", &[]),
        loopback.bare("GET", "/v1/status", &[]),
        loopback.request("GET", "/nowhere", &[]),
    ] {
        assert!(!loopback.say(&request).await.head.contains("access-control"));
    }
    unharmed(&loopback).await;
}

/// Fetch Metadata: images, frames, forms and scripts of a page say where they come from.
#[tokio::test]
async fn requests_of_another_sites_page_are_refused_except_authorize_navigations() {
    let loopback = LoopbackFixture::open().await;
    let navigation = ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];
    for site in ["cross-site", "same-site", "same-origin", "", "none, none"] {
        let site = format!("Sec-Fetch-Site: {site}");
        for (method, path, rest) in [
            ("POST", TOKEN, ["Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"]),
            (
                "GET",
                "/v1/status",
                ["Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"],
            ),
            ("GET", "/v1/status", navigation),
            ("POST", "/oauth/token", navigation),
            ("POST", "/oauth/authorize", navigation),
            (
                "GET",
                "/oauth/authorize",
                ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"],
            ),
            (
                "GET",
                "/oauth/authorize",
                ["Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"],
            ),
        ] {
            let heard = loopback
                .say(&loopback.request(method, path, &[&site, rest[0], rest[1]]))
                .await;
            assert!(is_refused(&heard), "{site} {method} {path}: {heard:?}");
        }
    }
    let site = "Sec-Fetch-Site: cross-site";
    let authorize = loopback.bare("GET", "/oauth/authorize", &[site, navigation[0], navigation[1]]);
    let heard = loopback.say(&authorize).await;
    assert!(!is_refused(&heard) && heard.status != 401, "{heard:?}");
    // An address that the user typed, and a request of a program.
    for headers in [
        &["Sec-Fetch-Site: none", navigation[0]][..],
        &["Sec-Fetch-Mode: cors"],
    ] {
        assert_eq!(
            loopback
                .say(&loopback.request("GET", "/v1/status", headers))
                .await
                .status,
            200
        );
    }
    unharmed(&loopback).await;
}

/// The three content types that a page's form can send without a preflight request.
#[tokio::test]
async fn a_body_that_is_not_json_is_refused_even_where_none_is_read() {
    let loopback = LoopbackFixture::open().await;
    for kind in [
        "X: y",
        "Content-Type: text/plain",
        "Content-Type: text/plain; application/json",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Type: multipart/form-data; boundary=x",
        "Content-Type: application/jsonp",
        "Content-Type: application/json\r\nContent-Type: text/plain",
    ] {
        for path in [
            TOKEN,
            "/v1/lock",
            "/v1/hand-over",
            "/v1/connections/sandbox/refresh",
        ] {
            let request = loopback.request("POST", path, &[kind, "Content-Length: 2"]) + "{}";
            let heard = loopback.say(&request).await;
            assert_eq!(
                (heard.status, heard.code()),
                (422, "validation_error"),
                "{path} {kind}"
            );
        }
    }
    // Where OAuth needs a form, JSON is refused (RFC 6749 §4.1.3).
    let json = ["Content-Type: application/json", "Content-Length: 2"];
    let heard = loopback
        .say(&(loopback.bare("POST", "/oauth/token", &json) + "{}"))
        .await;
    assert!((400..500).contains(&heard.status), "{heard:?}");
    unharmed(&loopback).await;
}

/// RFC 9112 §2.2, §5.2, §6.3: a request that two parsers could understand differently is rejected.
#[tokio::test]
async fn a_request_that_could_hide_another_is_refused_and_the_other_is_not_read() {
    let loopback = LoopbackFixture::open().await;
    let hidden = loopback.request("POST", "/v1/lock", &[]);
    let length = hidden.len() + 5;
    for framing in [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
        "Content-Length: 5\r\nContent-Length: 5".to_owned(),
        format!("Content-Length: 5\r\nContent-Length: {length}"),
        "Content-Length: 5, 5".to_owned(),
        "Content-Length: +5".to_owned(),
        "Content-Length: 0x5".to_owned(),
        "Content-Length : 5".to_owned(),
        "Transfer-Encoding : chunked".to_owned(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked".to_owned(),
        "Transfer-Encoding: chunked, identity".to_owned(),
        "Transfer-Encoding: identity".to_owned(),
        "Transfer-Encoding: xchunked".to_owned(),
        "Transfer-Encoding:\r\n chunked".to_owned(),
        "X: y\r\n Content-Length: 5".to_owned(),
        "X: y\nContent-Length: 5".to_owned(),
        "X: y\rContent-Length: 5".to_owned(),
        "X: y\n\nPOST /v1/lock HTTP/1.1".to_owned(),
    ] {
        let head = loopback.request(
            "POST",
            "/v1/unlock",
            &["Content-Type: application/json", &framing],
        );
        let heard = loopback.say(&format!("{head}0\r\n\r\n{hidden}")).await;
        assert_eq!(heard.status, 400, "{framing:?}: {heard:?}");
    }
    let bare = loopback.request("POST", "/v1/lock", &[]).replace("\r\n", "\n");
    assert_eq!(loopback.say(&bare).await.status, 400);
    unharmed(&loopback).await;
}

#[tokio::test]
async fn a_second_request_on_the_same_connection_is_never_read() {
    let loopback = LoopbackFixture::open().await;
    let one = loopback.request("GET", "/v1/status", &["Connection: keep-alive"]);
    let lock = loopback.request("POST", "/v1/lock", &[]);
    let heard = loopback.say(&format!("{one}{lock}")).await;
    assert!(
        heard.status == 200 && heard.head.contains("connection: close"),
        "{heard:?}"
    );
    let body = format!("{{}}{lock}");
    let headers = ["Content-Type: application/json", "Content-Length: 2"];
    loopback
        .say(&(loopback.request("POST", "/v1/unlock", &headers) + &body))
        .await;
    unharmed(&loopback).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_sent_or_cut_off() {
    let loopback = LoopbackFixture::open().await;
    let json = "Content-Type: application/json";
    let claims = loopback.request("POST", "/v1/callback", &[json, "Content-Length: 1048577"]);
    let heard = loopback.say(&claims).await;
    assert_eq!((heard.status, heard.code()), (413, "payload_too_large"));
    let chunks = format!("10000\r\n{}\r\n", " ".repeat(0x10000)).repeat(17);
    let head = loopback.request("POST", "/v1/callback", &[json, "Transfer-Encoding: chunked"]);
    assert_eq!(loopback.say(&(head + &chunks)).await.status, 413);
    for long in [
        format!("GET /{} HTTP/1.1\r\n", "a".repeat(200_000)),
        format!("GET /v1/status HTTP/1.1\r\nX: {}\r\n", "a".repeat(200_000)),
        format!("GET /v1/status HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(5000)),
    ] {
        let status = loopback.say(&long).await.status;
        assert_eq!(status, 431);
    }
    unharmed(&loopback).await;
}

#[tokio::test]
async fn garbage_ends_the_connection_and_nothing_else() {
    let loopback = LoopbackFixture::open().await;
    for (garbage, expected) in [
        ("\r\n\r\n\r\nxxxx yyyy\r\n\r\n", 400),
        ("\0\0\0\0\0\0\0\0\r\n\r\n", 400),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n", 400),
        // hyper closes the connection of an HTTP/2 client without a response.
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0),
        ("GET /v1/status HTTP/9.9\r\n\r\n", 400),
        ("GET /v1/status\r\n\r\n", 400),
        ("CONNECT 127.0.0.1:22 HTTP/1.1\r\n\r\n", 403),
    ] {
        let status = say(loopback.port, garbage.as_bytes()).await.status;
        assert_eq!(status, expected, "{garbage:?}");
    }
    unharmed(&loopback).await;
}

#[tokio::test]
async fn a_slow_head_is_closed_after_ten_seconds_and_idle_connections_block_nothing() {
    let loopback = LoopbackFixture::open().await;
    let mut quiet = Vec::new();
    for _ in 0..64 {
        quiet.push(TcpStream::connect(("127.0.0.1", loopback.port)).await.unwrap());
    }
    // They hold all connections, and a program that sends a request is served all the same.
    let request = loopback.request("GET", "/v1/status", &[]);
    let status = tokio::time::timeout(Duration::from_secs(5), loopback.say(&request));
    assert_eq!(status.await.unwrap().status, 200);
    let mut slow = TcpStream::connect(("127.0.0.1", loopback.port)).await.unwrap();
    let begun = Instant::now();
    while slow.write_all(b"X").await.is_ok() && begun.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "it listens for ever");
    unharmed(&loopback).await;
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_refused() {
    let loopback = LoopbackFixture::open().await;
    let headers = ["Content-Type: application/json", "Content-Length: 100"];
    let head = loopback.request("POST", "/v1/callback", &headers);
    let request = format!("{head}{{");
    let heard = tokio::time::timeout(Duration::from_secs(30), loopback.say(&request)).await;
    let heard = heard.expect("an answer");
    assert_eq!((heard.status, heard.code()), (422, "validation_error"));
    unharmed(&loopback).await;
}

/// An old client sends no host, so the request may be meant for another server.
#[tokio::test]
async fn http_1_0_is_accepted_only_with_our_host_name() {
    let loopback = LoopbackFixture::open().await;
    let with_host = loopback
        .request("GET", "/v1/status", &[])
        .replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(loopback.say(&with_host).await.status, 200);
    let host = format!("Host: 127.0.0.1:{}\r\n", loopback.port);
    for method in ["GET", "POST"] {
        let without = loopback
            .request(method, TOKEN, &[])
            .replace("HTTP/1.1", "HTTP/1.0")
            .replace(&host, "");
        let heard = loopback.say(&without).await;
        assert!(is_refused(&heard), "{heard:?}");
    }
    unharmed(&loopback).await;
}
