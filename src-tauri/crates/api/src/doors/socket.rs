//! The socket's way in: HTTP/1.1 over a Unix socket, for the programs of the same user.

mod bind;
mod connection;
mod guard;
mod patience;
mod peer;

use crate::doors::Error;
use axum::Router;
use bind::Bound;
use std::{path::Path, sync::Arc, time::Duration};
use tokenry_engine::Engine;
use tokio::{
    net::UnixListener,
    sync::{Notify, oneshot},
    task::{JoinHandle, JoinSet},
};

/// How many connections there may be at a time.
const CONNECTIONS: usize = 64;
/// How long answers under way may still take when the door closes.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// The open door. Dropping it closes it at once; [`SocketDoor::close`] lets answers under way finish.
pub struct SocketDoor {
    bound: Bound,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// Opens the door at `path` and serves this engine there.
///
/// # Errors
/// When the path is too long, its folder is open to others, or something that is alive or not ours is there. What
/// is there is left alone then.
pub async fn serve_socket(engine: Engine, path: &Path) -> Result<SocketDoor, Error> {
    let (bound, listener) = bind::bind(path).await?;
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(accept(listener, crate::router(engine), stopped));
    Ok(SocketDoor {
        bound,
        stop: Some(stop),
        task,
    })
}

impl SocketDoor {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.bound.path()
    }

    /// Takes the socket away, so that nobody new comes, and ends when the answers under way are sent, two seconds
    /// later at the latest.
    pub async fn close(mut self) {
        self.bound.remove();
        drop(self.stop.take());
        let _ = tokio::time::timeout(LAST_ANSWERS, &mut self.task).await;
    }
}

impl Drop for SocketDoor {
    fn drop(&mut self) {
        self.bound.remove();
        self.task.abort();
    }
}

/// Lets callers in, up to the limit. When the house is full and somebody knocks, those who are only lingering are
/// asked to leave; whoever comes after that waits outside.
async fn accept(listener: UnixListener, router: Router, mut stopped: oneshot::Receiver<()>) {
    let leave = Arc::new(Notify::new());
    let mut inside = JoinSet::new();
    'open: loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = inside.join_next() => continue,
            _ = &mut stopped => break,
        };
        while inside.len() >= CONNECTIONS {
            leave.notify_waiters();
            tokio::select! {
                _ = inside.join_next() => {}
                _ = &mut stopped => break 'open,
            }
        }
        match accepted {
            Ok((stream, _)) => {
                inside.spawn(connection::serve(stream, router.clone(), leave.clone()));
                // Who is inside is served before the next one is waited for.
                tokio::task::yield_now().await;
            }
            // No file handle left, most likely: wait for one instead of turning in circles.
            Err(error) => {
                tracing::warn!("the socket takes no connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    leave.notify_waiters();
    while inside.join_next().await.is_some() {}
}
