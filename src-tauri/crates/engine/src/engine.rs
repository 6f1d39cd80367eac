use crate::{
    Change, Error, Host, Options, Status,
    activity::Activity,
    connect::LiveFlow,
    gate::{Gate, Opener, VaultReport, VaultState},
    ledger::Ledger,
    policy::{Decision, Operation, decide},
    recover,
    refresh::Refreshes,
    scheduler::{self, Places},
};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};
use tokenry_core::{
    Caller, Clock, Connection, ConnectionId, Event, EventId, EventKind, FlowId, Outcome, ProviderId, Random,
    Secret, Timestamp,
};
use tokenry_oauth::Http;
use tokenry_store::{ProfileLock, Store};
use tokio::sync::{Notify, broadcast, watch};

/// The one engine of a profile. Cloning it is cheap: all clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) opener: Opener,
    pub(crate) folder: PathBuf,
    pub(crate) http: Http,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) activity: Activity,
    pub(crate) refreshes: Refreshes,
    pub(crate) flows: Mutex<HashMap<FlowId, LiveFlow>>,
    pub(crate) places: Places,
    /// Tells the scheduler that something may be due earlier than it thinks.
    pub(crate) due: Notify,
    pub(crate) changes: broadcast::Sender<Change>,
    gate: RwLock<Gate>,
    window: bool,
    ended: watch::Sender<bool>,
    _lock: ProfileLock,
}

