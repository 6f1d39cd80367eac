//! One transaction over the sealed records, with its events and its manifest.

use crate::{
    Error,
    activity::read,
    records::{
        record::{Effect, Record},
        sealed_store::{Manifest, SealedStore},
    },
};
use tokenry_core::{AppId, ConnectionId, CredentialId, Event, GrantId, ProviderId};
use tokenry_store::{Table, Writer};
use tokenry_vault::RunningSum;

/// The inside of one [`SealedStore::change`].
pub(crate) struct Transaction<'a> {
    pub(crate) store: &'a SealedStore,
    pub(crate) writer: &'a Writer<'a>,
    pub(crate) manifest: Manifest,
    pub(super) effects: Vec<Effect>,
    /// Whether it holds the tokens of a connection: a copy from before it must be noticed.
    pub(super) rotated: bool,
}

impl Transaction<'_> {
    pub(crate) fn get<R: Record>(&self, row: i64) -> Result<Option<R>, Error> {
        match self.writer.get(R::TABLE, row)? {
            Some(found) => self.store.unseal(row, found.version, &found.sealed).map(Some),
            None => Ok(None),
        }
    }

    /// Keeps a record, whether it is new or replaces one.
    pub(crate) fn put<R: Record>(&mut self, row: i64, record: &R) -> Result<(), Error> {
        let lookup = record
            .lookup()
            .map(|name| self.store.vault().lookup(R::TABLE.name(), &name));
        let from = self.writer.get(R::TABLE, row)?.map(|found| found.version);
        // The epoch, so that no version ever comes back: not even that of a row which was deleted and made anew.
        let to = self.manifest.epoch.saturating_add(1);
        let sealed = self.store.seal(row, to, record)?;
        match from {
            None => self.writer.insert(R::TABLE, row, to, lookup.as_ref(), &sealed)?,
            Some(from) if from == to => {
                self.writer.delete(R::TABLE, row, from)?;
                self.writer.insert(R::TABLE, row, to, lookup.as_ref(), &sealed)?;
            }
            Some(from) => self
                .writer
                .update(R::TABLE, row, from, to, lookup.as_ref(), &sealed)?,
        }
        self.count(R::TABLE, row, from, Some(to));
        self.rotated |= R::TABLE == Table::Tokens;
        self.effects.extend(record.effect());
        Ok(())
    }

    /// Deletes a connection with everything that is kept for it.
    pub(crate) fn delete_connection(&mut self, id: ConnectionId) -> Result<(), Error> {
        for table in [Table::Connections, Table::Tokens, Table::Journal] {
            self.delete(table, id.row())?;
        }
        self.effects.push(Effect::ConnectionGone(id));
        Ok(())
    }

    /// Deletes a provider. Its connections have to be gone already.
    pub(crate) fn delete_provider(&mut self, id: ProviderId) -> Result<(), Error> {
        self.delete(Table::Providers, id.row())?;
        self.effects.push(Effect::ProviderGone(id));
        Ok(())
    }

    /// Deletes an app. Its grants have to be gone already.
    pub(crate) fn delete_app(&mut self, id: AppId) -> Result<(), Error> {
        self.delete(Table::Apps, id.row())?;
        self.effects.push(Effect::AppGone(id));
        Ok(())
    }

    /// Takes a grant away.
    pub(crate) fn delete_grant(&mut self, id: GrantId) -> Result<(), Error> {
        self.delete(Table::Grants, id.row())?;
        self.effects.push(Effect::GrantGone(id));
        Ok(())
    }

    /// Deletes a credential that was entered by hand.
    pub(crate) fn delete_credential(&mut self, id: CredentialId) -> Result<(), Error> {
        self.delete(Table::Credentials, id.row())?;
        self.effects.push(Effect::CredentialGone(id));
        Ok(())
    }

    /// Deletes a record if it is there.
    pub(crate) fn delete(&mut self, table: Table, row: i64) -> Result<(), Error> {
        if let Some(found) = self.writer.get(table, row)? {
            self.writer.delete(table, row, found.version)?;
            self.count(table, row, Some(found.version), None);
        }
        Ok(())
    }

    /// Adds a line to the activity log, chained to the one before.
    pub(crate) fn event(&mut self, event: &Event) -> Result<(), Error> {
        let seq = self.manifest.next_event;
        let plain = read::written(&self.manifest.chain, event)?;
        let sealed = self.store.seal_apart(read::place(seq), &plain)?;
        self.writer.append_event(seq, &sealed)?;
        self.manifest.chain = self.store.vault().chain(&self.manifest.chain, &sealed);
        self.manifest.next_event = seq + 1;
        self.prune(read::KEPT, read::SEGMENT)?;
        if self.store.is_watched() {
            self.effects.push(Effect::Logged(Box::new(event.clone())));
        }
        Ok(())
    }

    /// Removes the oldest lines, a whole segment of them at a time, when there are more than `kept` and that. The manifest
    /// says where the log begins from then on, so it cannot be shortened otherwise.
    pub(crate) fn prune(&mut self, kept: i64, segment: i64) -> Result<(), Error> {
        let manifest = &mut self.manifest;
        if manifest.next_event - manifest.first_event < kept + segment {
            return Ok(());
        }
        manifest.first_event += segment;
        Ok(self.writer.prune_events(manifest.first_event)?)
    }

    fn count(&mut self, table: Table, row: i64, gone: Option<u64>, come: Option<u64>) {
        let mut sum = RunningSum::from_bytes(self.manifest.sum);
        if let Some(version) = gone {
            sum.remove(&self.store.vault().row_sum(table.name(), row, version));
        }
        if let Some(version) = come {
            sum.add(&self.store.vault().row_sum(table.name(), row, version));
        }
        self.manifest.sum = *sum.as_bytes();
    }
}
