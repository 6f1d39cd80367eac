//! How many connections there may be, and how many of them one program may have, so that no program locks the others out.
//!
//! A connection beyond its program's limit does not wait in the listener's queue, where it would stand before all
//! others. It is accepted into a small reserve, has to send its request quickly, and is told why it is refused, unless it
//! asks for what must always be possible (see [`is_always_possible`]).

use super::idle_timeout::Activity;
use axum::http::Method;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokenry_core::Peer;

/// What a connection counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// For any request.
    Ordinary,
    /// For one request, which is answered only if it is one that must always be possible.
    Reserved,
    /// For a stream of changes, which lasts as long as its reader wants.
    Streams,
}

/// How many connections a share has.
struct Limits {
    total: usize,
    /// Of one process.
    process: usize,
    /// Of one session, and of one program.
    group: usize,
}

impl Share {
    const fn limits(self) -> Limits {
        let (total, process, group) = match self {
            Self::Ordinary => (256, 96, 160),
            Self::Reserved => (64, 8, 24),
            Self::Streams => (64, 8, 24),
        };
        Limits {
            total,
            process,
            group,
        }
    }
}

/// Whether no flood of another program may keep this operation from the user: status, lock and unlock, the prompts and
/// their answers, a deep link, and what a second start of the desktop app asks for.
pub(super) fn is_always_possible(method: &Method, path: &str) -> bool {
    let path = path.strip_prefix("/api").unwrap_or(path);
    match *method {
        Method::GET => matches!(path, "/v1/status" | "/v1/prompts"),
        Method::POST => {
            matches!(
                path,
                "/v1/lock" | "/v1/unlock" | "/v1/callback" | "/v1/window/show" | "/v1/hand-over"
            ) || path.starts_with("/v1/prompts/")
        }
        _ => false,
    }
}

/// Whether an operation answers with a stream that does not end.
pub(super) fn is_stream(method: &Method, path: &str) -> bool {
    *method == Method::GET && path.strip_prefix("/api").unwrap_or(path) == "/v1/events/stream"
}

/// All connections of one server.
#[derive(Default)]
pub(super) struct Shares(Mutex<State>);

#[derive(Default)]
struct State {
    connections: Vec<Entry>,
    next_id: u64,
}

struct Entry {
    id: u64,
    share: Share,
    peer: Arc<Peer>,
    activity: Arc<Activity>,
    /// It was asked to close, and is not counted any more.
    is_closing: bool,
}

/// Which connections have a limit in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Process,
    Session,
    Program,
    All,
}

impl Group {
    const EACH: [Self; 4] = [Self::Process, Self::Session, Self::Program, Self::All];

    fn limit(self, limits: &Limits) -> usize {
        match self {
            Self::Process => limits.process,
            Self::Session | Self::Program => limits.group,
            Self::All => limits.total,
        }
    }

    fn holds(self, one: &Peer, other: &Peer) -> bool {
        match self {
            Self::Process => (one.pid, one.started) == (other.pid, other.started),
            // Two peers of which the system does not tell it have nothing in common.
            Self::Session => one.session.is_some() && one.session == other.session,
            Self::Program => one.program.is_some() && one.program == other.program,
            Self::All => true,
        }
    }
}

/// A limit is reached, and which process has most of the connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LimitReached {
    group: Group,
    share: Share,
    limit: usize,
    process: Option<(Option<String>, u32)>,
    held: usize,
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (program, pid) = match &self.process {
            Some((program, pid)) => (program.as_deref().unwrap_or("a program"), *pid),
            None => ("a program", 0),
        };
        let holder = match pid {
            0 => program.to_owned(),
            pid => format!("{program} (process {pid})"),
        };
        let what = match self.share {
            Share::Streams => "streams of changes",
            Share::Ordinary | Share::Reserved => "connections",
        };
        let group = match self.group {
            Group::Process => "one process",
            Group::Session => "the programs of one session",
            Group::Program => "the processes of one program",
            Group::All => "all programs together",
        };
        write!(
            f,
            "Tokenry is too busy: {holder} holds {} of the {} {what} that {group} may have; wait until it is done, or end \
             it, and try again",
            self.held, self.limit
        )
    }
}

