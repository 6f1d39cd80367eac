//! Sealed records: their store, its transactions, the index in memory, and the journal of refreshes.

pub(crate) mod index;
pub(crate) mod journal;
#[cfg(test)]
mod many_tests;
pub(crate) mod record;
pub(crate) mod sealed_store;
pub(crate) mod served;
pub(crate) mod transaction;
