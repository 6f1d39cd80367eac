//! The manifest over all rows.

use crate::{Error, Reader, Store, Table, Writer, damage, spill};

const VAULT: &str = "SELECT vault FROM meta";
const CREATE: &str = "INSERT INTO meta (id, vault) VALUES (1, ?1)";
const MANIFEST: &str = "SELECT sealed FROM manifest";
const SET: &str = "INSERT INTO manifest (id, sealed) VALUES (1, ?1)
     ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed";

impl Reader<'_> {
    /// The id of the vault; `None` while no vault was made, which is true only of a file that holds nothing at all.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the id is gone and anything else is there: a new vault would take the old one's place.
    /// Otherwise as [`Reader::get`].
    pub fn vault_id(&self) -> Result<Option<[u8; 16]>, Error> {
        let Some(bytes) = self.only(VAULT)? else {
            return match self.first_table_with_rows()? {
                None => Ok(None),
                Some(table) => Err(self.damaged(&format!(
                    "the vault's id is gone, and there still are rows in its table {table}"
                ))),
            };
        };
        bytes
            .try_into()
            .map(Some)
            .map_err(|_| self.damaged("the vault's id has the wrong length"))
    }

    /// The sealed manifest.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub fn manifest(&self) -> Result<Option<Vec<u8>>, Error> {
        self.only(MANIFEST)
    }

    fn first_table_with_rows(&self) -> Result<Option<&'static str>, Error> {
        let tables = ["slots", "manifest", "events"].into_iter();
        for table in tables.chain(Table::ALL.iter().map(|table| table.name())) {
            let exists = format!("SELECT EXISTS (SELECT 1 FROM {table})");
            let found: bool = self
                .connection
                .query_row(&exists, [], |row| row.get(0))
                .map_err(|error| self.failed(error))?;
            if found {
                return Ok(Some(table));
            }
        }
        Ok(None)
    }

    fn only(&self, sql: &str) -> Result<Option<Vec<u8>>, Error> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query([]).map_err(|e| self.failed(e))?;
        let Some(row) = rows.next().map_err(|e| self.failed(e))? else {
            return Ok(None);
        };
        self.bytes(row.get_ref(0)).map(|bytes| Some(bytes.to_vec()))
    }
}

impl Writer<'_> {
    /// Writes down that there is a vault now.
    ///
    /// # Errors
    /// [`Error::VaultExists`] when there was one before, [`Error::Damaged`] when something of it is left; otherwise
    /// as [`Store::write`].
    pub fn create_vault(&self, id: [u8; 16]) -> Result<(), Error> {
        if self.vault_id()?.is_some() {
            return Err(Error::VaultExists);
        }
        self.execute(CREATE, [&id[..]], || Error::VaultExists).map(drop)
    }

    /// Puts the sealed manifest in the place of the one before.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn set_manifest(&self, sealed: &[u8]) -> Result<(), Error> {
        self.execute(SET, [sealed], || Error::Conflict { table: "manifest" })
            .map(drop)
    }
}

impl Store {
    /// [`Reader::vault_id`] on its own, with an eye on the folder: a spilled record without its vault is a part of one
    /// that was lost.
    ///
    /// # Errors
    /// As there; [`Error::Damaged`] for a spilled record.
    pub fn vault_id(&self) -> Result<Option<[u8; 16]>, Error> {
        let id = self.once(|reader| reader.vault_id())?;
        if id.is_none() && spill::is_any_in(self.folder())? {
            return Err(damage::damaged(
                self.folder(),
                "it holds sealed records, and its database has no vault",
            ));
        }
        Ok(id)
    }

    /// [`Reader::manifest`] on its own.
    ///
    /// # Errors
    /// As there.
    pub fn manifest(&self) -> Result<Option<Vec<u8>>, Error> {
        self.once(|reader| reader.manifest())
    }
}
