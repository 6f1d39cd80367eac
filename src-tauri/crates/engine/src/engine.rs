//! The engine: its state, its start, and what every operation needs.

use crate::{
    Change, Error, Host, Options, Status,
    access::{
        consent::Prompts,
        policy::{ConsentMode, Operation},
    },
    activity::{buffered_random::BufferedRandom, write::Activity},
    authorization_server::AuthorizationServer,
    backup::{Daily, Jobs, Restores},
    discovery::Discoveries,
    flow::open_flows::{FlowLimits, LiveFlow},
    lifecycle::{
        auto_lock::{self, AutoLock},
        floors::{self, Floors},
        passphrase_queue::Guesses,
        residue,
        run_state::{RunState, Start},
        slots::SlotChanges,
        unlock_request::UnlockRequests,
        vault_handle::{Opener, VaultHandle, VaultReport, VaultState},
    },
    locks,
    provider_check::CheckLimits,
    records::{sealed_store::SealedStore, transaction::Transaction},
    request_context::{request_id, same_request},
    requested_sockets::RequestedSockets,
    token::{
        refresh::Refreshes,
        scheduler::{self, SchedulerState},
        while_locked::KeptTokens,
    },
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, RwLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokenry_core::{
    Caller, Clock, Event, EventId, EventKind, FlowId, Outcome, Random, Rule, Secret, Timestamp,
};
use tokenry_oauth::Http;
use tokenry_redirect::OpenPorts;
use tokenry_session::SessionMonitor;
use tokenry_store::ProfileLock;
use tokio::sync::{Notify, broadcast, futures::Notified, watch};

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
    pub(crate) session: Arc<dyn SessionMonitor>,
    pub(crate) auto_lock: AutoLock,
    pub(crate) unlock_requests: UnlockRequests,
    pub(crate) kept: KeptTokens,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    /// For the ids of events, and for nothing else.
    event_ids: BufferedRandom,
    pub(crate) activity: Activity,
    pub(crate) refreshes: Refreshes,
    pub(crate) flows: Mutex<HashMap<FlowId, LiveFlow>>,
    pub(crate) flow_limits: Arc<FlowLimits>,
    pub(crate) check_limits: CheckLimits,
    pub(crate) open_ports: OpenPorts,
    pub(crate) scheduler: SchedulerState,
    pub(crate) floors: Arc<Floors>,
    /// Tells the scheduler that something may be due earlier than it thinks.
    pub(crate) due: Notify,
    pub(crate) changes: broadcast::Sender<Change>,
    /// One opening of the vault at a time.
    pub(crate) opening: tokio::sync::Mutex<()>,
    pub(crate) guesses: Guesses,
    vault_handle: RwLock<VaultHandle>,
    /// How often the vault was locked. A permission from before a lock is not good after it.
    locks: AtomicU64,
    /// Tells those who wait for it that the vault was locked.
    pub(crate) locked: Notify,
    pub(crate) slot_changes: SlotChanges,
    /// The vault that was open last. A task may still be using it.
    pub(crate) last: Mutex<Weak<SealedStore>>,
    pub(crate) window: bool,
    pub(crate) asking: ConsentMode,
    pub(crate) approval_code: Option<Secret>,
    pub(crate) prompts: Prompts,
    /// One wrong approval code at a time.
    pub(crate) guessing: tokio::sync::Mutex<()>,
    pub(crate) authorization_server: AuthorizationServer,
    pub(crate) jobs: Jobs,
    pub(crate) restores: Restores,
    pub(crate) daily: Daily,
    pub(crate) sockets: RequestedSockets,
    pub(crate) discoveries: Discoveries,
    pub(crate) run_state: watch::Sender<RunState>,
    pub(crate) lock: Mutex<Option<ProfileLock>>,
    pub(crate) start: watch::Sender<Start>,
}

