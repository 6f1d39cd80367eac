//! What can go wrong with a backup file. No message holds a byte of a record, a passphrase or a key.

use crate::{MAX_ENTRIES, MAX_FILE_BYTES, MAX_LINE_BYTES, MAX_RECIPIENTS, MAX_WORK_FACTOR, VERSION};
use std::io;

/// What can go wrong with a backup file. Each message follows the name of the file, or stands alone where the file does not
/// matter.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something else than an age file.
    #[error(
        "is not an age file; choose a file that `tokenry backup` wrote, in its binary form (not ASCII-armored)"
    )]
    NotAge,
    /// Its header is longer than any that we write.
    #[error("has an age header that is too large; Tokenry writes at most {MAX_RECIPIENTS} recipients")]
    HeaderTooLarge,
    /// It is encrypted with a passphrase, and none was given.
    #[error("is encrypted with a passphrase; give the passphrase instead of an identity")]
    NeedsPassphrase,
    /// It is encrypted for recipients, and a passphrase was given.
    #[error("is encrypted for recipients (age1…); give the identity of one of them instead of a passphrase")]
    NeedsIdentity,
    /// The passphrase does not open it.
    #[error("does not open with this passphrase; type it again")]
    WrongPassphrase,
    /// None of the identities opens it.
    #[error("does not open with this identity; give the identity of a recipient that it was encrypted for")]
    WrongIdentity,
    /// Its passphrase costs more than we compute.
    #[error(
        "asks for a scrypt work factor of {required}, and Tokenry computes at most {MAX_WORK_FACTOR} (1 GiB of memory), so nothing was computed; decrypt it with `age` and encrypt it again with a usual work factor"
    )]
    TooMuchWork {
        /// The exponent in the file.
        required: u8,
    },
    /// It was changed, or is cut off.
    #[error("is damaged ({0}), so nothing of it was used; take another copy of this backup")]
    Damaged(&'static str),
    /// It opens, and holds something else.
    #[error("is an age file and not a backup of Tokenry; choose a file that `tokenry backup` wrote")]
    NotABackup,
    /// A newer version wrote it.
    #[error(
        "has format {found}, and this version reads up to format {VERSION}; restore it with the newer version of Tokenry"
    )]
    Newer {
        /// Its format.
        found: u32,
    },
    /// An entry that cannot be one.
    #[error(
        "has an entry in line {line} that Tokenry did not write, so nothing of it was used; take another backup"
    )]
    BadEntry {
        /// Its line in the plaintext, from 1.
        line: u64,
    },
    /// An entry that the vault would not take.
    #[error("holds {0}, so nothing of it was used; take another backup")]
    Unusable(String),
    /// More than any backup has.
    #[error(
        "is larger than a backup can be: at most {} MiB, {MAX_ENTRIES} entries and {} MiB for each; take another backup",
        MAX_FILE_BYTES >> 20,
        MAX_LINE_BYTES >> 20
    )]
    TooLarge,
    /// The operating system.
    #[error("could not be used ({0})")]
    Io(#[source] io::Error),
    /// A recipient that is none. Its position, from 1.
    #[error(
        "recipient {0} is not an age recipient: it must be age1 and 58 letters and digits, as `age-keygen -y` prints it"
    )]
    BadRecipient(usize),
    /// A secret key in the place of a recipient. Its position, from 1.
    #[error(
        "recipient {0} is a secret key (AGE-SECRET-KEY-…), which others may have seen now; make a new one with `age-keygen`, and give its recipient, which begins with age1"
    )]
    SecretAsRecipient(usize),
    /// Too many or none.
    #[error("give 1 to {MAX_RECIPIENTS} recipients")]
    RecipientCount,
    /// An identity file without an identity that we read.
    #[error(
        "the identity is not an age identity: it must have a line that begins with AGE-SECRET-KEY-1, as `age-keygen` writes it"
    )]
    BadIdentity,
}

impl Error {
    /// Whether it is about what the caller gave, and not about a file.
    pub fn is_about_input(&self) -> bool {
        matches!(
            self,
            Self::BadRecipient(_) | Self::SecretAsRecipient(_) | Self::RecipientCount | Self::BadIdentity
        )
    }
}

impl From<io::Error> for Error {
    /// The age crate reports a changed or cut-off payload as an error of reading.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => Self::Damaged("it was changed or cut off"),
            io::ErrorKind::UnexpectedEof => Self::Damaged("it is cut off"),
            _ => Self::Io(error),
        }
    }
}
