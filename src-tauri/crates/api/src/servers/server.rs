//! Accepts connections of a listener and serves them until it is closed.

use super::shares::Shares;
use std::{
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot},
    task::{JoinHandle, JoinSet},
};

/// How many accepted connections may have an unknown peer. The others wait in the listener's queue, where they cost
/// nothing.
const MAX_UNIDENTIFIED: usize = 64;
/// How long responses under way may still take when the server closes.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// After a connection could not be accepted.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// A socket that accepts connections.
pub(super) trait Listener: Send + Sync + 'static {
    type Stream: Send;
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Stream>>;
}

impl Listener for UnixListener {
    type Stream = UnixStream;
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
        Self::poll_accept(self, cx).map_ok(|(stream, _)| stream)
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        Self::poll_accept(self, cx).map_ok(|(stream, _)| stream)
    }
}

/// What a connection that was just accepted is served with.
pub(super) struct Accepted {
    /// Notified when the server closes: a connection without a request under way ends then.
    pub(super) shutdown: Arc<Notify>,
    pub(super) shares: Arc<Shares>,
    /// Held until the peer is known.
    pub(super) unidentified: OwnedSemaphorePermit,
}

/// All connections of one listener. Dropping it ends them at once.
pub(super) struct Server {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves every connection until it is stopped. `serve` identifies the peer and asks for admission.
    pub(super) fn start<L, F>(
        listener: L,
        shares: Arc<Shares>,
        serve: impl Fn(L::Stream, Accepted) -> F + Send + 'static,
    ) -> Self
    where
        L: Listener,
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(run(listener, shares, serve, stopped));
        let stop = Some(stop);
        Self { stop, task }
    }

    /// Accepts no connection any more. Responses under way are sent, however long they take.
    pub(super) fn stop_accepting(&mut self) {
        drop(self.stop.take());
    }

    /// Whether it accepts no connection any more and all of them have ended.
    pub(super) fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Accepts no connection any more, and returns when the responses under way are sent, two seconds later at the
    /// latest.
    pub(super) async fn close(&mut self) {
        drop(self.stop.take());
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, &mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts connections. The shares limit how many there are, once the peers are known.
async fn run<L, F>(
    listener: L,
    shares: Arc<Shares>,
    serve: impl Fn(L::Stream, Accepted) -> F,
    mut stopped: oneshot::Receiver<()>,
) where
    L: Listener,
    F: Future<Output = ()> + Send + 'static,
{
    let shutdown = Arc::new(Notify::new());
    let unidentified = Arc::new(Semaphore::new(MAX_UNIDENTIFIED));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let permit = unidentified.clone().acquire_owned().await;
            (poll_fn(|cx| listener.poll_accept(cx)).await, permit)
        };
        let (accepted, permit) = tokio::select! {
            next = next => next,
            Some(_) = connections.join_next() => continue,
            _ = &mut stopped => break,
        };
        match (accepted, permit) {
            (Ok(stream), Ok(unidentified)) => {
                let (shutdown, shares) = (shutdown.clone(), shares.clone());
                connections.spawn(serve(
                    stream,
                    Accepted {
                        shutdown,
                        shares,
                        unidentified,
                    },
                ));
            }
            // The semaphore is never closed.
            (Ok(_), Err(_)) => {}
            // Most likely there are too many open files: wait instead of looping.
            (Err(error), _) => {
                tracing::warn!("could not accept a connection: {error}");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
    drop(listener);
    shutdown.notify_waiters();
    while connections.join_next().await.is_some() {}
}
