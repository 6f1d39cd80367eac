use super::rooms::Rooms;
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

/// How many may be inside of whom it is not known yet who they are. The others wait outside, and cost nothing there.
const UNKNOWN: usize = 64;
/// How long answers under way may still take when the door closes.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

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

/// Somebody who has just come in.
pub(super) struct Arrival {
    /// Asks to go when nothing is under way: the door closes.
    pub(super) leave: Arc<Notify>,
    /// Where to ask for room.
    pub(super) rooms: Arc<Rooms>,
    /// Held until it is known who it is.
    pub(super) unknown: OwnedSemaphorePermit,
}

/// Everybody behind one door. Dropping it sends them away at once.
pub(super) struct House {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl House {
    /// Serves everybody who comes in, until it is told to stop. `serve` finds out who it is and asks for room.
    pub(super) fn open<E, F>(
        entrance: E,
        rooms: Arc<Rooms>,
        serve: impl Fn(E::Stream, Arrival) -> F + Send + 'static,
    ) -> Self
    where
        E: Entrance,
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(run(entrance, rooms, serve, stopped));
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

/// Lets callers in. How many there may be is a matter of the rooms, which know who they are.
async fn run<E, F>(
    entrance: E,
    rooms: Arc<Rooms>,
    serve: impl Fn(E::Stream, Arrival) -> F,
    mut stopped: oneshot::Receiver<()>,
) where
    E: Entrance,
    F: Future<Output = ()> + Send + 'static,
{
    let (leave, unknown) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(UNKNOWN)));
    let mut inside = JoinSet::new();
    loop {
        let next = async {
            let permit = unknown.clone().acquire_owned().await;
            (poll_fn(|cx| entrance.poll_accept(cx)).await, permit)
        };
        let (accepted, permit) = tokio::select! {
            next = next => next,
            Some(_) = inside.join_next() => continue,
            _ = &mut stopped => break,
        };
        match (accepted, permit) {
            (Ok(stream), Ok(unknown)) => {
                let (leave, rooms) = (leave.clone(), rooms.clone());
                inside.spawn(serve(
                    stream,
                    Arrival {
                        leave,
                        rooms,
                        unknown,
                    },
                ));
            }
            // Nobody closes the semaphore.
            (Ok(_), Err(_)) => {}
            // No file handle left, most likely: wait for one instead of turning in circles.
            (Err(error), _) => {
                tracing::warn!("a door takes no connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(entrance);
    leave.notify_waiters();
    while inside.join_next().await.is_some() {}
}
