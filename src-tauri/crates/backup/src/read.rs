//! Reads a backup, entry by entry. A file that ends without its last line is an error, however many entries came before.

use crate::{Counts, Digest, Entry, Error, FORMAT, Header, Key, SavedConnection, VERSION};
use age::{DecryptError, Decryptor, stream::StreamReader};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::io::{self, BufRead, BufReader, Cursor, Read};
use tokenry_core::{Credential, Provider, Settings};
use zeroize::Zeroizing;

/// The longest file, in bytes.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// The longest line, in bytes: more than the largest credential.
pub const MAX_LINE_BYTES: u64 = 8 << 20;

/// The most entries.
pub const MAX_ENTRIES: u64 = 200_000;

/// The longest age header: more than that of [`MAX_RECIPIENTS`](crate::MAX_RECIPIENTS) recipients. The age crate reads one
/// of any length.
const MAX_AGE_HEADER_BYTES: usize = 16 * 1024;

const MAGIC: &[u8] = b"age-encryption.org/";

/// The start of a file, which was looked at, and the rest of it.
type Whole<R> = io::Chain<Cursor<Vec<u8>>, BufReader<R>>;

/// A backup that is being read.
pub struct Reader<R: Read> {
    input: BufReader<StreamReader<Whole<R>>>,
    header: Header,
    hash: Sha256,
    lines: u64,
    counts: Counts,
    digest: Option<Digest>,
}

/// Every line but the first.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Provider(Box<Provider>),
    Connection(Box<SavedConnection>),
    Credential(Box<Credential>),
    Settings(Box<Settings>),
    End(End),
}

#[derive(Deserialize)]
struct End {
    entries: u64,
    sha256: String,
}

impl<R: Read> Reader<R> {
    /// Opens a file. With a passphrase this takes about a second.
    ///
    /// # Errors
    /// Each that [`Error`] has for a file.
    pub fn open(mut file: R, key: &Key) -> Result<Self, Error> {
        let start = age_header(&mut file)?;
        let whole = Cursor::new(start).chain(BufReader::with_capacity(64 * 1024, file));
        let decryptor = Decryptor::new_buffered(whole).map_err(not_age)?;
        key.check(decryptor.is_scrypt())?;
        let stream = key.with(|identities| decryptor.decrypt(identities.into_iter()))?;
        let mut reader = Self {
            input: BufReader::with_capacity(64 * 1024, stream),
            header: Header {
                format: String::new(),
                version: 0,
                vault: String::new(),
                made_at: tokenry_core::Timestamp::UNIX_EPOCH,
                with_refresh_tokens: false,
                counts: Counts::default(),
            },
            hash: Sha256::new(),
            lines: 0,
            counts: Counts::default(),
            digest: None,
        };
        let line = reader.line()?.ok_or(Error::NotABackup)?;
        reader.header = header(&line)?;
        reader.hash.update(&*line);
        Ok(reader)
    }

    /// The first line.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next entry; `None` after the last one, when the file is known to be whole.
    ///
    /// # Errors
    /// Each that [`Error`] has for a file. Nothing that was read before counts then.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        if self.digest.is_some() {
            return Ok(None);
        }
        let line = self.line()?.ok_or(Error::Damaged("its last line is missing"))?;
        let bad = Error::BadEntry { line: self.lines };
        let entry = match serde_json::from_slice(&line).map_err(|_| bad)? {
            Line::Provider(provider) => Entry::Provider(provider),
            Line::Connection(connection) => Entry::Connection(connection),
            Line::Credential(credential) => Entry::Credential(credential),
            Line::Settings(settings) => Entry::Settings(settings),
            Line::End(end) => {
                self.end(&end, &line)?;
                return Ok(None);
            }
        };
        self.hash.update(&*line);
        self.counts.add(&entry);
        if self.counts.sum() > MAX_ENTRIES {
            return Err(Error::TooLarge);
        }
        Ok(Some(entry))
    }

    /// The hash of the whole plaintext, once it was read to its end.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    fn end(&mut self, end: &End, line: &[u8]) -> Result<(), Error> {
        let sum = tokenry_core::hex(&self.hash.clone().finalize());
        let is_whole =
            end.sha256 == **sum && end.entries == self.counts.sum() && self.counts == self.header.counts;
        if !is_whole || self.line()?.is_some() {
            return Err(Error::Damaged("its entries are not those that were written"));
        }
        self.hash.update(line);
        self.digest = Some(self.hash.clone().finalize().into());
        Ok(())
    }

    /// The next line with its end; `None` at the end of the file.
    fn line(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let mut line = Zeroizing::new(Vec::with_capacity(4096));
        let mut bounded = (&mut self.input).take(MAX_LINE_BYTES + 1);
        bounded.read_until(b'\n', &mut line)?;
        if line.len() as u64 > MAX_LINE_BYTES {
            return Err(Error::TooLarge);
        }
        if line.is_empty() {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            return Err(Error::Damaged("its last line is cut off"));
        }
        self.lines += 1;
        Ok(Some(line))
    }
}

/// The start of the file, with the whole age header in it. The header ends with the line of its MAC.
fn age_header(file: &mut impl Read) -> Result<Vec<u8>, Error> {
    let mut start = Vec::new();
    file.take(MAX_AGE_HEADER_BYTES as u64)
        .read_to_end(&mut start)
        .map_err(Error::Io)?;
    let common = start.len().min(MAGIC.len());
    if start[..common] != MAGIC[..common] || start.is_empty() {
        return Err(Error::NotAge);
    }
    let has_mac = start.windows(5).any(|part| part == b"\n--- ");
    match (has_mac, start.len() == MAX_AGE_HEADER_BYTES) {
        (true, _) => Ok(start),
        (false, true) => Err(Error::HeaderTooLarge),
        (false, false) => Err(Error::Damaged("it is cut off")),
    }
}

fn not_age(error: DecryptError) -> Error {
    match error {
        DecryptError::Io(error) => error.into(),
        DecryptError::UnknownFormat => Error::NotAge,
        _ => Error::Damaged("its header cannot be read"),
    }
}

fn header(line: &[u8]) -> Result<Header, Error> {
    #[derive(Deserialize)]
    struct Kind {
        format: String,
        version: u32,
    }
    let kind: Kind = serde_json::from_slice(line).map_err(|_| Error::NotABackup)?;
    if kind.format != FORMAT || kind.version == 0 {
        return Err(Error::NotABackup);
    }
    if kind.version > VERSION {
        return Err(Error::Newer { found: kind.version });
    }
    serde_json::from_slice(line).map_err(|_| Error::BadEntry { line: 1 })
}
