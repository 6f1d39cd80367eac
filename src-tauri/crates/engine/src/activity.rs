//! The activity log: how it is written, read, checked and summarized.

pub(crate) mod audit;
pub(crate) mod buffered_random;
mod fold;
pub(crate) mod read;
pub(crate) mod verify;
pub(crate) mod write;