impl Shares {
    /// Admits a connection: for any request, or into the reserve, or, when that is full too, not at all.
    pub(super) fn admit(
        self: &Arc<Self>,
        peer: Peer,
        activity: &Arc<Activity>,
    ) -> Result<Admission, LimitReached> {
        let mut state = self.state();
        let peer = Arc::new(peer);
        let (share, reason) = match state.make_room(Share::Ordinary, &peer) {
            Ok(()) => (Share::Ordinary, None),
            Err(reached) => {
                state.make_room(Share::Reserved, &peer)?;
                (Share::Reserved, Some(reached))
            }
        };
        let id = state.next_id;
        state.next_id += 1;
        state.connections.push(Entry {
            id,
            share,
            peer: peer.clone(),
            activity: activity.clone(),
            is_closing: false,
        });
        drop(state);
        Ok(Admission {
            shares: self.clone(),
            id,
            peer,
            reason,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Makes sure that one more connection is within every limit. Where one is reached, the connection that was idle
    /// longest is asked to close.
    fn make_room(&mut self, share: Share, peer: &Peer) -> Result<(), LimitReached> {
        for group in Group::EACH {
            let limit = group.limit(&share.limits());
            let counts = |entry: &&mut Entry| {
                entry.share == share && !entry.is_closing && group.holds(&entry.peer, peer)
            };
            if self.connections.iter_mut().filter(counts).count() < limit {
                continue;
            }
            let may_close = |entry: &&mut Entry| entry.share != Share::Streams && entry.activity.may_close();
            let longest = self
                .connections
                .iter_mut()
                .filter(counts)
                .filter(may_close)
                .min_by_key(|entry| entry.activity.last_byte());
            match longest {
                Some(entry) => {
                    entry.is_closing = true;
                    entry.activity.request_close();
                }
                None => return Err(self.limit_reached(share, group, limit, peer)),
            }
        }
        Ok(())
    }

    fn limit_reached(&self, share: Share, group: Group, limit: usize, peer: &Peer) -> LimitReached {
        let counted = self
            .connections
            .iter()
            .filter(|entry| entry.share == share && !entry.is_closing && group.holds(&entry.peer, peer));
        let mut processes: Vec<(&Peer, usize)> = Vec::new();
        for entry in counted {
            match processes
                .iter_mut()
                .find(|(known, _)| Group::Process.holds(known, &entry.peer))
            {
                Some((_, count)) => *count += 1,
                None => processes.push((&entry.peer, 1)),
            }
        }
        let most = processes.into_iter().max_by_key(|(_, count)| *count);
        LimitReached {
            group,
            share,
            limit,
            process: most.map(|(peer, _)| (peer.program.clone(), peer.pid)),
            held: most.map_or(0, |(_, count)| count),
        }
    }
}

/// A connection that was admitted. It counts until this is dropped.
pub(super) struct Admission {
    shares: Arc<Shares>,
    id: u64,
    peer: Arc<Peer>,
    /// Why it is in the reserve, if it is.
    reason: Option<LimitReached>,
}

impl Admission {
    /// The process at the other end.
    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Whether only one request is answered.
    pub(super) fn is_reserved(&self) -> bool {
        self.reason.is_some()
    }

    /// Whether this connection may bring this request.
    pub(super) fn allows(&self, method: &Method, path: &str) -> Result<(), LimitReached> {
        if is_stream(method, path) {
            return self.become_stream();
        }
        match &self.reason {
            Some(reached) if !is_always_possible(method, path) => Err(reached.clone()),
            _ => Ok(()),
        }
    }

    /// A stream does not end soon, so it has a share of its own.
    fn become_stream(&self) -> Result<(), LimitReached> {
        let mut state = self.shares.state();
        state.make_room(Share::Streams, &self.peer)?;
        if let Some(entry) = state.connections.iter_mut().find(|entry| entry.id == self.id) {
            entry.share = Share::Streams;
        }
        Ok(())
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let id = self.id;
        self.shares.state().connections.retain(|entry| entry.id != id);
    }
}

#[cfg(test)]
mod tests;
