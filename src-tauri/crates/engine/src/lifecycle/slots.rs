//! The ways to unlock a vault: adding, changing and removing them. No record changes with them.

use crate::{
    Change, Engine, Error,
    access::{consent::AccessRequest, policy::Operation},
    engine::{blocking, detached},
    fault_points::{Step, reached},
    lifecycle::{unlocker::Unlocker, vault_handle::check_new_passphrase},
    locks,
    records::sealed_store::SealedStore,
    settings::asks_passphrase,
};
use std::sync::{Arc, Mutex};
use tokenry_core::{Caller, Event, EventKind, Outcome, Rule, Secret};
use tokenry_vault::{
    Cost, EpochFloor, Error as VaultError, NewSlot, RecoveryCode, SlotKind, slot_kind,
    unlock_with_recovery_code,
};

/// What is to open the vault from now on, in the place of the slot of that kind if there is one.
#[derive(Debug)]
pub enum SlotChange {
    /// The OS keyring alone.
    Keyring,
    /// The OS keyring and this passphrase together.
    KeyringAndPassphrase(Secret),
    /// This passphrase alone.
    Passphrase(Secret),
}

/// What proves that a change is the user's, where the vault does not open by the OS keyring alone.
#[derive(Debug)]
pub enum SlotProof {
    /// The passphrase as it is now.
    Passphrase(Secret),
    /// The recovery code, when the passphrase is forgotten.
    RecoveryCode(Secret),
}

/// What is under way.
#[derive(Default)]
pub(crate) struct SlotChanges {
    /// One change at a time.
    turn: tokio::sync::Mutex<()>,
    /// The slot of a recovery code that was shown and not confirmed yet.
    unconfirmed: Mutex<Option<Vec<u8>>>,
}

impl SlotChanges {
    /// A code that waits for its confirmation is forgotten; the one before it stays good.
    pub(super) fn lock(&self) {
        locks::lock(&self.unconfirmed).take();
    }
}

impl SlotChange {
    fn kind(&self) -> SlotKind {
        match self {
            Self::Keyring => SlotKind::Keyring,
            Self::KeyringAndPassphrase(_) => SlotKind::KeyringAndPassphrase,
            Self::Passphrase(_) => SlotKind::Passphrase,
        }
    }

    fn check(&self) -> Result<(), Error> {
        match self {
            Self::Keyring => Ok(()),
            Self::KeyringAndPassphrase(passphrase) | Self::Passphrase(passphrase) => {
                check_new_passphrase("new_passphrase", passphrase)
            }
        }
    }
}

impl Engine {
    /// Adds a way to unlock the vault, or changes the one of its kind, in one transaction.
    ///
    /// # Errors
    /// While locked, when the user does not agree, without the proof where it is needed, for a passphrase of fewer than
    /// 8 characters, and for each state of the OS keyring.
    pub async fn set_slot(
        &self,
        caller: &Caller,
        change: SlotChange,
        proof: Option<SlotProof>,
    ) -> Result<(), Error> {
        let kind = change.kind();
        let check = async { change.check() };
        let note = format!(
            "From now on the vault can be unlocked with {}.",
            kind.description()
        );
        let (store, rule) = self.may_change_slots(caller, note, proof, check).await?;
        change.check()?;
        let event = self.slot_event(caller, rule, &format!("{} set", name(kind)));
        let engine = self.clone();
        self.change_slots(move || {
            let opener = &engine.inner.opener;
            let new = match &change {
                SlotChange::Keyring => NewSlot::Keyring(opener.keyring()),
                SlotChange::KeyringAndPassphrase(passphrase) => {
                    NewSlot::KeyringAndPassphrase(opener.keyring(), passphrase, Cost::measured())
                }
                SlotChange::Passphrase(passphrase) => NewSlot::Passphrase(passphrase, Cost::measured()),
            };
            let floor = EpochFloor(store.epoch());
            let slot = store.vault().new_slot(&new, floor, &*opener.random)?;
            reached(Step::SlotMade);
            engine.replace_slots(&store, kind, Some(&slot), &event)
        })
        .await
    }

