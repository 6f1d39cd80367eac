//! The queue of prompts: who waits, what is shown, and when a prompt ends.

use super::{
    answer::PromptAnswer,
    pause::{Pauses, Requester},
    permit::{AccessRequest, refusal},
    prompt::Prompt,
    session::{Sessions, Who},
    shown::operation_words,
};
use crate::{
    Change, Engine, Error, access::policy::Operation, locks, records::sealed_store::SealedStore,
    request_context::wait_for_the_user,
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokenry_core::{AppId, Caller, ConnectionId, Event, EventKind, Outcome, PromptId, Rule, Timestamp};
use tokio::{
    sync::{broadcast, watch},
    time::Instant,
};

/// A question that is shown this long without an answer is denied; that of an app that wants to be authorized, where
/// there is something to choose, is shown longer.
const CONSENT_TIMEOUT: Duration = Duration::from_secs(60);
const AUTHORIZATION_TIMEOUT: Duration = Duration::from_secs(180);
/// How long a question waits behind others before it is given up unseen. With [`CONSENT_TIMEOUT`] this is the most that a
/// program waits; clients wait a little longer than that.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(240);
/// How many questions may be open; how many of programs that had no yes lately; and how many of one program, with all
/// that it starts.
const MAX_PROMPTS: usize = 8;
const MAX_PROMPTS_OF_UNKNOWN: usize = 6;
const MAX_PROMPTS_OF_ONE: usize = 3;
/// How often it is looked whether who asked is still there and still the same program.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// What a caller hears whose permission or prompt the user ended by cutting off.
pub(super) const CUT_OFF: &str =
    "the user cut off access meanwhile, so this request ended; ask again if it is still needed";

/// The answer to a question, and the rule that stands in the log for it.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) rule: Rule,
    pub(crate) answer: PromptAnswer,
}

/// The open questions, one after the other, and what is remembered of the ones before.
#[derive(Default)]
pub(crate) struct Prompts {
    state: Mutex<State>,
    /// How often the user has cut off a connection, or everything. A permission from before may have ended with it.
    cut_offs: AtomicU64,
    /// Until when a program waits for questions to show them to the user, in seconds since boot: `tokenry approve --wait`.
    pub(super) watched_until: AtomicU64,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) open: VecDeque<Open>,
    pub(super) sessions: Sessions,
    pub(super) pauses: Pauses,
}

impl State {
    /// Lets the time of the first question run, from when it became the first: that is the one that is shown.
    pub(super) fn show_first(&mut self, now: Timestamp) {
        if let Some(first) = self.open.front_mut().filter(|first| !first.prompt.is_shown) {
            first.prompt.is_shown = true;
            first.prompt.ends_at = tokenry_core::later(now, first.timeout);
            first.ends = Instant::now() + first.timeout;
        }
    }

    fn find(&self, id: PromptId) -> Option<&Open> {
        self.open.iter().find(|open| open.prompt.id == id)
    }
}

pub(super) struct Open {
    pub(super) prompt: Prompt,
    pub(super) wanted: AccessRequest,
    pub(super) requester: Requester,
    pub(super) caller: Caller,
    /// How many wait for the answer.
    askers: usize,
    /// How many wrong passphrases were given.
    pub(super) wrong_passphrases: u32,
    pub(super) answer: watch::Sender<Ended>,
    /// How long it is shown.
    timeout: Duration,
    /// When it ends without an answer: [`Prompt::ends_at`] by a clock that cannot be set.
    ends: Instant,
}

type Ended = Option<Result<Answered, Closed>>;

/// Why a question was closed without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    Locked,
    Changed,
    CutOff,
    Gone,
    NotLogged,
}

impl From<Closed> for Error {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Locked => Self::Locked,
            Closed::Changed => Self::Conflict(
                "what you asked for changed while the user was looking at the prompt; ask again".to_owned(),
            ),
            Closed::CutOff => Self::Denied(CUT_OFF),
            Closed::Gone => Self::Denied("the program that asked is not the one that would be answered"),
            Closed::NotLogged => Self::Internal(
                "the decision could not be written to the activity log, so it does not count; look at the disk"
                    .to_owned(),
            ),
        }
    }
}

