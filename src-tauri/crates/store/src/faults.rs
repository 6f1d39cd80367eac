//! A full disk on demand. Not in a shipped program: the feature is asked for by tests alone.

use crate::{Error, Store};
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Default)]
pub(crate) struct Faults {
    commits: AtomicU32,
}

impl Faults {
    pub(crate) fn may_commit(&self) -> Result<(), Error> {
        let left = self
            .commits
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() {
            Err(Error::DiskFull)
        } else {
            Ok(())
        }
    }
}

impl Store {
    /// For tests: the next `times` transactions that reach their commit end with [`Error::DiskFull`], undone.
    /// Replaces what was asked for before; 0 ends it.
    pub fn fail_commits(&self, times: u32) {
        self.faults.commits.store(times, Ordering::SeqCst);
    }
}

#[cfg(test)]
impl Store {
    /// Lets the database grow by `pages` of 4 KiB, and then SQLite itself finds the disk full. `None` ends it.
    pub(crate) fn limit_growth(&self, pages: Option<u32>) {
        let connection = self.writer();
        let ask = |what: &str| {
            connection
                .query_row(what, [], |row| row.get::<_, i64>(0))
                .unwrap()
        };
        let limit = pages.map_or(0xffff_fffe, |pages| ask("PRAGMA page_count") + i64::from(pages));
        ask(&format!("PRAGMA max_page_count = {limit}"));
    }
}
