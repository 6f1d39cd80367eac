//! How many connections there may be, and how many of them one program may have, so that none shuts the others out.
//!
//! Whoever has more than its share is not left waiting outside, where it would stand before all others: it is let in
//! by the narrow way, asked quickly what it wants, and told why it does not get it, unless it wants what must always
//! be possible (see [`is_always_possible`]).

use super::patience::Pace;
use axum::http::Method;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokenry_core::Peer;

/// In which way somebody is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// With whatever they want.
    Ordinary,
    /// With one request, which is answered only if it is one that must always be possible.
    Narrow,
    /// For a stream of changes, which lasts as long as its reader likes.
    Streams,
}

/// How many there may be in a room.
struct Share {
    all: usize,
    /// Of one process.
    process: usize,
    /// Of one session, and of one program.
    group: usize,
}

impl Room {
    const fn share(self) -> Share {
        let (all, process, group) = match self {
            Self::Ordinary => (256, 96, 160),
            Self::Narrow => (64, 8, 24),
            Self::Streams => (64, 8, 24),
        };
        Share { all, process, group }
    }
}

/// Whether an operation is one that nobody's flood may keep from the user: to see how the engine is, to lock and
/// unlock it, to answer questions, to take a link, and what a second start of the desktop app asks for.
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

/// All who are inside by one door.
#[derive(Default)]
pub(super) struct Rooms(Mutex<State>);

#[derive(Default)]
struct State {
    guests: Vec<Guest>,
    next: u64,
}

struct Guest {
    number: u64,
    room: Room,
    peer: Arc<Peer>,
    pace: Arc<Pace>,
    /// Was asked to leave, and is not counted any more.
    leaves: bool,
}

/// What those have in common who share a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Process,
    Session,
    Program,
    Everybody,
}

impl Group {
    const ALL: [Self; 4] = [Self::Process, Self::Session, Self::Program, Self::Everybody];

    fn most(self, share: &Share) -> usize {
        match self {
            Self::Process => share.process,
            Self::Session | Self::Program => share.group,
            Self::Everybody => share.all,
        }
    }

    fn holds(self, one: &Peer, other: &Peer) -> bool {
        match self {
            Self::Process => (one.pid, one.started) == (other.pid, other.started),
            // Where the system does not say, nobody is like anybody.
            Self::Session => one.session.is_some() && one.session == other.session,
            Self::Program => one.program.is_some() && one.program == other.program,
            Self::Everybody => true,
        }
    }
}

/// That there is no more room, and who takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Full {
    group: Group,
    room: Room,
    most: usize,
    /// The process with most of the connections.
    process: Option<(Option<String>, u32)>,
    holds: usize,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (program, pid) = match &self.process {
            Some((program, pid)) => (program.as_deref().unwrap_or("a program"), *pid),
            None => ("a program", 0),
        };
        let who = match pid {
            0 => program.to_owned(),
            pid => format!("{program} (process {pid})"),
        };
        let what = match self.room {
            Room::Streams => "streams of changes",
            Room::Ordinary | Room::Narrow => "connections",
        };
        let whose = match self.group {
            Group::Process => "one process".to_owned(),
            Group::Session => "the programs of one session".to_owned(),
            Group::Program => "the processes of one program".to_owned(),
            Group::Everybody => "all programs together".to_owned(),
        };
        write!(
            f,
            "Tokenry is too busy: {who} holds {} of the {} {what} that {whose} may have; wait until it is done, or end it, \
             and try again",
            self.holds, self.most
        )
    }
}

impl Rooms {
    /// Lets somebody in: with whatever they want, or by the narrow way, or, when that is full too, not at all.
    pub(super) fn enter(self: &Arc<Self>, peer: Peer, pace: &Arc<Pace>) -> Result<Place, Full> {
        let mut state = self.state();
        let peer = Arc::new(peer);
        let (room, why) = match state.room_in(Room::Ordinary, &peer) {
            Ok(()) => (Room::Ordinary, None),
            Err(full) => {
                state.room_in(Room::Narrow, &peer)?;
                (Room::Narrow, Some(full))
            }
        };
        let number = state.next;
        state.next += 1;
        state.guests.push(Guest {
            number,
            room,
            peer: peer.clone(),
            pace: pace.clone(),
            leaves: false,
        });
        drop(state);
        Ok(Place {
            rooms: self.clone(),
            number,
            peer,
            why,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether there is room for one more of these; somebody who has nothing under way is asked to leave for it.
    fn room_in(&mut self, room: Room, peer: &Peer) -> Result<(), Full> {
        for group in Group::ALL {
            let most = group.most(&room.share());
            let inside =
                |guest: &&mut Guest| guest.room == room && !guest.leaves && group.holds(&guest.peer, peer);
            if self.guests.iter_mut().filter(inside).count() < most {
                continue;
            }
            // Whoever has said nothing for longest.
            let may_leave = |guest: &&mut Guest| guest.room != Room::Streams && guest.pace.may_leave();
            let longest = self
                .guests
                .iter_mut()
                .filter(inside)
                .filter(may_leave)
                .min_by_key(|guest| guest.pace.moved());
            match longest {
                Some(guest) => {
                    guest.leaves = true;
                    guest.pace.ask_to_leave();
                }
                None => return Err(self.full(room, group, most, peer)),
            }
        }
        Ok(())
    }

    fn full(&self, room: Room, group: Group, most: usize, peer: &Peer) -> Full {
        let inside = self
            .guests
            .iter()
            .filter(|guest| guest.room == room && !guest.leaves && group.holds(&guest.peer, peer));
        let mut processes: Vec<(&Peer, usize)> = Vec::new();
        for guest in inside {
            match processes
                .iter_mut()
                .find(|(known, _)| Group::Process.holds(known, &guest.peer))
            {
                Some((_, count)) => *count += 1,
                None => processes.push((&guest.peer, 1)),
            }
        }
        let worst = processes.into_iter().max_by_key(|(_, count)| *count);
        Full {
            group,
            room,
            most,
            process: worst.map(|(peer, _)| (peer.program.clone(), peer.pid)),
            holds: worst.map_or(0, |(_, count)| count),
        }
    }
}

/// Somebody's place inside, until it is dropped.
pub(super) struct Place {
    rooms: Arc<Rooms>,
    number: u64,
    peer: Arc<Peer>,
    /// Why it is by the narrow way only, if so.
    why: Option<Full>,
}

impl Place {
    /// Who has it.
    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Whether one request is all that is answered here.
    pub(super) fn is_narrow(&self) -> bool {
        self.why.is_some()
    }

    /// Whether this may be asked from here.
    pub(super) fn admits(&self, method: &Method, path: &str) -> Result<(), Full> {
        if is_stream(method, path) {
            return self.becomes_a_stream();
        }
        match &self.why {
            Some(full) if !is_always_possible(method, path) => Err(full.clone()),
            _ => Ok(()),
        }
    }

    /// Streams last, so they take no place of what ends.
    fn becomes_a_stream(&self) -> Result<(), Full> {
        let mut state = self.rooms.state();
        state.room_in(Room::Streams, &self.peer)?;
        if let Some(guest) = state.guests.iter_mut().find(|guest| guest.number == self.number) {
            guest.room = Room::Streams;
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let number = self.number;
        self.rooms.state().guests.retain(|guest| guest.number != number);
    }
}

#[cfg(test)]
mod tests;
