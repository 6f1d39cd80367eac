//! Binds the socket again when it is removed, alone or with its folder.

use super::{
    SocketState,
    bind::{self, BoundSocket, MissingFolder},
    folder_watch::FolderWatch,
};
use crate::servers::server::Server;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// When to check the socket after a folder on the way to it has changed. A program that removes the socket may remove its
/// folder next, and the folder of a session is made before it belongs to its user.
const CHECK_DELAYS: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
];

/// The socket that is bound now, until it is closed.
#[derive(Clone)]
pub(super) struct SharedSocket(Arc<Mutex<Option<BoundSocket>>>);

impl SharedSocket {
    pub(super) fn new(bound: BoundSocket) -> Self {
        Self(Arc::new(Mutex::new(Some(bound))))
    }

    /// Removes the socket; from now on no other one replaces it.
    pub(super) fn close(&self) {
        if let Some(mut bound) = self.bound().take() {
            bound.remove();
        }
    }

    /// Replaces the socket. `false` when it was closed meanwhile: then the other one is removed, too.
    fn replace(&self, mut other: BoundSocket) -> bool {
        match &mut *self.bound() {
            Some(bound) => {
                std::mem::swap(bound, &mut other);
                other.remove();
                true
            }
            None => {
                other.remove();
                false
            }
        }
    }

    /// Its path, and whether the file still exists.
    fn state(&self) -> Option<(PathBuf, bool)> {
        self.bound()
            .as_ref()
            .map(|bound| (bound.path().to_owned(), bound.exists()))
    }

    fn bound(&self) -> MutexGuard<'_, Option<BoundSocket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Rebinder {
    wanted: PathBuf,
    spare: Option<PathBuf>,
    socket: SharedSocket,
    server: Server,
    /// Servers of earlier sockets: they accept no connection any more and send the responses under way.
    earlier: Vec<Server>,
    state: SocketState,
}

impl Rebinder {
    pub(super) fn new(
        wanted: PathBuf,
        spare: Option<PathBuf>,
        socket: SharedSocket,
        server: Server,
        state: SocketState,
    ) -> Self {
        Self {
            wanted,
            spare,
            socket,
            server,
            earlier: Vec::new(),
            state,
        }
    }

    pub(super) async fn run(mut self, stopped: oneshot::Receiver<()>) {
        tokio::select! {
            () = self.watch() => {}
            _ = stopped => {}
        }
        self.server.close().await;
        for server in &mut self.earlier {
            server.close().await;
        }
    }

    async fn watch(&mut self) {
        while let Some((path, _)) = self.socket.state() {
            let mut watch = FolderWatch::on(&self.wanted, &path);
            // What happened before the watch began would not be noticed.
            if self.check().await {
                continue;
            }
            watch.changed().await;
            let mut delays = CHECK_DELAYS.iter();
            while let Some(delay) = delays.next() {
                tokio::select! {
                    () = tokio::time::sleep(*delay) => {
                        if self.check().await && let Some((path, _)) = self.socket.state() {
                            watch = FolderWatch::on(&self.wanted, &path);
                        }
                    }
                    () = watch.changed() => delays = CHECK_DELAYS.iter(),
                }
            }
        }
    }

    /// Binds the socket again when it is gone, and at the wanted path when that is possible now. `true` when it was
    /// bound.
    async fn check(&mut self) -> bool {
        let Some((path, exists)) = self.socket.state() else {
            return false;
        };
        if exists && path == self.wanted {
            return false;
        }
        let error = match self.bind(&self.wanted.clone()).await {
            Ok(()) => return true,
            Err(error) => error,
        };
        if exists {
            return false;
        }
        match self.spare.clone() {
            Some(spare) if self.bind(&spare).await.is_ok() => true,
            _ => {
                tracing::warn!("the socket was removed and could not be bound again: {error}");
                false
            }
        }
    }

    async fn bind(&mut self, path: &Path) -> Result<(), crate::servers::Error> {
        let missing = match path.parent() == Some(self.state.engine.folder()) {
            true => MissingFolder::Refuse,
            false => MissingFolder::CreateLast,
        };
        let (bound, listener) = bind::bind(path, missing).await?;
        if self.socket.replace(bound) {
            let mut earlier = std::mem::replace(&mut self.server, self.state.start(listener));
            earlier.stop_accepting();
            self.earlier.retain(|server| !server.is_finished());
            self.earlier.push(earlier);
            self.state.engine.listens_at(path);
            tracing::warn!(
                "the socket was removed; the engine now listens at {}",
                path.display()
            );
        }
        Ok(())
    }
}
