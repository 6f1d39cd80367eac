//! What every test here stands on: an engine in this process, a provider that does what it is told, a clock that
//! moves when it is told, a keyring in memory and a folder that goes away.

mod browser;
mod crash;
mod folder;
mod session;

pub(crate) use browser::{Browser, answer_of};
pub(crate) use crash::Doomed;
use folder::Folder;
pub(crate) use session::TestSession;

use crate::{
    ConnectOptions, ConnectionChange, ConnectionView, ConsentMode, Engine, Error, Host, HostError, Options,
    SchemeState, StartedFlow, TokenView, VaultChoice,
};
use serde_json::json;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokenry_core::{
    Caller, ConnectionStatus, NarrowingMethod, OsRandom, ProviderPatch, Redirect, Rotation, Scopes, Timestamp,
};
use tokenry_oauth::Http;
use tokenry_testkit::{Behaviour, FixedClock, Server};
use tokenry_vault::{MemoryKeyring, VaultId};
use url::Url;

/// The name of the provider that [`World::connected`] makes.
pub(crate) const NAME: &str = "sandbox";
/// How long something that happens by itself may take on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Everything around an engine, which outlives it.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) clock: FixedClock,
    pub(crate) keyring: Arc<MemoryKeyring>,
    pub(crate) host: Arc<TestHost>,
    pub(crate) session: Arc<TestSession>,
    pub(crate) folder: Folder,
    pub(crate) http: Http,
    pub(crate) asking: ConsentMode,
}

impl World {
    /// The id of the vault in this profile, of which no engine runs: the only one that the keyring has an item for.
    pub(crate) fn vault_id(&self) -> VaultId {
        let store = tokenry_store::Store::open(&self.options().folder).unwrap();
        VaultId(store.vault_id().unwrap().unwrap())
    }

    /// What an engine keeps outside of the profile.
    pub(crate) fn state_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn new(behaviour: Behaviour) -> Self {
        let clock = FixedClock::default();
        Self {
            server: Server::start_with(behaviour, clock.clone(), OsRandom),
            clock,
            keyring: Arc::default(),
            host: Arc::default(),
            session: Arc::default(),
            folder: Folder::new(),
            http: Http::with_timeouts(TIMEOUT, TIMEOUT).unwrap(),
            asking: ConsentMode::Possible,
        }
    }

    /// One whose engine lets through what it would ask about: for what is about something else.
    pub(crate) fn trusting(behaviour: Behaviour) -> Self {
        Self {
            asking: ConsentMode::AllowAll,
            ..Self::new(behaviour)
        }
    }

    /// One whose requests to providers are given up after this long.
    pub(crate) fn impatient(behaviour: Behaviour, whole: Duration) -> Self {
        Self {
            http: Http::with_timeouts(TIMEOUT, whole).unwrap(),
            ..Self::new(behaviour)
        }
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            folder: self.folder.path().join("profile"),
            state: Some(self.state_folder()),
            vault: VaultChoice::Auto,
            passphrase: None,
            keyring: self.keyring.clone(),
            host: self.host.clone(),
            session: self.session.clone(),
            clock: Arc::new(self.clock.clone()),
            random: Arc::new(OsRandom),
            http: self.http.clone(),
            window: self.host.shows_window.load(Ordering::SeqCst),
            asking: self.asking,
            approval_code: None,
        }
    }

    pub(crate) async fn start(&self) -> Engine {
        Engine::start(self.options()).await.unwrap()
    }

    /// An engine with one provider, [`NAME`], at which one account is connected.
    pub(crate) async fn connected(behaviour: Behaviour) -> (Self, Engine) {
        let world = Self::new(behaviour);
        let engine = world.start().await;
        world.connect(&engine).await;
        (world, engine)
    }

    /// The same with a [`World::trusting`].
    pub(crate) async fn connected_and_trusting(behaviour: Behaviour) -> (Self, Engine) {
        let world = Self::trusting(behaviour);
        let engine = world.start().await;
        world.connect(&engine).await;
        (world, engine)
    }

    /// Adds [`NAME`] and connects an account at it.
    pub(crate) async fn connect(&self, engine: &Engine) -> ConnectionView {
        engine.add_provider(&ui(), self.provider(NAME)).await.unwrap();
        self.sign_in(engine, ConnectOptions::default()).await.unwrap()
    }

    /// The test server as a provider: its rotation is known, and that it keeps a grant whole that is narrowed.
    pub(crate) fn provider(&self, name: &str) -> ProviderPatch {
        provider_at(&self.server, name)
    }

    /// Signs in at [`NAME`] by the paste redirect.
    pub(crate) async fn sign_in(
        &self,
        engine: &Engine,
        how: ConnectOptions,
    ) -> Result<ConnectionView, Error> {
        let flow = engine.connect(&ui(), NAME, paste(how)).await?;
        engine.callback(&ui(), &answer_of(&flow)).await
    }

    /// Starts a paste flow at [`NAME`].
    pub(crate) async fn flow(&self, engine: &Engine) -> StartedFlow {
        let how = paste(ConnectOptions::default());
        engine.connect(&ui(), NAME, how).await.unwrap()
    }

    pub(crate) fn clock_now(&self) -> Timestamp {
        tokenry_core::Clock::now(&self.clock)
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Ends the engine in an orderly way and starts another on the same folder.
    pub(crate) async fn restart(&self, engine: Engine) -> Engine {
        engine.shutdown().await;
        drop(engine);
        self.start().await
    }
}

