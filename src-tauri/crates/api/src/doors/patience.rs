use std::{
    io,
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
    time::{Instant, Sleep},
};

/// How long the head of a request may take from its first byte on, and how long a connection may be quiet between
/// requests.
const USUAL: Times = Times {
    head: Duration::from_secs(10),
    quiet: Duration::from_secs(60),
};
/// The same for those who are let in although others wait for room.
const HURRIED: Times = Times {
    head: Duration::from_secs(2),
    quiet: Duration::from_secs(2),
};
/// How long the other end may take no byte of what it asked for.
const STUCK: Duration = Duration::from_secs(10);
/// How long it may take for all that is to be written at a time.
const DRAINED: Duration = Duration::from_secs(60);
/// A head that is not whole by then gives way when somebody else needs the room, in milliseconds.
const SLOW_HEAD: u64 = 1_000;

#[derive(Clone, Copy)]
struct Times {
    head: Duration,
    quiet: Duration,
}

/// What the connection is doing, told by the service and by the stream below it to whoever gives out the room.
#[derive(Default)]
pub(super) struct Pace {
    /// A request is being answered.
    answering: AtomicBool,
    /// Something of the answer is not written yet.
    unsent: AtomicBool,
    /// When the first byte of the request that is arriving came; 0 while none is. This and the next are milliseconds
    /// by a clock that nobody sets.
    head: AtomicU64,
    /// When a byte last went either way.
    moved: AtomicU64,
    asked: AtomicBool,
    leave: Notify,
}

impl Pace {
    /// Marks a request as being answered until the guard is dropped.
    pub(super) fn answering(&self) -> Answering<'_> {
        self.unsent.store(true, Ordering::Relaxed);
        self.answering.store(true, Ordering::Relaxed);
        Answering(self)
    }

    fn is_busy(&self) -> bool {
        self.answering.load(Ordering::Relaxed) || self.unsent.load(Ordering::Relaxed)
    }

    /// Whether nothing is lost when the connection ends: nothing is being answered, and no request is arriving, or
    /// one that is slow to.
    pub(super) fn may_leave(&self) -> bool {
        let head = self.head.load(Ordering::Relaxed);
        !self.is_busy() && (head == 0 || milliseconds().saturating_sub(head) >= SLOW_HEAD)
    }

    /// When a byte last went either way, to compare with others.
    pub(super) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    /// Asks for the connection's end, now or behind the answer that is under way.
    pub(super) fn ask_to_leave(&self) {
        self.asked.store(true, Ordering::Relaxed);
        self.leave.notify_one();
    }

    /// Resolves when it is asked to end. `true` when that can be at once.
    pub(super) async fn asked_to_leave(&self) -> bool {
        self.leave.notified().await;
        !self.is_busy()
    }

    #[cfg(test)]
    pub(super) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Since the first look at it, and a little more: 0 stands for never.
fn milliseconds() -> u64 {
    static BEGUN: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    u64::try_from(BEGUN.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
}

pub(super) struct Answering<'a>(&'a Pace);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.answering.store(false, Ordering::Relaxed);
    }
}

/// A stream that loses patience: a caller that is slow to say what it wants, says nothing any more, or does not take
/// what it asked for, is hung up on. The timers are set only when there is nothing to read or no room to write, and
/// moved only when they fire, so they cost a busy connection a look at the clock for each way and a quiet one a
/// single waking-up, at its end.
pub(super) struct Patient<S> {
    stream: S,
    pace: Arc<Pace>,
    times: Times,
    /// What was read ahead, and is to be read again.
    early: Vec<u8>,
    /// When the first byte of the request that is arriving came.
    head: Option<Instant>,
    /// When a byte last went either way.
    moved: Instant,
    timer: Pin<Box<Sleep>>,
    /// While the other end takes nothing.
    stuck: Option<Stuck>,
}

struct Stuck {
    since: Instant,
    moved: Instant,
    timer: Pin<Box<Sleep>>,
}

impl<S> Patient<S> {
    /// `hurried` when others wait for the room.
    pub(super) fn new(stream: S, pace: Arc<Pace>, hurried: bool) -> Self {
        let moved = Instant::now();
        let times = if hurried { HURRIED } else { USUAL };
        let timer = Box::pin(tokio::time::sleep_until(moved + times.quiet));
        pace.moved.store(milliseconds(), Ordering::Relaxed);
        Self {
            stream,
            pace,
            times,
            early: Vec::new(),
            head: None,
            moved,
            timer,
            stuck: None,
        }
    }

    /// Puts back what was read, so that it is read once more.
    pub(super) fn read_again(&mut self, bytes: Vec<u8>) {
        self.early = bytes;
    }

    fn arrived(&mut self) {
        self.moves();
        if self.pace.answering.load(Ordering::Relaxed) {
            self.no_head();
        } else if self.head.is_none() {
            self.head = Some(self.moved);
            self.pace.head.store(milliseconds(), Ordering::Relaxed);
        }
    }

    fn moves(&mut self) {
        self.moved = Instant::now();
        self.pace.moved.store(milliseconds(), Ordering::Relaxed);
    }

    fn no_head(&mut self) {
        self.head = None;
        self.pace.head.store(0, Ordering::Relaxed);
    }

    /// Waits for the moment at which patience ends.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pace.answering.load(Ordering::Relaxed) {
            self.no_head();
            return Poll::Pending;
        }
        loop {
            let end = self
                .head
                .map_or(self.moved + self.times.quiet, |begun| begun + self.times.head);
            if self.timer.deadline() > end {
                self.timer.as_mut().reset(end);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= end {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            // Set before something moved: it is set anew.
            self.timer.as_mut().reset(end);
        }
    }

    /// The same for the other way: the other end takes nothing at this moment.
    fn wait_for_reader(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let now = Instant::now();
        let stuck = self.stuck.get_or_insert_with(|| Stuck {
            since: now,
            moved: now,
            timer: Box::pin(tokio::time::sleep_until(now + STUCK)),
        });
        loop {
            let end = (stuck.moved + STUCK).min(stuck.since + DRAINED);
            if stuck.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= end {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            stuck.timer.as_mut().reset(end);
        }
    }

    /// An answer ends the request, so what arrives next is the head of another.
    fn went(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(_)) => {
                self.moves();
                self.no_head();
                if let Some(stuck) = &mut self.stuck {
                    stuck.moved = self.moved;
                }
                written
            }
            Poll::Pending => self.wait_for_reader(cx).map(Err),
            failed => failed,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.early.is_empty() {
            let fits = self.early.len().min(buf.remaining());
            buf.put_slice(&self.early[..fits]);
            self.early.drain(..fits);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                if buf.filled().len() > before {
                    self.arrived();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(error) => Poll::Ready(error),
            Poll::Pending => self.wait(cx),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.went(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.went(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.stuck = None;
            if !self.pace.answering.load(Ordering::Relaxed) {
                self.pace.unsent.store(false, Ordering::Relaxed);
            }
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
