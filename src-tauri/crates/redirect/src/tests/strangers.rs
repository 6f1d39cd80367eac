//! Requests that no browser of the sign-in sends.

use super::*;

const CODE: &str = "/cb/example?code=c&state=s";

/// Whatever came before, the flow's own browser still gets through.
async fn still_waits(flow: &Flow) {
    assert_eq!(flow.delivered(), 0);
    let cookie = flow.cookie().await;
    assert_eq!(status(&flow.get(CODE, &cookie).await), 303);
    assert_eq!(flow.delivered(), 1);
}

#[tokio::test]
async fn an_answer_without_the_flows_cookie_is_refused_and_the_flow_stays_open() {
    let (flow, other) = (Flow::simple().await, Flow::simple().await);
    let own = flow.cookie().await;
    let value = own.trim().rsplit_once('=').unwrap().1;
    let name = flow.cookie_name().await;
    for cookie in [
        String::new(),
        "Cookie: \r\n".to_owned(),
        other.cookie().await,
        format!("Cookie: {name}=\r\n"),
        format!("Cookie: {name}={}\r\n", &value[1..]),
        format!("Cookie: tokenry={value}\r\n"),
        format!("Cookie: x={name}={value}\r\n"),
        format!("X-Cookie: {name}={value}\r\n"),
    ] {
        assert_eq!(status(&flow.get(CODE, &cookie).await), 403, "{cookie}");
    }
    still_waits(&flow).await;
}

/// A client that follows the documents opens the provider's address, and its browser was never at `/begin`.
#[tokio::test]
async fn without_a_visit_to_begin_an_answer_is_taken_without_a_cookie() {
    let flow = Flow::simple().await;
    let wrong = format!("/begin/{}", "0".repeat(64));
    assert_eq!(status(&flow.get(&wrong, "").await), 404);
    let fetch = "Sec-Fetch-Mode: cors\r\n";
    let begin = flow.serving.begin_url.path();
    assert_eq!(
        status(&flow.get(begin, fetch).await),
        403,
        "no visit of a browser"
    );
    assert_eq!(status(&flow.get(CODE, "").await), 303);
    assert_eq!(flow.delivered(), 1);
}

#[tokio::test]
async fn after_a_visit_to_begin_an_answer_needs_the_cookie() {
    let flow = Flow::simple().await;
    assert_eq!(status(&flow.get(flow.serving.begin_url.path(), "").await), 303);
    assert_eq!(status(&flow.get(CODE, "").await), 403);
    still_waits(&flow).await;
}

#[tokio::test]
async fn another_host_is_refused_whatever_it_resolves_to() {
    let flow = Flow::simple().await;
    let (cookie, port) = (flow.cookie().await, flow.address.port());
    for host in [
        "Host: evil.example\r\n".to_owned(),
        format!("Host: evil.example:{port}\r\n"),
        format!("Host: localhost:{port}\r\n"),
        "Host: 127.0.0.1\r\n".to_owned(),
        format!("Host: 127.0.0.1:{}\r\n", port ^ 1),
        format!("Host: 127.0.0.1.evil.example:{port}\r\n"),
        format!("Host: 127.1:{port}\r\n"),
        format!("Host: [::1]:{port}\r\n"),
        format!("Host: x@127.0.0.1:{port}\r\n"),
        format!("Host: 127.0.0.1:{port}\r\nHost: evil.example\r\n"),
        format!("Host: 127.0.0.1:{port}\r\nHost: 127.0.0.1:{port}\r\n"),
        String::new(),
    ] {
        for target in [CODE, flow.serving.begin_url.path(), "/done"] {
            let answer = flow
                .raw(&format!("GET {target} HTTP/1.1\r\n{host}{cookie}\r\n"))
                .await;
            assert_eq!(status(&answer), 421, "{host}");
            assert!(header(&answer, "set-cookie").is_none());
        }
    }
    let absolute =
        format!("GET http://127.0.0.1:{port}{CODE} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{cookie}\r\n");
    assert_eq!(status(&flow.raw(&absolute).await), 421);
    still_waits(&flow).await;
}

#[tokio::test]
async fn only_get_is_answered() {
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    for method in [
        "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "TRACE", "get",
    ] {
        let request = format!(
            "{method} {CODE} HTTP/1.1\r\nHost: {}\r\n{cookie}Content-Length: 0\r\n\r\n",
            flow.address
        );
        let answer = flow.raw(&request).await;
        assert_eq!(
            (status(&answer), header(&answer, "allow")),
            (405, Some("GET")),
            "{method}"
        );
    }
    still_waits(&flow).await;
}

#[tokio::test]
async fn scripts_frames_and_images_are_told_apart_from_a_person_who_navigates() {
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    for fetch in [
        "Sec-Fetch-Mode: no-cors\r\n",
        "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: document\r\n",
        "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n",
        "Sec-Fetch-Dest: image\r\n",
        "Sec-Fetch-Dest: empty\r\n",
        "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Mode: navigate\r\n",
        "Sec-Fetch-Mode:\r\n",
    ] {
        assert_eq!(
            status(&flow.get(CODE, &format!("{cookie}{fetch}")).await),
            403,
            "{fetch}"
        );
        assert_eq!(
            status(&flow.get(flow.serving.begin_url.path(), fetch).await),
            403,
            "{fetch}"
        );
    }
    let fetch = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Site: cross-site\r\n";
    assert_eq!(status(&flow.get(CODE, &format!("{cookie}{fetch}")).await), 303);
}

