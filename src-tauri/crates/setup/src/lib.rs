//! Sets up other programs to get their tokens from Tokenry: changes their configuration, and takes exactly that back.
//!
//! What must never be true of this crate: that it writes what the user has not seen, that a file is lost or half
//! written, that a change by others since then is undone, or that it touches a token.

mod block;
mod diff;
mod edit;
mod environment;
mod error;
mod file;
mod ini;
mod json;
mod kube_user;
mod link;
mod list;
mod plan;
mod record;
#[cfg(test)]
mod tests;
mod toml;
mod tools;
mod undo;
mod view;
mod write;

pub use environment::Environment;
pub use error::SetupError;
pub use list::{EntryState, ToolState, list};
pub use plan::{ChangeView, Plan, PlanView, plan};
pub use tools::{Address, Field, Lines, Options};
pub use undo::plan_undo;
pub use write::write;
