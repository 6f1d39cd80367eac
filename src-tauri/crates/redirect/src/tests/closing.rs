//! When the listener closes.

use super::*;
use std::time::Duration;
use tokio::sync::Notify;

const CODE: &str = "/cb/example?code=c&state=s";

async fn is_closed(address: SocketAddr) -> bool {
    for _ in 0..1500 {
        if TcpStream::connect(address).await.is_err() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

/// OAuth 2.1 §8.5.4: closed after the response.
#[tokio::test]
async fn the_listener_closes_with_its_flow() {
    let flow = Flow::simple().await;
    flow.cookie().await;
    drop(flow.serving);
    assert!(is_closed(flow.address).await);
}

#[tokio::test]
async fn an_answer_under_way_is_finished_and_shown_after_the_flow_is_over() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, waits) = (Arc::clone(&begun), Arc::clone(&go_on));
    let flow = Flow::start(move |redirected| {
        let (told, waits) = (Arc::clone(&told), Arc::clone(&waits));
        Box::pin(async move {
            told.notify_one();
            waits.notified().await;
            page_for(&redirected)
        })
    })
    .await;
    let cookie = flow.cookie().await;
    let request = format!("GET {CODE} HTTP/1.1\r\nHost: {}\r\n{cookie}\r\n", flow.address);
    let mut browser = TcpStream::connect(flow.address).await.unwrap();
    browser.write_all(request.as_bytes()).await.unwrap();
    begun.notified().await;

    let Flow {
        serving,
        address,
        delivered,
        ..
    } = flow;
    let begin = serving.begin_url.path().to_owned();
    drop(serving);
    let get = async |target: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n{cookie}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        read_all(stream).await
    };
    assert_eq!(status(&get(&begin).await), 410, "nothing new is begun");
    go_on.notify_one();
    assert_eq!(status(&read_all(browser).await), 303);
    assert_eq!(status(&get("/cb/example?code=another&state=s").await), 410);
    assert!(get("/done").await.contains("As Ann &amp; Co."));
    assert_eq!(delivered.lock().unwrap().len(), 1);
    assert!(is_closed(address).await);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_not_fetched_does_not_keep_the_listener_open() {
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    assert_eq!(status(&flow.get(CODE, &cookie).await), 303);
    drop(flow.serving);
    tokio::time::sleep(Duration::from_secs(14)).await;
    assert!(is_closed(flow.address).await);
}

#[tokio::test]
async fn a_browser_that_goes_away_cancels_nothing() {
    let (begun, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, done) = (Arc::clone(&begun), Arc::clone(&ended));
    let flow = Flow::start(move |redirected| {
        let (told, done) = (Arc::clone(&told), Arc::clone(&done));
        Box::pin(async move {
            told.notify_one();
            tokio::time::sleep(Duration::from_millis(100)).await;
            done.notify_one();
            page_for(&redirected)
        })
    })
    .await;
    let cookie = flow.cookie().await;
    let request = format!("GET {CODE} HTTP/1.1\r\nHost: {}\r\n{cookie}\r\n", flow.address);
    let mut browser = TcpStream::connect(flow.address).await.unwrap();
    browser.write_all(request.as_bytes()).await.unwrap();
    begun.notified().await;
    drop(browser);
    ended.notified().await;
    assert_eq!(status(&flow.get(CODE, &cookie).await), 303);
    assert!(flow.get("/done", "").await.contains("As Ann &amp; Co."));
    assert_eq!(flow.delivered(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_dawdles_is_dropped_and_many_of_them_do_not_lock_the_browser_out() {
    let flow = Flow::simple().await;
    let cookie = flow.cookie().await;
    let mut idle = Vec::new();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(flow.address).await.unwrap();
        stream.write_all(b"GET /cb/example?co").await.unwrap();
        idle.push(stream);
    }
    let answer = tokio::time::timeout(Duration::from_secs(60), flow.get(CODE, &cookie))
        .await
        .unwrap();
    assert_eq!(status(&answer), 303);
    for stream in idle {
        let answer = tokio::time::timeout(Duration::from_secs(60), read_all(stream))
            .await
            .unwrap();
        assert!(matches!(status(&answer), 0 | 408), "{answer}");
    }
}

/// security.md, "Redirects": connections that say nothing do not keep the browser's answer waiting.
#[tokio::test]
async fn idle_connections_do_not_delay_the_answer() {
    let flow = Flow::simple().await;
    let mut idle = Vec::new();
    for _ in 0..150 {
        idle.push(tokio::net::TcpStream::connect(flow.address).await.unwrap());
    }
    let began = std::time::Instant::now();
    let answer = flow.get("/cb/example?code=c&state=the-state", "").await;
    assert_eq!(status(&answer), 303, "{answer}");
    assert!(
        began.elapsed() < std::time::Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
}