impl Prompts {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        locks::lock(&self.state)
    }

    /// When a question ends without an answer. `None` when it is not open any more.
    fn end_of(&self, id: PromptId) -> Option<Instant> {
        self.state().find(id).map(|open| open.ends)
    }

    /// Whether the question that has ended was shown. `None` when it has not ended: it may just have come up.
    fn ended_shown(&self, id: PromptId) -> Option<bool> {
        let state = self.state();
        let open = state.find(id).filter(|open| open.ends <= Instant::now())?;
        Some(open.prompt.is_shown)
    }

    pub(super) fn session_covers(&self, caller: &Caller, wanted: &AccessRequest, now: Duration) -> bool {
        let mut state = self.state();
        if state.sessions.is_empty() {
            return false;
        }
        Who::of(caller).is_some_and(|who| state.sessions.covers(&who, wanted, now))
    }

    /// How often the user has cut something off.
    pub(super) fn cut_offs(&self) -> u64 {
        self.cut_offs.load(Ordering::Acquire)
    }

    /// Ends the permissions for a session and closes the open questions of an app, or about a connection, or all of
    /// them. Says how many of each.
    pub(crate) fn cut_off(
        &self,
        app: Option<AppId>,
        connection: Option<ConnectionId>,
        now: Timestamp,
    ) -> (u64, u64) {
        if app.is_none() {
            // An app has grants, which are looked at again, and no permission for a session.
            self.cut_offs.fetch_add(1, Ordering::AcqRel);
        }
        let is_meant = |who: Option<&Who>, wanted: &AccessRequest| {
            app.is_none_or(|app| who.is_some_and(|who| who.is_of(app)))
                && connection.is_none_or(|id| wanted.target.connection == Some(id))
        };
        let mut state = self.state();
        let sessions = state.sessions.end(|who, wanted| is_meant(Some(who), wanted));
        let (ended, open): (Vec<_>, Vec<_>) = state.open.drain(..).partition(|open| {
            let is_callers = app.is_some_and(|app| open.caller.app() == Some(app));
            is_meant(open.requester.who.as_ref(), &open.wanted) || (connection.is_none() && is_callers)
        });
        state.open = open.into();
        state.show_first(now);
        drop(state);
        for open in &ended {
            open.answer.send_replace(Some(Err(Closed::CutOff)));
        }
        (sessions, ended.len() as u64)
    }

    /// At lock: what was allowed for a session is over, and nothing that is open will be answered.
    pub(crate) fn lock(&self) {
        let mut state = self.state();
        state.sessions.clear();
        for open in state.open.drain(..) {
            open.answer.send_replace(Some(Err(Closed::Locked)));
        }
    }
}

/// One who waits for an answer. When the last of them goes away, so does the question.
struct Asker<'a> {
    engine: &'a Engine,
    id: PromptId,
}

impl Drop for Asker<'_> {
    fn drop(&mut self) {
        let mut state = self.engine.inner.prompts.state();
        let Some(at) = state.open.iter().position(|open| open.prompt.id == self.id) else {
            return;
        };
        state.open[at].askers -= 1;
        if state.open[at].askers == 0 {
            state.open.remove(at);
            state.show_first(self.engine.now());
            drop(state);
            self.engine.prompts_changed();
        }
    }
}

impl Engine {
    /// Shows a question after those before it, and waits for its end.
    pub(super) async fn shown_and_answered(
        &self,
        caller: &Caller,
        wanted: &AccessRequest,
        store: Option<Arc<SealedStore>>,
    ) -> Result<Answered, Error> {
        let (asker, mut answer) = self.queue(caller, wanted)?;
        self.prompts_changed();
        let mut changes = self.changes();
        let prompts = &self.inner.prompts;
        let closed = loop {
            let ends = prompts.end_of(asker.id);
            tokio::select! {
                ended = answer.wait_for(Option::is_some) => {
                    match ended.ok().and_then(|answer| (*answer).clone()) {
                        Some(Ok(Answered { answer: PromptAnswer::Deny, .. })) => return Err(refusal(Rule::Denied)),
                        Some(Ok(answered)) => {
                            if store.is_some() && self.store().is_err() {
                                return Err(Error::Locked);
                            }
                            return Ok(answered);
                        }
                        Some(Err(closed)) => break closed,
                        None => break Closed::Gone,
                    }
                }
                () = reached(ends) => match prompts.ended_shown(asker.id) {
                    Some(true) => {
                        let now = self.now();
                        prompts.state().pauses.denied(&self.requester(caller, wanted), now);
                        return Err(refusal(Rule::Unanswered));
                    }
                    // The user has seen nothing of it.
                    Some(false) => return Err(Error::NotShown),
                    None => {}
                },
                () = tokio::time::sleep(POLL_INTERVAL) => {
                    if caller.peer().is_some_and(|peer| !tokenry_peer::is_unchanged(peer)) {
                        break Closed::Gone;
                    }
                }
                change = changes.recv() => {
                    // The index is what the question was made from: a receiver that fell behind looks again, too.
                    if store.is_some() && self.store().is_err() {
                        break Closed::Locked;
                    }
                    let is_other = || store.as_ref().is_some_and(|store| self.shows_otherwise(store, wanted, asker.id));
                    if matches!(change, Err(broadcast::error::RecvError::Closed)) || is_other() {
                        break Closed::Changed;
                    }
                }
            }
        };
        Err(closed.into())
    }

