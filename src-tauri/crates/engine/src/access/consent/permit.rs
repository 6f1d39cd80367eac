//! Access requests, and the permits that operations run with.

use super::{difference::Differences, pause::Requester, prompt::AuthorizationRequest, session::Who};
use crate::{
    Engine, Error,
    access::policy::{Decision, Operation, OperationPolicy as _, Question, Target, decide},
};
use tokenry_core::{
    AppId, Caller, Connection, ConnectionId, CredentialId, EventKind, Outcome, ProviderId, Rule, Scopes,
};

/// An access request in full: what is decided on, what is shown, and what an answer is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessRequest {
    pub(crate) operation: Operation,
    pub(crate) target: Target,
    pub(crate) provider: Option<ProviderId>,
    /// More that has to be known before saying yes.
    pub(crate) notes: Vec<String>,
    /// What changes, field by field.
    pub(crate) differences: Differences,
    /// An app's request at our authorization endpoint.
    pub(crate) authorization: Option<AuthorizationRequest>,
}

impl AccessRequest {
    pub(crate) fn new(operation: Operation) -> Self {
        Self {
            operation,
            target: Target::default(),
            provider: None,
            notes: Vec::new(),
            differences: Differences::default(),
            authorization: None,
        }
    }

    pub(crate) fn at(mut self, provider: ProviderId) -> Self {
        self.provider = Some(provider);
        self
    }

    pub(crate) fn of(mut self, connection: ConnectionId, owner: Option<AppId>) -> Self {
        self.target.connection = Some(connection);
        self.target.owner = owner;
        self
    }

    pub(crate) fn of_credential(mut self, credential: CredentialId, owner: Option<AppId>) -> Self {
        self.target.credential = Some(credential);
        self.target.owner = owner;
        self
    }

    pub(crate) fn owned_by(mut self, owner: Option<AppId>) -> Self {
        self.target.owner = owner;
        self
    }

    /// Whether the calling program started it itself.
    pub(crate) fn by_its_starter(mut self, is_own: bool) -> Self {
        self.target.is_own = is_own;
        self
    }

    pub(crate) fn limited_to(mut self, scopes: Option<Scopes>) -> Self {
        self.target.scopes = scopes;
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub(crate) fn changing(mut self, differences: Differences) -> Self {
        self.differences = differences;
        self
    }

    /// Whether a yes can be for the program's session. What decides where secrets go is decided each time.
    pub(super) fn can_be_for_a_session(&self) -> bool {
        self.operation.can_be_for_a_session() && !self.differences.are_decisive()
    }

    /// What a yes permits, by this rule, when the vault had been locked and something had been cut off so often.
    pub(super) fn permitted(&self, caller: &Caller, rule: Rule, locks: u64, cut_offs: u64) -> Permit {
        Permit {
            rule,
            token_scopes: self.target.scopes.clone(),
            // A caller that is no app asks within a limit only where the user is shown just that.
            is_the_most: caller.app().is_none() && self.target.scopes.is_some(),
            locks,
            cut_offs,
        }
    }

    /// Whether both are the same question.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self == other
    }

    /// Whether a yes to `allowed` is a yes to this too: the same, or a token that may do less.
    pub(super) fn is_within(&self, allowed: &Self) -> bool {
        let less = match (&allowed.target.scopes, &self.target.scopes) {
            (None, _) => true,
            (Some(most), Some(wanted)) => wanted.missing_from(most).is_empty(),
            (Some(_), None) => false,
        };
        let mut as_allowed = self.clone();
        as_allowed.target.scopes.clone_from(&allowed.target.scopes);
        less && as_allowed == *allowed
    }

