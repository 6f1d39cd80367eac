//! An engine that can be cut off at any moment, for the tests.

use super::World;
use crate::{Engine, Error};
use tokio::runtime::Runtime;

/// An engine on threads of its own, which can be ended in the middle of whatever it does: nothing of it runs on,
/// and what is on the disk is all that is left.
pub(crate) struct Doomed {
    pub(crate) engine: Engine,
    runtime: Runtime,
}

impl Doomed {
    pub(crate) async fn start(world: &World) -> Self {
        Self::start_with(world.options()).await
    }

    pub(crate) async fn start_with(options: crate::Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let engine = runtime.spawn(Engine::start(options)).await.unwrap().unwrap();
        Self { engine, runtime }
    }

    /// Runs something on the engine's own threads, to be cut off with them.
    pub(crate) fn spawn<F: Future<Output = ()> + Send + 'static>(&self, task: impl FnOnce(Engine) -> F) {
        self.runtime.spawn(task(self.engine.clone()));
    }

    /// Cuts it off, and waits until the system has closed its files, of which this is one.
    pub(crate) async fn kill(self, file: &std::path::Path) {
        self.runtime.shutdown_background();
        drop(self.engine);
        let file = std::fs::canonicalize(file).unwrap();
        super::until("the files are closed", async || {
            let handles = std::fs::read_dir("/proc/self/fd").ok()?;
            let mut targets = handles.filter_map(|handle| std::fs::read_link(handle.ok()?.path()).ok());
            (!targets.any(|target| target == file)).then_some(())
        })
        .await;
    }

    /// Cuts it off, and starts the next engine once the system has closed its files.
    pub(crate) async fn crash(self, world: &World) -> Engine {
        self.runtime.shutdown_background();
        drop(self.engine);
        super::until("the folder is free", async || {
            match Engine::start(world.options()).await {
                Ok(engine) => Some(engine),
                Err(Error::Store(tokenry_store::Error::HeldBy { .. })) => None,
                Err(error) => panic!("{error}"),
            }
        })
        .await
    }
}
