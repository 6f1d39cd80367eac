//! The settings of the user.

use crate::{
    Engine, Error, access::policy::Operation, engine::blocking, lifecycle::unlocker::Unlocker,
    records::sealed_store::SealedStore,
};
use tokenry_core::{Caller, EventKind, Outcome, Secret, Settings};
use tokenry_vault::SlotKind;

/// Its table has this one row.
const ROW: i64 = 1;

/// What is to be chosen from now on. `None` leaves it as it is.
#[derive(Debug, Default)]
pub struct SettingsChange {
    /// Whether programs that only speak TCP may call on 127.0.0.1.
    pub loopback: Option<bool>,
    /// Whether a question that is decided each time is allowed only with the passphrase.
    pub ask_passphrase: Option<bool>,
    /// The passphrase, which switching that takes: a program that clicks in the window does not know it.
    pub passphrase: Option<Secret>,
}

impl Engine {
    /// What the person chose.
    ///
    /// # Errors
    /// While locked, and for anybody but the window.
    pub async fn settings(&self, caller: &Caller) -> Result<Settings, Error> {
        self.allow(caller, Operation::Settings)?;
        self.chosen().await
    }

    /// The same for the host itself, which does what was chosen.
    ///
    /// # Errors
    /// While locked, or when it cannot be read.
    pub async fn chosen(&self) -> Result<Settings, Error> {
        let store = self.store()?;
        blocking(move || read(&store)).await
    }

    /// Changes what is given.
    ///
    /// # Errors
    /// While locked, for anybody but the window, without the passphrase where it takes that, and when it cannot be
    /// written.
    pub async fn change_settings(&self, caller: &Caller, change: SettingsChange) -> Result<Settings, Error> {
        self.allow(caller, Operation::Settings)?;
        let now = self.chosen().await?;
        let ask_passphrase = change.ask_passphrase.filter(|ask| *ask != now.ask_passphrase);
        if ask_passphrase.is_some() {
            self.may_switch_passphrase(change.passphrase).await?;
        }
        let loopback = change.loopback;
        let asking = ask_passphrase.map(|on| {
            let detail = if on {
                "the passphrase is asked for"
            } else {
                "the passphrase is no longer asked for"
            };
            let kind = EventKind::SettingsChanged;
            self.event(caller, kind, Outcome::Done).with_detail(detail)
        });
        let event = loopback.map(|on| {
            let detail = if on {
                "HTTP API on 127.0.0.1 enabled"
            } else {
                "HTTP API on 127.0.0.1 disabled"
            };
            let kind = EventKind::SettingsChanged;
            self.event(caller, kind, Outcome::Done).with_detail(detail)
        });
        let (store, now) = (self.store()?, self.now());
        blocking(move || {
            let before = read(&store)?;
            let after = Settings {
                loopback: loopback.unwrap_or(before.loopback),
                ask_passphrase: ask_passphrase.unwrap_or(before.ask_passphrase),
                ..before
            };
            if after != before {
                store.change(now, |transaction| {
                    transaction.put(ROW, &after)?;
                    let mut events = event.iter().chain(&asking);
                    events.try_for_each(|event| transaction.event(event))
                })?;
            }
            Ok(after)
        })
        .await
    }

    async fn may_switch_passphrase(&self, passphrase: Option<Secret>) -> Result<(), Error> {
        if !takes_passphrase(&self.inner.opener.slots()) {
            return Err(Error::field(
                "ask_passphrase",
                "needs a vault that a passphrase opens; this one is opened by the OS keyring alone",
            ));
        }
        let passphrase = passphrase.ok_or_else(|| Error::field("passphrase", "is needed to switch this"))?;
        self.prove_passphrase(passphrase).await
    }

    /// Whether this passphrase opens the vault. One try at a time, each of which costs a key derivation.
    ///
    /// # Errors
    /// When it is wrong, by its field.
    pub(crate) async fn prove_passphrase(&self, passphrase: Secret) -> Result<(), Error> {
        let (engine, _turn) = (self.clone(), self.inner.guessing.lock().await);
        let proved = blocking(move || engine.inner.opener.prove(&Unlocker::Passphrase(passphrase))).await;
        proved.map_err(|error| match error {
            Error::Vault(tokenry_vault::Error::WrongPassphrase) => {
                Error::field("passphrase", "is wrong; type it again")
            }
            other => other,
        })
    }

    /// Keeps the port of the HTTP API on 127.0.0.1, so that the next run finds the same one.
    ///
    /// # Errors
    /// While locked, and when it cannot be written.
    pub async fn remember_loopback_port(&self, port: u16) -> Result<(), Error> {
        let (store, now) = (self.store()?, self.now());
        blocking(move || {
            let before = read(&store)?;
            let after = Settings {
                loopback_port: Some(port),
                ..before
            };
            if after == before {
                return Ok(());
            }
            store.change(now, |transaction| transaction.put(ROW, &after))
        })
        .await
    }
}

/// Whether a passphrase opens the vault, alone or together with the OS keyring.
pub(crate) fn takes_passphrase(slots: &[SlotKind]) -> bool {
    let with = [SlotKind::Passphrase, SlotKind::KeyringAndPassphrase];
    slots.iter().any(|slot| with.contains(slot))
}

/// Whether a question that is decided each time takes the passphrase. What cannot be read counts as yes.
pub(crate) fn asks_passphrase(store: &SealedStore) -> bool {
    read(store).map_or(true, |settings| settings.ask_passphrase)
}

fn read(store: &SealedStore) -> Result<Settings, Error> {
    Ok(store.get(ROW)?.unwrap_or_default())
}
