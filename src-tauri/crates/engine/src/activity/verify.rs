//! Checks the whole activity log: every line, their numbers, and the hash chain over them.

use super::read::open_line;
use crate::{Engine, Error, access::policy::Operation, engine::blocking, records::sealed_store::Manifest};
use tokenry_core::{Caller, LogCheck, LogProblem, LogProblemKind, Timestamp};
use tokenry_store::{Reader, Store};
use tokenry_vault::Vault;

/// How many problems are told; more are counted.
const MAX_PROBLEMS: usize = 100;

impl Engine {
    /// Reads the whole activity log and says whether it is as it was written.
    ///
    /// # Errors
    /// When the caller may not; while locked; when the database cannot be read.
    pub async fn check_events(&self, caller: &Caller) -> Result<LogCheck, Error> {
        self.allow(caller, Operation::ReadActivity)?;
        self.flush_activity().await;
        let store = self.store()?;
        blocking(move || check_log(store.vault(), store.database())).await
    }
}

fn check_log(vault: &Vault, database: &Store) -> Result<LogCheck, Error> {
    // The manifest and the lines are of one moment.
    database.read(|reader| {
        let manifest = Manifest::opened(vault, reader.manifest()?)?;
        match log_in(vault, reader, Some(manifest)) {
            (_, Some(error)) => Err(error.into()),
            (check, None) => Ok(check),
        }
    })
}

/// The same, as far as the log can be read. Without a manifest only the lines themselves are compared.
pub(crate) fn log_in(
    vault: &Vault,
    reader: &Reader<'_>,
    manifest: Option<Manifest>,
) -> (LogCheck, Option<tokenry_store::Error>) {
    let mut walk = Walk::new(vault, manifest);
    let error = reader.readable_events(|seq, sealed| walk.line(seq, sealed));
    (walk.ended(), error)
}

/// A walk over the log, from its oldest line to its newest.
struct Walk<'a> {
    vault: &'a Vault,
    manifest: Option<Manifest>,
    /// The number of the next line, if it is known.
    next: Option<i64>,
    /// What the hash chain has come to before that line, if it is known.
    chain: Option<[u8; 32]>,
    first_line: Option<i64>,
    last_line: i64,
    at: (Option<Timestamp>, Option<Timestamp>),
    lines: u64,
    problems: Vec<LogProblem>,
    more_problems: u64,
}

impl<'a> Walk<'a> {
    fn new(vault: &'a Vault, manifest: Option<Manifest>) -> Self {
        let first = manifest.as_ref().map(|manifest| manifest.first_event);
        Self {
            vault,
            manifest,
            next: first,
            chain: (first == Some(1)).then_some([0; 32]),
            first_line: first,
            last_line: 0,
            at: (None, None),
            lines: 0,
            problems: Vec::new(),
            more_problems: 0,
        }
    }

    fn line(&mut self, seq: i64, sealed: &[u8]) {
        let end = self.manifest.as_ref().map(|manifest| manifest.next_event);
        let next = *self.next.get_or_insert(seq);
        if seq < next || end.is_some_and(|end| seq >= end) {
            self.problem(seq, seq, LogProblemKind::Surplus);
            return;
        }
        if seq > next {
            self.problem(next, seq - 1, LogProblemKind::Missing);
            self.chain = None;
        }
        (self.next, self.last_line) = (seq.checked_add(1), seq);
        self.first_line.get_or_insert(seq);
        match open_line(self.vault, seq, sealed) {
            Ok((before, event)) => {
                self.lines += 1;
                if let (Some(before), Some(chain)) = (before, self.chain)
                    && before != chain
                {
                    // The line before leads elsewhere: it is not the one that this line was written after.
                    self.lines = self.lines.saturating_sub(1);
                    self.problem(seq - 1, seq - 1, LogProblemKind::Replaced);
                }
                let chain = before.or(self.chain);
                self.chain = chain.map(|chain| self.vault.chain(&chain, sealed));
                self.at = (self.at.0.or(Some(event.at)), Some(event.at));
            }
            Err(_) => {
                self.problem(seq, seq, LogProblemKind::Damaged);
                self.chain = None;
            }
        }
    }

    fn problem(&mut self, first_line: i64, last_line: i64, kind: LogProblemKind) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(LogProblem {
                first_line,
                last_line,
                kind,
            });
        } else {
            self.more_problems += 1;
        }
    }

    /// Compares the end of the log with the manifest.
    fn ended(mut self) -> LogCheck {
        if let Some(manifest) = self.manifest.take() {
            let (next, end) = (self.next.unwrap_or(manifest.first_event), manifest.next_event);
            if next < end {
                self.problem(next, end - 1, LogProblemKind::Missing);
            } else if next == end && self.chain.is_some_and(|chain| chain != manifest.chain) {
                self.lines = self.lines.saturating_sub(1);
                self.problem(end - 1, end - 1, LogProblemKind::Replaced);
            }
            self.last_line = end - 1;
        }
        LogCheck {
            whole: self.problems.is_empty(),
            lines: self.lines,
            first_line: self.first_line.unwrap_or(1),
            last_line: self.last_line,
            first_at: self.at.0,
            last_at: self.at.1,
            problems: self.problems,
            more_problems: self.more_problems,
        }
    }
}
