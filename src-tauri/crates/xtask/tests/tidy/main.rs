//! Checks of the repository that the compiler cannot make.

// Helpers are not tests to clippy.
#![allow(clippy::unwrap_used)]

mod dependencies;
mod documents;
mod edges;
mod files;
mod promises;
mod style;
mod tree;
