use std::{
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::{Notify, oneshot},
    task::{JoinHandle, JoinSet},
};

/// How many connections there may be at a time.
const CONNECTIONS: usize = 64;
/// How long answers under way may still take when the door closes.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// How often those who linger are asked to leave while somebody waits outside.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Where callers come in.
pub(super) trait Entrance: Send + Sync + 'static {
    type Stream: Send;
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Stream>>;
}

impl Entrance for UnixListener {
    type Stream = UnixStream;
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
        Self::poll_accept(self, cx).map_ok(|(stream, _)| stream)
    }
}

impl Entrance for TcpListener {
    type Stream = TcpStream;
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        Self::poll_accept(self, cx).map_ok(|(stream, _)| stream)
    }
}

/// Everybody behind one door. Dropping it sends them away at once.
pub(super) struct House {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl House {
    /// Serves everybody who comes in, until it is told to stop. `serve` is asked to let its caller go, when that has
    /// nothing under way, by the [`Notify`].
    pub(super) fn open<E, F>(
        entrance: E,
        serve: impl Fn(E::Stream, Arc<Notify>) -> F + Send + 'static,
    ) -> Self
    where
        E: Entrance,
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(run(entrance, serve, stopped));
        let stop = Some(stop);
        Self { stop, task }
    }

    /// Lets nobody in any more. Answers under way are sent, however long they take.
    pub(super) fn leave(&mut self) {
        drop(self.stop.take());
    }

    /// Whether nobody is inside any more, and nobody will come.
    pub(super) fn is_empty(&self) -> bool {
        self.task.is_finished()
    }

    /// Lets nobody in any more, and ends when the answers under way are sent, two seconds later at the latest.
    pub(super) async fn close(&mut self) {
        drop(self.stop.take());
        let _ = tokio::time::timeout(LAST_ANSWERS, &mut self.task).await;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Lets callers in, up to the limit. When the house is full and somebody knocks, those who are only lingering are
/// asked to leave; whoever comes after that waits outside.
async fn run<E, F>(
    entrance: E,
    serve: impl Fn(E::Stream, Arc<Notify>) -> F,
    mut stopped: oneshot::Receiver<()>,
) where
    E: Entrance,
    F: Future<Output = ()> + Send + 'static,
{
    let leave = Arc::new(Notify::new());
    let mut inside = JoinSet::new();
    'open: loop {
        let accepted = tokio::select! {
            accepted = poll_fn(|cx| entrance.poll_accept(cx)) => accepted,
            Some(_) = inside.join_next() => continue,
            _ = &mut stopped => break,
        };
        while inside.len() >= CONNECTIONS {
            leave.notify_waiters();
            tokio::select! {
                _ = inside.join_next() => {}
                // Some had only just come in, and did not hear it.
                () = tokio::time::sleep(ASK_AGAIN) => {}
                _ = &mut stopped => break 'open,
            }
        }
        match accepted {
            Ok(stream) => {
                inside.spawn(serve(stream, leave.clone()));
            }
            // No file handle left, most likely: wait for one instead of turning in circles.
            Err(error) => {
                tracing::warn!("a door takes no connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(entrance);
    leave.notify_waiters();
    while inside.join_next().await.is_some() {}
}
