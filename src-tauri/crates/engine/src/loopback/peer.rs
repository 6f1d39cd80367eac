use std::net::SocketAddr;

/// Whether the program at the other end runs as our own user. Another user's is refused, root included: who is root
/// needs no browser to get at us.
#[cfg(target_os = "linux")]
pub(super) async fn is_ours(peer: SocketAddr, listener: SocketAddr) -> bool {
    crate::peer::is_ours(peer, listener).await
}

/// Elsewhere the system does not say whose a TCP connection is; the cookie has to do.
#[cfg(not(target_os = "linux"))]
pub(super) async fn is_ours(_: SocketAddr, _: SocketAddr) -> bool {
    true
}