    /// The line of the log that tells of a refusal.
    fn kind(&self) -> EventKind {
        match self.operation {
            Operation::Token => EventKind::TokenHandedOut,
            Operation::HandOver => EventKind::HandedOver,
            Operation::StartFlow | Operation::StepUp => EventKind::FlowStarted,
            Operation::FinishFlow => EventKind::FlowEnded,
            Operation::Refresh => EventKind::Refreshed,
            Operation::Disconnect => EventKind::Disconnected,
            Operation::WriteProviders | Operation::MoveEndpoint => EventKind::ProviderChanged,
            Operation::DeleteProvider => EventKind::ProviderRemoved,
            Operation::ReadCredential => EventKind::CredentialHandedOut,
            Operation::WriteCredentials => EventKind::CredentialChanged,
            Operation::DeleteCredential => EventKind::CredentialRemoved,
            Operation::DeleteApp => EventKind::AppRemoved,
            Operation::AuthorizeApp => EventKind::AppAuthorized,
            Operation::AcceptOlder => EventKind::OlderAccepted,
            Operation::WriteSlots => EventKind::UnlockingChanged,
            Operation::AutoLock => EventKind::SettingsChanged,
            Operation::Backup => EventKind::BackedUp,
            Operation::Restore | Operation::BackupJobs => EventKind::Restored,
            Operation::CutOff => EventKind::CutOff,
            Operation::CheckVault => EventKind::VaultChecked,
            Operation::SalvageVault => EventKind::Salvaged,
            _ => EventKind::ConsentDecided,
        }
    }
}

/// A yes: by which rule, and what of a token it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permit {
    pub(crate) rule: Rule,
    /// The most that a token may do; `None` is whatever the connection holds.
    pub(crate) token_scopes: Option<Scopes>,
    /// Whether the user agreed to that and to no more; else it is all that was asked for, and more may be given.
    pub(crate) is_the_most: bool,
    /// How often the vault had been locked when this was decided.
    locks: u64,
    /// How often the user had cut something off.
    cut_offs: u64,
}

impl Engine {
    /// Whether the caller may; asks the person when that is what the policy says. A no is in the activity log.
    ///
    /// # Errors
    /// When it may not, or the person said so, or could not be asked.
    pub(crate) async fn permit(&self, caller: &Caller, wanted: AccessRequest) -> Result<Permit, Error> {
        if matches!(wanted.operation, Operation::Token | Operation::ReadCredential) {
            self.can_be_logged(caller)?;
        }
        let (locks, cut_offs) = (self.locks(), self.inner.prompts.cut_offs());
        let (decision, limit, is_limited) = self.decide(caller, &wanted)?;
        let rule = match decision {
            Decision::Allow(rule) => Ok(rule),
            Decision::Deny(rule) => Err(denied(rule, &wanted)),
            Decision::Ask => self.ask(caller, &wanted).await.map(|answer| answer.rule),
        };
        match rule {
            Ok(rule) => {
                self.note_use();
                if let (Rule::Grant(grant), Some(app)) = (rule, caller.app()) {
                    self.inner.activity.used_grant(app, grant, self.now());
                }
                let mut permit = wanted.permitted(caller, rule, locks, cut_offs);
                permit.token_scopes = limit.or(permit.token_scopes);
                permit.is_the_most |= is_limited;
                Ok(permit)
            }
            Err(error) => {
                self.note_refusal(caller, &wanted, &error);
                Err(error)
            }
        }
    }

    /// The permit of a caller that has what it asks about already: what it would be asked for, it was allowed.
    ///
    /// # Errors
    /// As [`Self::permit`].
    pub(crate) async fn permit_known(&self, caller: &Caller, wanted: AccessRequest) -> Result<Rule, Error> {
        if matches!(self.decide(caller, &wanted)?.0, Decision::Ask) {
            return Ok(Rule::SameUser);
        }
        Ok(self.permit(caller, wanted).await?.rule)
    }

    /// Whether a hand-out could be written into the activity log. What the user takes in the window, they know of.
    fn can_be_logged(&self, caller: &Caller) -> Result<(), Error> {
        if *caller == Caller::Ui {
            return Ok(());
        }
        if let Some(why) = self.store()?.read_only() {
            return Err(Error::ReadOnly(format!(
                "what programs are handed could not be logged, so they get nothing; copy it in the window: {why}"
            )));
        }
        if self.inner.activity.is_stuck() {
            return Err(Error::Store(tokenry_store::Error::DiskFull));
        }
        Ok(())
    }

