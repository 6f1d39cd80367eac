//! The audit: who got what, counted from the activity log.
//!
//! Repeated refusals stand in the log several times, with a growing count: the newest state of a line counts. The
//! memory that an audit takes is bounded by the number of its entries.

use super::{
    fold::Seen,
    read::{Unwritten, open_line},
};
use crate::{
    Engine, Error,
    access::{policy::Operation, resolve},
    engine::blocking,
    records::{index::Index, sealed_store::SealedStore},
};
use std::collections::{BTreeSet, HashMap, HashSet};
use tokenry_core::{
    AppId, Audit, AuditEntry, AuditRule, Caller, CallerKind, ConnectionId, CredentialId, Event, EventKind,
    Outcome, ProviderId, Rule, Timestamp,
};

/// The entries of one audit; what more requesters did is only counted.
const MAX_ENTRIES: usize = 5_000;
/// The scopes that one entry lists.
const MAX_SCOPES: usize = 100;
/// How many lines are read at a time.
const BATCH_LINES: u32 = 500;

/// Which part of the log is counted. Everything, when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only this program: its path, or its file name.
    pub program: Option<String>,
    /// Only this app: its id or name.
    pub app: Option<String>,
    /// Only this connection: its id or name.
    pub connection: Option<String>,
    /// Only this credential: its id or name.
    pub credential: Option<String>,
    /// Only what happened from this time on.
    pub since: Option<Timestamp>,
}

/// The same, resolved.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) program: Option<String>,
    pub(crate) app: Option<AppId>,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) credential: Option<CredentialId>,
    pub(crate) since: Option<Timestamp>,
}

impl Scope {
    /// What was removed is found by its id.
    fn resolved(filter: &AuditFilter, index: &Index) -> Result<Self, Error> {
        let app = filter.app.as_deref().map(|app| {
            let found = resolve::app(index, app).map(|app| app.id);
            found.or_else(|error| app.parse().map_err(|_| error))
        });
        let connection = filter.connection.as_deref().map(|reference| {
            let found = resolve::connection(index, reference, |_| true).map(|connection| connection.id);
            found.or_else(|error| reference.parse().map_err(|_| error))
        });
        let credential = filter.credential.as_deref().map(|reference| {
            let found = resolve::credential(index, reference).or_else(|| reference.parse().ok());
            found.ok_or_else(|| crate::credentials::none(reference))
        });
        Ok(Self {
            program: filter.program.clone(),
            app: app.transpose()?,
            connection: connection.transpose()?,
            credential: credential.transpose()?,
            since: filter.since,
        })
    }

    fn admits(&self, event: &Event) -> bool {
        let is_program = |wanted: &String| {
            let program = event.caller.peer().and_then(|peer| peer.program.as_deref());
            program.is_some_and(|program| {
                program == wanted || (!wanted.contains('/') && program.rsplit('/').next() == Some(wanted))
            })
        };
        self.program.as_ref().is_none_or(is_program)
            && self.app.is_none_or(|app| event.caller.app() == Some(app))
            && self.connection.is_none_or(|id| event.connection == Some(id))
            && self.credential.is_none_or(|id| event.credential == Some(id))
            && self.since.is_none_or(|since| event.at >= since)
    }
}

/// Who asked for what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    caller: CallerKind,
    program: Option<String>,
    app: Option<AppId>,
    provider: Option<ProviderId>,
    connection: Option<ConnectionId>,
    credential: Option<CredentialId>,
}

impl Key {
    fn of(event: &Event) -> Self {
        Self {
            caller: event.caller.kind(),
            program: event.caller.peer().and_then(|peer| peer.program.clone()),
            app: event.caller.app(),
            provider: event.provider,
            connection: event.connection,
            credential: event.credential,
        }
    }
}

/// What one requester got of one thing.
struct Sum {
    handed_out: u64,
    refused: u64,
    failed: u64,
    first: Timestamp,
    last: Timestamp,
    scopes: BTreeSet<String>,
    rules: Vec<(Rule, u64)>,
    valid_until: Option<Timestamp>,
    unknown_end: u64,
}

impl Sum {
    fn new(at: Timestamp) -> Self {
        Self {
            handed_out: 0,
            refused: 0,
            failed: 0,
            first: at,
            last: at,
            scopes: BTreeSet::new(),
            rules: Vec::new(),
            valid_until: None,
            unknown_end: 0,
        }
    }

    /// `may_be_valid`: the provider has not revoked its tokens since.
    fn add(&mut self, event: &Event, may_be_valid: bool, now: Timestamp) {
        let count = event.count;
        self.first = self.first.min(event.first_at.unwrap_or(event.at));
        self.last = self.last.max(event.at);
        let so_far = match event.outcome {
            Outcome::Done => &mut self.handed_out,
            Outcome::Refused => &mut self.refused,
            Outcome::Failed => &mut self.failed,
        };
        *so_far = so_far.saturating_add(count);
        if let Some(rule) = event.rule {
            match self.rules.iter_mut().find(|(known, _)| *known == rule) {
                Some((_, so_far)) => *so_far = so_far.saturating_add(count),
                None => self.rules.push((rule, count)),
            }
        }
        for scope in event.token_scopes.iter().flat_map(|scopes| scopes.iter()) {
            if self.scopes.len() < MAX_SCOPES {
                self.scopes.insert(scope.to_owned());
            }
        }
        if event.outcome != Outcome::Done || event.kind != EventKind::TokenHandedOut || !may_be_valid {
            return;
        }
        match event.token_expires_at {
            Some(end) if end > now => self.valid_until = self.valid_until.max(Some(end)),
            Some(_) => {}
            None => self.unknown_end = self.unknown_end.saturating_add(count),
        }
    }
}

