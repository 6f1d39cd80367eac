//! What is kept on disk: sealed records in SQLite, one engine per folder.
//!
//! A record is an integer id, a version, the time of its last change, a keyed hash to find it by, and sealed
//! bytes. What must never be true of this crate: that it knows what is inside those bytes. It names neither
//! vault nor crypto, and nothing in it can tell a provider from a token but by the table it was put in.
//!
//! The rest of its laws: one writer, a commit is on the disk before it is answered, readers never wait for it,
//! a file is private from its first moment, and a profile that is damaged, foreign or newer is left as it is.
#![deny(missing_docs)]

mod connect;
mod create;
mod damage;
mod error;
mod event;
#[cfg(any(test, feature = "faults"))]
mod faults;
mod files;
mod lock;
mod manifest;
mod pool;
mod private;
mod reader;
mod record;
mod reserve;
mod rows;
mod schema;
mod slot;
mod small_file;
mod spill;
mod store;
mod table;
mod writer;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use files::{FilesReport, file_report};
pub use lock::ProfileLock;
pub use reader::Reader;
pub use record::Row;
pub use schema::SCHEMA;
pub use small_file::{private_folder, read_file, replace_file};
pub use spill::{FoundSpill, remove_spill, spill, spilled, spilled_each};
pub use store::Store;
pub use table::Table;
pub use writer::Writer;
