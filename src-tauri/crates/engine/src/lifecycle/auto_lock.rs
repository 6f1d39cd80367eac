//! Locks the vault by itself: when the user is idle, and when the session reports that the user leaves.

use crate::{Engine, Error, engine::blocking, locks, settings};
use std::{
    future,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use tokenry_core::{self as core, Caller};
use tokenry_session::{SessionEvent, Sources, WatchOptions};
use tokio::sync::{Notify, watch};

/// How often it is looked at least how long Tokenry has not been used: timers stop while the machine sleeps.
#[cfg(not(test))]
const IDLE_CHECK_INTERVAL: Duration = Duration::from_secs(30);
#[cfg(test)]
const IDLE_CHECK_INTERVAL: Duration = Duration::from_millis(10);
/// How long a suspend is held back for what is under way with a provider. logind waits for 5 s by default.
const SUSPEND_TIMEOUT: Duration = Duration::from_secs(4);
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// What decides when the vault locks by itself.
#[derive(Default)]
pub(crate) struct AutoLock {
    /// The vault was opened or locked, or the settings have changed.
    pub(crate) changed: Notify,
    /// Whether it matters when Tokenry was used last.
    counts_use: AtomicBool,
    /// When that was, in milliseconds since boot.
    used_at: AtomicU64,
}

/// Listens while a setting says so and the vault is open. Else it waits, with no connection to anything.
pub(crate) async fn run(engine: Engine) {
    loop {
        let settings = engine.auto_lock_settings().await;
        let event = tokio::select! {
            () = engine.inner.auto_lock.changed.notified() => continue,
            event = engine.next_session_event(settings) => event,
        };
        engine.lock_at(event, settings).await;
    }
}

impl Engine {
    /// The user uses the window.
    ///
    /// # Errors
    /// For anybody but the window.
    pub fn window_used(&self, caller: &Caller) -> Result<(), Error> {
        self.allow(caller, core::Operation::Settings)?;
        self.note_use();
        Ok(())
    }

    /// Tokenry was used: by the user in the window, or by a program that was allowed something.
    pub(crate) fn note_use(&self) {
        let auto_lock = &self.inner.auto_lock;
        if auto_lock.counts_use.load(Ordering::Relaxed) {
            auto_lock.used_at.store(self.boot_millis(), Ordering::Relaxed);
        }
    }

    /// The services of this computer that auto-lock can rely on.
    ///
    /// # Errors
    /// For callers that may not see the settings.
    pub async fn auto_lock_sources(&self, caller: &Caller) -> Result<Sources, Error> {
        self.allow(caller, core::Operation::ReadSettings)?;
        Ok(self.inner.session.sources().await)
    }

    /// What is chosen while the vault is open; nothing while it is locked.
    async fn auto_lock_settings(&self) -> core::AutoLock {
        let Ok(store) = self.store() else {
            return core::AutoLock::default();
        };
        match blocking(move || settings::read(&store)).await {
            Ok(settings) => settings.auto_lock,
            Err(error) => {
                tracing::warn!("the settings of auto-lock could not be read: {error}");
                core::AutoLock::default()
            }
        }
    }

    async fn next_session_event(&self, settings: core::AutoLock) -> SessionEvent {
        let wanted = wanted(settings);
        let auto_lock = &self.inner.auto_lock;
        auto_lock
            .counts_use
            .store(wanted.idle.is_some(), Ordering::Relaxed);
        if wanted == WatchOptions::default() {
            return future::pending().await;
        }
        // Opening the vault or changing the settings is a use, too.
        self.note_use();
        let mut watch = self.inner.session.watch(&wanted);
        let sources = watch.sources();
        tokio::select! {
            event = watch.next() => event,
            () = self.unused_for(wanted.idle, &sources) => SessionEvent::Idle,
        }
    }

    /// Resolves when Tokenry was not used for this long, unless the desktop itself reports when the user is idle.
    async fn unused_for(&self, limit: Option<Duration>, sources: &watch::Receiver<Sources>) {
        let Some(limit) = limit else {
            return future::pending().await;
        };
        loop {
            let used_at = self.inner.auto_lock.used_at.load(Ordering::Relaxed);
            let unused = Duration::from_millis(self.boot_millis().saturating_sub(used_at));
            let left = limit.saturating_sub(unused);
            let is_reported = sources.borrow().idle.is_some();
            if left.is_zero() && !is_reported {
                return;
            }
            let pause = if left.is_zero() { IDLE_CHECK_INTERVAL } else { left };
            tokio::time::sleep(pause.min(IDLE_CHECK_INTERVAL)).await;
        }
    }

    async fn lock_at(&self, event: SessionEvent, settings: core::AutoLock) {
        let (why, inhibitor) = match event {
            SessionEvent::Idle => {
                let minutes = settings.idle_minutes.unwrap_or_default();
                (format!("no use for {minutes} minutes"), None)
            }
            SessionEvent::ScreenLocked => ("the screen was locked".to_owned(), None),
            SessionEvent::AboutToSuspend(inhibitor) => ("the computer suspends".to_owned(), Some(inhibitor)),
            SessionEvent::UserSwitched => ("another user's session became active".to_owned(), None),
        };
        tracing::info!("the vault locks: {why}");
        if let Err(error) = self.lock_because(&Caller::Engine, Some(&why)).await {
            tracing::error!("the vault could not be locked: {error}");
        }
        if inhibitor.is_some()
            && tokio::time::timeout(SUSPEND_TIMEOUT, self.keys_gone())
                .await
                .is_err()
        {
            tracing::warn!("the computer suspends while something is still under way with a provider");
        }
        drop(inhibitor);
    }

    /// Until no task holds the vault that was open.
    async fn keys_gone(&self) {
        while locks::lock(&self.inner.last).strong_count() > 0 {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    fn boot_millis(&self) -> u64 {
        u64::try_from(self.inner.clock.boottime().as_millis()).unwrap_or(u64::MAX)
    }
}

fn wanted(settings: core::AutoLock) -> WatchOptions {
    WatchOptions {
        idle: settings
            .idle_minutes
            .map(|minutes| Duration::from_secs(60 * u64::from(minutes))),
        screen_lock: settings.screen_lock,
        suspend: settings.suspend,
        user_switch: settings.user_switch,
    }
}
