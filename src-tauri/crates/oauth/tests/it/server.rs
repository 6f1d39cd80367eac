//! A server of raw bytes, and the provider and flow that point at it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokenry_core::{
    ConnectionId, Flow, FlowId, KnownTargets, OsRandom, Provider, ProviderId, ProviderSettings, Redirect,
    Scopes, Secret, SystemClock, Timestamp, TokenEndpointAuthMethod,
};
use tokenry_oauth::Http;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// What the server does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends these bytes and then nothing, with the connection open.
    Stall(Vec<u8>),
}

impl Reply {
    /// The same with another body.
    pub(crate) fn map(self, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        let (Self::Bytes(bytes) | Self::Stall(bytes)) = self;
        let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("Content-Length"));
        let kept: String = lines.map(|line| format!("{line}\r\n")).collect();
        let body = change(&bytes[head + 4..]);
        let head = format!("{kept}Content-Length: {}\r\n\r\n", body.len());
        Self::Bytes([head.as_bytes(), &body].concat())
    }

    /// The same with these bytes at the end of the body.
    pub(crate) fn and(self, more: &[u8]) -> Self {
        self.map(|body| [body, more].concat())
    }

    /// The same with other bytes in place of the first such ones.
    pub(crate) fn with(self, old: &[u8], new: &[u8]) -> Self {
        self.map(|body| {
            let at = body.windows(old.len()).position(|window| window == old).unwrap();
            [&body[..at], new, &body[at + old.len()..]].concat()
        })
    }

    /// The same with this header.
    pub(crate) fn header(self, line: &str) -> Self {
        let (Self::Bytes(bytes) | Self::Stall(bytes)) = self;
        let end = bytes.windows(2).position(|window| window == b"\r\n").unwrap() + 2;
        Self::Bytes([&bytes[..end], line.as_bytes(), b"\r\n", &bytes[end..]].concat())
    }
}

/// A whole answer, with its length.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Bytes(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into())
}

pub(crate) fn json(status: &str, body: &str) -> Reply {
    answer(status, "Content-Type: application/json\r\n", body)
}

pub(crate) struct Server {
    pub(crate) url: Url,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let requests = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, reply.clone(), Arc::clone(&requests)));
            }
        });
        Self { url, seen }
    }

    /// Every request so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// The only request there was.
    pub(crate) fn request(&self) -> String {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "a request is sent once");
        requests.remove(0)
    }

    /// The parameters in the body of the only request, sorted.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        let request = self.request();
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        let pairs: Vec<_> = url::form_urlencoded::parse(body.as_bytes())
            .into_owned()
            .collect();
        let form: BTreeMap<_, _> = pairs.iter().cloned().collect();
        assert_eq!(form.len(), pairs.len(), "no parameter comes twice: {body}");
        form
    }
}

async fn serve(mut stream: TcpStream, reply: Reply, seen: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while !is_whole(&request) {
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return,
            Ok(length) => request.extend_from_slice(&part[..length]),
        }
    }
    seen.lock().unwrap().push(String::from_utf8(request).unwrap());
    let (Reply::Bytes(bytes) | Reply::Stall(bytes)) = &reply;
    let _ = stream.write_all(bytes).await;
    if matches!(reply, Reply::Stall(_)) {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let _ = stream.shutdown().await;
    let _ = stream.read(&mut [0]).await;
}

fn is_whole(request: &[u8]) -> bool {
    let Some(head) = request.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    request.len() >= head + 4 + length.unwrap_or(0)
}

/// A client with short time-outs.
pub(crate) fn http() -> Http {
    Http::with_timeouts(Duration::from_millis(300), Duration::from_millis(600)).unwrap()
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// A provider whose endpoints are all at `url`.
pub(crate) fn provider(url: &Url) -> Provider {
    Provider {
        id: ProviderId::new(&SystemClock, &OsRandom),
        project: "default".parse().unwrap(),
        name: "example".parse().unwrap(),
        client_secret: Some(secret("CANARY-client secret%")),
        registration: None,
        client_key: None,
        dpop_key: None,
        found_auth_method: None,
        settings: ProviderSettings {
            display_name: "Example".into(),
            authorization_endpoint: Some("https://as.example/authorize".into()),
            token_endpoint: Some(url.to_string()),
            revocation_endpoint: Some(url.to_string()),
            userinfo_endpoint: Some(url.to_string()),
            client_id: "client:ä".into(),
            token_endpoint_auth_method: TokenEndpointAuthMethod::ClientSecretPost,
            ..ProviderSettings::default()
        },
        preset: None,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

/// A flow that was started at `provider` and whose code goes to `url`.
pub(crate) fn flow(provider: &Provider, url: &Url) -> Flow {
    Flow {
        id: FlowId::new(&SystemClock, &OsRandom),
        connection: ConnectionId::new(&SystemClock, &OsRandom),
        renews: false,
        further: None,
        allow_unknown_account: false,
        provider: provider.id,
        label: None,
        issuer: None,
        issuer_aliases: Vec::new(),
        token_endpoint: url.to_string(),
        captured_hosts: Vec::new(),
        redirect_uri: "http://127.0.0.1:41234/cb/example".into(),
        redirect: Redirect::Loopback,
        scopes: Scopes::parse("read"),
        resource: None,
        state: secret("CANARY-state"),
        verifier: Some(secret("CANARY-verifier-0123456789012345678901234567890123")),
        nonce: None,
        dpop_key: None,
        authorization_url: "https://as.example/authorize".parse().unwrap(),
        opens_until: None,
        device: None,
        targets: KnownTargets::default(),
        started_by: None,
        started_from: None,
        client_secret_from: None,
        expires_at: Timestamp::UNIX_EPOCH,
    }
}
