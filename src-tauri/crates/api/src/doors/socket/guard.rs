use crate::{error::Refused, extract};
use axum::{
    body::Body,
    http::{HeaderMap, Request, Uri, header},
};

/// Turns away what a program on this machine would not send. A web page cannot reach a Unix socket; one that is
/// forwarded to a port could, and gives itself away by its `Host` or its `Origin`.
pub(super) fn check(request: &Request<Body>) -> Result<(), Refused> {
    let headers = request.headers();
    if headers.contains_key(header::ORIGIN) {
        return Err(Refused::Stranger("a request with an Origin is refused"));
    }
    if !names_us(request.uri(), headers) {
        return Err(Refused::Stranger(
            "a request for another host than `localhost` is refused",
        ));
    }
    extract::check(request.uri().path(), headers, request.body())
}

fn names_us(uri: &Uri, headers: &HeaderMap) -> bool {
    let ours = |host: &str| matches!(host, "" | "localhost" | "tokenry");
    headers
        .get_all(header::HOST)
        .iter()
        .all(|host| host.to_str().is_ok_and(ours))
        && uri.authority().is_none_or(|host| ours(host.as_str()))
}
