//! Opening and shutting the vault, and the end of the engine.

use super::run_state::{RunState, Start};
use crate::{
    Engine, Error,
    access::{consent::AccessRequest, installed, policy::Operation},
    engine::{blocking, detached},
    lifecycle::{
        recover,
        unlocker::Unlocker,
        vault_handle::{VaultHandle, VaultState},
    },
    locks,
    records::sealed_store::SealedStore,
};
use std::{sync::Arc, time::Duration};
use tokenry_core::{Caller, Code, EventKind, Outcome, Secret};

/// How long the OS keyring may take before it is said that it is waited for. A keyring that asks nothing answers within
/// 50 ms.
const KEYRING_WAIT: Duration = Duration::from_secs(1);
const WAITING_FOR_KEYRING: &str = "waiting for the OS keyring; answer its password window, or unlock the keyring in \
                                   the desktop session. If no window appears, restart the keyring service";

/// How long an engine that ends waits for those who are in the middle of something: the longest request to a
/// provider fits.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(45);

impl Engine {
    /// Locks the vault: from now on nothing is handed out. What is under way with a provider is committed first by
    /// those who are in the middle of it, and the keys go with the last of them.
    ///
    /// # Errors
    /// Never because of what is under way; the signature leaves room for a host that cannot.
    pub async fn lock(&self, caller: &Caller) -> Result<(), Error> {
        self.lock_because(caller, None).await
    }

    /// The same, with the reason in the log.
    pub(super) async fn lock_because(&self, caller: &Caller, why: Option<&str>) -> Result<(), Error> {
        let Ok(store) = self.store() else {
            return Ok(());
        };
        let event = self.event(caller, EventKind::Locked, Outcome::Done);
        self.inner.activity.push(event.with_detail_if(why));
        self.write_activity(store.clone(), true).await;
        self.keep_tokens(store).await;
        self.count_lock();
        self.shut();
        Ok(())
    }

    /// Opens the vault, with a passphrase or with the OS keyring. `create` makes the first one when there is none;
    /// it never replaces one.
    ///
    /// # Errors
    /// When it stays shut: each state of the keyring has its own words. A wrong passphrase is an error also when the
    /// vault is open: the user would go on to believe in it.
    pub async fn unlock(
        &self,
        caller: &Caller,
        passphrase: Option<Secret>,
        create: bool,
    ) -> Result<(), Error> {
        self.unlock_by(caller, passphrase.into(), create).await
    }

    /// Opens the vault with its recovery code, when the OS keyring or the passphrase is lost.
    ///
    /// # Errors
    /// As [`Self::unlock`]; by the field `recovery_code`, when the text is no such code.
    pub async fn unlock_with_recovery_code(&self, caller: &Caller, typed: &Secret) -> Result<(), Error> {
        self.unlock_by(caller, Unlocker::recovery_code(typed)?, false)
            .await
    }

    async fn unlock_by(&self, caller: &Caller, unlocker: Unlocker, create: bool) -> Result<(), Error> {
        let turn = match unlocker.is_known_by_heart() {
            true => self.turn_to_guess(caller).await?,
            false => None,
        };
        let (engine, caller) = (self.clone(), caller.clone());
        if self.store().is_ok() {
            if !unlocker.is_known_by_heart() {
                return Ok(());
            }
            let _opening = self.inner.opening.lock().await;
            let proved = blocking(move || {
                // The next one of this program waits, even when who asked for this one is gone.
                let _turn = turn;
                engine.inner.opener.prove(&unlocker)
            });
            return proved.await.inspect_err(|error| self.note_guess(&caller, error));
        }
        // The engine's own task: a caller that goes away does not stop halfway what the keyring is asked for.
        detached(async move {
            let _turn = turn;
            let detail = unlocker.detail();
            let opened = engine.open_vault(unlocker, create).await;
            opened.inspect_err(|error| engine.note_guess(&caller, error))?;
            let event = engine
                .event(&caller, EventKind::Unlocked, Outcome::Done)
                .with_detail_if(detail);
            engine.inner.activity.push(event);
            Ok(())
        })
        .await
    }

    /// A wrong passphrase or recovery code is in the log, as soon as that can be written.
    pub(crate) fn note_guess(&self, caller: &Caller, error: &Error) {
        let detail = match error {
            Error::Vault(tokenry_vault::Error::WrongPassphrase) => "wrong passphrase",
            Error::Vault(tokenry_vault::Error::WrongRecoveryCode) => "wrong recovery code",
            _ => return,
        };
        let event = self.event(caller, EventKind::Unlocked, Outcome::Refused);
        self.inner.activity.push(event.with_detail(detail));
    }

    /// Ends an engine without a window, so that a desktop app can take the profile over. The app that is installed
    /// beside this engine's own program, with a display to show a window on, need not ask; about anybody else the
    /// user is asked: a program that ends the engine can listen in its place.
    ///
    /// # Errors
    /// When this engine has a window, or the caller may not.
    pub async fn hand_over(&self, caller: &Caller) -> Result<(), Error> {
        if self.inner.window {
            return Err(Error::Conflict(
                "this engine has a window; close it there".to_owned(),
            ));
        }
        let is_the_app = |peer| installed::is_desktop_app_with_a_display(peer);
        let wanted = AccessRequest::new(Operation::HandOver)
            .by_its_starter(matches!(caller, Caller::Program(peer) if is_the_app(peer)));
        let to_the_app = wanted.target.is_own;
        let rule = self.permit(caller, wanted).await?.rule;
        let detail = to_the_app.then_some("to the desktop app that is installed beside it");
        let mut event = self
            .event(caller, EventKind::HandedOver, Outcome::Done)
            .with_detail_if(detail);
        // It is no rule for any program.
        event.rule = (!to_the_app).then_some(rule);
        self.inner.activity.push(event);
        // A vault that is shut takes no line: then this one is all there is.
        let program = caller.peer().and_then(|peer| peer.program.as_deref());
        tracing::warn!("the engine ends for {}", program.unwrap_or("another program"));
        self.shutdown().await;
        Ok(())
    }

