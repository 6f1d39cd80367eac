//! Whose the other end of a TCP connection within this machine is. A socket of the file system is told that by the
//! kernel itself; here it stands in a table, by address.
//!
//! The table has a line for each connection of the whole machine, and another user can make it long. So it is read
//! once for all who wait to be known at that moment, and not once for each of them.

#[cfg(target_os = "linux")]
use std::{
    collections::HashMap,
    fs,
    net::SocketAddr,
    os::unix::fs::MetadataExt,
    sync::{Mutex, MutexGuard, PoisonError},
};
#[cfg(target_os = "linux")]
use tokenry_core::Peer;
#[cfg(target_os = "linux")]
use tokio::sync::oneshot;

/// The process at the other end of a connection, `peer` being its address and `local` ours. Its user is certain;
/// where it cannot be told which of that user's processes it is, the process id is 0 and nothing more is known.
///
/// `None` when the user cannot be told, and for another user than our own: root included, which needs no access here.
#[cfg(target_os = "linux")]
pub async fn of_tcp(peer: SocketAddr, local: SocketAddr) -> Option<Peer> {
    look_up(peer, local, true).await
}

/// Elsewhere the system does not say whose a TCP connection is.
#[cfg(not(target_os = "linux"))]
pub async fn of_tcp(_: std::net::SocketAddr, _: std::net::SocketAddr) -> Option<tokenry_core::Peer> {
    None
}

/// Whether the program at the other end runs as our own user. Root is another user.
#[cfg(target_os = "linux")]
pub async fn is_ours(peer: SocketAddr, local: SocketAddr) -> bool {
    look_up(peer, local, false).await.is_some()
}

/// Elsewhere the system does not say who owns a TCP connection, and nothing is refused for it.
#[cfg(not(target_os = "linux"))]
pub async fn is_ours(_: std::net::SocketAddr, _: std::net::SocketAddr) -> bool {
    true
}

/// The lookups that wait, of all servers and listeners.
#[cfg(target_os = "linux")]
static LOOKUPS: Mutex<Lookups> = Mutex::new(Lookups {
    waiting: Vec::new(),
    is_running: false,
});

#[cfg(target_os = "linux")]
struct Lookups {
    waiting: Vec<Lookup>,
    is_running: bool,
}

/// A connection of which it is not known yet whose it is.
#[cfg(target_os = "linux")]
struct Lookup {
    peer: SocketAddr,
    local: SocketAddr,
    /// Whether the process is wanted, too, which is looked for in a second step.
    process: bool,
    answer: oneshot::Sender<Option<Peer>>,
}

#[cfg(target_os = "linux")]
fn lookups() -> MutexGuard<'static, Lookups> {
    LOOKUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(target_os = "linux")]
async fn look_up(peer: SocketAddr, local: SocketAddr, process: bool) -> Option<Peer> {
    let (answer, found) = oneshot::channel();
    let unknown = Lookup {
        peer,
        local,
        process,
        answer,
    };
    let is_running = {
        let mut lookups = lookups();
        lookups.waiting.push(unknown);
        std::mem::replace(&mut lookups.is_running, true)
    };
    if !is_running {
        tokio::task::spawn_blocking(look);
    }
    found.await.ok().flatten()
}

/// Looks for all who wait, and again for those who came meanwhile.
#[cfg(target_os = "linux")]
fn look() {
    /// However it ends, the next one who waits starts it again.
    struct Runs;
    impl Drop for Runs {
        fn drop(&mut self) {
            lookups().is_running = false;
        }
    }
    let _runs = Runs;
    loop {
        let waiting = {
            let mut lookups = lookups();
            if lookups.waiting.is_empty() {
                lookups.is_running = false;
                return;
            }
            std::mem::take(&mut lookups.waiting)
        };
        resolve(waiting);
    }
}

#[cfg(target_os = "linux")]
fn resolve(waiting: Vec<Lookup>) {
    let ends = ends(&waiting);
    let ours = |end: &&SocketEnd| end.is_ours();
    let wanted = waiting.iter().zip(&ends);
    let sockets = wanted
        .filter(|(unknown, _)| unknown.process)
        .filter_map(|(_, end)| end.as_ref().filter(ours))
        .map(|end| (end.inode, Holders::None))
        .collect();
    let holders = holders(sockets);
    for (unknown, end) in waiting.into_iter().zip(ends) {
        let peer = end.filter(SocketEnd::is_ours).map(|end| {
            let pid = match holders.get(&end.inode) {
                Some(Holders::One(pid)) => *pid,
                _ => 0,
            };
            super::of_process(end.uid, pid)
        });
        // A caller that does not wait any more is gone.
        let _ = unknown.answer.send(peer);
    }
}

/// One end of a connection, as it stands in the kernel's tables.
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, PartialEq, Eq)]
struct SocketEnd {
    uid: u32,
    /// The socket's number, which its holder shows among its files.
    inode: u64,
}

#[cfg(target_os = "linux")]
impl SocketEnd {
    fn is_ours(&self) -> bool {
        self.uid == rustix::process::geteuid().as_raw()
    }
}

