use super::{
    misfit::misfit,
    pause::Pauses,
    permit::{Wanted, refusal},
    prompt::Prompt,
    session::{Sessions, Who},
    shown::operation_words,
};
use crate::{Change, Engine, Error, engine::blocking, ledger::Ledger, peer, policy::Operation};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokenry_core::{
    Caller, ConnectionId, CredentialId, Event, EventKind, Outcome, PromptId, Rule, Secret, Timestamp,
};
use tokio::sync::{broadcast, watch};

/// Silence is a no after this long; for an app that wants to be authorized, where there is something to choose, later.
const PATIENCE: Duration = Duration::from_secs(60);
const PATIENCE_FOR_APPS: Duration = Duration::from_secs(180);
/// How many questions may be open, and how many of one program.
const MOST: usize = 8;
const MOST_OF_ONE: usize = 3;
/// What a wrong approval code costs.
const WRONG_CODE: Duration = Duration::from_secs(1);
/// How often it is looked whether who asked is still there and still the same program.
const LOOK: Duration = Duration::from_millis(250);

/// A yes or no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// No.
    Deny,
    /// Yes, this once.
    Once,
    /// Yes, and not asked again for this session.
    Session,
    /// Yes, an app may have these connections and credentials until this time.
    App {
        /// What it may use.
        connections: BTreeSet<ConnectionId>,
        /// What it may use of what is not OAuth.
        credentials: BTreeSet<CredentialId>,
        /// Until when.
        until: Option<Timestamp>,
    },
}

/// How whoever answers proves that it is the person.
#[derive(Debug)]
pub enum Proof {
    /// The number that only the window which asks for consent was told.
    Number(Secret),
    /// The code that an engine without a window printed when it started.
    Code(Secret),
}

/// The answer to a question, and the rule that stands in the log for it.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) rule: Rule,
    pub(crate) answer: Answer,
}

/// The open questions, one after the other, and what is remembered of the ones before.
#[derive(Default)]
pub(crate) struct Prompts(Mutex<State>);

#[derive(Default)]
struct State {
    open: VecDeque<Open>,
    sessions: Sessions,
    pauses: Pauses,
}

struct Open {
    prompt: Prompt,
    wanted: Wanted,
    who: Option<Who>,
    caller: Caller,
    /// How many wait for the answer.
    askers: usize,
    answer: watch::Sender<Ended>,
}

type Ended = Option<Result<Answered, Closed>>;

/// Why a question was closed without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    Locked,
    Changed,
    Gone,
    NotLogged,
}

impl From<Closed> for Error {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Locked => Self::Locked,
            Closed::Changed => Self::Conflict(
                "what you asked for changed while its person was looking at the question; ask again".to_owned(),
            ),
            Closed::Gone => Self::Denied("the program that asked is not the one that would be answered"),
            Closed::NotLogged => Self::Internal(
                "the decision could not be written to the activity log, so it does not count; look at the disk"
                    .to_owned(),
            ),
        }
    }
}

impl Prompts {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn session_covers(&self, caller: &Caller, wanted: &Wanted, now: Timestamp) -> bool {
        let mut state = self.state();
        if state.sessions.is_empty() {
            return false;
        }
        Who::of(caller).is_some_and(|who| state.sessions.covers(&who, wanted, now))
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
            drop(state);
            self.engine.prompts_changed();
        }
    }
}

impl Engine {
    /// Asks the person, and waits: until the answer, a minute of silence, a lock, or until who asked is gone or has
    /// become another program.
    ///
    /// # Errors
    /// On anything but a yes.
    pub(crate) async fn ask(&self, caller: &Caller, wanted: &Wanted) -> Result<Answered, Error> {
        let ledger = self.ledger()?;
        let (asker, mut answer, ends_in) = self.queue(caller, wanted)?;
        self.prompts_changed();
        let mut changes = self.changes();
        let over = tokio::time::sleep(ends_in);
        tokio::pin!(over);
        let closed = loop {
            tokio::select! {
                ended = answer.wait_for(Option::is_some) => {
                    match ended.ok().and_then(|answer| (*answer).clone()) {
                        Some(Ok(Answered { answer: Answer::Deny, .. })) => return Err(refusal(Rule::Denied)),
                        Some(Ok(answered)) => {
                            if self.ledger().is_err() {
                                return Err(Error::Locked);
                            }
                            return Ok(answered);
                        }
                        Some(Err(closed)) => break closed,
                        None => break Closed::Gone,
                    }
                }
                () = &mut over => {
                    self.inner.prompts.state().pauses.denied(self.who(caller, wanted), self.now());
                    return Err(refusal(Rule::Unanswered));
                }
                () = tokio::time::sleep(LOOK) => {
                    if caller.peer().is_some_and(|peer| !peer::is_unchanged(peer)) {
                        break Closed::Gone;
                    }
                }
                change = changes.recv() => {
                    // The index is what the question was made from: whoever fell behind looks again, too.
                    if self.ledger().is_err() {
                        break Closed::Locked;
                    }
                    if matches!(change, Err(broadcast::error::RecvError::Closed)) || self.shows_otherwise(&ledger, wanted, asker.id) {
                        break Closed::Changed;
                    }
                }
            }
        };
        Err(closed.into())
    }