    /// Judges again when a token is handed out. A refresh can take half a minute: in the meantime the vault may have
    /// been locked, a grant taken away, or the calling program may have ended. What the user allowed in a prompt
    /// needs no second prompt.
    ///
    /// # Errors
    /// When the caller would be refused now.
    pub(crate) fn still_permitted(
        &self,
        caller: &Caller,
        wanted: &AccessRequest,
        permit: &Permit,
    ) -> Result<(), Error> {
        // Also when it was unlocked again since: what was allowed for the session ended with the lock.
        if self.locks() != permit.locks {
            return Err(Error::Locked);
        }
        // A permission of the user for a program may be among those that were ended meanwhile.
        let is_of_a_program = matches!(permit.rule, Rule::Session | Rule::Once | Rule::ApproveAll);
        if is_of_a_program && self.inner.prompts.cut_offs() != permit.cut_offs {
            return Err(Error::Denied(super::queue::CUT_OFF));
        }
        if !matches!(permit.rule, Rule::Grant(_)) {
            return Ok(());
        }
        let (decision, limit, _) = self.decide(caller, wanted)?;
        let is_within = match (&permit.token_scopes, &limit) {
            (_, None) => true,
            (Some(most), Some(limit)) => most.is_within(limit),
            (None, Some(_)) => false,
        };
        match decision {
            Decision::Allow(_) if is_within => Ok(()),
            Decision::Deny(rule) => Err(refusal(rule)),
            Decision::Allow(_) | Decision::Ask => Err(refusal(Rule::NoGrant)),
        }
    }

    /// Refuses, before the user is asked, what would be refused after a yes. What is not asked about is judged where
    /// it is done; `check` is not looked at then.
    ///
    /// # Errors
    /// Those of `check`, which are in the activity log.
    pub(crate) async fn check_before_asking(
        &self,
        caller: &Caller,
        wanted: &AccessRequest,
        check: impl Future<Output = Result<(), Error>>,
    ) -> Result<(), Error> {
        if !matches!(self.decide(caller, wanted)?.0, Decision::Ask) {
            return Ok(());
        }
        check
            .await
            .inspect_err(|error| self.note_end(caller, wanted, Outcome::Failed, error))
    }

    /// Permits what is checked for every caller, before the user is asked.
    ///
    /// # Errors
    /// Those of `check`, which are in the activity log, and those of [`Self::permit`].
    pub(crate) async fn permit_checked(
        &self,
        caller: &Caller,
        wanted: AccessRequest,
        check: impl Future<Output = Result<(), Error>>,
    ) -> Result<Permit, Error> {
        if !matches!(self.decide(caller, &wanted)?.0, Decision::Deny(_)) {
            check
                .await
                .inspect_err(|error| self.note_end(caller, &wanted, Outcome::Failed, error))?;
        }
        self.permit(caller, wanted).await
    }

    /// The same for what is never asked about: for lists and for the engine itself.
    pub(crate) fn allow(&self, caller: &Caller, operation: Operation) -> Result<(), Error> {
        self.allow_on(caller, &AccessRequest::new(operation))
    }

    pub(crate) fn allow_on(&self, caller: &Caller, wanted: &AccessRequest) -> Result<(), Error> {
        match self.decide(caller, wanted)?.0 {
            Decision::Allow(_) => Ok(()),
            Decision::Ask => Err(refusal(Rule::CannotAsk)),
            Decision::Deny(rule) => Err(denied(rule, wanted)),
        }
    }

    /// Refuses, with a line in the log, what would be refused whatever the user says. No prompt appears.
    pub(crate) fn not_denied(&self, caller: &Caller, wanted: &AccessRequest) -> Result<(), Error> {
        match self.decide(caller, wanted)?.0 {
            Decision::Allow(_) | Decision::Ask => Ok(()),
            Decision::Deny(rule) => {
                let error = denied(rule, wanted);
                self.note_refusal(caller, wanted, &error);
                Err(error)
            }
        }
    }

