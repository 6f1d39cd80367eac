//! The settings of the user.

mod auto_lock;

pub use auto_lock::AutoLockChange;

use crate::{
    Engine, Error,
    access::{consent::AccessRequest, policy::Operation},
    engine::blocking,
    lifecycle::unlocker::Unlocker,
    records::sealed_store::SealedStore,
};
use auto_lock::{differences as auto_lock_differences, words as auto_lock_words};
use tokenry_core::{Caller, Event, EventId, EventKind, Outcome, Secret, Settings};

/// Its row in its table.
pub(crate) const ROW: i64 = 1;

/// What is to be chosen from now on. `None` leaves it as it is.
#[derive(Debug, Default)]
pub struct SettingsChange {
    /// Whether programs that only speak TCP may call on 127.0.0.1.
    pub loopback: Option<bool>,
    /// Whether a question that is decided each time is allowed only with the passphrase.
    pub ask_passphrase: Option<bool>,
    /// The passphrase, which switching that takes: a program that clicks in the window does not know it.
    pub passphrase: Option<Secret>,
    /// When the vault locks by itself.
    pub auto_lock: AutoLockChange,
    /// Whether apps with a grant for that get access tokens while the vault is locked.
    pub tokens_while_locked: Option<bool>,
    /// Whether a socket for the clients of oidc-agent is open as long as the engine runs.
    pub oidc_agent: Option<bool>,
}

impl SettingsChange {
    /// Whether only the window may change that: all but auto-lock, which a program may change with consent.
    fn is_for_the_window(&self) -> bool {
        self.loopback.is_some()
            || self.ask_passphrase.is_some()
            || self.passphrase.is_some()
            || self.oidc_agent.is_some()
    }

    /// The settings with this change.
    fn applied_to(&self, before: Settings) -> Settings {
        Settings {
            loopback: self.loopback.unwrap_or(before.loopback),
            loopback_port: before.loopback_port,
            ask_passphrase: self.ask_passphrase.unwrap_or(before.ask_passphrase),
            auto_lock: self.auto_lock.applied_to(before.auto_lock),
            tokens_while_locked: self.tokens_while_locked.unwrap_or(before.tokens_while_locked),
            oidc_agent: self.oidc_agent.unwrap_or(before.oidc_agent),
        }
    }
}

impl Engine {
    /// What the user chose.
    ///
    /// # Errors
    /// While locked, and for an app.
    pub async fn settings(&self, caller: &Caller) -> Result<Settings, Error> {
        self.allow(caller, Operation::ReadSettings)?;
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

    /// Changes what is given. A program may change auto-lock, if the user agrees each time; the window may change all.
    ///
    /// # Errors
    /// While locked, when the caller may not or the user does not agree, without the passphrase where it takes that,
    /// and when it cannot be written.
    pub async fn change_settings(&self, caller: &Caller, change: SettingsChange) -> Result<Settings, Error> {
        if change.is_for_the_window() {
            self.allow(caller, Operation::Settings)?;
        }
        change.auto_lock.check()?;
        let now = self.chosen().await?;
        if change.ask_passphrase.is_some_and(|ask| ask != now.ask_passphrase) {
            self.may_switch_passphrase(change.passphrase.clone()).await?;
        }
        let mut event = self.event(caller, EventKind::SettingsChanged, Outcome::Done);
        let differences = auto_lock_differences(now, change.applied_to(now));
        if differences.is_empty() {
            self.allow(caller, Operation::ReadSettings)?;
        } else {
            let wanted = AccessRequest::new(Operation::AutoLock)
                .note("It decides when the vault locks, and what apps get while it is locked.")
                .changing(differences);
            event = event.by(self.permit(caller, wanted).await?.rule);
        }
        let (store, now) = (self.store()?, self.now());
        let random = self.inner.random.clone();
        let clock = self.inner.clock.clone();
        let after = blocking(move || {
            let before = read(&store)?;
            let after = change.applied_to(before);
            if after != before {
                store.change(now, |transaction| {
                    transaction.put(ROW, &after)?;
                    words(before, after).iter().try_for_each(|detail| {
                        let id = EventId::new(&*clock, &*random);
                        let event = Event { id, ..event.clone() };
                        transaction.event(&event.with_detail(detail))
                    })
                })?;
            }
            Ok(after)
        })
        .await?;
        self.inner.auto_lock.changed.notify_one();
        Ok(after)
    }

    async fn may_switch_passphrase(&self, passphrase: Option<Secret>) -> Result<(), Error> {
        if !self
            .inner
            .opener
            .slots()
            .iter()
            .any(|slot| slot.takes_passphrase())
        {
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

/// Whether a question that is decided each time takes the passphrase. What cannot be read counts as yes.
pub(crate) fn asks_passphrase(store: &SealedStore) -> bool {
    read(store).map_or(true, |settings| settings.ask_passphrase)
}

/// What changes, a line of the activity log for each.
fn words(before: Settings, after: Settings) -> Vec<String> {
    let mut lines = Vec::new();
    if before.ask_passphrase != after.ask_passphrase {
        let no_longer = if after.ask_passphrase { "" } else { "no longer " };
        lines.push(format!("the passphrase is {no_longer}asked for"));
    }
    if before.loopback != after.loopback {
        let how = if after.loopback { "enabled" } else { "disabled" };
        lines.push(format!("HTTP API on 127.0.0.1 {how}"));
    }
    if before.oidc_agent != after.oidc_agent {
        let how = if after.oidc_agent { "enabled" } else { "disabled" };
        lines.push(format!("socket for the clients of oidc-agent {how}"));
    }
    lines.extend(auto_lock_words(before, after));
    lines
}

/// What the user chose, if anything was ever chosen.
pub(crate) fn stored(store: &SealedStore) -> Result<Option<Settings>, Error> {
    store.get(ROW)
}

/// From each setting that differs to its value in one and in the other.
pub(crate) fn differences(one: &Settings, other: &Settings) -> Vec<(String, Option<String>, Option<String>)> {
    let members = |settings: &Settings| match serde_json::to_value(settings) {
        Ok(serde_json::Value::Object(members)) => members,
        _ => serde_json::Map::new(),
    };
    let (one, other) = (members(one), members(other));
    let text = |value: Option<&serde_json::Value>| value.and_then(tokenry_core::setting_text);
    let all: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let pairs = all
        .into_iter()
        .map(|name| (name.clone(), text(one.get(name)), text(other.get(name))));
    pairs.filter(|(_, from, to)| from != to).collect()
}

pub(crate) fn read(store: &SealedStore) -> Result<Settings, Error> {
    Ok(store.get(ROW)?.unwrap_or_default())
}