#[tokio::test]
async fn a_hostile_answer_is_refused_and_the_flow_stays_open() {
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    let many: String = (0..40).map(|n| format!("&p{n}=1")).collect();
    let long = format!("/cb/example?state=s&code={}", "c".repeat(17 * 1024));
    for (target, expected) in [
        ("/cb/example?code=a&code=b&state=s", 400),
        ("/cb/example?code=a&state=s&state=t", 400),
        ("/cb/example?code=a%0d%0aX:1&state=s", 400),
        ("/cb/example?code=a%00&state=s", 400),
        ("/cb/example?code=a%zz&state=s", 400),
        ("/cb/example?code=a", 400),
        ("/cb/example?state=s", 400),
        ("/cb/example", 400),
        (&format!("/cb/example?code=c&state=s{many}"), 400),
        (&long, 400),
        ("/cb/other?code=c&state=s", 404),
        ("/cb/example/?code=c&state=s", 404),
        ("/cb/example/more?code=c&state=s", 404),
        ("/cb/?code=c&state=s", 404),
        ("/cb?code=c&state=s", 404),
        ("/CB/example?code=c&state=s", 404),
        ("//cb/example?code=c&state=s", 404),
        ("/begin/../cb/example?code=c&state=s", 404),
        ("/?code=c&state=s", 404),
        ("/favicon.ico", 404),
    ] {
        assert_eq!(
            status(&flow.get(target, &cookie).await),
            expected,
            "{}",
            &target[..target.len().min(60)]
        );
    }
    still_waits(&flow).await;
}

#[tokio::test]
async fn what_is_no_request_or_too_long_for_one_is_dropped() {
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    let padded = format!("{cookie}X-Pad: {}\r\n", "x".repeat(64 * 1024));
    let answer = flow.get(CODE, &padded).await;
    assert!(matches!(status(&answer), 0 | 431), "{answer}");
    let answer = flow.get(&format!("/{}", "x".repeat(70_000)), &cookie).await;
    assert!(matches!(status(&answer), 0 | 414 | 431), "{answer}");
    for rubbish in [
        "\u{16}\u{3}\u{1}\r\n\r\n",
        "GET\r\n\r\n",
        "GET /cb/a b HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        assert!(matches!(status(&flow.raw(rubbish).await), 0 | 400), "{rubbish:?}");
    }
    still_waits(&flow).await;
}

/// A program that speaks to the listener as this user, or as another one, which only root can start.
#[cfg(target_os = "linux")]
async fn program(uid: Option<u32>, request: String, port: u16) -> std::io::Result<String> {
    use std::os::unix::process::CommandExt;
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; printf %s \"$1\" >&3; cat <&3");
    let mut command = std::process::Command::new("bash");
    command.current_dir("/").args(["-c", &script, "client", &request]);
    if let Some(uid) = uid {
        command.uid(uid);
    }
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn another_users_process_gets_no_answer_even_with_the_cookie() {
    let flow = Flow::of_our_user().await;
    let (cookie, port) = (flow.cookie().await, flow.address.port());
    let request = format!("GET {CODE} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{cookie}\r\n");
    let is_root = rustix::process::getuid().is_root();
    match program(Some(65534), request.clone(), port).await {
        Ok(answer) => assert!(is_root && answer.is_empty(), "{answer}"),
        Err(refused) => assert!(!is_root, "{refused}"),
    }
    assert_eq!(flow.delivered(), 0);
    assert_eq!(status(&program(None, request, port).await.unwrap()), 303);
}

#[tokio::test]
async fn a_listener_that_only_passes_on_takes_no_answer_and_gives_no_cookie() {
    let listener = listener().await;
    let address = SocketAddr::from(([127, 0, 0, 1], listener.port()));
    let serving = listener.forward(provider(None), &OsRandom).unwrap();
    let ask = async |path: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        read_all(stream).await
    };
    let passed_on = ask(serving.begin_url.path()).await;
    assert_eq!(
        (status(&passed_on), header(&passed_on, "location")),
        (303, Some(PROVIDER))
    );
    assert_eq!(header(&passed_on, "set-cookie"), None);
    for path in [
        "/cb/example?code=c&state=",
        "/cb/example?code=c&state=s",
        "/done",
        "/",
    ] {
        assert_eq!(status(&ask(path).await), 404, "{path}");
    }
}

/// security.md, "Redirects": HTTP/1.0 names no host by itself, and a body is nothing that a browser's answer has.
#[tokio::test]
async fn http_1_0_without_a_host_and_bodies_of_any_type_are_refused() {
    let flow = Flow::simple().await;
    assert_eq!(
        status(&flow.raw(format!("GET {CODE} HTTP/1.0\r\n\r\n")).await),
        421
    );
    for kind in [
        "text/plain",
        "application/json",
        "application/x-www-form-urlencoded",
    ] {
        let post = format!(
            "POST {CODE} HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\nContent-Length: 2\r\n\r\n{{}}",
            flow.address
        );
        assert_eq!(status(&flow.raw(post).await), 405, "{kind}");
    }
    still_waits(&flow).await;
}
