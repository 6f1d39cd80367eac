//! `HTTPS_PROXY` and `NO_PROXY`, with a small proxy of our own.

use crate::authority::{Authority, asked, is_child};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A proxy that knows only CONNECT, and leads every name to one port of this machine.
struct ConnectProxy {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    async fn start(target: u16, password: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(tunnel(stream, target, password, Arc::clone(&seen)));
            }
        });
        Self { port, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn tunnel(mut stream: TcpStream, target: u16, password: Option<&str>, seen: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    seen.lock().unwrap().push(head.clone());
    let wanted = password.map(|password| format!("Basic {}", STANDARD.encode(password)));
    if !wanted.is_none_or(|wanted| head.contains(&wanted)) {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        let _ = stream.write_all(refusal).await;
        return;
    }
    let mut server = TcpStream::connect(("127.0.0.1", target)).await.unwrap();
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
    let _ = copy_bidirectional(&mut stream, &mut server).await;
}

/// security.md, Outbound: `HTTPS_PROXY` and `NO_PROXY` honoured by CONNECT.
#[tokio::test]
async fn a_provider_is_reached_through_the_proxy_of_the_environment() {
    if is_child().await {
        return;
    }
    let test = "proxies::a_provider_is_reached_through_the_proxy_of_the_environment";
    let authority = Authority::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &authority.pem).unwrap();
    let ca = ("SSL_CERT_FILE", file.to_str().unwrap());
    let open = ConnectProxy::start(authority.port, None).await;
    let closed = ConnectProxy::start(authority.port, Some("us@er:CANARY-pass+word")).await;
    let open_url = format!("http://127.0.0.1:{}", open.port);
    let closed_at = format!("127.0.0.1:{}", closed.port);
    let with_password = format!("http://us%40er:CANARY-pass+word@{closed_at}");
    let with_wrong = format!("http://us%40er:CANARY-other@{closed_at}");
    let without = format!("http://{closed_at}");
    let url = "https://as.example/token";

    for set in [
        ("HTTPS_PROXY", &open_url),
        ("https_proxy", &open_url),
        ("HTTPS_PROXY", &with_password),
    ] {
        let said = asked(test, url, &[ca, (set.0, set.1)]).await;
        assert!(said.contains("RESULT: a token"), "{said}");
    }
    for (proxy, heads) in [(&open, 2), (&closed, 1)] {
        let seen = proxy.heads();
        assert_eq!(seen.len(), heads);
        assert!(
            seen[0].starts_with("CONNECT as.example:443 HTTP/1.1\r\n"),
            "{}",
            seen[0]
        );
        assert!(
            !seen[0].contains("CANARY-token") && !seen[0].contains("/token"),
            "{}",
            seen[0]
        );
    }

    // What fails is the proxy, and it is said which one, who names it, and nothing of its password.
    let nowhere = "http://127.0.0.1:1";
    for (set, words) in [
        (with_wrong.as_str(), "does not accept the user name and password"),
        (without.as_str(), "wants a user name and password"),
        (nowhere, "did not connect"),
    ] {
        let said = asked(test, url, &[ca, ("HTTPS_PROXY", set)]).await;
        let at = if set == nowhere { "127.0.0.1:1" } else { &closed_at };
        for part in [
            words,
            at,
            "HTTPS_PROXY",
            "NO_PROXY",
            "nothing was sent",
            "NotSent",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("CANARY"), "{said}");
    }

    // Excepted, so the name is looked up here, where it is unknown.
    let said = asked(
        test,
        url,
        &[ca, ("HTTPS_PROXY", &open_url), ("NO_PROXY", ".example")],
    )
    .await;
    assert!(said.contains("RESULT: as.example was not found"), "{said}");
    assert_eq!(open.heads().len(), 2);
}

/// security.md, Outbound: loopback never goes through a proxy.
#[tokio::test]
async fn this_machine_is_never_reached_through_a_proxy() {
    if is_child().await {
        return;
    }
    let test = "proxies::this_machine_is_never_reached_through_a_proxy";
    let authority = Authority::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &authority.pem).unwrap();
    let proxy = ConnectProxy::start(authority.port, None).await;
    let proxy_url = format!("http://127.0.0.1:{}", proxy.port);
    let url = format!("https://localhost:{}/token", authority.port);
    let set = [
        ("SSL_CERT_FILE", file.to_str().unwrap()),
        ("HTTPS_PROXY", &proxy_url),
        ("ALL_PROXY", &proxy_url),
    ];
    let said = asked(test, &url, &set).await;
    assert!(said.contains("RESULT: a token"), "{said}");
    assert!(proxy.heads().is_empty());
}

/// A proxy that looks into TLS is no man in the middle when its CA is trusted, and one when it is not.
#[tokio::test]
async fn a_private_authority_is_trusted_by_ssl_cert_file_or_dir_and_the_error_names_them() {
    if is_child().await {
        return;
    }
    let test = "proxies::a_private_authority_is_trusted_by_ssl_cert_file_or_dir_and_the_error_names_them";
    let authority = Authority::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &authority.pem).unwrap();
    let url = format!("https://localhost:{}/token", authority.port);
    for set in [
        ("SSL_CERT_FILE", &file),
        ("SSL_CERT_DIR", &folder.path().to_owned()),
    ] {
        let said = asked(test, &url, &[(set.0, set.1.to_str().unwrap())]).await;
        assert!(said.contains("RESULT: a token"), "{said}");
    }
    let said = asked(test, &url, &[]).await;
    for part in [
        "could not prove",
        "nothing was sent",
        "SSL_CERT_FILE",
        "system's store",
        "NotSent",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let other = Authority::start().await;
    std::fs::write(&file, &other.pem).unwrap();
    let said = asked(test, &url, &[("SSL_CERT_FILE", file.to_str().unwrap())]).await;
    for part in ["could not prove", "nothing was sent", "SSL_CERT_FILE is set"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
