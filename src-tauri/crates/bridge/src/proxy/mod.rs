//! `tokenry proxy`: a reverse proxy on this machine for one API, which adds the token of a connection.

mod caller;
mod headers;
mod target;

use crate::arguments::ProxyArguments;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::redaction;
use crate::token::{Choice, Token, TokenSource};
use crate::upstream;
use caller::CallerToken;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use reqwest::{Body, Client};
use serde_json::json;
use std::convert::Infallible;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use url::Url;

/// How long a user at a terminal is waited for.
const WAIT_SECONDS: u32 = 60;
/// A caller sends the head of its request within this time.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// So many callers are served at once. Others wait.
const MAX_CALLERS: usize = 192;
/// A body up to this size is kept until the API has taken the token, so that it can be sent once more.
const MAX_REPLAYED_BYTES: u64 = 256 * 1024;

/// Serves until a signal ends it.
///
/// # Errors
/// When the connection does not serve the API, has no token, or the address cannot be listened at.
pub(crate) async fn run(arguments: ProxyArguments) -> Result<(), Failure> {
    let mut ends = [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| {
        signal(kind).map_err(|error| Failure::internal(format!("Cannot wait for signals: {error}.")))
    });
    // A user at a terminal can answer, also without a window.
    let is_at_terminal = std::io::stderr().is_terminal();
    let engine = Engine::new(arguments.app_token_file.as_deref())?;
    let engine = Arc::new(engine.usually_waiting(is_at_terminal.then_some(WAIT_SECONDS)));
    // Before the user is asked: a used port ends the program.
    let unbound = |error| cannot_listen(arguments.listen, &error);
    let listener = TcpListener::bind(arguments.listen).await.map_err(unbound)?;
    let listen = listener.local_addr().map_err(unbound)?;
    if is_at_terminal {
        crate::say(&format!(
            "tokenry proxy: requesting a token of {}; if you are asked, answer in the window or with `tokenry approve`.",
            tokenry_contract::sanitize_for_display(&arguments.name)
        ));
    }
    let tokens = TokenSource::new(engine, &arguments.to, Choice::Named(arguments.name));
    // The user is asked now, and not at the first request.
    tokens.token().await?;
    let caller = CallerToken::new()?;
    let written = arguments
        .token_file
        .map(|file| caller.write_to(&file))
        .transpose()?;
    announce(listen, &caller, written.as_ref());
    let proxy = Arc::new(Proxy {
        listen,
        client: upstream::client(&arguments.to)?,
        to: arguments.to,
        tokens,
        caller,
    });
    let [first, second] = &mut ends;
    let (first, second) = (first.as_mut(), second.as_mut());
    tokio::select! {
        () = serve(listener, proxy) => {}
        _ = async { first.ok()?.recv().await } => {}
        _ = async { second.ok()?.recv().await } => {}
    }
    Ok(())
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> Failure {
    let what = match error.kind() {
        ErrorKind::AddrInUse => format!("{address} is already in use"),
        _ => format!("cannot listen at {address}: {error}"),
    };
    let any = SocketAddr::new(address.ip(), 0);
    Failure::usage(format!(
        "{what}; choose another port with --listen, or a free one with --listen {any}"
    ))
}

/// Tells where the proxy listens, and the token for callers unless it is in a file.
fn announce(listen: SocketAddr, caller: &CallerToken, file: Option<&caller::TokenFile>) {
    let mut told = json!({ "url": format!("http://{listen}") });
    match file {
        Some(file) => told["token_file"] = file.path().display().to_string().into(),
        None => told["token"] = caller.expose().into(),
    }
    let mut output = std::io::stdout();
    // Its reader may need nothing of it.
    let _ = writeln!(output, "{told}").and_then(|()| output.flush());
}

struct Proxy {
    listen: SocketAddr,
    to: Url,
    client: Client,
    tokens: TokenSource,
    caller: CallerToken,
}

async fn serve(listener: TcpListener, proxy: Arc<Proxy>) {
    let callers = Arc::new(Semaphore::new(MAX_CALLERS));
    loop {
        let Ok(permit) = callers.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let proxy = proxy.clone();
                tokio::spawn(async move {
                    connection(stream, proxy).await;
                    drop(permit);
                });
            }
            // No file descriptor is free, for example.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn connection(stream: TcpStream, proxy: Arc<Proxy>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let proxy = proxy.clone();
        async move { Ok::<_, Infallible>(proxy.answer(request).await) }
    });
    // A caller that goes away is no error.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Proxy {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        match self.forward(request).await {
            Ok(response) => response,
            Err(refusal) => refusal.into_response(),
        }
    }

    async fn forward(&self, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
        let (head, body) = request.into_parts();
        if !headers::is_for(&head.headers, self.listen) {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "the Host header names another address",
            ));
        }
        if !self.caller.is_in(&head.headers) {
            return Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "send the token of this proxy as `Authorization: Bearer`",
            ));
        }
        // Its answer repeats the request, and so the token (RFC 9110, 9.3.8).
        if head.method.as_str().eq_ignore_ascii_case("TRACE") {
            return Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "TRACE is not supported",
            ));
        }
        if !headers::has_known_transfer(&head.headers) {
            return Err(Refusal::new(
                StatusCode::NOT_IMPLEMENTED,
                "the only supported Transfer-Encoding is chunked",
            ));
        }
        let url = target::join(&self.to, &head.uri, self.listen)
            .map_err(|what| Refusal::new(StatusCode::BAD_REQUEST, what))?;
        let mut sent = reqwest::Request::new(head.method, url);
        *sent.headers_mut() = headers::to_api(head.headers);
        let replayed = match body.size_hint().upper() {
            Some(0) => Some(Bytes::new()),
            Some(size) if size <= MAX_REPLAYED_BYTES => {
                let read = body.collect().await;
                let read = read.map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the body ended early"))?;
                Some(read.to_bytes())
            }
            _ => {
                *sent.body_mut() = Some(Body::wrap(body));
                None
            }
        };
        let token = self.tokens.token().await?;
        let Some(body) = replayed else {
            let response = self.send(sent, &token).await?;
            if response.status() == StatusCode::UNAUTHORIZED {
                // The next request gets another token.
                let _ = self.tokens.rejected(&token, None).await;
            }
            return Ok(self.to_caller(response, &token));
        };
        let repeated = |body: &Bytes| {
            let mut copy = reqwest::Request::new(sent.method().clone(), sent.url().clone());
            *copy.headers_mut() = sent.headers().clone();
            *copy.body_mut() = (!body.is_empty()).then(|| Body::from(body.clone()));
            copy
        };
        let response = self.send(repeated(&body), &token).await?;
        if response.status() != StatusCode::UNAUTHORIZED || self.tokens.rejected(&token, None).await.is_err()
        {
            return Ok(self.to_caller(response, &token));
        }
        let token = self.tokens.token().await?;
        let response = self.send(repeated(&body), &token).await?;
        Ok(self.to_caller(response, &token))
    }

    async fn send(&self, mut request: reqwest::Request, token: &Token) -> Result<reqwest::Response, Refusal> {
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, token.header.clone());
        self.client.execute(request).await.map_err(|error| {
            let what = format!("the API did not answer: {}", upstream::cause(&error));
            Refusal::new(StatusCode::BAD_GATEWAY, what)
        })
    }

    fn to_caller(&self, response: reqwest::Response, token: &Token) -> Response<Body> {
        let mut response = Response::<Body>::from(response);
        // The reason phrase, for example, which could repeat the token.
        response.extensions_mut().clear();
        let has_token = |value: &[u8]| redaction::is_in(value, token);
        headers::to_caller(response.headers_mut(), &self.to, self.listen, has_token);
        response
    }
}

