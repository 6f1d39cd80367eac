//! A private certificate authority, a TLS server that it vouches for, and this test program as a child with an
//! environment of its own: what a client reads from the environment can be shown in no other way.

use crate::server::{provider, secret};
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokenry_oauth::{Http, refresh::refresh};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The child asks this address for a token.
const ASK: &str = "TOKENRY_TEST_ASK";

/// A server on this machine that calls itself `as.example` and `localhost`.
pub(crate) struct Authority {
    /// The certificate of the authority, as a PEM file has it.
    pub(crate) pem: String,
    pub(crate) port: u16,
}

impl Authority {
    pub(crate) async fn start() -> Self {
        let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.distinguished_name.push(DnType::CommonName, "A private CA");
        let root = ca.self_signed(&ca_key).unwrap();
        let names = vec!["as.example".to_owned(), "localhost".to_owned()];
        let leaf = CertificateParams::new(names).unwrap();
        let leaf = leaf.signed_by(&key, &Issuer::from_params(&ca, &ca_key)).unwrap();
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            STANDARD.encode(root.der())
        );

        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![leaf.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let _ = stream.read(&mut [0; 4096]).await;
                    let body = r#"{"access_token":"a"}"#;
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { pem, port }
    }
}

/// Runs the test of this name in a process with this environment, and gives what it printed.
pub(crate) async fn asked(test: &str, url: &str, environment: &[(&str, &str)]) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([test, "--exact", "--nocapture"]).env(ASK, url);
    for name in [
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
    ] {
        child.env_remove(name);
    }
    child.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    child.envs(environment.iter().copied());
    let output = tokio::task::spawn_blocking(move || child.output()).await;
    String::from_utf8(output.unwrap().unwrap().stdout).unwrap()
}

/// In the child: asks, prints what came of it, and says that there is no more to do.
pub(crate) async fn is_child() -> bool {
    let Ok(url) = std::env::var(ASK) else { return false };
    let http = Http::with_timeouts(Duration::from_secs(10), Duration::from_secs(20)).unwrap();
    let result = refresh(&http, &provider(&url.parse().unwrap()), &secret("CANARY-token")).await;
    let said = match result {
        Ok(_) => "a token".to_owned(),
        Err(failure) => format!("{failure} {failure:?}"),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(format!("RESULT: {said}\n").as_bytes()).unwrap();
    true
}
