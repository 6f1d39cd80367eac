use super::{
    guard,
    patience::{Pace, Patient},
    peer,
};
use axum::{
    Router,
    body::Body,
    http::Request,
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, pin::pin, sync::Arc};
use tokenry_core::Caller;
use tokio::{net::UnixStream, sync::Notify};
use tower::Service;

/// The most bytes of a request's head.
const HEAD_BYTES: usize = 64 << 10;

/// Serves one connection until it ends, or is asked to leave and has nothing under way.
pub(super) async fn serve(stream: UnixStream, router: Router, leave: Arc<Notify>) {
    let Some(caller) = peer::caller(&stream) else {
        tracing::warn!("a connection of another user was closed");
        return;
    };
    let pace = Arc::new(Pace::default());
    let stream = TokioIo::new(Patient::new(stream, pace.clone()));
    let service = service_fn(|request| answer(&router, &caller, &pace, request));
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .auto_date_header(false)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(stream, service);
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
        }
    }
}

async fn answer(
    router: &Router,
    caller: &Caller,
    pace: &Pace,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let _answering = pace.answering();
    let mut request = request.map(Body::new);
    if let Err(refused) = guard::check(&request) {
        return Ok(refused.into_response());
    }
    request.extensions_mut().insert(caller.clone());
    router.clone().call(request).await
}