/// Why the proxy answers itself.
struct Refusal {
    status: StatusCode,
    what: String,
}

impl Refusal {
    fn new(status: StatusCode, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { status, what }
    }

    fn into_response(self) -> Response<Body> {
        let body = json!({ "error": { "message": format!("tokenry proxy: {}", self.what) } });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        let json = header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            let allowed = header::HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
            response.headers_mut().insert(header::ALLOW, allowed);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = header::HeaderValue::from_static("Bearer realm=\"tokenry proxy\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        crate::say(&failure.to_string());
        Self::new(StatusCode::BAD_GATEWAY, failure.line())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn what_is_refused_gets_its_status_and_needs_no_token() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = listener.local_addr().unwrap();
        let to: Url = "http://127.0.0.1:1/v1".parse().unwrap();
        let engine = Arc::new(Engine::new(None).unwrap());
        let caller = CallerToken::new().unwrap();
        let bearer = format!("authorization: bearer {}\r\n", caller.expose());
        let proxy = Proxy {
            listen,
            client: upstream::client(&to).unwrap(),
            tokens: TokenSource::new(engine, &to, Choice::Only),
            to,
            caller,
        };
        tokio::spawn(serve(listener, Arc::new(proxy)));
        let unknown = "transfer-encoding: gzip, chunked\r\n";
        let own = format!("http://{listen}/..");
        for (method, target, headers, status) in [
            ("GET", "/", "", 401),
            ("TRACE", "/", "", 401),
            ("TRACE", "/", &*bearer, 405),
            ("trace", "/", &bearer, 405),
            ("CONNECT", "evil.example:443", &bearer, 400),
            ("CONNECT", &listen.to_string(), &bearer, 400),
            ("GET", "http://evil.example/", &bearer, 400),
            ("GET", &own, &bearer, 400),
            ("POST", "/", &format!("{bearer}{unknown}"), 501),
        ] {
            let mut stream = TcpStream::connect(listen).await.unwrap();
            let head =
                format!("{method} {target} HTTP/1.1\r\nhost: {listen}\r\nconnection: close\r\n{headers}\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{head}{answer}"
            );
            assert_eq!(answer.contains("allow: GET, "), status == 405);
        }
    }

    #[test]
    fn a_port_that_is_in_use_is_named_with_what_to_choose_instead() {
        let failure = cannot_listen("[::1]:80".parse().unwrap(), &ErrorKind::AddrInUse.into());
        let text = failure.to_string();
        assert!(
            text.contains("[::1]:80 is already in use") && text.contains("--listen [::1]:0"),
            "{text}"
        );
        assert_eq!(failure.code(), None, "a usage error");
        let failure = cannot_listen(
            "127.0.0.1:80".parse().unwrap(),
            &ErrorKind::PermissionDenied.into(),
        );
        assert!(
            failure.to_string().contains("cannot listen at 127.0.0.1:80: "),
            "{failure}"
        );
    }
}
