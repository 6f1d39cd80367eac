//! Answering a question: by the window that asks, or with the approval code.

use super::{
    misfit::misfit,
    queue::{Answered, Closed, Open, is_asked_of_damaged_vaults},
};
use crate::{Engine, Error, access::policy::Operation, records::sealed_store::SealedStore};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokenry_core::{
    Caller, Code, ConnectionId, CredentialId, EventKind, Outcome, PromptId, Rule, Secret, Timestamp,
};

/// After so many wrong passphrases a question is denied.
const MAX_WRONG_PASSPHRASES: u32 = 3;

/// What a wrong approval code costs.
const WRONG_CODE_DELAY: Duration = Duration::from_secs(1);

/// A yes or no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptAnswer {
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

/// How an answer is proved to come from the user.
#[derive(Debug)]
pub enum Proof {
    /// The number that only the window which asks for consent was told.
    Number(Secret),
    /// The code that an engine without a window printed when it started.
    Code(Secret),
}

impl Engine {
    /// Answers a question that takes no passphrase.
    ///
    /// # Errors
    /// As [`Engine::answer_with`].
    pub async fn answer(
        &self,
        caller: &Caller,
        id: PromptId,
        proof: &Proof,
        answer: PromptAnswer,
    ) -> Result<(), Error> {
        self.answer_with(caller, id, proof, answer, None).await
    }

    /// Answers a question. The decision is in the activity log, on the disk, before anybody hears of it.
    ///
    /// # Errors
    /// When there is no such question any more, the proof is none, the passphrase is needed and missing or wrong, or the
    /// decision could not be written down.
    pub async fn answer_with(
        &self,
        caller: &Caller,
        id: PromptId,
        proof: &Proof,
        answer: PromptAnswer,
        passphrase: Option<Secret>,
    ) -> Result<(), Error> {
        self.check_proof(caller, id, proof).await?;
        if answer != PromptAnswer::Deny {
            self.check_passphrase(id, passphrase).await?;
        }
        // Out of the queue first: it is not answered a second time.
        let open = {
            let mut state = self.inner.prompts.state();
            let at = state.open.iter().position(|open| open.prompt.id == id);
            let at = at.ok_or_else(|| no_question(id))?;
            if let Some(wrong) = misfit(&state.open[at].prompt, &answer, self.now()) {
                return Err(wrong);
            }
            let open = state.open.remove(at).ok_or_else(|| no_question(id))?;
            state.show_first(self.now());
            open
        };
        self.prompts_changed();
        let closed = self.decided(open, answer).await;
        closed.map_or(Ok(()), |closed| Err(closed.into()))
    }

    /// Writes a decision down and tells those who wait. Gives the reason when it does not count.
    async fn decided(&self, open: Open, answer: PromptAnswer) -> Option<Closed> {
        let close = |closed| {
            open.answer.send_replace(Some(Err(closed)));
            Some(closed)
        };
        let unchanged = open.caller.peer().is_none_or(tokenry_peer::is_unchanged);
        if answer != PromptAnswer::Deny && !unchanged {
            return close(Closed::Gone);
        }
        let Ok(store) = self.store_to_ask(open.wanted.operation) else {
            return close(Closed::Locked);
        };
        let differs = |store: &Arc<SealedStore>| self.differs(store, &open.prompt, &open.wanted);
        if answer != PromptAnswer::Deny && store.as_ref().is_some_and(differs) {
            return close(Closed::Changed);
        }
        let cut_offs = self.inner.prompts.cut_offs();
        let (rule, outcome) = match &answer {
            PromptAnswer::Deny => (Rule::Denied, Outcome::Refused),
            PromptAnswer::Session => (Rule::Session, Outcome::Done),
            PromptAnswer::Once | PromptAnswer::App { .. } => (Rule::Once, Outcome::Done),
        };
        let now = self.now();
        let event = self
            .event_about(&open.caller, &open.wanted, EventKind::ConsentDecided, outcome)
            .by(rule);
        // Of a vault that may only be read, the decision is written down with what it does, or not at all.
        let written = match store {
            Some(store)
                if store.read_only().is_none() || !is_asked_of_damaged_vaults(open.wanted.operation) =>
            {
                self.commit(&store, move |transaction| transaction.event(&event))
                    .await
            }
            _ => Ok(()),
        };
        if let Err(error) = written {
            tracing::error!("a decision could not be written down and does not count: {error}");
            return close(Closed::NotLogged);
        }
        if answer == PromptAnswer::Session && self.inner.prompts.cut_offs() != cut_offs {
            return close(Closed::CutOff);
        }
        let mut state = self.inner.prompts.state();
        match (&answer, &open.requester.who) {
            (PromptAnswer::Deny, _) => state.pauses.denied(&open.requester, now),
            (PromptAnswer::Session, Some(who)) => {
                state
                    .sessions
                    .allow(who.clone(), open.wanted.clone(), self.inner.clock.boottime());
                state.pauses.allowed(&open.requester, now);
            }
            _ => state.pauses.allowed(&open.requester, now),
        }
        drop(state);
        open.answer.send_replace(Some(Ok(Answered { rule, answer })));
        None
    }

