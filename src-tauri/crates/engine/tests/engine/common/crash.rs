use super::World;
use tokenry_engine::{Engine, Error};
use tokio::runtime::Runtime;

/// An engine on threads of its own, which can be ended in the middle of whatever it does: nothing of it runs on,
/// and what is on the disk is all that is left.
pub(crate) struct Doomed {
    pub(crate) engine: Engine,
    runtime: Runtime,
}

impl Doomed {
    pub(crate) async fn start(world: &World) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let options = world.options();
        let engine = runtime.spawn(Engine::start(options)).await.unwrap().unwrap();
        Self { engine, runtime }
    }

    /// Runs something on the engine's own threads, to be cut off with them.
    pub(crate) fn spawn<F: Future<Output = ()> + Send + 'static>(&self, task: impl FnOnce(Engine) -> F) {
        self.runtime.spawn(task(self.engine.clone()));
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