    /// Finishes what is under way, writes what is not written yet, and ends: the profile is free for another engine.
    pub async fn shutdown(&self) {
        let store = self.store().ok();
        self.shut();
        self.inner.run_state.send_replace(RunState::Ending);
        self.end_listeners();
        self.refreshes_done().await;
        let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, self.inner.jobs.idle()).await;
        if let Some(store) = store {
            let finished = tokio::time::timeout(SHUTDOWN_TIMEOUT, alone(&store)).await;
            if finished.is_err() {
                tracing::warn!("the engine ends while something is still under way");
            }
            self.write_activity(store.clone(), true).await;
            self.keep_latest(&store).await;
            self.raise_at_the_end(Some(&store)).await;
        } else {
            self.raise_at_the_end(None).await;
        }
        locks::lock(&self.inner.lock).take();
        self.inner.run_state.send_replace(RunState::Ended);
    }

    /// Resolves when the engine was told to end, and has.
    pub async fn finished(&self) {
        let mut life = self.inner.run_state.subscribe();
        let _ = life.wait_for(|life| *life == RunState::Ended).await;
    }

    /// Resolves when the engine is about to end.
    pub(crate) async fn ending(&self) {
        let mut life = self.inner.run_state.subscribe();
        let _ = life.wait_for(|life| *life != RunState::Running).await;
    }

    fn shut(&self) {
        self.set_vault_handle(VaultHandle::Shut {
            state: VaultState::Locked,
            problem: None,
            waiting_for_keyring: false,
        });
        self.inner.prompts.lock();
        self.inner.slot_changes.lock();
        self.inner.jobs.lock();
        self.inner.restores.lock();
        self.inner.authorization_server.forget_codes();
        self.inner.locked.notify_waiters();
    }

    /// Opens the vault if it is shut. One at a time, or two of them would each believe that the profile is theirs.
    pub(crate) async fn open_vault(&self, unlocker: Unlocker, create: bool) -> Result<(), Error> {
        let _turn = self.inner.opening.lock().await;
        if self.store().is_ok() {
            // Opened meanwhile, by a caller before us in the queue: a wrong passphrase is wrong all the same.
            let engine = self.clone();
            return match unlocker.is_known_by_heart() {
                true => blocking(move || engine.inner.opener.prove(&unlocker)).await,
                false => Ok(()),
            };
        }
        if *self.inner.run_state.borrow() != RunState::Running {
            return Err(Error::Locked);
        }
        let engine = self.clone();
        let opening = blocking(move || engine.open_store(&unlocker, create));
        tokio::pin!(opening);
        let opened = tokio::select! {
            opened = opening.as_mut() => Some(opened),
            () = tokio::time::sleep(KEYRING_WAIT) => None,
        };
        let opened = match opened {
            Some(opened) => opened,
            None => {
                if self.inner.opener.is_asking_keyring() {
                    self.wait_for_keyring();
                }
                opening.await
            }
        };
        match opened {
            Ok(store) => {
                *locks::lock(&self.inner.last) = Arc::downgrade(&store);
                let surviving = self.watch_surviving_flows(&store);
                self.set_vault_handle(VaultHandle::Open(store));
                self.raise_floor();
                surviving
            }
            Err(error) => {
                let engine = self.clone();
                let (state, wrong) = blocking(move || Ok(engine.inner.opener.state()))
                    .await
                    .unwrap_or((VaultState::Locked, None));
                let state = if error.is_damage() {
                    VaultState::Damaged
                } else {
                    state
                };
                let told = stays(&error).then(|| (error.code(), error.to_string()));
                self.set_vault_handle(VaultHandle::Shut {
                    state,
                    problem: told.or(wrong),
                    waiting_for_keyring: false,
                });
                Err(error)
            }
        }
    }

    /// Says that the vault is shut because the OS keyring has not answered yet.
    fn wait_for_keyring(&self) {
        self.set_vault_handle(VaultHandle::Shut {
            state: self.inner.opener.state().0,
            problem: Some((Code::VaultLocked, WAITING_FOR_KEYRING.to_owned())),
            waiting_for_keyring: true,
        });
        self.inner.start.send_if_modified(|start| {
            let is_first = *start == Start::Opening;
            if is_first {
                *start = Start::Waiting;
            }
            is_first
        });
    }

    /// The vault, opened anew; or the one from before, if a task is still using it. Two
    /// of them would not know of each other's changes.
    fn open_store(&self, unlocker: &Unlocker, create: bool) -> Result<Arc<SealedStore>, Error> {
        let last = locks::lock(&self.inner.last).upgrade();
        let store = match last {
            Some(last) => {
                self.inner.opener.prove(unlocker)?;
                last
            }
            None => Arc::new(self.inner.opener.open(unlocker, create)?),
        };
        recover::after_opening(self, &store)?;
        Ok(store)
    }
}

/// Whether this is how the vault is, and not only how one try to open it went.
fn stays(error: &Error) -> bool {
    !matches!(
        error,
        Error::Locked
            | Error::Invalid(_)
            | Error::Vault(tokenry_vault::Error::WrongPassphrase | tokenry_vault::Error::WrongRecoveryCode)
    )
}

/// Until no other task holds the vault.
async fn alone(store: &Arc<SealedStore>) {
    while Arc::strong_count(store) > 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