    /// The passphrase, where the question takes it. The third wrong one denies the question.
    async fn check_passphrase(&self, id: PromptId, passphrase: Option<Secret>) -> Result<(), Error> {
        let takes_it = {
            let state = self.inner.prompts.state();
            let open = state.open.iter().find(|open| open.prompt.id == id);
            open.ok_or_else(|| no_question(id))?.prompt.passphrase
        };
        if !takes_it {
            return Ok(());
        }
        let missing = || Error::field("passphrase", "is needed to allow this, as the settings say");
        let wrong = match self.prove_passphrase(passphrase.ok_or_else(missing)?).await {
            Ok(()) => return Ok(()),
            Err(wrong) if wrong.code() == Code::ValidationError => wrong,
            Err(other) => return Err(other),
        };
        let denied = {
            let mut state = self.inner.prompts.state();
            let at = state.open.iter().position(|open| open.prompt.id == id);
            let at = at.ok_or_else(|| no_question(id))?;
            let open = &mut state.open[at];
            open.wrong_passphrases += 1;
            let (kind, outcome) = (EventKind::ConsentDecided, Outcome::Failed);
            let event = self
                .event_about(&open.caller, &open.wanted, kind, outcome)
                .with_detail("a wrong passphrase");
            let is_last = open.wrong_passphrases >= MAX_WRONG_PASSPHRASES;
            self.inner.activity.push(event);
            let denied = is_last.then(|| state.open.remove(at)).flatten();
            if is_last {
                state.show_first(self.now());
            }
            denied
        };
        match denied {
            None => Err(wrong),
            Some(open) => {
                self.prompts_changed();
                let _ = self.decided(open, PromptAnswer::Deny).await;
                Err(Error::field(
                    "passphrase",
                    "was wrong three times, so this was denied",
                ))
            }
        }
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
                match tokenry_core::same_secret(&open.prompt.number, given) {
                    true => Ok(()),
                    false => Err(wrong()),
                }
            }
            Proof::Code(given) => match (caller, &self.inner.approval_code) {
                (Caller::Program(_), Some(code)) if tokenry_core::same_secret(code, given) => Ok(()),
                (Caller::Program(_), Some(_)) => {
                    // One at a time, and a second each: 40 bits cannot be guessed like that.
                    let _turn = self.inner.guessing.lock().await;
                    tokio::time::sleep(WRONG_CODE_DELAY).await;
                    Err(Error::Denied(
                        "the approval code is wrong; it stands where `tokenry serve` was started",
                    ))
                }
                _ => Err(wrong()),
            },
        }
    }
}

fn no_question(id: PromptId) -> Error {
    Error::not_found("question", &id.to_string(), "it was answered, or is over")
}
