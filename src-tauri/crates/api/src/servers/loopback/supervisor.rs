//! Starts and stops the loopback server as the user's setting and the state of the vault say.

use super::{LoopbackServer, discovery_file, serve_loopback};
use std::path::{Path, PathBuf};
use tokenry_engine::{Change, Engine};
use tokio::{
    sync::{broadcast::error::RecvError, oneshot},
    task::JoinHandle,
};

/// Runs the loopback server while the vault is unlocked and the user's setting is on. Dropping it closes the server at
/// once; [`LoopbackSupervisor::close`] lets responses under way finish.
pub struct LoopbackSupervisor {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl LoopbackSupervisor {
    /// Closes the server, if it runs, and starts it no more.
    pub async fn close(mut self) {
        drop(self.stop.take());
        let _ = (&mut self.task).await;
    }
}

impl Drop for LoopbackSupervisor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts the supervisor. If the server is to run now, it runs when this returns. `forced` runs it whatever the setting
/// says. `folder` is the profile's.
pub async fn supervise_loopback(engine: Engine, folder: PathBuf, forced: bool) -> LoopbackSupervisor {
    discovery_file::clear(&folder);
    let (stop, stopped) = oneshot::channel();
    let changes = engine.changes();
    let mut state = State {
        engine,
        folder,
        forced,
        server: None,
    };
    state.update().await;
    let task = tokio::spawn(async move {
        tokio::select! {
            () = state.follow(changes) => {}
            _ = stopped => {}
        }
        state.close_server().await;
    });
    let stop = Some(stop);
    LoopbackSupervisor { stop, task }
}

struct State {
    engine: Engine,
    folder: PathBuf,
    forced: bool,
    server: Option<LoopbackServer>,
}

impl State {
    async fn follow(&mut self, mut changes: tokio::sync::broadcast::Receiver<Change>) {
        let engine = self.engine.clone();
        loop {
            tokio::select! {
                change = changes.recv() => match change {
                    Ok(Change::Engine) | Err(RecvError::Lagged(_)) => self.update().await,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                },
                () = engine.finished() => return,
            }
        }
    }

    /// While the vault is locked the setting cannot be read, and no request could be answered.
    async fn update(&mut self) {
        let chosen = self.engine.chosen().await;
        let wanted = chosen.is_ok_and(|chosen| chosen.loopback || self.forced);
        if !wanted {
            self.close_server().await;
        } else if self.server.is_none() {
            self.server = start(&self.engine, &self.folder).await;
        }
    }

    async fn close_server(&mut self) {
        if let Some(server) = self.server.take() {
            server.close().await;
        }
    }
}

async fn start(engine: &Engine, folder: &Path) -> Option<LoopbackServer> {
    match serve_loopback(engine.clone(), folder).await {
        Ok(server) => {
            tracing::info!("the loopback server listens on port {}", server.port());
            Some(server)
        }
        Err(error) => {
            tracing::error!("{error}");
            None
        }
    }
}
