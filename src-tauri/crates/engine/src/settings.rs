use crate::{Engine, Error, engine::blocking, ledger::Ledger, policy::Operation};
use tokenry_core::{Caller, EventKind, Outcome, Settings};

/// Its table has this one row.
const ROW: i64 = 1;

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
        let ledger = self.ledger()?;
        blocking(move || read(&ledger)).await
    }

    /// Opens or closes the door on 127.0.0.1, by its switch. `None` leaves it as it is.
    ///
    /// # Errors
    /// While locked, for anybody but the window, and when it cannot be written.
    pub async fn change_settings(&self, caller: &Caller, loopback: Option<bool>) -> Result<Settings, Error> {
        self.allow(caller, Operation::Settings)?;
        let event = loopback.map(|on| {
            let detail = if on {
                "loopback door on"
            } else {
                "loopback door off"
            };
            let kind = EventKind::SettingsChanged;
            self.event(caller, kind, None, None, Outcome::Done, Some(detail))
        });
        let (ledger, now) = (self.ledger()?, self.now());
        blocking(move || {
            let before = read(&ledger)?;
            let after = Settings {
                loopback: loopback.unwrap_or(before.loopback),
                ..before
            };
            if after != before {
                ledger.change(now, |transaction| {
                    transaction.put(ROW, &after)?;
                    event.iter().try_for_each(|event| transaction.event(event))
                })?;
            }
            Ok(after)
        })
        .await
    }

    /// Keeps the port of the door on 127.0.0.1, so that the next run finds the same one.
    ///
    /// # Errors
    /// While locked, and when it cannot be written.
    pub async fn remember_loopback_port(&self, port: u16) -> Result<(), Error> {
        let (ledger, now) = (self.ledger()?, self.now());
        blocking(move || {
            let before = read(&ledger)?;
            let after = Settings {
                loopback_port: Some(port),
                ..before
            };
            if after == before {
                return Ok(());
            }
            ledger.change(now, |transaction| transaction.put(ROW, &after))
        })
        .await
    }
}

fn read(ledger: &Ledger) -> Result<Settings, Error> {
    Ok(ledger.get(ROW)?.unwrap_or_default())
}
