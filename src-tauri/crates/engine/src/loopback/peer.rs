use std::net::SocketAddr;

/// Whether the program at the other end runs as our own user. Another user's is refused, root included: who is root
/// needs no browser to get at us.
#[cfg(target_os = "linux")]
pub(super) async fn is_ours(peer: SocketAddr, listener: SocketAddr) -> bool {
    let owner = tokio::task::spawn_blocking(move || owner(peer, listener)).await;
    owner.ok().flatten() == Some(rustix::process::getuid().as_raw())
}

/// Elsewhere the system does not say whose a TCP connection is; the cookie has to do.
#[cfg(not(target_os = "linux"))]
pub(super) async fn is_ours(_: SocketAddr, _: SocketAddr) -> bool {
    true
}

/// The user that owns the other end, from the kernel's tables. A program may reach 127.0.0.1 through an IPv6 socket,
/// which is in a table of its own.
#[cfg(target_os = "linux")]
fn owner(peer: SocketAddr, listener: SocketAddr) -> Option<u32> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .find_map(|table| {
            table
                .lines()
                .skip(1)
                .find_map(|line| owner_in(line, peer, listener))
        })
}

/// The owner in one line, when that line is the other end's: its local address is our peer, its remote one is us.
#[cfg(target_os = "linux")]
fn owner_in(line: &str, peer: SocketAddr, listener: SocketAddr) -> Option<u32> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (local, remote) = (fields.next()?, fields.next()?);
    let uid = fields.nth(4)?;
    let is = |written: &str, address: SocketAddr| written_as(address).iter().any(|form| form == written);
    (is(local, peer) && is(remote, listener))
        .then(|| uid.parse().ok())
        .flatten()
}

/// An IPv4 address as the two tables write it: the bytes of each 32-bit word in the machine's own order.
#[cfg(target_os = "linux")]
fn written_as(address: SocketAddr) -> Vec<String> {
    let SocketAddr::V4(address) = address else {
        return Vec::new();
    };
    let ip = u32::from_ne_bytes(address.ip().octets());
    let mapped = u32::from_ne_bytes([0, 0, 0xff, 0xff]);
    let port = address.port();
    vec![
        format!("{ip:08X}:{port:04X}"),
        format!("{:016X}{mapped:08X}{ip:08X}:{port:04X}", 0),
    ]
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_read_from_the_line_of_the_other_end_only() {
        let (peer, us) = (
            "127.0.0.1:50000".parse().unwrap(),
            "127.0.0.1:40000".parse().unwrap(),
        );
        let (a, b) = (&written_as(peer)[0], &written_as(us)[0]);
        let line = |local: &str, remote: &str| {
            format!(
                "   3: {local} {remote} 01 00000000:00000000 00:00000000 00000000  1234        0 99 1 0 20"
            )
        };
        assert_eq!(owner_in(&line(a, b), peer, us), Some(1234));
        assert_eq!(owner_in(&line(b, a), peer, us), None);
        let (a, b) = (&written_as(peer)[1], &written_as(us)[1]);
        assert_eq!(owner_in(&line(a, b), peer, us), Some(1234));
        for rubbish in ["", "sl", "1: x y", "  1: a b c d e f g h"] {
            assert_eq!(owner_in(rubbish, peer, us), None);
        }
    }

    #[test]
    fn a_connection_of_this_very_process_is_ours_over_both_families() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let us = listener.local_addr().unwrap();
        let mapped: SocketAddr = format!("[::ffff:127.0.0.1]:{}", us.port()).parse().unwrap();
        for target in [us, mapped] {
            let Ok(client) = std::net::TcpStream::connect(target) else {
                continue;
            };
            let (_, peer) = listener.accept().unwrap();
            assert_eq!(
                owner(peer, us),
                Some(rustix::process::getuid().as_raw()),
                "{target}"
            );
            drop(client);
        }
        assert_eq!(owner("127.0.0.1:1".parse().unwrap(), us), None);
    }
}
