//! Whose the other end of a TCP connection within this machine is. A socket of the file system is told that by the
//! kernel itself; here it stands in a table, by address.

#[cfg(target_os = "linux")]
use std::{fs, net::SocketAddr, os::unix::fs::MetadataExt};
#[cfg(target_os = "linux")]
use tokenry_core::Peer;

/// The process at the other end of a connection, `peer` being its address and `local` ours. Its user is certain;
/// where it cannot be told which of that user's processes it is, the process id is 0 and nothing more is known.
///
/// `None` when the user cannot be told, and for another user than our own: root included, who needs no door.
#[cfg(target_os = "linux")]
pub async fn of_tcp(peer: SocketAddr, local: SocketAddr) -> Option<Peer> {
    let found = tokio::task::spawn_blocking(move || {
        let end = end(peer, local).filter(End::is_ours)?;
        Some(super::of_process(end.uid, holder(&end).unwrap_or(0)))
    });
    found.await.ok().flatten()
}

/// Elsewhere the system does not say whose a TCP connection is.
#[cfg(not(target_os = "linux"))]
pub async fn of_tcp(_: std::net::SocketAddr, _: std::net::SocketAddr) -> Option<tokenry_core::Peer> {
    None
}

/// Whether the program at the other end runs as our own user.
#[cfg(target_os = "linux")]
pub(crate) async fn is_ours(peer: SocketAddr, local: SocketAddr) -> bool {
    let end = tokio::task::spawn_blocking(move || end(peer, local)).await;
    end.ok().flatten().is_some_and(|end| end.is_ours())
}

/// One end of a connection, as it stands in the kernel's tables.
#[cfg(target_os = "linux")]
#[derive(Debug, PartialEq, Eq)]
struct End {
    uid: u32,
    /// The socket's number, which whoever holds it shows among its files.
    inode: u64,
}

#[cfg(target_os = "linux")]
impl End {
    fn is_ours(&self) -> bool {
        self.uid == rustix::process::geteuid().as_raw()
    }
}

/// A program may reach 127.0.0.1 through an IPv6 socket, which is in a table of its own.
#[cfg(target_os = "linux")]
fn end(peer: SocketAddr, local: SocketAddr) -> Option<End> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| table.lines().skip(1).find_map(|line| end_in(line, peer, local)))
}

/// The end in one line, when that line is the other one's: its local address is our peer, its remote one is us.
#[cfg(target_os = "linux")]
fn end_in(line: &str, peer: SocketAddr, local: SocketAddr) -> Option<End> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (from, to) = (fields.next()?, fields.next()?);
    let uid = fields.nth(4)?.parse().ok()?;
    let inode = fields.nth(1)?.parse().ok()?;
    let is = |written: &str, address: SocketAddr| written_as(address).iter().any(|form| form == written);
    // A socket that its program has closed has no number, and the kernel then says user 0 whoever it was.
    (is(from, peer) && is(to, local) && inode != 0).then_some(End { uid, inode })
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

/// The one process that holds this socket. Several that share it, or one that shows nobody its files, are nobody.
#[cfg(target_os = "linux")]
fn holder(end: &End) -> Option<u32> {
    let name = format!("socket:[{}]", end.inode);
    let mut holders = fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| belongs_to(*pid, end.uid) && holds(*pid, &name));
    let first = holders.next()?;
    holders.next().is_none().then_some(first)
}

#[cfg(target_os = "linux")]
fn belongs_to(pid: u32, uid: u32) -> bool {
    fs::metadata(format!("/proc/{pid}")).is_ok_and(|found| found.uid() == uid)
}

#[cfg(target_os = "linux")]
fn holds(pid: u32, name: &str) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok())
        .any(|target| target.as_os_str() == name)
}

#[cfg(all(test, target_os = "linux"))]
#[path = "tcp_tests.rs"]
mod tests;