    /// Removes a way to unlock the vault. The OS keyring keeps its item: an older copy of the profile may need it.
    ///
    /// # Errors
    /// As [`Self::set_slot`]; when the vault has no such way, and when no other way but the recovery code would be left.
    pub async fn remove_slot(
        &self,
        caller: &Caller,
        kind: SlotKind,
        proof: Option<SlotProof>,
    ) -> Result<(), Error> {
        let slots = self.inner.opener.slots();
        let asks = asks_passphrase(&*self.store()?);
        let check = async move { may_remove(kind, &slots, asks) };
        let note = format!(
            "From now on the vault can no longer be unlocked with {}.",
            kind.description()
        );
        let (store, rule) = self.may_change_slots(caller, note, proof, check).await?;
        let event = self.slot_event(caller, rule, &format!("{} removed", name(kind)));
        let engine = self.clone();
        self.change_slots(move || {
            // Once more, in its turn: another change may have removed the others.
            may_remove(kind, &engine.inner.opener.slots(), asks_passphrase(&store))?;
            engine.replace_slots(&store, kind, None, &event)
        })
        .await
    }

    /// Makes a recovery code. The one before stays good until [`Self::confirm_recovery_code`] was called with this one:
    /// a code that was not written down replaces nothing.
    ///
    /// # Errors
    /// As [`Self::set_slot`].
    pub async fn new_recovery_code(
        &self,
        caller: &Caller,
        proof: Option<SlotProof>,
    ) -> Result<Secret, Error> {
        let note = "The program gets a code that unlocks the vault on its own, without the keyring and without a \
                    passphrase.";
        let (store, _) = self
            .may_change_slots(caller, note.to_owned(), proof, async { Ok(()) })
            .await?;
        let random = &*self.inner.opener.random;
        let code = RecoveryCode::new(random);
        let new = NewSlot::RecoveryCode(&code);
        let slot = store.vault().new_slot(&new, EpochFloor(store.epoch()), random)?;
        *locks::lock(&self.inner.slot_changes.unconfirmed) = Some(slot);
        Ok(code.text())
    }

    /// Keeps the recovery code that was made last, once the user has it: `typed` is that code.
    ///
    /// # Errors
    /// By the field `code`, when it is another one; a conflict when none was made since the vault was unlocked.
    pub async fn confirm_recovery_code(&self, caller: &Caller, typed: &Secret) -> Result<(), Error> {
        // Who has the code was permitted to get it.
        let wanted = AccessRequest::new(Operation::Engine);
        let rule = self.permit(caller, wanted).await?.rule;
        let store = self.store()?;
        let wrong = |error: String| Error::field("code", error);
        let code = RecoveryCode::parse(typed).map_err(|error| wrong(error.to_string()))?;
        let waiting = locks::lock(&self.inner.slot_changes.unconfirmed).clone();
        let slot = waiting.ok_or_else(|| {
            Error::Conflict(
                "no recovery code waits for its confirmation; make one with `tokenry recovery new`, or in the window \
                 under Settings"
                    .to_owned(),
            )
        })?;
        let slots = [slot];
        unlock_with_recovery_code(store.vault().id(), &slots, &code)
            .map_err(|_| wrong("is not the code that was shown last; compare it with that one".to_owned()))?;
        let [slot] = slots;
        let event = self.slot_event(caller, rule, "recovery code set");
        let engine = self.clone();
        self.change_slots(move || {
            engine.replace_slots(&store, SlotKind::RecoveryCode, Some(&slot), &event)?;
            engine.inner.slot_changes.lock();
            Ok(())
        })
        .await
    }

    /// Whether the caller may; the user agrees for a program, and proves to be the user where the vault needs it.
    async fn may_change_slots(
        &self,
        caller: &Caller,
        note: String,
        proof: Option<SlotProof>,
        check: impl Future<Output = Result<(), Error>>,
    ) -> Result<(Arc<SealedStore>, Rule), Error> {
        let store = self.store()?;
        let wanted = AccessRequest::new(Operation::WriteSlots).note(note);
        let checked = async {
            check.await?;
            self.prove_slot_change(caller, proof).await
        };
        let rule = self.permit_checked(caller, wanted, checked).await?.rule;
        Ok((store, rule))
    }