pub(crate) fn paste(how: ConnectOptions) -> ConnectOptions {
    ConnectOptions {
        redirect: Some(Redirect::Paste),
        ..how
    }
}

/// A JSON merge patch of a provider.
pub(crate) fn patch(value: serde_json::Value) -> ProviderPatch {
    match value {
        serde_json::Value::Object(members) => members.into(),
        other => panic!("not an object: {other}"),
    }
}

/// A test server as a provider, its rotation known.
pub(crate) fn provider_at(server: &Server, name: &str) -> ProviderPatch {
    patch(json!({
        "name": name, "client_id": "tokenry",
        "issuer": server.issuer(),
        "authorization_endpoint": server.authorization_endpoint(),
        "token_endpoint": server.token_endpoint(),
        "revocation_endpoint": server.revocation_endpoint(),
        "userinfo_endpoint": server.userinfo_endpoint(),
        "default_scopes": Scopes::parse("read write"),
        "authorization_response_iss_parameter_supported": true,
        "rotation": known(server.behaviour().rotation),
        "narrowing": NarrowingMethod::Refresh,
    }))
}

fn known(rotation: tokenry_testkit::Rotation) -> Rotation {
    match rotation {
        tokenry_testkit::Rotation::None => Rotation::None,
        tokenry_testkit::Rotation::Grace(seconds) => Rotation::Grace {
            seconds: u32::try_from(seconds).unwrap(),
        },
        tokenry_testkit::Rotation::Strict => Rotation::Strict,
    }
}

/// The provider's rotation, as far as the engine knows.
pub(crate) async fn set_rotation(engine: &Engine, rotation: Rotation) {
    let change = patch(json!({"rotation": rotation}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
}

/// How the provider narrows, as far as the engine knows.
pub(crate) async fn set_narrowing(engine: &Engine, narrowing: NarrowingMethod) {
    let change = patch(json!({"narrowing": narrowing}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
}

pub(crate) fn ui() -> Caller {
    Caller::Ui
}

/// A token for a caller that needs it for this many seconds.
pub(crate) async fn token(engine: &Engine, min_valid: u64) -> Result<TokenView, Error> {
    engine.token(&ui(), NAME, Duration::from_secs(min_valid)).await
}

pub(crate) async fn status(engine: &Engine) -> ConnectionStatus {
    view(engine).await.connection.status
}

pub(crate) async fn view(engine: &Engine) -> ConnectionView {
    engine.connection(&ui(), NAME).await.unwrap()
}

/// Makes the scheduler look at the clock: it does so after every change.
pub(crate) async fn poke(engine: &Engine, reference: &str) {
    let nothing = ConnectionChange::default();
    engine.change_connection(&ui(), reference, nothing).await.unwrap();
}

/// Waits until the schedule has looked at the clock and has nothing to do, or is done with it.
pub(crate) async fn schedule_is_idle(engine: &Engine) {
    until("the schedule is idle", async || {
        engine.work_of_the_schedule().is_empty().then_some(())
    })
    .await;
}

/// Runs a task until it waits for something.
pub(crate) async fn waits<F: Future>(task: &mut std::pin::Pin<Box<F>>) {
    let ended = tokio::time::timeout(Duration::ZERO, task).await;
    assert!(ended.is_err(), "it did not wait");
}

/// Waits until something that happens by itself has happened.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + TIMEOUT;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until the server has seen something.
pub(crate) async fn seen(world: &World, what: &str, enough: impl Fn(&Server) -> bool) {
    until(what, async || enough(&world.server).then_some(())).await;
}

pub(crate) fn seconds_from(now: Timestamp, then: Option<Timestamp>) -> i64 {
    then.unwrap().as_second() - now.as_second()
}

/// A host that opens nothing and writes down what it was asked to open.
#[derive(Default)]
pub(crate) struct TestHost {
    pub(crate) opened: Mutex<Vec<Url>>,
    pub(crate) scheme: Mutex<Option<SchemeState>>,
    /// Whether there is a window; how often it was shown.
    pub(crate) shows_window: AtomicBool,
    pub(crate) shown: AtomicUsize,
}

impl Host for TestHost {
    fn open_browser(&self, url: &Url) -> Result<(), HostError> {
        self.opened.lock().unwrap().push(url.clone());
        Ok(())
    }

    fn scheme_is_ours(&self) -> SchemeState {
        self.scheme.lock().unwrap().clone().unwrap_or(SchemeState::Ours)
    }

    fn show_window(&self) -> Result<(), HostError> {
        if !self.shows_window.load(Ordering::SeqCst) {
            return Err(HostError("there is none".to_owned()));
        }
        self.shown.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}
