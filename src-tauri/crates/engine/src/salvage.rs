//! Copies what still opens of a vault into a new profile. The old one is left as it is.
//!
//! What must never be true of it: that it writes a byte into the old profile; that the new folder appears before all of
//! it is written, read back and compared; that something is left out without a word.

mod copy;
mod folder;

use crate::{
    Engine, Error,
    access::{
        consent::{AccessRequest, Differences},
        policy::Operation,
    },
    engine::{blocking, detached},
    lifecycle::unlocker::Unlocker,
    vault_check::Opened,
};
use std::path::Path;
use tokenry_core::{Caller, EventKind, Outcome, SalvageAnswer, Secret};

/// What the user has to know before saying yes.
const NOTE: &str = "It copies every secret that still opens into a new vault, which the requester chooses the passphrase \
                    of. The new folder, with what opens it, gives access to your accounts.";

impl Engine {
    /// Copies what still opens into a new profile folder with a vault of its own, which the passphrase opens, or the
    /// OS keyring. Works on a damaged vault that does not open, too.
    ///
    /// # Errors
    /// When the user does not agree, the folder cannot be a new profile, the keys do not open, or the copy cannot be
    /// written: then there is no new folder.
    pub async fn salvage(
        &self,
        caller: &Caller,
        folder: &str,
        passphrase: Option<Secret>,
        recovery_code: Option<Secret>,
    ) -> Result<SalvageAnswer, Error> {
        let mut differences = Differences::default();
        differences.text("folder", None, Some(folder.to_owned()));
        let wanted = AccessRequest::new(Operation::SalvageVault)
            .note(NOTE)
            .changing(differences);
        self.not_denied(caller, &wanted)?;
        match self.store() {
            Ok(_) | Err(Error::StaysDamaged(_)) => {}
            Err(shut) => return Err(shut),
        }
        let check = async { folder::New::beside(Path::new(folder), &self.inner.folder).map(drop) };
        self.check_before_asking(caller, &wanted, check).await?;
        let rule = self.permit(caller, wanted).await?.rule;
        // The passphrase of the new vault may open the old one, too.
        let given = passphrase
            .as_ref()
            .map(|text| Secret::new(text.expose().to_owned()));
        let unlocker = Unlocker::given(given.filter(|_| recovery_code.is_none()), recovery_code)?;
        let opened = self.opened(caller, unlocker).await?;
        self.flush_activity().await;
        let done = self
            .event(caller, EventKind::Salvaged, Outcome::Done)
            .with_detail(&format!("from {}", self.inner.folder.display()))
            .by(rule);
        let (engine, folder, event) = (self.clone(), folder.to_owned(), done.clone());
        // The engine's own task: a caller that goes away stops nothing halfway.
        let copied = detached(blocking(move || {
            engine.salvage_into(&folder, passphrase.as_ref(), &opened, &event)
        }))
        .await?;
        if self.store().is_ok_and(|store| store.read_only().is_none()) {
            self.inner
                .activity
                .push(done.with_detail(&format!("into {}", copied.folder)));
        }
        Ok(copied)
    }

    fn salvage_into(
        &self,
        folder: &str,
        passphrase: Option<&Secret>,
        opened: &Opened,
        event: &tokenry_core::Event,
    ) -> Result<SalvageAnswer, Error> {
        let new = folder::New::beside(Path::new(folder), &self.inner.folder)?;
        let draft = new.draft()?;
        let created = self
            .inner
            .opener
            .new_keys(passphrase)
            .map_err(|error| match error {
                Error::NoKeyring(why) => Error::Unavailable(format!(
                    "{why}. Or protect the new vault with a passphrase: `tokenry vault salvage NEW --passphrase-fd 0`"
                )),
                other => other,
            })?;
        let copied = copy::into(
            &draft.path,
            created,
            opened,
            event,
            self.inner.random.clone(),
            self.now(),
        )?;
        let path = draft.publish(&new)?;
        Ok(SalvageAnswer {
            folder: path.display().to_string(),
            old_folder: self.inner.folder.display().to_string(),
            ..copied
        })
    }
}