    /// Takes a place in the queue, or joins those who wait for the very same question.
    fn queue(
        &self,
        caller: &Caller,
        wanted: &Wanted,
    ) -> Result<(Asker<'_>, watch::Receiver<Ended>, Duration), Error> {
        let (who, now) = (self.who(caller, wanted), self.now());
        let patience = match wanted.operation {
            Operation::AuthorizeApp => PATIENCE_FOR_APPS,
            _ => PATIENCE,
        };
        let mut prompt = self.prompt(
            caller,
            wanted,
            who.as_ref().is_some_and(Who::has_session),
            now,
            patience,
        )?;
        let mut state = self.inner.prompts.state();
        if let Some(wait) = state.pauses.left(&who, now) {
            let wait = Some(wait);
            return Err(Error::NotAllowed {
                rule: Rule::DeniedBefore,
                wait,
            });
        }
        let same = |open: &&mut Open| who.is_some() && open.who == who && open.wanted.is_same(wanted);
        if let Some(open) = state.open.iter_mut().find(same) {
            open.askers += 1;
            let id = open.prompt.id;
            let left = open.prompt.ends_at.duration_since(now).unsigned_abs();
            return Ok((Asker { engine: self, id }, open.answer.subscribe(), left));
        }
        let of_one = state.open.iter().filter(|open| open.who == who).count();
        if state.open.len() >= MOST || of_one >= MOST_OF_ONE {
            return Err(Error::TooManyQuestions);
        }
        prompt.waiting = 0;
        let id = prompt.id;
        let (answer, receiver) = watch::channel(None);
        state.open.push_back(Open {
            prompt,
            wanted: wanted.clone(),
            who,
            caller: caller.clone(),
            askers: 1,
            answer,
        });
        drop(state);
        // Here already: who goes away before the answer, or asks to be a nuisance, is seen to have asked.
        let asked = self.event_about(caller, wanted, EventKind::ConsentAsked, Outcome::Done);
        self.inner.activity.push(asked);
        Ok((Asker { engine: self, id }, receiver, patience))
    }

    /// The open questions, the one to be answered first.
    ///
    /// # Errors
    /// For callers who may not see them.
    pub fn prompts(&self, caller: &Caller) -> Result<Vec<Prompt>, Error> {
        self.allow(caller, Operation::ReadPrompts)?;
        let state = self.inner.prompts.state();
        let count = state.open.len();
        let numbered = state.open.iter().enumerate();
        Ok(numbered
            .map(|(at, open)| Prompt {
                waiting: count - at - 1,
                ..open.prompt.clone()
            })
            .collect())
    }

    /// Answers a question. The decision is in the activity log, on the disk, before anybody hears of it.
    ///
    /// # Errors
    /// When there is no such question any more, the proof is none, or the decision could not be written down.
    pub async fn answer(
        &self,
        caller: &Caller,
        id: PromptId,
        proof: &Proof,
        answer: Answer,
    ) -> Result<(), Error> {
        self.check_proof(caller, id, proof).await?;
        // Out of the queue first: nobody answers it a second time.
        let open = {
            let mut state = self.inner.prompts.state();
            let at = state.open.iter().position(|open| open.prompt.id == id);
            let at = at.ok_or_else(|| no_question(id))?;
            if let Some(wrong) = misfit(&state.open[at].prompt, &answer, self.now()) {
                return Err(wrong);
            }
            state.open.remove(at).ok_or_else(|| no_question(id))?
        };
        self.prompts_changed();
        let closed = self.decided(open, answer).await;
        closed.map_or(Ok(()), |closed| Err(closed.into()))
    }

