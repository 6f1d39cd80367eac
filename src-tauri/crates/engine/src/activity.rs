//! The activity log: how it is written, and how it is read.

pub(crate) mod buffered_random;
mod fold;
pub(crate) mod read;
pub(crate) mod write;
