//! The engine's start and end, the vault it opens and locks, and what it keeps outside of the profile.

pub(crate) mod auto_lock;
pub(crate) mod floors;
pub(crate) mod latest_time;
pub(crate) mod older_copy;
pub(crate) mod options;
pub(crate) mod passphrase_queue;
pub(crate) mod recover;
pub mod residue;
pub(crate) mod run_state;
pub(crate) mod slots;
mod state_folder;
mod unlock;
pub(crate) mod unlock_request;
pub(crate) mod unlocker;
pub(crate) mod vault_handle;
