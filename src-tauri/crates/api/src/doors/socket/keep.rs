//! Looks after the socket: one that was removed, alone or with its folder, is bound again.

use super::{
    Visitors,
    bind::{self, Bound, Missing},
    watch::Watch,
};
use crate::doors::house::House;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// When to look after a folder on the way to the socket has changed. Whoever removes the socket may remove its folder
/// next, and a session's folder is made before it is its user's.
const LOOKS: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
];

/// The socket that is bound now, until it is closed.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Option<Bound>>>);

impl Shared {
    pub(super) fn new(bound: Bound) -> Self {
        Self(Arc::new(Mutex::new(Some(bound))))
    }

    /// Removes the socket; from now on no other one takes its place.
    pub(super) fn close(&self) {
        if let Some(mut bound) = self.bound().take() {
            bound.remove();
        }
    }

    /// Puts another socket in its place. `false` when it was closed meanwhile: then the other one goes, too.
    fn replace(&self, mut other: Bound) -> bool {
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

    /// Where it is, and whether the file is still there.
    fn state(&self) -> Option<(PathBuf, bool)> {
        self.bound()
            .as_ref()
            .map(|bound| (bound.path().to_owned(), bound.is_there()))
    }

    fn bound(&self) -> MutexGuard<'_, Option<Bound>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Keeper {
    wanted: PathBuf,
    spare: Option<PathBuf>,
    shared: Shared,
    house: House,
    /// Nobody comes in there any more; answers under way are still sent.
    left: Vec<House>,
    visitors: Visitors,
}

impl Keeper {
    pub(super) fn new(
        wanted: PathBuf,
        spare: Option<PathBuf>,
        shared: Shared,
        house: House,
        visitors: Visitors,
    ) -> Self {
        Self {
            wanted,
            spare,
            shared,
            house,
            left: Vec::new(),
            visitors,
        }
    }

    pub(super) async fn run(mut self, stopped: oneshot::Receiver<()>) {
        tokio::select! {
            () = self.look_after() => {}
            _ = stopped => {}
        }
        self.house.close().await;
        for house in &mut self.left {
            house.close().await;
        }
    }

    async fn look_after(&mut self) {
        while let Some((path, _)) = self.shared.state() {
            let mut watch = Watch::on(&self.wanted, &path);
            // What happened before the watch began would not be noticed.
            if self.look().await {
                continue;
            }
            watch.changed().await;
            let mut looks = LOOKS.iter();
            while let Some(pause) = looks.next() {
                tokio::select! {
                    () = tokio::time::sleep(*pause) => {
                        if self.look().await && let Some((path, _)) = self.shared.state() {
                            watch = Watch::on(&self.wanted, &path);
                        }
                    }
                    () = watch.changed() => looks = LOOKS.iter(),
                }
            }
        }
    }

    /// Binds the socket again when it is gone, and where it belongs when that is possible now. `true` when it was
    /// bound.
    async fn look(&mut self) -> bool {
        let Some((path, is_there)) = self.shared.state() else {
            return false;
        };
        if is_there && path == self.wanted {
            return false;
        }
        let error = match self.bind(&self.wanted.clone()).await {
            Ok(()) => return true,
            Err(error) => error,
        };
        if is_there {
            return false;
        }
        match self.spare.clone() {
            Some(spare) if self.bind(&spare).await.is_ok() => true,
            _ => {
                tracing::warn!("the socket is gone and cannot be bound again: {error}");
                false
            }
        }
    }

    async fn bind(&mut self, path: &Path) -> Result<(), crate::doors::Error> {
        let missing = match path.parent() == Some(self.visitors.engine.folder()) {
            true => Missing::Refuse,
            false => Missing::MakeOne,
        };
        let (bound, listener) = bind::bind(path, missing).await?;
        if self.shared.replace(bound) {
            let mut left = std::mem::replace(&mut self.house, self.visitors.house(listener));
            left.leave();
            self.left.retain(|house| !house.is_empty());
            self.left.push(left);
            self.visitors.engine.listens_at(path);
            tracing::warn!(
                "the socket was removed; the engine listens at {} now",
                path.display()
            );
        }
        Ok(())
    }
}
