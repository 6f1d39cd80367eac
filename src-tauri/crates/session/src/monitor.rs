//! What a monitor of the session is asked for, and what it reports.

use std::{future::Future, pin::Pin, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

/// How many events may wait for the receiver.
const MAX_WAITING_EVENTS: usize = 16;

/// What is to be reported. Nothing else is listened for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchOptions {
    /// That the user has been idle for this long.
    pub idle: Option<Duration>,
    /// That the screen was locked.
    pub screen_lock: bool,
    /// That the machine is about to suspend.
    pub suspend: bool,
    /// That another user's session became the active one.
    pub user_switch: bool,
}

/// What happened.
#[derive(Debug)]
pub enum SessionEvent {
    /// The user has been idle for as long as was wanted.
    Idle,
    /// The screen was locked.
    ScreenLocked,
    /// The machine suspends as soon as the inhibitor is dropped, or when the system waits no longer.
    AboutToSuspend(Inhibitor),
    /// Another user's session became the active one.
    UserSwitched,
}

/// Holds the suspend back until it is dropped.
#[derive(Debug, Default)]
pub struct Inhibitor {
    #[cfg(unix)]
    _held: Option<std::os::fd::OwnedFd>,
}

#[cfg(unix)]
impl From<Option<std::os::fd::OwnedFd>> for Inhibitor {
    fn from(held: Option<std::os::fd::OwnedFd>) -> Self {
        Self { _held: held }
    }
}

/// The services that were found, by their names on the bus. `None` and empty: nothing here reports that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// What reports how long the user has been idle.
    pub idle: Option<&'static str>,
    /// What reports that the screen is locked.
    pub screen_lock: Vec<&'static str>,
    /// What reports a suspend, and waits.
    pub suspend: Option<&'static str>,
    /// What reports that another user's session is the active one.
    pub user_switch: Option<&'static str>,
}

/// Where events come from. A parameter of the engine, so that every branch can be tested.
pub trait SessionMonitor: Send + Sync {
    /// Listens until the result is dropped. Needs a tokio runtime around it.
    fn watch(&self, wanted: &WatchOptions) -> Watch;

    /// Looks once which services are there.
    fn sources(&self) -> Pin<Box<dyn Future<Output = Sources> + Send + '_>>;
}

/// Events, for as long as this is kept.
pub struct Watch {
    events: mpsc::Receiver<SessionEvent>,
    sources: watch::Receiver<Sources>,
    _tasks: JoinSet<()>,
}

/// The other end of a [`Watch`].
#[derive(Clone)]
pub struct Reporter {
    events: mpsc::Sender<SessionEvent>,
    sources: watch::Sender<Sources>,
}

impl Watch {
    /// A watch, and the end that reports to it. `tasks` end when the watch is dropped.
    pub fn new(tasks: impl FnOnce(Reporter) -> JoinSet<()>) -> Self {
        let (reporter_events, events) = mpsc::channel(MAX_WAITING_EVENTS);
        let (reporter_sources, sources) = watch::channel(Sources::default());
        let tasks = tasks(Reporter {
            events: reporter_events,
            sources: reporter_sources,
        });
        Self {
            events,
            sources,
            _tasks: tasks,
        }
    }

    /// The next event. Waits for ever where nothing reports any.
    pub async fn next(&mut self) -> SessionEvent {
        match self.events.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }

    /// The services that are there, kept up to date.
    pub fn sources(&self) -> watch::Receiver<Sources> {
        self.sources.clone()
    }
}

impl Reporter {
    /// Reports an event.
    pub async fn report(&self, event: SessionEvent) {
        // Without a receiver it is not wanted any more.
        let _ = self.events.send(event).await;
    }

    /// Says which services are there now.
    pub fn found(&self, change: impl FnOnce(&mut Sources)) {
        self.sources.send_modify(change);
    }
}
