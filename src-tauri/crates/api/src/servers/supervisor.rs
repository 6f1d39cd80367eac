//! The task that opens and closes servers, as the state of the engine and the user's settings say.

use tokenry_engine::{Change, Engine};
use tokio::{
    sync::{broadcast::error::RecvError, oneshot},
    task::JoinHandle,
};

/// What a [`Supervisor`] keeps as it should be.
pub(super) trait Supervised: Send + 'static {
    /// Opens and closes what is to be opened and closed now.
    fn update(&mut self) -> impl Future<Output = ()> + Send;

    /// Waits for a reason to update beside a change of the engine. False when there can be none any more.
    fn requested(&mut self) -> impl Future<Output = bool> + Send {
        std::future::pending()
    }

    /// Closes everything. Responses under way may finish.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// Dropping it closes the servers at once; [`Supervisor::close`] lets responses under way finish.
pub struct Supervisor {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Supervisor {
    /// Updates once, and then on each change until the engine ends.
    pub(super) async fn start(engine: Engine, mut supervised: impl Supervised) -> Self {
        let (stop, stopped) = oneshot::channel();
        let mut changes = engine.changes();
        supervised.update().await;
        let task = tokio::spawn(async move {
            let follow = async {
                loop {
                    tokio::select! {
                        more = supervised.requested() => if !more { return },
                        change = changes.recv() => match change {
                            Ok(Change::Engine) | Err(RecvError::Lagged(_)) => {}
                            Ok(_) => continue,
                            Err(RecvError::Closed) => return,
                        },
                        () = engine.finished() => return,
                    }
                    supervised.update().await;
                }
            };
            tokio::select! {
                () = follow => {}
                _ = stopped => {}
            }
            supervised.close().await;
        });
        let stop = Some(stop);
        Self { stop, task }
    }

    /// Closes the servers, and opens none any more.
    pub async fn close(mut self) {
        drop(self.stop.take());
        let _ = (&mut self.task).await;
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.task.abort();
    }
}
