//! Writes a backup, entry by entry.

use crate::{Entry, Error, Header, Key, Seal};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::io::{BufWriter, Write};
use zeroize::Zeroizing;

/// The SHA-256 of a plaintext.
pub type Digest = [u8; 32];

/// Lines are longer than this only with large values.
const LINE_BYTES: usize = 4096;

/// A backup that is being written.
pub struct Writer<W: Write> {
    output: age::stream::StreamWriter<BufWriter<W>>,
    hash: Sha256,
    entries: u64,
}

/// The last line.
#[derive(Serialize)]
struct Last {
    end: End,
}

#[derive(Serialize)]
struct End {
    entries: u64,
    sha256: String,
}

/// A backup whose keys are made, and of which nothing is written.
pub struct Prepared {
    encryptor: age::Encryptor,
}

impl Seal {
    /// Makes the keys of one file. With a passphrase this takes about a second. The returned key opens the file again: the
    /// passphrase itself, or for recipients the key of the file.
    ///
    /// # Errors
    /// [`Error::RecipientCount`].
    pub fn prepare(&self) -> Result<(Prepared, Key), Error> {
        let (encryptor, key) = self.encryptor()?;
        Ok((Prepared { encryptor }, key))
    }
}

impl Prepared {
    /// Writes the age header and the first line.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn begin<W: Write>(self, output: W, header: &Header) -> Result<Writer<W>, Error> {
        let output = self
            .encryptor
            .wrap_output(BufWriter::new(output))
            .map_err(Error::Io)?;
        let mut writer = Writer {
            output,
            hash: Sha256::new(),
            entries: 0,
        };
        writer.line(header)?;
        Ok(writer)
    }
}

impl<W: Write> Writer<W> {
    /// Adds an entry.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::TooLarge`] for one that could not be read again.
    pub fn put(&mut self, entry: &Entry) -> Result<(), Error> {
        self.entries += 1;
        if self.entries > crate::MAX_ENTRIES {
            return Err(Error::TooLarge);
        }
        self.line(entry)
    }

    /// Writes the last line, and gives the file and the hash of its whole plaintext.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(mut self) -> Result<(W, Digest), Error> {
        let end = End {
            entries: self.entries,
            sha256: tokenry_core::hex(&self.hash.clone().finalize()).to_string(),
        };
        self.line(&Last { end })?;
        let digest = self.hash.finalize().into();
        let buffer = self.output.finish().map_err(Error::Io)?;
        let file = buffer
            .into_inner()
            .map_err(|error| Error::Io(error.into_error()))?;
        Ok((file, digest))
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let mut line = Zeroizing::new(Vec::with_capacity(LINE_BYTES));
        serde_json::to_writer(&mut *line, value).map_err(|error| Error::Io(error.into()))?;
        line.push(b'\n');
        if line.len() as u64 > crate::MAX_LINE_BYTES {
            return Err(Error::TooLarge);
        }
        self.hash.update(&*line);
        self.output.write_all(&line).map_err(Error::Io)
    }
}
