//! Starts and stops the loopback server as the user's setting and the state of the vault say.

use super::{LoopbackServer, discovery_file, serve_loopback};
use crate::servers::supervisor::{Supervised, Supervisor};
use std::path::{Path, PathBuf};
use tokenry_engine::Engine;

/// Starts the supervisor of the loopback server, which runs while the vault is unlocked and the user's setting is on. If it is
/// to run now, it runs when this returns. `forced` runs it whatever the setting says. `folder` is the profile's.
pub async fn supervise_loopback(engine: Engine, folder: PathBuf, forced: bool) -> Supervisor {
    discovery_file::clear(&folder);
    let state = State {
        engine: engine.clone(),
        folder,
        forced,
        server: None,
    };
    Supervisor::start(engine, state).await
}

struct State {
    engine: Engine,
    folder: PathBuf,
    forced: bool,
    server: Option<LoopbackServer>,
}

impl Supervised for State {
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

    async fn close(mut self) {
        self.close_server().await;
    }
}

impl State {
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
