//! Serves one connection of a server by HTTP/1.1.

use super::idle_timeout::{Activity, IdleTimeoutStream};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, pin::pin, sync::Arc};
use tokenry_engine::Engine;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
};

/// The longest head of a request.
pub(super) const MAX_HEAD_BYTES: usize = 64 << 10;

/// Headers of every response: a browser does not guess its type, and does not give it to a page of another site.
const BROWSER_HEADERS: [(HeaderName, HeaderValue); 2] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// How a connection is served.
pub(super) struct ConnectionOptions {
    /// Whether it may bring several requests, one after the other.
    pub(super) keep_alive: bool,
    pub(super) activity: Arc<Activity>,
    /// Notified when the server closes: the connection ends as soon as no request is under way.
    pub(super) shutdown: Arc<Notify>,
    /// A lock of the vault ends the connection in the same way, since its buffer keeps what was sent until it ends. A
    /// connection over which nothing was sent yet goes on.
    pub(super) engine: Engine,
}

/// Serves one connection until it ends, or until it is asked to end and no request is under way.
pub(super) async fn serve<S, F>(
    stream: IdleTimeoutStream<S>,
    options: ConnectionOptions,
    respond: impl Fn(Request) -> F,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = Response>,
{
    let ConnectionOptions {
        keep_alive,
        activity,
        shutdown,
        engine,
    } = options;
    let mut locked = pin!(engine.locked());
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let response = respond(request.map(Body::new));
        let (activity, engine) = (&activity, &engine);
        async move {
            let _answering = activity.answering();
            let mut response = response.await;
            for (name, value) in BROWSER_HEADERS {
                response.headers_mut().insert(name, value);
            }
            // The request may have held a passphrase, and the connection may last for hours.
            if keep_alive && !engine.is_open() {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .auto_date_header(false)
        .keep_alive(keep_alive)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                // Invalid HTTP, a closed connection or a timeout: the client's problem.
                if let Err(error) = ended {
                    tracing::debug!("a connection ended early: {error}");
                }
                return;
            }
            () = shutdown.notified() => connection.as_mut().graceful_shutdown(),
            // Another connection waits for the room.
            at_once = activity.close_requested() => match at_once {
                true => return,
                false => connection.as_mut().graceful_shutdown(),
            },
            () = locked.as_mut() => {
                locked.set(engine.locked());
                if activity.has_read() {
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}