    /// Whether this would not be refused at once. No prompt appears, and nothing is written.
    pub(crate) fn may_do(&self, caller: &Caller, operation: Operation, connection: &Connection) -> bool {
        let wanted = AccessRequest::new(operation)
            .at(connection.provider)
            .of(connection.id, connection.started_by);
        let decision = self.decide(caller, &wanted);
        decision.is_ok_and(|(decision, ..)| !matches!(decision, Decision::Deny(_)))
    }

    /// The decision; what of a token it is good for; and whether a grant says so.
    fn decide(
        &self,
        caller: &Caller,
        wanted: &AccessRequest,
    ) -> Result<(Decision, Option<Scopes>, bool), Error> {
        let mut question = Question {
            caller,
            operation: wanted.operation,
            target: &wanted.target,
            grants: &[],
            session: false,
            asking: self.inner.asking,
            now: self.now(),
        };
        let Some(app) = caller.app() else {
            question.session = self
                .inner
                .prompts
                .session_covers(caller, wanted, self.inner.clock.boottime());
            return Ok((decide(&question), None, false));
        };
        let store = self.store()?;
        let index = store.index();
        let grants: Vec<_> = index.grants_of(app).collect();
        question.grants = &grants;
        question.now = store.latest.seen(question.now);
        question.session = self
            .inner
            .prompts
            .session_covers(caller, wanted, self.inner.clock.boottime());
        let decision = decide(&question);
        let limit = match decision {
            Decision::Allow(Rule::Grant(id)) => grants
                .iter()
                .find(|grant| grant.id == id)
                .and_then(|grant| grant.token_scopes.clone()),
            _ => None,
        };
        let is_limited = limit.is_some();
        // What was asked for is within that, or the grant would not cover it.
        Ok((decision, wanted.target.scopes.clone().or(limit), is_limited))
    }

    pub(crate) fn note_refusal(&self, caller: &Caller, wanted: &AccessRequest, error: &Error) {
        self.note_end(caller, wanted, Outcome::Refused, error);
    }

    fn note_end(&self, caller: &Caller, wanted: &AccessRequest, outcome: Outcome, error: &Error) {
        let mut event = self
            .event(caller, wanted.kind(), outcome)
            .with_provider(wanted.provider)
            .with_connection(wanted.target.connection)
            .with_detail(&error.to_string())
            .with_credential(wanted.target.credential)
            .with_app(wanted.authorization.as_ref().map(|request| request.app));
        event.rule = error.rule();
        self.inner.activity.push(event);
    }

    /// Who asks, as far as it is known. An app that wants to be authorized comes through the person's browser: a no
    /// to one is not a no to another.
    pub(super) fn requester(&self, caller: &Caller, wanted: &AccessRequest) -> Requester {
        let app = wanted.authorization.as_ref().map(|request| request.app);
        Requester {
            who: Who::of(caller).map(|who| who.on_behalf_of(app)),
            // A browser brings the requests of many apps.
            lineage: match app {
                None => caller.peer().map(tokenry_peer::lineage).unwrap_or_default(),
                Some(_) => Vec::new(),
            },
        }
    }
}

/// What a no of the policy is called; an app is told which scopes it lacks.
fn denied(rule: Rule, wanted: &AccessRequest) -> Error {
    match rule {
        Rule::NoGrant => Error::no_grant(&[wanted.operation]),
        rule => refusal(rule),
    }
}

/// What a no is called.
pub(super) fn refusal(rule: Rule) -> Error {
    match rule {
        Rule::Denied | Rule::DeniedBefore | Rule::Unanswered => Error::NotAllowed { rule, wait: None },
        Rule::CannotAsk => Error::CannotAsk,
        _ => Error::Denied("this caller may not do that"),
    }
}