    /// Writes a decision down and tells those who wait. Gives the reason when it does not count.
    async fn decided(&self, open: Open, answer: Answer) -> Option<Closed> {
        let close = |closed| {
            open.answer.send_replace(Some(Err(closed)));
            Some(closed)
        };
        let unchanged = open.caller.peer().is_none_or(peer::is_unchanged);
        if answer != Answer::Deny && !unchanged {
            return close(Closed::Gone);
        }
        let Ok(ledger) = self.ledger() else {
            return close(Closed::Locked);
        };
        if answer != Answer::Deny && self.differs(&ledger, &open.prompt, &open.wanted) {
            return close(Closed::Changed);
        }
        let (rule, outcome) = match &answer {
            Answer::Deny => (Rule::Denied, Outcome::Refused),
            Answer::Session => (Rule::Session, Outcome::Done),
            Answer::Once | Answer::App { .. } => (Rule::Once, Outcome::Done),
        };
        let now = self.now();
        let event = self
            .event_about(&open.caller, &open.wanted, EventKind::ConsentDecided, outcome)
            .by(rule);
        let written = blocking(move || ledger.change(now, |transaction| transaction.event(&event))).await;
        if let Err(error) = written {
            tracing::error!("a decision could not be written down and does not count: {error}");
            return close(Closed::NotLogged);
        }
        let mut state = self.inner.prompts.state();
        match (&answer, &open.who) {
            (Answer::Deny, who) => state.pauses.denied(who.clone(), now),
            (Answer::Session, Some(who)) => {
                state.sessions.allow(who.clone(), open.wanted.clone(), now);
                state.pauses.allowed(&open.who);
            }
            _ => state.pauses.allowed(&open.who),
        }
        drop(state);
        open.answer.send_replace(Some(Ok(Answered { rule, answer })));
        None
    }

    /// A line of the log about a question.
    fn event_about(&self, caller: &Caller, wanted: &Wanted, kind: EventKind, outcome: Outcome) -> Event {
        let mut event = self.event(
            caller,
            kind,
            wanted.provider,
            wanted.target.connection,
            outcome,
            Some(operation_words(wanted.operation)),
        );
        event.credential = wanted.target.credential;
        event.app = wanted.authorization.as_ref().map(|request| request.app);
        event
    }

    async fn check_proof(&self, caller: &Caller, id: PromptId, proof: &Proof) -> Result<(), Error> {
        let wrong =
            || Error::Denied("only the window that asks for consent, or `tokenry approve`, may answer");
        match proof {
            Proof::Number(given) => {
                self.allow(caller, Operation::Answer).map_err(|_| wrong())?;
                let state = self.inner.prompts.state();
                let open = state.open.iter().find(|open| open.prompt.id == id);
                let open = open.ok_or_else(|| no_question(id))?;
                match tokenry_oauth::same_secret(&open.prompt.number, given) {
                    true => Ok(()),
                    false => Err(wrong()),
                }
            }
            Proof::Code(given) => match (caller, &self.inner.approval_code) {
                (Caller::Program(_), Some(code)) if tokenry_oauth::same_secret(code, given) => Ok(()),
                (Caller::Program(_), Some(_)) => {
                    // One at a time, and a second each: nobody gets through 40 bits like that.
                    let _turn = self.inner.guessing.lock().await;
                    tokio::time::sleep(WRONG_CODE).await;
                    Err(Error::Denied(
                        "the approval code is wrong; it stands where `tokenry serve` was started",
                    ))
                }
                _ => Err(wrong()),
            },
        }
    }

    /// Whether the question with this id would look different now.
    fn shows_otherwise(&self, ledger: &Ledger, wanted: &Wanted, id: PromptId) -> bool {
        let state = self.inner.prompts.state();
        let Some(open) = state.open.iter().find(|open| open.prompt.id == id) else {
            return false;
        };
        let prompt = open.prompt.clone();
        drop(state);
        self.differs(ledger, &prompt, wanted)
    }

    fn prompts_changed(&self) {
        let _ = self.inner.changes.send(Change::Prompts);
    }
}

fn no_question(id: PromptId) -> Error {
    Error::not_found("question", &id.to_string(), "it was answered, or is over")
}