impl Engine {
    /// Takes the profile, and opens its vault if that needs no question. A vault that stays shut is no error: the
    /// status says why. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// When another engine has the profile, or its store cannot be opened.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let (changes, _) = broadcast::channel(256);
        let (options, lock, opener, state) = {
            let changes = changes.clone();
            blocking(move || {
                // The lock makes the folder, and lives inside it.
                let lock = ProfileLock::take(&options.folder)?;
                let folder = tokenry_store::private_folder(&options.folder)?;
                let opener = Opener::new(folder, &options, changes);
                match opener.database() {
                    // Every caller hears of it; `tokenry status`, too.
                    Err(error) if error.is_damage() => {}
                    opened => drop(opened?),
                }
                let state = opener.state();
                Ok((options, lock, opener, state))
            })
            .await?
        };
        let engine = Self {
            inner: Arc::new(Inner {
                folder: options.folder,
                http: crate::lifecycle::options::signing(options.http, &options.clock, &options.random),
                host: options.host,
                session: options.session,
                auto_lock: AutoLock::default(),
                unlock_requests: UnlockRequests::default(),
                kept: KeptTokens::default(),
                clock: options.clock,
                event_ids: BufferedRandom::new(options.random.clone()),
                random: options.random,
                activity: Activity::default(),
                floors: opener.floors(),
                refreshes: Refreshes::default(),
                flows: Mutex::default(),
                flow_limits: Arc::default(),
                check_limits: CheckLimits::default(),
                open_ports: OpenPorts::default(),
                scheduler: SchedulerState::default(),
                due: Notify::new(),
                changes,
                vault_handle: RwLock::new(VaultHandle::Shut {
                    state: state.0,
                    problem: state.1,
                    waiting_for_keyring: false,
                }),
                locks: AtomicU64::new(0),
                locked: Notify::new(),
                opener,
                window: options.window,
                asking: options.asking,
                approval_code: options.approval_code,
                prompts: Prompts::default(),
                guessing: tokio::sync::Mutex::default(),
                slot_changes: SlotChanges::default(),
                authorization_server: AuthorizationServer::default(),
                jobs: Jobs::default(),
                restores: Restores::default(),
                daily: Daily::default(),
                sockets: RequestedSockets::default(),
                discoveries: Discoveries::default(),
                run_state: watch::channel(RunState::Running).0,
                opening: tokio::sync::Mutex::default(),
                guesses: Guesses::default(),
                last: Mutex::default(),
                lock: Mutex::new(Some(lock)),
                start: watch::channel(Start::Opening).0,
            }),
        };
        engine.spawn(scheduler::run);
        engine.spawn(crate::activity::write::run);
        engine.spawn(floors::run);
        engine.spawn(auto_lock::run);
        engine.open_at_start(options.passphrase).await;
        Ok(engine)
    }

    /// Opens the vault if nothing has to be asked. Why it stayed shut is kept in the handle, where the status shows it.
    /// A keyring that does not answer holds nothing back: it is waited for in the background.
    async fn open_at_start(&self, passphrase: Option<Secret>) {
        let engine = self.clone();
        tokio::spawn(async move {
            if let Err(error) = engine.open_vault(passphrase.into(), true).await {
                tracing::debug!(code = ?error.code(), "the vault stays shut");
            }
            engine.inner.start.send_replace(Start::Tried);
        });
        self.start_reaches(|start| *start != Start::Opening).await;
    }

    /// Resolves when the attempt to open the vault at the start has ended, with an open vault or without.
    pub async fn tried_to_open(&self) {
        self.start_reaches(|start| *start == Start::Tried).await;
    }

    async fn start_reaches(&self, far: impl FnMut(&Start) -> bool) {
        let _ = self.inner.start.subscribe().wait_for(far).await;
    }

    /// The profile's folder.
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Writes into the profile's lock file where this engine listens, for callers whose environment names another
    /// place.
    pub fn listens_at(&self, socket: &Path) {
        let mut lock = locks::lock(&self.inner.lock);
        if let Some(Err(error)) = lock.as_mut().map(|lock| lock.listens_at(socket)) {
            tracing::warn!("the lock file of the profile could not be written: {error}");
        }
    }

    /// Runs a task of the engine's own until the engine ends.
    pub(crate) fn spawn<F: Future<Output = ()> + Send + 'static>(&self, task: impl FnOnce(Engine) -> F) {
        let (task, engine) = (task(self.clone()), self.clone());
        tokio::spawn(async move {
            tokio::select! { () = task => {}, () = engine.finished() => {} }
        });
    }

    /// How the engine is. Works while locked.
    pub fn status(&self) -> Status {
        let (vault, store) = match &*locks::read(&self.inner.vault_handle) {
            VaultHandle::Shut {
                state,
                problem,
                waiting_for_keyring,
            } => ((*state, false, problem.clone(), *waiting_for_keyring), None),
            VaultHandle::Open(store) => {
                let problem = store.read_only().map(Error::ReadOnly);
                let problem = problem.map(|error| (error.code(), error.to_string()));
                (
                    (VaultState::Unlocked, problem.is_some(), problem, false),
                    Some(store.clone()),
                )
            }
        };
        let (state, read_only, problem, waiting_for_keyring) = vault;
        let older = store.as_ref().is_some_and(|store| store.is_older());
        let mut counts = HashMap::new();
        let mut providers = 0;
        if let Some(store) = store {
            let index = store.index();
            providers = index.provider_count();
            for connection in index.connections() {
                *counts.entry(self.status_now(connection)).or_insert(0) += 1;
            }
        }
        let vault = VaultReport {
            state,
            slots: self.inner.opener.slots(),
            read_only,
            older,
            problem,
            waiting_for_keyring,
            unlock_requests: self.inner.unlock_requests.count(),
        };
        Status {
            vault,
            providers,
            connections: counts.into_iter().collect(),
            window: self.inner.window,
            daily_backup_failure: self.daily_failure(),
        }
    }

    /// What changes from now on, for the host of this engine.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// Whether a caller may hear of changes, the lines of the activity log among them, and for how long: until its
    /// access token ends, or its grant. `None` is without an end that is known.
    ///
    /// # Errors
    /// When it may not.
    pub fn may_hear_changes(&self, caller: &Caller) -> Result<Option<Duration>, Error> {
        self.allow(caller, Operation::ReadActivity)?;
        let of_token = self.life_left(caller)?;
        let of_grant = self.grant_life_left(caller, Operation::ReadActivity)?;
        Ok([of_token, of_grant].into_iter().flatten().min())
    }

    /// Replaces the handle, when the vault is opened or locked.
    pub(crate) fn set_vault_handle(&self, handle: VaultHandle) {
        let is_shut = matches!(handle, VaultHandle::Shut { .. });
        residue::vault_is_shut(is_shut);
        *locks::write(&self.inner.vault_handle) = handle;
        if !is_shut {
            self.inner.kept.wipe();
            self.inner.unlock_requests.unlocked();
        }
        self.inner.auto_lock.changed.notify_one();
        let _ = self.inner.changes.send(Change::Engine);
        self.inner.due.notify_one();
    }

    /// How often the vault was locked since the engine started. Whatever was begun before a lock ends with it.
    pub fn locks(&self) -> u64 {
        self.inner.locks.load(Ordering::Acquire)
    }

    /// Resolves when the vault is locked the next time, also when that is before it is first waited for.
    pub fn locked(&self) -> Notified<'_> {
        self.inner.locked.notified()
    }

    /// Whether the vault is open.
    pub fn is_open(&self) -> bool {
        matches!(&*locks::read(&self.inner.vault_handle), VaultHandle::Open(_))
    }

    pub(crate) fn count_lock(&self) {
        self.inner.locks.fetch_add(1, Ordering::AcqRel);
    }

    /// The open vault.
    pub(crate) fn store(&self) -> Result<Arc<SealedStore>, Error> {
        match &*locks::read(&self.inner.vault_handle) {
            VaultHandle::Open(store) => Ok(store.clone()),
            VaultHandle::Shut {
                state: VaultState::Absent,
                problem,
                ..
            } => Err(Error::no_vault(
                problem
                    .as_ref()
                    .map_or("open the window, or run `tokenry unlock`", |(_, text)| text),
            )),
            VaultHandle::Shut {
                state: VaultState::Damaged,
                problem: Some((_, text)),
                ..
            } => Err(Error::StaysDamaged(text.clone())),
            VaultHandle::Shut {
                problem: Some((_, text)),
                ..
            } => Err(Error::StaysLocked(text.clone())),
            VaultHandle::Shut { .. } => Err(Error::Locked),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// An event that happens now. Its `with_…` methods say what it is about.
    pub(crate) fn event(&self, caller: &Caller, kind: EventKind, outcome: Outcome) -> Event {
        Event {
            id: EventId::new(&*self.inner.clock, &self.inner.event_ids),
            at: self.now(),
            kind,
            caller: caller.clone(),
            provider: None,
            connection: None,
            credential: None,
            app: None,
            outcome,
            rule: match caller {
                Caller::Ui | Caller::Consent => Some(Rule::Window),
                Caller::Engine => Some(Rule::Engine),
                Caller::Program(_) | Caller::App(_) => None,
            },
            detail: None,
            token_expires_at: None,
            token_scopes: None,
            request_id: match outcome {
                Outcome::Done => None,
                Outcome::Refused | Outcome::Failed => request_id(),
            },
            count: 1,
            first_at: None,
        }
    }

    /// One transaction beside the runtime: all of `work` or nothing, on disk before this returns.
    pub(crate) async fn commit<T: Send + 'static>(
        &self,
        store: &Arc<SealedStore>,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (store, now) = (store.clone(), self.now());
        blocking(move || store.change(now, work)).await
    }

    /// The same for what must not be lost: on a full disk the reserve is given up for it.
    pub(crate) async fn commit_surely<T: Send + 'static>(
        &self,
        store: &Arc<SealedStore>,
        work: impl Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (store, now) = (store.clone(), self.now());
        blocking(move || store.change_surely(now, work)).await
    }
}

/// Runs a task that must finish also when the caller that waits for it goes away. It belongs to the caller's request.
pub(crate) async fn detached<T, E>(task: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    joined(tokio::spawn(same_request(task)).await)
}

/// What a task of its own returned, or that it ended early.
fn joined<T, E: From<Error>>(ended: Result<Result<T, E>, tokio::task::JoinError>) -> Result<T, E> {
    ended.unwrap_or_else(|error| Err(Error::Internal(format!("a task ended early ({error})")).into()))
}

/// Runs what blocks (disk, key derivation, keyring) beside the runtime.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    joined(tokio::task::spawn_blocking(work).await)
}
