//! A desktop session that reports what a test says.

use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard},
};
use tokenry_session::{Reporter, SessionEvent, SessionMonitor, Sources, Watch, WatchOptions};
use tokio::task::JoinSet;

#[derive(Default)]
pub(crate) struct TestSession(Mutex<State>);

#[derive(Default)]
struct State {
    /// What each watch was for that was begun.
    begun: Vec<WatchOptions>,
    reporter: Option<Reporter>,
}

impl TestSession {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// What each watch was for, in their order.
    pub(crate) fn begun(&self) -> Vec<WatchOptions> {
        self.state().begun.clone()
    }

    /// Reports this to the newest watch.
    pub(crate) async fn report(&self, event: SessionEvent) {
        let reporter = self.state().reporter.clone();
        reporter.unwrap().report(event).await;
    }

    /// Says to the newest watch which services there are.
    pub(crate) fn found(&self, change: impl FnOnce(&mut Sources)) {
        self.state().reporter.clone().unwrap().found(change);
    }
}

impl SessionMonitor for TestSession {
    fn watch(&self, wanted: &WatchOptions) -> Watch {
        let mut state = self.state();
        state.begun.push(wanted.clone());
        Watch::new(|reporter| {
            state.reporter = Some(reporter);
            JoinSet::new()
        })
    }

    fn sources(&self) -> Pin<Box<dyn Future<Output = Sources> + Send + '_>> {
        Box::pin(async { Sources::default() })
    }
}