impl Engine {
    /// Who got what: the requests for tokens and for the values of credentials, counted by requester and by what they
    /// asked for. The newest request comes first.
    ///
    /// # Errors
    /// When the caller may not; while locked; when there is no such app, connection or credential.
    pub async fn audit(&self, caller: &Caller, filter: &AuditFilter) -> Result<Audit, Error> {
        self.allow(caller, Operation::ReadActivity)?;
        let store = self.store()?;
        let scope = Scope::resolved(filter, &store.index())?;
        self.audited(scope).await
    }

    pub(crate) async fn audited(&self, scope: Scope) -> Result<Audit, Error> {
        self.flush_activity().await;
        let store = self.store()?;
        let unwritten = Unwritten {
            counts: self.inner.activity.counts(),
            now: self.now(),
        };
        blocking(move || store.audit(&scope, unwritten)).await
    }
}

/// An audit on its way through the log, from the newest line to the oldest.
struct Counting<'a> {
    scope: &'a Scope,
    now: Timestamp,
    seen: Seen,
    /// Of these connections the provider revoked the tokens that were handed out before.
    revoked: HashSet<ConnectionId>,
    sums: HashMap<Key, Sum>,
    left_out: u64,
}

impl Counting<'_> {
    fn line(&mut self, event: &Event) {
        if event.kind == EventKind::Revoked && event.outcome == Outcome::Done && event.detail.is_none() {
            self.revoked.extend(event.connection);
            return;
        }
        let is_request = matches!(
            event.kind,
            EventKind::TokenHandedOut | EventKind::CredentialHandedOut
        );
        if !is_request || !self.scope.admits(event) || !self.seen.is_newest(event) {
            return;
        }
        let may_be_valid = event.connection.is_none_or(|id| !self.revoked.contains(&id));
        let is_full = self.sums.len() >= MAX_ENTRIES;
        let key = Key::of(event);
        if let Some(sum) = self.sums.get_mut(&key) {
            sum.add(event, may_be_valid, self.now);
        } else if is_full {
            self.left_out = self.left_out.saturating_add(event.count);
        } else {
            let sum = self.sums.entry(key).or_insert_with(|| Sum::new(event.at));
            sum.add(event, may_be_valid, self.now);
        }
    }
}

impl SealedStore {
    pub(super) fn audit(&self, scope: &Scope, unwritten: Unwritten) -> Result<Audit, Error> {
        let mut counting = Counting {
            scope,
            now: unwritten.now,
            seen: Seen::default(),
            revoked: HashSet::new(),
            sums: HashMap::new(),
            left_out: 0,
        };
        unwritten.counts.iter().for_each(|event| counting.line(event));
        let first = self.log_start();
        let (mut mark, mut from, mut damaged) = (None, None, 0_u64);
        loop {
            let mut rows = self.database().events_before(mark, BATCH_LINES)?;
            rows.retain(|(seq, _)| *seq >= first);
            let Some((oldest, _)) = rows.last() else {
                break;
            };
            let above = mark.unwrap_or_else(|| self.log_end().0);
            // Numbers without a line, inside of this batch and before it.
            damaged += u64::try_from(above - oldest)
                .unwrap_or(0)
                .saturating_sub(rows.len() as u64);
            mark = Some(*oldest);
            for (seq, sealed) in &rows {
                match open_line(self.vault(), *seq, sealed) {
                    Ok((_, event)) => {
                        from = Some(event.at);
                        counting.line(&event);
                    }
                    Err(_) => damaged += 1,
                }
            }
        }
        damaged += u64::try_from(mark.unwrap_or(first) - first).unwrap_or(0);
        Ok(Audit {
            entries: self.entries(counting.sums),
            from,
            left_out: counting.left_out,
            damaged_lines: damaged,
        })
    }

    /// The newest request first; in a fixed order where two are of one moment.
    fn entries(&self, sums: HashMap<Key, Sum>) -> Vec<AuditEntry> {
        let index = self.index();
        let mut entries: Vec<_> = sums
            .into_iter()
            .map(|(key, sum)| entry(&index, key, sum))
            .collect();
        let order = |entry: &AuditEntry| {
            (
                std::cmp::Reverse(entry.last),
                entry.program.clone(),
                entry.app_id,
                entry.connection_id,
                entry.credential_id,
            )
        };
        entries.sort_by_cached_key(order);
        entries
    }
}

fn entry(index: &Index, key: Key, mut sum: Sum) -> AuditEntry {
    sum.rules.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rules = sum.rules.into_iter().map(|(rule, count)| AuditRule {
        rule: rule.word(),
        grant_id: rule.grant().map(|id| id.uuid()),
        count,
    });
    let connection = key.connection.and_then(|id| index.connection(id));
    let credential = key.credential.and_then(|id| index.credential(id));
    AuditEntry {
        caller: key.caller,
        program: key.program,
        app_id: key.app.map(|id| id.uuid()),
        app: key
            .app
            .and_then(|id| index.app(id))
            .map(|app| app.name.to_string()),
        provider_id: key.provider.map(|id| id.uuid()),
        connection_id: key.connection.map(|id| id.uuid()),
        connection: connection.map(|connection| index.name_of(connection)),
        credential_id: key.credential.map(|id| id.uuid()),
        credential: credential.map(|credential| credential.name.to_string()),
        handed_out: sum.handed_out,
        refused: sum.refused,
        failed: sum.failed,
        first: sum.first,
        last: sum.last,
        scopes: sum.scopes.into_iter().collect(),
        rules: rules.collect(),
        valid_until: sum.valid_until,
        unknown_end: sum.unknown_end,
    }
}
