use crate::{Error, Reader, Store, Writer};

const VAULT: &str = "SELECT vault FROM meta";
const CREATE: &str = "INSERT INTO meta (id, vault) VALUES (1, ?1)";
const MANIFEST: &str = "SELECT sealed FROM manifest";
const SET: &str = "INSERT INTO manifest (id, sealed) VALUES (1, ?1)
     ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed";

impl Reader<'_> {
    /// The id of the vault; `None` while no vault was made.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub fn vault_id(&self) -> Result<Option<[u8; 16]>, Error> {
        let Some(bytes) = self.only(VAULT)? else {
            return Ok(None);
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
    /// [`Error::VaultExists`] when there was one before; otherwise as [`Store::write`].
    pub fn create_vault(&self, id: [u8; 16]) -> Result<(), Error> {
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
    /// [`Reader::vault_id`] on its own.
    ///
    /// # Errors
    /// As there.
    pub fn vault_id(&self) -> Result<Option<[u8; 16]>, Error> {
        self.once(|reader| reader.vault_id())
    }

    /// [`Reader::manifest`] on its own.
    ///
    /// # Errors
    /// As there.
    pub fn manifest(&self) -> Result<Option<Vec<u8>>, Error> {
        self.once(|reader| reader.manifest())
    }
}
