//! The order of the house, as tests: what the compiler does not see.

// Helpers are not tests to clippy.
#![allow(clippy::unwrap_used)]

mod documents;
mod edges;
mod files;
mod promises;
mod tree;
