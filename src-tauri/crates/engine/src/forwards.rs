//! Sockets that are forwarded to other hosts by ssh: each for one host, and for as long as its ssh connection.

use crate::{
    Engine, Error,
    access::{policy::Operation, visibility::Sight},
};
use std::{collections::BTreeSet, path::PathBuf, sync::atomic::Ordering, time::Duration};
use tokenry_core::{Caller, ConnectionId, Peer, Remote};

/// The longest name of a host.
const MAX_HOST_BYTES: usize = 255;
/// How many may be open.
const MAX_FORWARDS: usize = 32;
/// How often to check whether the program that requested one is still there.
const OWNER_INTERVAL: Duration = Duration::from_millis(250);

/// A socket whose connections come from one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// The host, as the user calls it.
    pub host: String,
    /// The connections whose tokens may be requested there.
    pub connections: BTreeSet<ConnectionId>,
    /// The process that requested it: the parent of the `ssh` that forwards it.
    owner: Peer,
}

impl Forward {
    /// The requester behind a local connection to this socket. `None` for another program than the `ssh` that the owner
    /// started, which has no business there.
    pub fn requester(&self, number: u64, peer: Peer) -> Option<Peer> {
        let parent = tokenry_peer::lineage(&peer).get(1).copied();
        (parent == Some((self.owner.pid, self.owner.started))).then(|| Peer {
            program: Some(format!("host {} by ssh", self.host)),
            session: None,
            helper: None,
            remote: Some(Remote {
                forward: number,
                connections: self.connections.clone(),
            }),
            ..peer
        })
    }
}

impl Engine {
    /// Opens a socket for programs on another host, which the caller forwards there by ssh. It is closed when the caller
    /// ends. Each token request there needs consent; nothing else is possible, and only these connections are seen.
    ///
    /// # Errors
    /// When the host is no name, a connection is unknown, or the socket cannot be opened.
    pub async fn open_forward(
        &self,
        caller: &Caller,
        host: &str,
        connections: &[String],
    ) -> Result<PathBuf, Error> {
        self.allow(caller, Operation::Forward)?;
        let Caller::Program(owner) = caller else {
            return Err(Error::Denied("only a program of this user can forward a socket"));
        };
        if !is_host(host) {
            return Err(Error::field(
                "host",
                "must be a name as ssh takes it: letters, digits and the characters . _ - @ : [ ]",
            ));
        }
        if connections.is_empty() {
            return Err(Error::field("connections", "must name at least one"));
        }
        let store = self.store()?;
        let mut found = BTreeSet::new();
        for reference in connections {
            let index = store.index();
            let sight = Sight::of(&index, caller, self.latest());
            found.insert(sight.connection(reference)?.id);
        }
        drop(store);
        let forward = Forward {
            host: host.to_owned(),
            connections: found,
            owner: owner.clone(),
        };
        let sockets = &self.inner.sockets;
        let id = sockets.next_forward.fetch_add(1, Ordering::Relaxed);
        let mut is_full = false;
        let number = sockets.request(|requests| {
            is_full = requests.forwards.len() >= MAX_FORWARDS;
            if !is_full {
                requests.forwards.insert(id, forward);
            }
        });
        if is_full {
            let text = format!("{MAX_FORWARDS} sockets are forwarded already; end one of them first");
            return Err(Error::Busy(text, None));
        }
        let owner = owner.clone();
        self.spawn(|engine| async move {
            while tokenry_peer::is_running(&owner) {
                tokio::time::sleep(OWNER_INTERVAL).await;
            }
            engine.inner.sockets.request(|requests| {
                requests.forwards.remove(&id);
            });
        });
        match sockets.reported(number).await?.forwards.remove(&id) {
            Some(opened) => opened.map_err(Error::Conflict),
            None => Err(Error::Conflict(
                "the engine is about to end; try again".to_owned(),
            )),
        }
    }
}

/// Whether ssh takes it for a host, and it says nothing else where it is shown.
fn is_host(text: &str) -> bool {
    let is_of_names = |c: char| c.is_ascii_alphanumeric() || "._-@:[]".contains(c);
    (1..=MAX_HOST_BYTES).contains(&text.len()) && !text.starts_with('-') && text.chars().all(is_of_names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_no_option_or_sentence() {
        for good in ["build", "me@build.example", "[::1]", "fe80::1", "a_b-c"] {
            assert!(is_host(good), "{good}");
        }
        let long = "x".repeat(256);
        for bad in [
            "",
            "-oProxyCommand=x",
            "a b",
            "a\nb",
            "a/b",
            "a\u{202e}b",
            "ä",
            long.as_str(),
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
