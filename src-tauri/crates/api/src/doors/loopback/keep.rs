use super::{LoopbackDoor, file, serve_loopback};
use std::path::{Path, PathBuf};
use tokenry_engine::{Change, Engine};
use tokio::{
    sync::{broadcast::error::RecvError, oneshot},
    task::JoinHandle,
};

/// Keeps the door on 127.0.0.1 as the person chose: open while the vault is and its switch is on. Dropping it closes
/// the door at once; [`KeptLoopback::close`] lets answers under way finish.
pub struct KeptLoopback {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl KeptLoopback {
    /// Closes the door, if it is open, and looks after it no more.
    pub async fn close(mut self) {
        drop(self.stop.take());
        let _ = (&mut self.task).await;
    }
}

impl Drop for KeptLoopback {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Looks after the door from now on; the first look is done when this returns. `forced` opens it whatever the switch
/// says. `folder` is the profile's.
pub async fn keep_loopback(engine: Engine, folder: PathBuf, forced: bool) -> KeptLoopback {
    file::clear(&folder);
    let (stop, stopped) = oneshot::channel();
    let changes = engine.changes();
    let mut keeper = Keeper {
        engine,
        folder,
        forced,
        door: None,
    };
    keeper.look().await;
    let task = tokio::spawn(async move {
        tokio::select! {
            () = keeper.follow(changes) => {}
            _ = stopped => {}
        }
        keeper.shut().await;
    });
    let stop = Some(stop);
    KeptLoopback { stop, task }
}

struct Keeper {
    engine: Engine,
    folder: PathBuf,
    forced: bool,
    door: Option<LoopbackDoor>,
}

impl Keeper {
    async fn follow(&mut self, mut changes: tokio::sync::broadcast::Receiver<Change>) {
        let engine = self.engine.clone();
        loop {
            tokio::select! {
                change = changes.recv() => match change {
                    Ok(Change::Engine) | Err(RecvError::Lagged(_)) => self.look().await,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                },
                () = engine.finished() => return,
            }
        }
    }

    /// While the vault is locked nobody's choice can be read, and nothing could be answered.
    async fn look(&mut self) {
        let chosen = self.engine.chosen().await;
        let wanted = chosen.is_ok_and(|chosen| chosen.loopback || self.forced);
        if !wanted {
            self.shut().await;
        } else if self.door.is_none() {
            self.door = open(&self.engine, &self.folder).await;
        }
    }

    async fn shut(&mut self) {
        if let Some(door) = self.door.take() {
            door.close().await;
        }
    }
}

async fn open(engine: &Engine, folder: &Path) -> Option<LoopbackDoor> {
    match serve_loopback(engine.clone(), folder).await {
        Ok(door) => {
            tracing::info!("the loopback door is open on port {}", door.port());
            Some(door)
        }
        Err(error) => {
            tracing::error!("{error}");
            None
        }
    }
}
