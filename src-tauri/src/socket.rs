//! A request to the running engine at its socket.

use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{io, path::Path, time::Duration};
use tokio::net::UnixStream;

/// The response.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// Long enough for a request to a provider.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// No expected response is longer.
const MAX_RESPONSE_BYTES: usize = 1024 * 1024;

pub(crate) async fn call(
    socket: &Path,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> io::Result<Response> {
    let stream = UnixStream::connect(socket).await?;
    let peer = stream.peer_cred()?;
    if peer.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the engine's socket belongs to another user",
        ));
    }
    tokio::time::timeout(RESPONSE_TIMEOUT, exchange(stream, method, path, body))
        .await
        .map_err(|_| io::ErrorKind::TimedOut)?
}

async fn exchange(stream: UnixStream, method: &str, path: &str, body: Option<Value>) -> io::Result<Response> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let driving = tokio::spawn(connection);
    let bytes = body.map(|body| body.to_string()).unwrap_or_default();
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "tokenry");
    if !bytes.is_empty() {
        request = request.header("content-type", "application/json");
    }
    let request = request
        .body(Full::new(Bytes::from(bytes)))
        .map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), MAX_RESPONSE_BYTES)
        .collect()
        .await
        .map_err(io::Error::other)?
        .to_bytes();
    driving.abort();
    Ok(Response {
        status,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    })
}
