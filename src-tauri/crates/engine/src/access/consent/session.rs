//! What the user allowed for a session.

use super::permit::AccessRequest;
use std::time::Duration;
use tokenry_core::{Caller, Origin, Peer};
use tokenry_peer::Script;

/// What was allowed ends when it was not made use of for this long.
const SESSION_IDLE_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// And after this long in any case.
const MAX_SESSION: Duration = Duration::from_secs(12 * 60 * 60);

/// Who was asked about, as far as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Who {
    origin: Origin,
    app: Option<tokenry_core::AppId>,
}

/// The program behind a process. `None` where the system does not say enough to know it again.
pub(crate) fn origin(peer: &Peer) -> Option<Origin> {
    if let Some(remote) = &peer.remote {
        // What is allowed to a host ends with its connection, whichever programs are there.
        return Some(Origin {
            uid: peer.uid,
            program: peer.program.clone()?,
            script: None,
            session: Some((0, remote.forward)),
            helper: None,
        });
    }
    Some(Origin {
        uid: peer.uid,
        program: peer.program.clone()?,
        script: match tokenry_peer::script(peer) {
            Script::File(path) => Some(path),
            Script::None | Script::Any => None,
        },
        session: peer
            .session
            .map(|session| (session, tokenry_peer::session_started(session))),
        helper: peer.helper.as_ref().map(|helper| helper.command.clone()),
    })
}

impl Who {
    /// `None` where the system does not say enough to know it again.
    pub(super) fn of(caller: &Caller) -> Option<Self> {
        Some(Self {
            origin: origin(caller.peer()?)?,
            app: caller.app(),
        })
    }

    /// Whether a yes can be for its session: there is one, and it can be told from others.
    pub(super) fn has_session(&self) -> bool {
        self.origin.session.is_some()
    }

    /// Whether it is this app, or a program on its behalf.
    pub(super) fn is_of(&self, app: tokenry_core::AppId) -> bool {
        self.app == Some(app)
    }

    /// The same, for an app that comes through another program.
    pub(super) fn on_behalf_of(self, app: Option<tokenry_core::AppId>) -> Self {
        Self {
            app: self.app.or(app),
            ..self
        }
    }
}

/// What the person allowed "for this session". In memory only, and gone at lock.
#[derive(Default)]
pub(super) struct Sessions(Vec<Allowed>);

struct Allowed {
    who: Who,
    wanted: AccessRequest,
    /// Since boot, as all times here: a wall clock can be set back.
    since: Duration,
    used: Duration,
}

impl Sessions {
    pub(super) fn allow(&mut self, who: Who, wanted: AccessRequest, now: Duration) {
        self.0
            .retain(|allowed| !(allowed.who == who && allowed.wanted.is_same(&wanted)));
        let (since, used) = (now, now);
        self.0.push(Allowed {
            who,
            wanted,
            since,
            used,
        });
    }

    /// Whether this is covered by what was allowed; that it was made use of counts.
    pub(super) fn covers(&mut self, who: &Who, wanted: &AccessRequest, now: Duration) -> bool {
        let older = |than: Duration, at: Duration| now.saturating_sub(at) >= than;
        self.0.retain(|allowed| {
            !older(SESSION_IDLE_TIMEOUT, allowed.used) && !older(MAX_SESSION, allowed.since)
        });
        let found = self
            .0
            .iter_mut()
            .find(|allowed| allowed.who == *who && wanted.is_within(&allowed.wanted));
        found.map(|allowed| allowed.used = now).is_some()
    }

    /// Whether nothing is allowed: then nothing need be known of the requester.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ends those that are meant, and says how many.
    pub(super) fn end(&mut self, is_meant: impl Fn(&Who, &AccessRequest) -> bool) -> u64 {
        let before = self.0.len();
        self.0.retain(|allowed| !is_meant(&allowed.who, &allowed.wanted));
        (before - self.0.len()) as u64
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