impl Engine {
    /// Takes the profile, and opens its vault if that needs no question. A vault that stays shut is no error: the
    /// status says why. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// When another engine has the profile, or its store cannot be opened.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let folder = options.folder.clone();
        let (lock, store) = blocking(move || {
            // The store makes the folder; the lock lives inside it.
            let lock = ProfileLock::take(&folder)?;
            Ok((lock, Store::open(&folder)?))
        })
        .await?;
        let (changes, _) = broadcast::channel(256);
        let engine = Self {
            inner: Arc::new(Inner {
                opener: Opener::new(Arc::new(store), &options, changes.clone()),
                folder: options.folder,
                http: options.http,
                host: options.host,
                clock: options.clock,
                random: options.random,
                activity: Activity::default(),
                refreshes: Refreshes::default(),
                flows: Mutex::default(),
                places: Places::default(),
                due: Notify::new(),
                changes,
                gate: RwLock::new(Gate::Shut {
                    state: VaultState::Locked,
                    problem: None,
                }),
                window: options.window,
                ended: watch::channel(false).0,
                _lock: lock,
            }),
        };
        engine.spawn(scheduler::run);
        engine.spawn(crate::activity::run);
        // Why it stayed shut is kept at the gate, where the status shows it.
        if let Err(error) = engine.open_gate(options.passphrase, true).await {
            tracing::debug!(code = ?error.code(), "the vault stays shut");
        }
        Ok(engine)
    }

    /// Runs a task of the engine's own until the engine ends.
    fn spawn<F: Future<Output = ()> + Send + 'static>(&self, task: impl FnOnce(Engine) -> F) {
        let (task, engine) = (task(self.clone()), self.clone());
        tokio::spawn(async move {
            tokio::select! { () = task => {}, () = engine.finished() => {} }
        });
    }

    /// How the engine is. Works while locked.
    pub fn status(&self) -> Status {
        let (vault, ledger) = match &*self.inner.gate.read().unwrap_or_else(PoisonError::into_inner) {
            Gate::Shut { state, problem } => ((*state, false, problem.clone()), None),
            Gate::Open(ledger) => {
                let problem = ledger.read_only().map(|why| Error::ReadOnly(why.to_owned()));
                let problem = problem.map(|error| (error.code(), error.to_string()));
                (
                    (VaultState::Unlocked, problem.is_some(), problem),
                    Some(ledger.clone()),
                )
            }
        };
        let (state, read_only, problem) = vault;
        let mut counts = HashMap::new();
        let mut providers = 0;
        if let Some(ledger) = ledger {
            let index = ledger.index();
            providers = index.provider_count();
            for connection in index.connections() {
                *counts.entry(self.status_now(connection)).or_insert(0) += 1;
            }
        }
        let vault = VaultReport {
            state,
            slots: self.inner.opener.slots(),
            read_only,
            problem,
        };
        Status {
            vault,
            providers,
            connections: counts.into_iter().collect(),
            window: self.inner.window,
        }
    }

    /// What changes from now on.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// The activity log, newest first, and the mark of the next page.
    ///
    /// # Errors
    /// While locked, or when the log cannot be read.
    pub async fn events(
        &self,
        caller: &Caller,
        before: Option<i64>,
        limit: u32,
    ) -> Result<(Vec<Event>, Option<i64>), Error> {
        self.allow(caller, Operation::Read)?;
        self.flush_activity().await;
        let ledger = self.ledger()?;
        blocking(move || ledger.events(before, limit.clamp(1, 500))).await
    }

    /// Shuts the vault: from now on nobody gets anything. What is under way with a provider is committed first by
    /// those who are in the middle of it, and the keys go with the last of them.
    ///
    /// # Errors
    /// Never because of what is under way; the signature leaves room for a host that cannot.
    pub async fn lock(&self, caller: &Caller) -> Result<(), Error> {
        if self.ledger().is_err() {
            return Ok(());
        }
        self.inner
            .activity
            .push(self.event(caller, EventKind::Locked, None, None, Outcome::Done, None));
        self.flush_activity().await;
        self.set_gate(Gate::Shut {
            state: VaultState::Locked,
            problem: None,
        });
        Ok(())
    }

    /// Opens the vault, with a passphrase or with the OS keyring. `create` makes the first one when there is none;
    /// it never replaces one.
    ///
    /// # Errors
    /// When it stays shut: each state of the keyring has its own words.
    pub async fn unlock(
        &self,
        caller: &Caller,
        passphrase: Option<Secret>,
        create: bool,
    ) -> Result<(), Error> {
        if self.ledger().is_ok() {
            return Ok(());
        }
        self.open_gate(passphrase, create).await?;
        self.inner
            .activity
            .push(self.event(caller, EventKind::Unlocked, None, None, Outcome::Done, None));
        Ok(())
    }

    /// Brings the window to the front.
    ///
    /// # Errors
    /// When there is none.
    pub fn show_window(&self) -> Result<(), Error> {
        self.inner
            .host
            .show_window()
            .map_err(|error| Error::Conflict(error.to_string()))
    }

    /// Ends an engine without a window, so that a desktop app can take the profile over.
    ///
    /// # Errors
    /// When this engine has a window.
    pub async fn hand_over(&self) -> Result<(), Error> {
        if self.inner.window {
            return Err(Error::Conflict(
                "this engine has a window; close it there".to_owned(),
            ));
        }
        self.shutdown().await;
        Ok(())
    }

    /// Finishes what is under way, writes what is not written yet, and ends.
    pub async fn shutdown(&self) {
        self.refreshes_done().await;
        self.flush_activity().await;
        self.set_gate(Gate::Shut {
            state: VaultState::Locked,
            problem: None,
        });
        self.inner.ended.send_replace(true);
    }

    /// Resolves when the engine was told to end.
    pub async fn finished(&self) {
        let mut ended = self.inner.ended.subscribe();
        let _ = ended.wait_for(|ended| *ended).await;
    }

    async fn open_gate(&self, passphrase: Option<Secret>, create: bool) -> Result<(), Error> {
        let engine = self.clone();
        let opened = blocking(move || {
            let ledger = engine.inner.opener.open(passphrase.as_ref(), create)?;
            recover::after_opening(&engine.inner, &ledger)?;
            Ok(ledger)
        })
        .await;
        match opened {
            Ok(ledger) => {
                self.set_gate(Gate::Open(Arc::new(ledger)));
                self.watch_surviving_flows()?;
                self.raise_floor();
                Ok(())
            }
            Err(error) => {
                let absent = self.inner.opener.store.vault_id().is_ok_and(|id| id.is_none());
                let state = if absent {
                    VaultState::Absent
                } else {
                    VaultState::Locked
                };
                let problem = (!matches!(error, Error::Locked)).then(|| (error.code(), error.to_string()));
                self.set_gate(Gate::Shut { state, problem });
                Err(error)
            }
        }
    }

    fn set_gate(&self, gate: Gate) {
        *self.inner.gate.write().unwrap_or_else(PoisonError::into_inner) = gate;
        let _ = self.inner.changes.send(Change::Engine);
        self.inner.due.notify_one();
    }

    /// Tells the keyring how old a copy of this vault may be from now on; in the background, since a keyring can
    /// take its time.
    pub(crate) fn raise_floor(&self) {
        let engine = self.clone();
        tokio::task::spawn_blocking(move || {
            if let Ok(ledger) = engine.ledger()
                && ledger.read_only().is_none()
                && let Err(error) = engine.inner.opener.raise_floor(&ledger)
            {
                tracing::warn!("the keyring did not take the new epoch floor: {error}");
            }
        });
    }

    /// The open vault.
    pub(crate) fn ledger(&self) -> Result<Arc<Ledger>, Error> {
        match &*self.inner.gate.read().unwrap_or_else(PoisonError::into_inner) {
            Gate::Open(ledger) => Ok(ledger.clone()),
            Gate::Shut {
                state: VaultState::Absent,
                problem,
            } => Err(Error::NoVault(problem.as_ref().map_or_else(
                || "open the window, or run `tokenry unlock`".to_owned(),
                |p| p.1.clone(),
            ))),
            Gate::Shut { .. } => Err(Error::Locked),
        }
    }

    pub(crate) fn allow(&self, caller: &Caller, operation: Operation) -> Result<(), Error> {
        match decide(caller, operation) {
            Decision::Allow => Ok(()),
            Decision::Deny => Err(Error::Denied("this caller may not do that")),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(crate) fn event(
        &self,
        caller: &Caller,
        kind: EventKind,
        provider: Option<ProviderId>,
        connection: Option<ConnectionId>,
        outcome: Outcome,
        detail: Option<&str>,
    ) -> Event {
        Event {
            id: EventId::new(&*self.inner.clock, &*self.inner.random),
            at: self.now(),
            kind,
            caller: caller.clone(),
            provider,
            connection,
            outcome,
            detail: detail.map(tokenry_core::clean),
        }
    }

    pub(crate) fn connection_event(
        &self,
        caller: &Caller,
        kind: EventKind,
        connection: &Connection,
        outcome: Outcome,
        detail: Option<&str>,
    ) -> Event {
        self.event(
            caller,
            kind,
            Some(connection.provider),
            Some(connection.id),
            outcome,
            detail,
        )
    }
}

/// Runs what blocks (disk, key derivation, keyring) beside the runtime.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::Internal(format!("a task ended early ({error})"))))
}
