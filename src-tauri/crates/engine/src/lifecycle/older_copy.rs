//! A vault that may only be read, and the way out of it.

use crate::{
    Engine, Error,
    access::{consent::AccessRequest, policy::Operation},
    engine::blocking,
    lifecycle::recover,
    locks,
    records::sealed_store::SealedStore,
};
use tokenry_core::{Caller, EventKind, Outcome, Timestamp};

/// Why nothing may be written.
#[derive(Debug, Clone)]
pub(crate) enum ReadOnly {
    /// The profile is whole, and older than what is known of it outside. Holds the epoch that is known.
    Older(u64),
    /// Rows are missing, or are of different ages.
    Incomplete,
    /// A file beside the database, which may hold newer tokens, cannot be read. Holds the words.
    Spill(String),
}

impl ReadOnly {
    /// What happened, and what to do.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Older(_) => "it was put back from an older copy. Refreshing from it could end your grants, so nothing \
                               is refreshed. Put the newest copy back; or, where there is none, go on with this one: \
                               `tokenry vault accept-older`"
                .to_owned(),
            Self::Incomplete => "records are missing or were put back from an older copy. Put the newest copy of the \
                                 profile back, or connect again in a new profile"
                .to_owned(),
            Self::Spill(words) => words.clone(),
        }
    }
}

/// What the user has to know before saying yes.
const NOTE: &str = "The vault is older than the one that Tokenry used last. Its refresh tokens may have been replaced \
                    since: a provider that sees an old one may end that grant, and then the connection has to be made \
                    again. Apps and grants that were removed since are back.";

impl SealedStore {
    /// Why nothing may be written, in words; `None` where everything is as it should be.
    pub(crate) fn read_only(&self) -> Option<String> {
        let why = locks::read(&self.read_only);
        why.as_ref().map(ReadOnly::words)
    }

    pub(crate) fn is_older(&self) -> bool {
        let why = locks::read(&self.read_only);
        matches!(*why, Some(ReadOnly::Older(_)))
    }

    /// The newest epoch that is known of this vault; 0 where it is the newest itself.
    pub(crate) fn known_epoch(&self) -> u64 {
        match *locks::read(&self.read_only) {
            Some(ReadOnly::Older(known)) => known,
            _ => 0,
        }
    }

    /// From now on nothing may be written.
    pub(crate) fn only_read(&self, why: ReadOnly) {
        *locks::write(&self.read_only) = Some(why);
    }

    /// Makes this vault the newest there is: its epoch is put above each that is known, in the transaction that says so
    /// in the log. No floor is ever lowered, so that the copy which was newer is the older one from now on.
    fn accept_older(&self, event: &tokenry_core::Event, now: Timestamp) -> Result<(), Error> {
        let known = match *locks::read(&self.read_only) {
            Some(ReadOnly::Older(known)) => known,
            _ => return Err(not_older()),
        };
        self.commit(now, |transaction| {
            transaction.manifest.epoch = transaction.manifest.epoch.max(known);
            transaction.event(event)
        })?;
        *locks::write(&self.read_only) = None;
        self.database().trust()?;
        Ok(())
    }
}

impl Engine {
    /// Goes on with a vault that was put back from an older copy: it counts as the newest from now on, and connections
    /// are refreshed from it.
    ///
    /// # Errors
    /// When the user does not agree, or the vault is not older than what is known of it.
    pub async fn accept_older(&self, caller: &Caller) -> Result<(), Error> {
        let store = self.store()?;
        let wanted = AccessRequest::new(Operation::AcceptOlder).note(NOTE);
        let older = store.is_older();
        let check = async move { older.then_some(()).ok_or_else(not_older) };
        self.check_before_asking(caller, &wanted, check).await?;
        let rule = self.permit(caller, wanted).await?.rule;
        let event = self
            .event(caller, EventKind::OlderAccepted, Outcome::Done)
            .by(rule);
        let (engine, now) = (self.clone(), self.now());
        blocking(move || {
            store.accept_older(&event, now)?;
            recover::after_opening(&engine, &store)
        })
        .await?;
        self.raise_floor();
        let _ = self.inner.changes.send(crate::Change::Engine);
        self.inner.due.notify_one();
        Ok(())
    }
}

fn not_older() -> Error {
    Error::Conflict(
        "the vault was not put back from an older copy, so there is nothing to accept; `tokenry status` shows how it is"
            .to_owned(),
    )
}
