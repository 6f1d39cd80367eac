//! Key slots.

use crate::{Error, Reader, Store, Writer};

const ALL: &str = "SELECT slot FROM slots ORDER BY id";
const PUT: &str = "INSERT INTO slots (slot) VALUES (?1)";
const REMOVE: &str = "DELETE FROM slots WHERE slot = ?1";

impl Reader<'_> {
    /// The key slots, in the order they were put in. Opaque here.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub fn slots(&self) -> Result<Vec<Vec<u8>>, Error> {
        let mut statement = self.prepare(ALL)?;
        let mut rows = statement.query([]).map_err(|e| self.failed(e))?;
        let mut slots = Vec::new();
        while let Some(row) = rows.next().map_err(|e| self.failed(e))? {
            slots.push(self.bytes(row.get_ref(0))?.to_vec());
        }
        Ok(slots)
    }
}

impl Writer<'_> {
    /// Adds a key slot.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn put_slot(&self, slot: &[u8]) -> Result<(), Error> {
        self.execute(PUT, [slot], || Error::Conflict { table: "slots" })
            .map(drop)
    }

    /// Removes the key slot with these bytes.
    ///
    /// # Errors
    /// [`Error::Stale`] when there is none; otherwise as [`Store::write`].
    pub fn remove_slot(&self, slot: &[u8]) -> Result<(), Error> {
        let gone = || Error::Stale { table: "slots" };
        match self.execute(REMOVE, [slot], gone)? {
            0 => Err(gone()),
            _ => Ok(()),
        }
    }
}

impl Store {
    /// [`Reader::slots`] on its own.
    ///
    /// # Errors
    /// As there.
    pub fn slots(&self) -> Result<Vec<Vec<u8>>, Error> {
        self.once(|reader| reader.slots())
    }
}
