//! A server that cannot prove who it is gets nothing (security.md, Outbound; checklist A4.4).

use crate::server::{http, provider, secret};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokenry_oauth::{Failure, refresh::refresh};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

fn self_signed() -> TlsAcceptor {
    let certified =
        rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    TlsAcceptor::from(Arc::new(
        config
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap(),
    ))
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused_and_nothing_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(AtomicBool::new(false));
    let server = Arc::clone(&heard);
    tokio::spawn(async move {
        let acceptor = self_signed();
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await
                && matches!(stream.read(&mut [0; 64]).await, Ok(1..))
            {
                server.store(true, Ordering::SeqCst);
            }
        }
    });
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("https://{host}:{port}/token").parse().unwrap();
        let failure = refresh(&http(), &provider(&url), &secret("r")).await.unwrap_err();
        let Failure::NotSent { message } = failure else {
            panic!("{failure:?}")
        };
        assert!(message.contains("could not prove"), "{message}");
    }
    assert!(!heard.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_was_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/token", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let failure = refresh(&http(), &provider(&url), &secret("r")).await.unwrap_err();
    assert!(
        matches!(&failure, Failure::NotSent { message } if message.contains("in time")),
        "{failure:?}"
    );
}
