//! What a backup is encrypted for, and what opens it.

use crate::Error;
use age::{
    DecryptError, EncryptError, Encryptor, Identity, Recipient, scrypt,
    secrecy::{ExposeSecret as _, SecretString},
    x25519,
};
use age_core::format::{FileKey, Stanza};
use std::{cell::RefCell, collections::HashSet};
use tokenry_core::Secret;
use zeroize::Zeroizing;

/// The most recipients of one backup.
pub const MAX_RECIPIENTS: usize = 32;

/// The scrypt work factor that we write: 2^18 rounds in 256 MiB, as the `age` program does.
pub const WORK_FACTOR: u8 = 18;

/// The largest scrypt work factor that we compute: 1 GiB of memory.
pub const MAX_WORK_FACTOR: u8 = 20;

/// More identities than this in one file are not tried.
const MAX_IDENTITIES: usize = 64;

/// What a backup is encrypted for.
pub enum Seal {
    /// The holders of these keys.
    Recipients(Vec<x25519::Recipient>),
    /// A passphrase.
    Passphrase {
        /// It.
        passphrase: Secret,
        /// The exponent of the number of scrypt rounds.
        work_factor: u8,
    },
}

impl Seal {
    /// For the holders of these keys (`age1…`).
    ///
    /// # Errors
    /// [`Error::RecipientCount`], [`Error::BadRecipient`], [`Error::SecretAsRecipient`].
    pub fn recipients(texts: &[String]) -> Result<Self, Error> {
        if texts.is_empty() || texts.len() > MAX_RECIPIENTS {
            return Err(Error::RecipientCount);
        }
        let read = |(at, text): (usize, &String)| {
            if text.trim().to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
                return Err(Error::SecretAsRecipient(at + 1));
            }
            text.trim().parse().map_err(|_| Error::BadRecipient(at + 1))
        };
        let all: Result<Vec<x25519::Recipient>, Error> = texts.iter().enumerate().map(read).collect();
        Ok(Self::Recipients(all?))
    }

    /// For a passphrase.
    pub fn passphrase(passphrase: Secret) -> Self {
        Self::Passphrase {
            passphrase,
            work_factor: WORK_FACTOR,
        }
    }

    /// Makes the keys of one file; with a passphrase this takes about a second. The key opens that very file.
    pub(crate) fn encryptor(&self) -> Result<(Encryptor, Key), Error> {
        match self {
            Self::Recipients(recipients) => {
                let seen = Seen::new(recipients);
                let encryptor = Encryptor::with_recipients(std::iter::once(&seen as &dyn Recipient));
                let encryptor = encryptor.map_err(|_| Error::RecipientCount)?;
                let bytes = seen.file_key.into_inner().ok_or(Error::RecipientCount)?;
                Ok((encryptor, Key(Inner::File(bytes))))
            }
            Self::Passphrase {
                passphrase,
                work_factor,
            } => {
                let mut recipient = scrypt::Recipient::new(text(passphrase));
                recipient.set_work_factor(*work_factor);
                let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as &dyn Recipient));
                let encryptor = encryptor.map_err(|_| Error::RecipientCount)?;
                Ok((encryptor, Key::passphrase(passphrase)))
            }
        }
    }
}

/// All recipients as one, which keeps the key of the file: only with it can a file be read again that is for others.
struct Seen<'a> {
    recipients: &'a [x25519::Recipient],
    file_key: RefCell<Option<Zeroizing<[u8; 16]>>>,
}

impl<'a> Seen<'a> {
    fn new(recipients: &'a [x25519::Recipient]) -> Self {
        Self {
            recipients,
            file_key: RefCell::default(),
        }
    }
}

impl Recipient for Seen<'_> {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let mut stanzas = Vec::new();
        for recipient in self.recipients {
            stanzas.extend(recipient.wrap_file_key(file_key)?.0);
        }
        *self.file_key.borrow_mut() = Some(Zeroizing::new(*file_key.expose_secret()));
        Ok((stanzas, HashSet::new()))
    }
}

/// What opens a backup.
pub struct Key(Inner);

enum Inner {
    Passphrase(SecretString),
    Identities(Vec<x25519::Identity>),
    /// The key of one file that was just written.
    File(Zeroizing<[u8; 16]>),
}

impl Key {
    /// A passphrase.
    pub fn passphrase(passphrase: &Secret) -> Self {
        Self(Inner::Passphrase(text(passphrase)))
    }

    /// The content of an identity file: lines `AGE-SECRET-KEY-1…`, comments and empty lines.
    ///
    /// # Errors
    /// [`Error::BadIdentity`].
    pub fn identities(content: &Secret) -> Result<Self, Error> {
        let lines = content.expose().lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let all: Result<Vec<x25519::Identity>, _> = lines.take(MAX_IDENTITIES).map(str::parse).collect();
        match all {
            Ok(all) if !all.is_empty() => Ok(Self(Inner::Identities(all))),
            _ => Err(Error::BadIdentity),
        }
    }

    /// Whether it fits a file that is encrypted with a passphrase, or one that is not.
    pub(crate) fn check(&self, is_scrypt: bool) -> Result<(), Error> {
        match (&self.0, is_scrypt) {
            (Inner::Passphrase(_), false) => Err(Error::NeedsIdentity),
            (Inner::Identities(_), true) => Err(Error::NeedsPassphrase),
            _ => Ok(()),
        }
    }

    /// Calls `open` with the identities.
    pub(crate) fn with<T>(
        &self,
        open: impl FnOnce(Vec<&dyn Identity>) -> Result<T, DecryptError>,
    ) -> Result<T, Error> {
        let opened = match &self.0 {
            Inner::Passphrase(passphrase) => {
                let mut identity = scrypt::Identity::new(passphrase.clone());
                identity.set_max_work_factor(MAX_WORK_FACTOR);
                open(vec![&identity])
            }
            Inner::Identities(all) => open(all.iter().map(|identity| identity as &dyn Identity).collect()),
            Inner::File(bytes) => open(vec![&FileIdentity(bytes)]),
        };
        opened.map_err(|error| self.refusal(error))
    }

    fn refusal(&self, error: DecryptError) -> Error {
        match error {
            DecryptError::ExcessiveWork { required, .. } => Error::TooMuchWork { required },
            DecryptError::DecryptionFailed
            | DecryptError::KeyDecryptionFailed
            | DecryptError::NoMatchingKeys => match &self.0 {
                Inner::Passphrase(_) => Error::WrongPassphrase,
                Inner::Identities(_) => Error::WrongIdentity,
                Inner::File(_) => Error::Damaged("its header was changed"),
            },
            DecryptError::InvalidMac => Error::Damaged("its header was changed"),
            DecryptError::Io(error) => error.into(),
            _ => Error::Damaged("its header cannot be read"),
        }
    }
}

/// Opens the file that this key was made for.
struct FileIdentity<'a>(&'a Zeroizing<[u8; 16]>);

impl Identity for FileIdentity<'_> {
    fn unwrap_stanza(&self, _: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        Some(Ok(FileKey::init_with_mut(|key| key.copy_from_slice(&**self.0))))
    }
}

fn text(secret: &Secret) -> SecretString {
    SecretString::from(secret.expose().to_owned())
}
