use super::patience::{Pace, Patient};
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

/// The most bytes of a request's head.
pub(super) const HEAD_BYTES: usize = 64 << 10;

/// On every answer: a browser that gets one neither guesses its type nor gives it to another site's page.
const FOR_BROWSERS: [(HeaderName, HeaderValue); 2] = [
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
pub(super) struct Manners {
    /// Whether it may bring one request after the other.
    pub(super) kept: bool,
    pub(super) pace: Arc<Pace>,
    /// Asks it to end as soon as it has nothing under way: the door closes.
    pub(super) leave: Arc<Notify>,
    /// A lock asks for the same: what a connection has brought stays in its buffer until it ends.
    pub(super) engine: Engine,
}

/// Serves one connection until it ends, or is asked to leave and has nothing under way.
pub(super) async fn serve<S, F>(stream: Patient<S>, manners: Manners, answer: impl Fn(Request) -> F)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = Response>,
{
    let Manners {
        kept,
        pace,
        leave,
        engine,
    } = manners;
    let mut locked = pin!(engine.locked());
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let answer = answer(request.map(Body::new));
        let (pace, engine) = (&pace, &engine);
        async move {
            let _answering = pace.answering();
            let mut response = answer.await;
            for (name, value) in FOR_BROWSERS {
                response.headers_mut().insert(name, value);
            }
            // It may have brought a passphrase, and be kept for hours.
            if kept && !engine.is_open() {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .auto_date_header(false)
        .keep_alive(kept)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                // Garbage, a hang-up or our own impatience: the caller's business.
                if let Err(error) = ended {
                    tracing::debug!("a connection ended early: {error}");
                }
                return;
            }
            () = leave.notified() => connection.as_mut().graceful_shutdown(),
            // Others wait for the room.
            at_once = pace.asked_to_leave() => match at_once {
                true => return,
                false => connection.as_mut().graceful_shutdown(),
            },
            () = locked.as_mut() => {
                locked.set(engine.locked());
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