    /// The open vault, which a prompt is about. A damaged one that does not open can still be salvaged: `None` then.
    pub(super) fn store_to_ask(&self, operation: Operation) -> Result<Option<Arc<SealedStore>>, Error> {
        match self.store() {
            Err(Error::StaysDamaged(_)) if operation == Operation::SalvageVault => Ok(None),
            found => found.map(Some),
        }
    }

    /// Takes a place in the queue, or joins those who wait for the very same question.
    fn queue(
        &self,
        caller: &Caller,
        wanted: &AccessRequest,
    ) -> Result<(Asker<'_>, watch::Receiver<Ended>), Error> {
        let (requester, now) = (self.requester(caller, wanted), self.now());
        let timeout = match wanted.operation {
            Operation::AuthorizeApp => AUTHORIZATION_TIMEOUT,
            _ => CONSENT_TIMEOUT.max(wait_for_the_user().unwrap_or_default()),
        };
        let has_session = requester.who.as_ref().is_some_and(Who::has_session);
        let prompt = self.prompt(
            caller,
            wanted,
            has_session,
            now,
            tokenry_core::later(now, QUEUE_TIMEOUT),
        )?;
        let mut state = self.inner.prompts.state();
        if let Some(wait) = state.pauses.left(&requester, now) {
            let wait = Some(wait);
            return Err(Error::NotAllowed {
                rule: Rule::DeniedBefore,
                wait,
            });
        }
        let same = |open: &&mut Open| {
            requester.who.is_some() && open.requester.who == requester.who && open.wanted.is_same(wanted)
        };
        if let Some(open) = state.open.iter_mut().find(same) {
            open.askers += 1;
            let id = open.prompt.id;
            return Ok((Asker { engine: self, id }, open.answer.subscribe()));
        }
        let of_one = state
            .open
            .iter()
            .filter(|open| open.requester.is_kin(&requester))
            .count();
        // A crowd of unknown programs must not keep out the one that the user works with.
        let most = if state.pauses.is_welcome(&requester, now) {
            MAX_PROMPTS
        } else {
            MAX_PROMPTS_OF_UNKNOWN
        };
        if state.open.len() >= most || of_one >= MAX_PROMPTS_OF_ONE {
            return Err(Error::TooManyQuestions);
        }
        let id = prompt.id;
        let (answer, receiver) = watch::channel(None);
        state.open.push_back(Open {
            prompt,
            wanted: wanted.clone(),
            requester,
            caller: caller.clone(),
            askers: 1,
            wrong_passphrases: 0,
            answer,
            timeout,
            ends: Instant::now() + QUEUE_TIMEOUT,
        });
        state.show_first(now);
        drop(state);
        // Here already: who goes away before the answer, or asks to be a nuisance, is seen to have asked.
        let asked = self.event_about(caller, wanted, EventKind::ConsentAsked, Outcome::Done);
        self.inner.activity.push(asked);
        Ok((Asker { engine: self, id }, receiver))
    }

    /// The open questions, the one to be answered first.
    ///
    /// # Errors
    /// For callers who may not see them.
    pub fn prompts(&self, caller: &Caller) -> Result<Vec<Prompt>, Error> {
        self.allow(caller, Operation::ReadPrompts)?;
        self.prompts_are_watched();
        let state = self.inner.prompts.state();
        let count = state.open.len();
        let numbered = state.open.iter().enumerate();
        Ok(numbered
            .map(|(at, open)| Prompt {
                ahead: at,
                waiting: count - at - 1,
                ..open.prompt.clone()
            })
            .collect())
    }

    /// A line of the log about a question.
    pub(super) fn event_about(
        &self,
        caller: &Caller,
        wanted: &AccessRequest,
        kind: EventKind,
        outcome: Outcome,
    ) -> Event {
        self.event(caller, kind, outcome)
            .with_provider(wanted.provider)
            .with_connection(wanted.target.connection)
            .with_detail(operation_words(wanted.operation))
            .with_credential(wanted.target.credential)
            .with_app(wanted.authorization.as_ref().map(|request| request.app))
    }

    /// Whether the question with this id would look different now.
    fn shows_otherwise(&self, store: &SealedStore, wanted: &AccessRequest, id: PromptId) -> bool {
        let state = self.inner.prompts.state();
        let Some(open) = state.find(id) else {
            return false;
        };
        let prompt = open.prompt.clone();
        drop(state);
        self.differs(store, &prompt, wanted)
    }

    pub(super) fn prompts_changed(&self) {
        let _ = self.inner.changes.send(Change::Prompts);
    }
}

/// Whether the user is asked although the decision cannot be written down by itself: it is written down with what it does.
pub(super) fn is_asked_of_damaged_vaults(operation: Operation) -> bool {
    matches!(operation, Operation::AcceptOlder | Operation::SalvageVault)
}

async fn reached(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        // It was answered, and those who wait will hear of it.
        None => std::future::pending().await,
    }
}
