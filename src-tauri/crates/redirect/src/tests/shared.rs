//! Ports that are fixed: which one is taken, who shares it, and on which addresses it is open.

use super::*;
use crate::LoopbackError;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener as StdListener};

const ONE: &str = "/cb/example?code=1&state=one";
const TWO: &str = "/cb/example?code=2&state=two";

/// A port that was free a moment ago, on both families.
fn free_port() -> u16 {
    let socket = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.local_addr().unwrap().port()
}

fn deliver(redirected: Redirected) -> BoxFuture<'static, Page> {
    Box::pin(async move { page_for(&redirected) })
}

async fn flow(ports: &OpenPorts, number: u16, state: &'static str) -> Flow {
    let listener = listener_at(ports, LoopbackHost::Ipv4, &[number]).await.unwrap();
    Flow::at_path(listener, "/cb/example", state, deliver)
}

/// The user closed the tab and starts again: the redirect URI has to be the registered one then, too.
#[tokio::test]
async fn flows_of_one_port_each_get_the_answer_with_their_own_state() {
    let (ports, number) = (OpenPorts::default(), free_port());
    let (one, two) = (
        flow(&ports, number, "one").await,
        flow(&ports, number, "two").await,
    );
    assert_eq!(one.address, two.address);
    // One browser has the cookies of both.
    let cookies = format!(
        "Cookie: {}; {}\r\n",
        one.cookie().await.trim().trim_start_matches("Cookie: "),
        two.cookie().await.trim().trim_start_matches("Cookie: ")
    );
    assert_eq!(status(&one.get(ONE, &cookies).await), 303);
    assert_eq!((one.delivered(), two.delivered()), (1, 0));
    let page = one.get("/done", "").await;
    assert!(page.contains("As Ann &amp; Co."), "{page}");
    let only_of_one = one.cookie().await;
    assert_eq!(
        status(&two.get(TWO, &only_of_one).await),
        403,
        "not with another flow's cookie"
    );
    assert_eq!(status(&two.get(TWO, &cookies).await), 303);
    assert_eq!((one.delivered(), two.delivered()), (1, 1));
}

#[tokio::test]
async fn a_port_is_closed_after_its_last_flow_and_can_be_opened_again() {
    let (ports, number) = (OpenPorts::default(), free_port());
    let (one, two) = (
        flow(&ports, number, "one").await,
        flow(&ports, number, "two").await,
    );
    drop(one);
    assert_eq!(status(&two.get(TWO, "").await), 303, "the other still needs it");
    drop(two);
    tokio::time::pause();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, number)).await.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let again = flow(&ports, number, "one").await;
    assert_eq!(status(&again.get(ONE, "").await), 303);
}

#[tokio::test]
async fn the_first_port_that_no_other_program_has_is_taken() {
    let ports = OpenPorts::default();
    let other = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (taken, free) = (other.local_addr().unwrap().port(), free_port());
    let listener = listener_at(&ports, LoopbackHost::Ipv4, &[taken, free])
        .await
        .unwrap();
    assert_eq!(listener.port(), free);
    let error = listener_at(&ports, LoopbackHost::Ipv4, &[taken])
        .await
        .unwrap_err();
    assert!(
        matches!(&error, LoopbackError::Taken(ports) if *ports == [taken]),
        "{error:?}"
    );
}

/// Checklist A2.7: with a name for two addresses another program could wait at the second one.
#[tokio::test]
async fn localhost_is_open_on_both_families_or_not_at_all() {
    let ports = OpenPorts::default();
    let other = StdListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    let taken = other.local_addr().unwrap().port();
    let error = listener_at(&ports, LoopbackHost::Localhost, &[taken])
        .await
        .unwrap_err();
    assert!(matches!(error, LoopbackError::Taken(_)), "{error:?}");
    assert!(
        StdListener::bind((Ipv4Addr::LOCALHOST, taken)).is_ok(),
        "the first one was given back"
    );

    let listener = listener_at(&ports, LoopbackHost::Localhost, &[free_port()])
        .await
        .unwrap();
    let number = listener.port();
    let flow = Flow::at_path(listener, "/", "one", deliver);
    assert_eq!(flow.serving.begin_url.host_str(), Some("localhost"));
    for address in ["127.0.0.1", "::1"] {
        let mut stream = TcpStream::connect((address, number)).await.unwrap();
        let request = format!("GET /?code=1 HTTP/1.1\r\nHost: {address}:{number}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(
            status(&read_all(stream).await),
            421,
            "the address is not the registered host"
        );
    }
    let mut stream = TcpStream::connect((Ipv6Addr::LOCALHOST, number)).await.unwrap();
    let request = format!("GET /?code=1&state=one HTTP/1.1\r\nHost: localhost:{number}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(status(&read_all(stream).await), 303);
    assert_eq!(flow.delivered(), 1);
}

#[tokio::test]
async fn an_ipv6_listener_serves_only_programs_of_our_user_and_its_own_host() {
    let ports = OpenPorts::default();
    let listener = ports.listen(LoopbackHost::Ipv6, &[], |peer, local| {
        Box::pin(tokenry_peer::is_ours(peer, local))
    });
    let listener = listener.await.unwrap();
    let number = listener.port();
    let flow = Flow::at_path(listener, "/callback", "one", deliver);
    for (host, expected) in [("127.0.0.1", 421), ("localhost", 421), ("[::1]", 303)] {
        let mut stream = TcpStream::connect((Ipv6Addr::LOCALHOST, number)).await.unwrap();
        let request = format!("GET /callback?code=1&state=one HTTP/1.1\r\nHost: {host}:{number}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(status(&read_all(stream).await), expected, "{host}");
    }
    assert_eq!(flow.delivered(), 1);
}

/// A path of one's own has no `/cb/`, and its cookie goes to no other path.
#[tokio::test]
async fn an_own_path_is_taken_with_its_cookie_and_others_are_not_found() {
    let listener = listener().await;
    let flow = Flow::at_path(listener, "/oauth/callback", "one", deliver);
    let answer = flow.get(flow.serving.begin_url.path(), "").await;
    let cookie = header(&answer, "set-cookie").unwrap();
    assert!(cookie.contains("; Path=/oauth/callback;"), "{cookie}");
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    for other in [
        "/oauth",
        "/oauth/callback/",
        "/oauth/callback/x",
        "/",
        "/favicon.ico",
    ] {
        let target = format!("{other}?code=1&state=one");
        assert_eq!(status(&flow.get(&target, &cookie).await), 404, "{other}");
    }
    assert_eq!(flow.told(), [] as [&str; 0]);
    let target = "/oauth/callback?code=1&state=one";
    assert_eq!(status(&flow.get(target, &cookie).await), 303);
    assert_eq!(flow.delivered(), 1);
}