/// The ends of these connections, in their order. A program may reach 127.0.0.1 through an IPv6 socket, which is in a
/// table of its own.
#[cfg(target_os = "linux")]
fn ends(waiting: &[Lookup]) -> Vec<Option<SocketEnd>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    for (at, unknown) in waiting.iter().enumerate() {
        let forms = written_as(unknown.peer)
            .into_iter()
            .zip(written_as(unknown.local));
        places.extend(forms.map(|(peer, us)| (format!("{peer} {us}"), at)));
    }
    let mut found = vec![None; waiting.len()];
    let mut key = String::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let Ok(table) = fs::read_to_string(table) else {
            continue;
        };
        for (line, at) in table.lines().skip(1).filter_map(|line| {
            let (from, to) = addresses(line)?;
            key.clear();
            key.extend([from, " ", to]);
            Some((line, *places.get(&key)?))
        }) {
            if found[at].is_none() {
                found[at] = end_in(line);
            }
        }
    }
    found
}

/// The addresses of a line: of the end that it is about, and of the other one.
#[cfg(target_os = "linux")]
fn addresses(line: &str) -> Option<(&str, &str)> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    Some((fields.next()?, fields.next()?))
}

/// The end that a line is about.
#[cfg(target_os = "linux")]
fn end_in(line: &str) -> Option<SocketEnd> {
    let mut fields = line.split_ascii_whitespace().skip(7);
    let uid = fields.next()?.parse().ok()?;
    let inode = fields.nth(1)?.parse().ok()?;
    // A socket that its program has closed has no number, and the kernel then says user 0 for every owner.
    (inode != 0).then_some(SocketEnd { uid, inode })
}

/// An address as the two tables write it: the bytes of each 32-bit word in the machine's own order. An IPv4 address is in
/// both.
#[cfg(target_os = "linux")]
fn written_as(address: SocketAddr) -> Vec<String> {
    let port = address.port();
    match address {
        SocketAddr::V4(address) => {
            let ip = u32::from_ne_bytes(address.ip().octets());
            let mapped = u32::from_ne_bytes([0, 0, 0xff, 0xff]);
            vec![
                format!("{ip:08X}:{port:04X}"),
                format!("{:016X}{mapped:08X}{ip:08X}:{port:04X}", 0),
            ]
        }
        SocketAddr::V6(address) => {
            let bytes = address.ip().octets();
            let words = bytes.chunks_exact(4).filter_map(|word| word.try_into().ok());
            let ip: String = words
                .map(|word| format!("{:08X}", u32::from_ne_bytes(word)))
                .collect();
            vec![format!("{ip}:{port:04X}")]
        }
    }
}

/// The program that listens at a port of this machine, as far as the system tells: one of our own user's, or of another
/// user whose name is not asked for.
#[cfg(target_os = "linux")]
pub fn listener_at(port: u16) -> Option<String> {
    let end = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        let table = fs::read_to_string(table).ok()?;
        table.lines().skip(1).find_map(|line| listening_at(line, port))
    })?;
    if !end.is_ours() {
        return Some(format!("a program of user {}", end.uid));
    }
    match holders(HashMap::from([(end.inode, Holders::None)])).get(&end.inode) {
        Some(Holders::One(pid)) => {
            let program = super::program(*pid)?;
            Some(format!("{program} (process {pid})"))
        }
        _ => None,
    }
}

/// Elsewhere the system does not say it.
#[cfg(not(target_os = "linux"))]
pub fn listener_at(_: u16) -> Option<String> {
    None
}

/// `TCP_LISTEN` in the table of connections.
#[cfg(target_os = "linux")]
const LISTENS: &str = "0A";

#[cfg(target_os = "linux")]
fn listening_at(line: &str, port: u16) -> Option<SocketEnd> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (_, local) = fields.next()?.split_once(':')?;
    let state = fields.nth(1)?;
    let is_meant = state == LISTENS && u16::from_str_radix(local, 16) == Ok(port);
    is_meant.then(|| end_in(line)).flatten()
}

/// Who holds a socket.
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holders {
    None,
    One(u32),
    /// Of several that share it none is named.
    Several,
}

/// The processes that hold these sockets, by number; one that hides its files holds none. One look at all
/// processes of our user.
#[cfg(target_os = "linux")]
fn holders(mut sockets: HashMap<u64, Holders>) -> HashMap<u64, Holders> {
    if sockets.is_empty() {
        return sockets;
    }
    let uid = rustix::process::geteuid().as_raw();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        if !fs::metadata(format!("/proc/{pid}")).is_ok_and(|found| found.uid() == uid) {
            continue;
        }
        let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            continue;
        };
        for file in files.flatten() {
            let Some(holder) = number(&file.path()).and_then(|inode| sockets.get_mut(&inode)) else {
                continue;
            };
            *holder = match *holder {
                Holders::None => Holders::One(pid),
                Holders::One(known) if known == pid => Holders::One(pid),
                _ => Holders::Several,
            };
        }
    }
    sockets
}

/// The number of the socket that an open file is, if it is one.
#[cfg(target_os = "linux")]
fn number(file: &std::path::Path) -> Option<u64> {
    let target = fs::read_link(file).ok()?;
    let number = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
    number.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
