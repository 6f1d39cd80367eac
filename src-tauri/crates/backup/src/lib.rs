//! The format of a backup: an age v1 file whose plaintext is JSON lines. It encodes and decodes bytes, and knows no vault.
//!
//! The first line is the [`Header`]. Each following line is one [`Entry`]. The last line holds the number of entries and the
//! SHA-256 of all bytes before it:
//!
//! ```json
//! {"format":"tokenry-backup","version":1,"vault":"…","made_at":"…","with_refresh_tokens":false,"counts":{…}}
//! {"provider":{…}}
//! {"connection":{…}}
//! {"end":{"entries":2,"sha256":"…"}}
//! ```
//!
//! What must never be true of this crate: that anything of a file counts before age has authenticated it; that a file is
//! taken for whole without its last line; that a file can demand more memory or time than the limits here; that a passphrase,
//! a key or a record shows in an error or in `Debug`.
#![deny(missing_docs)]

mod entry;
mod error;
mod key;
mod read;
mod write;

pub use entry::{Counts, Entry, FORMAT, Header, SavedConnection, SavedStatus, VERSION};
pub use error::Error;
pub use key::{Key, MAX_RECIPIENTS, MAX_WORK_FACTOR, Seal, WORK_FACTOR};
pub use read::{MAX_ENTRIES, MAX_FILE_BYTES, MAX_LINE_BYTES, Reader};
pub use write::{Digest, Prepared, Writer};

#[cfg(test)]
mod tests;