    /// Where the OS keyring opens the vault alone, no proof is needed. Elsewhere the user knows the passphrase or the
    /// recovery code, and a passer-by at an unlocked window does not.
    async fn prove_slot_change(&self, caller: &Caller, proof: Option<SlotProof>) -> Result<(), Error> {
        if self.inner.opener.slots().contains(&SlotKind::Keyring) {
            return Ok(());
        }
        let (field, unlocker) = match proof {
            Some(SlotProof::Passphrase(passphrase)) => ("passphrase", Unlocker::Passphrase(passphrase)),
            Some(SlotProof::RecoveryCode(code)) => ("recovery_code", Unlocker::recovery_code(&code)?),
            None => {
                return Err(Error::field(
                    "passphrase",
                    "is needed to change how the vault is unlocked; the recovery code will do, too",
                ));
            }
        };
        let turn = self.turn_to_guess(caller).await?;
        let (engine, _one) = (self.clone(), self.inner.guessing.lock().await);
        let proved = blocking(move || {
            let _turn = turn;
            engine.inner.opener.prove(&unlocker)
        });
        proved.await.map_err(|error| {
            self.note_guess(caller, &error);
            match error {
                Error::Vault(VaultError::WrongPassphrase) => Error::field(field, "is wrong; type it again"),
                Error::Vault(VaultError::WrongRecoveryCode) => Error::field(
                    field,
                    "is not the one of this vault; a newer one may have replaced it",
                ),
                other => other,
            }
        })
    }

    /// One change at a time, in a task of the engine's own: a caller that goes away does not stop it halfway.
    async fn change_slots(
        &self,
        work: impl FnOnce() -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let engine = self.clone();
        detached(async move {
            let _turn = engine.inner.slot_changes.turn.lock().await;
            blocking(work).await?;
            // An older copy of the profile, which what was removed still opens, is noticed from now on.
            engine.raise_floor();
            let _ = engine.inner.changes.send(Change::Engine);
            Ok(())
        })
        .await
    }

    /// Puts a slot in the place of those of its kind, or removes them, in one transaction. Blocks.
    fn replace_slots(
        &self,
        store: &SealedStore,
        kind: SlotKind,
        slot: Option<&[u8]>,
        event: &Event,
    ) -> Result<(), Error> {
        store.change_surely(self.now(), |transaction| {
            for old in transaction.writer.slots()? {
                if slot_kind(&old) == Ok(kind) {
                    transaction.writer.remove_slot(&old)?;
                }
            }
            if let Some(slot) = slot {
                transaction.writer.put_slot(slot)?;
            }
            transaction.event(event)?;
            reached(Step::SlotCommitting);
            Ok(())
        })?;
        reached(Step::SlotCommitted);
        Ok(())
    }

    fn slot_event(&self, caller: &Caller, rule: Rule, detail: &str) -> Event {
        self.event(caller, EventKind::UnlockingChanged, Outcome::Done)
            .by(rule)
            .with_detail(detail)
    }
}

/// Whether the vault can do without this way to unlock it.
fn may_remove(kind: SlotKind, slots: &[SlotKind], asks_passphrase: bool) -> Result<(), Error> {
    if !slots.contains(&kind) {
        return Err(VaultError::NoSuchSlot(kind).into());
    }
    let left: Vec<_> = slots.iter().copied().filter(|slot| *slot != kind).collect();
    if left.iter().all(|slot| *slot == SlotKind::RecoveryCode) {
        let message = "this is the last way to unlock the vault besides a recovery code, which is for emergencies. Add \
                       another way first: `tokenry vault slots set KIND`, or in the window under Settings";
        return Err(Error::Conflict(message.to_owned()));
    }
    if asks_passphrase && !left.iter().any(|slot| slot.takes_passphrase()) {
        let message = "the settings require the passphrase for high-risk requests, so the vault needs one. Turn that \
                       off in the window under Settings first";
        return Err(Error::Conflict(message.to_owned()));
    }
    Ok(())
}

/// For the activity log.
fn name(kind: SlotKind) -> &'static str {
    match kind {
        SlotKind::Keyring => "keyring",
        SlotKind::KeyringAndPassphrase => "keyring and passphrase",
        SlotKind::Passphrase => "passphrase",
        SlotKind::RecoveryCode => "recovery code",
    }
}
