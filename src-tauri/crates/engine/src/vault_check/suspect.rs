//! Which one row explains that the manifest's sum does not fit.
//!
//! The sum is one of keyed terms, so what is left of it is the term of a row that was deleted, or the difference of two
//! versions of one row. Where several rows were changed, nothing is found.

use tokenry_store::Table;
use tokenry_vault::{RunningSum, Vault};

/// How many terms are tried: about a second.
const MAX_TERMS: u64 = 400_000;

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspect {
    /// It has this version, and the manifest counts that one.
    Older { is: u64, was: u64 },
    /// It is not there, and had this version.
    Deleted { was: u64 },
    /// The manifest does not count it.
    Added,
}

/// `left` is the manifest's sum without the terms of all rows that were found; `gone` are rows that should be there.
pub(super) fn find(
    vault: &Vault,
    left: &RunningSum,
    found: &[(Table, i64, u64)],
    gone: impl Iterator<Item = (Table, i64)>,
    epoch: u64,
) -> Option<(Table, i64, Suspect)> {
    let term = |table: Table, row: i64, version: u64| vault.row_sum(table.name(), row, version);
    for (table, row, version) in found {
        let mut added = RunningSum::default();
        added.remove(&term(*table, *row, *version));
        if added == *left {
            return Some((*table, *row, Suspect::Added));
        }
    }
    let mut terms = 0;
    for (table, row) in gone {
        for was in (1..=epoch).rev() {
            terms += 1;
            if terms > MAX_TERMS {
                return None;
            }
            let mut deleted = RunningSum::default();
            deleted.add(&term(table, row, was));
            if deleted == *left {
                return Some((table, row, Suspect::Deleted { was }));
            }
        }
    }
    for (table, row, is) in found {
        let mut without = *left;
        without.add(&term(*table, *row, *is));
        for was in (is.saturating_add(1)..=epoch).rev() {
            terms += 1;
            if terms > MAX_TERMS {
                return None;
            }
            let mut counted = RunningSum::default();
            counted.add(&term(*table, *row, was));
            if counted == without {
                return Some((*table, *row, Suspect::Older { is: *is, was }));
            }
        }
    }
    None
}
