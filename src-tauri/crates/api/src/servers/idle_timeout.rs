//! A stream that ends when the other end is too slow or idle for too long.

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

/// For ordinary connections.
const TIMEOUTS: Timeouts = Timeouts {
    head: Duration::from_secs(10),
    idle: Duration::from_secs(60),
};
/// For connections that were admitted although other connections wait.
const SHORT_TIMEOUTS: Timeouts = Timeouts {
    head: Duration::from_secs(2),
    idle: Duration::from_secs(2),
};
/// How long the other end may read no byte of a response.
const WRITE_STALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the other end may take for all that is to be written at a time.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// When another connection needs the room, a request whose head has taken this long is given up.
const SLOW_HEAD_MS: u64 = 1_000;

#[derive(Clone, Copy)]
struct Timeouts {
    /// For the head of a request, from its first byte on.
    head: Duration,
    /// Between two requests.
    idle: Duration,
}

/// What a connection is doing. The service and the stream report it, and [`super::shares`] reads it.
#[derive(Default)]
pub(super) struct Activity {
    /// A request is being answered.
    answering: AtomicBool,
    /// A part of the response is not written yet.
    unsent: AtomicBool,
    /// When the first byte of the arriving request came; 0 while none arrives. This and the next are milliseconds of a
    /// clock that nothing sets.
    head: AtomicU64,
    /// When a byte was last read or written.
    last_byte: AtomicU64,
    /// A byte was read.
    has_read: AtomicBool,
    close_requested: AtomicBool,
    close: Notify,
}

impl Activity {
    /// Marks a request as being answered until the guard is dropped.
    pub(super) fn answering(&self) -> Answering<'_> {
        self.unsent.store(true, Ordering::Relaxed);
        self.answering.store(true, Ordering::Relaxed);
        Answering(self)
    }

    fn is_busy(&self) -> bool {
        self.answering.load(Ordering::Relaxed) || self.unsent.load(Ordering::Relaxed)
    }

    /// Whether nothing is lost when the connection ends: no request is being answered, and none is arriving, except a
    /// slow one.
    pub(super) fn may_close(&self) -> bool {
        let head = self.head.load(Ordering::Relaxed);
        !self.is_busy() && (head == 0 || milliseconds().saturating_sub(head) >= SLOW_HEAD_MS)
    }

    /// Whether the other end has sent anything.
    pub(super) fn has_read(&self) -> bool {
        self.has_read.load(Ordering::Relaxed)
    }

    /// When a byte was last read or written, to compare with other connections.
    pub(super) fn last_byte(&self) -> u64 {
        self.last_byte.load(Ordering::Relaxed)
    }

    /// Asks for the connection's end, now or after the response that is under way.
    pub(super) fn request_close(&self) {
        self.close_requested.store(true, Ordering::Relaxed);
        self.close.notify_one();
    }

    /// Resolves when the connection is asked to end. `true` when it can end at once.
    pub(super) async fn close_requested(&self) -> bool {
        self.close.notified().await;
        !self.is_busy()
    }

    #[cfg(test)]
    pub(super) fn was_asked_to_close(&self) -> bool {
        self.close_requested.load(Ordering::Relaxed)
    }
}

/// Since the first call, plus one, because 0 means never.
fn milliseconds() -> u64 {
    static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
}

pub(super) struct Answering<'a>(&'a Activity);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.answering.store(false, Ordering::Relaxed);
    }
}

/// A stream that fails with `TimedOut` when the other end sends its request too slowly, sends nothing for too long, or does
/// not read its response. A timer is set only when nothing can be read or written, and is moved only when it fires. So a
/// busy connection costs one look at the clock in each direction, and an idle one wakes up once, at its end.
pub(super) struct IdleTimeoutStream<S> {
    stream: S,
    activity: Arc<Activity>,
    timeouts: Timeouts,
    /// Bytes that were read ahead, to be read again.
    read_ahead: Vec<u8>,
    /// When the first byte of the arriving request came.
    head: Option<Instant>,
    /// When a byte was last read or written.
    last_byte: Instant,
    timer: Pin<Box<Sleep>>,
    /// While the other end reads nothing.
    stalled_write: Option<StalledWrite>,
}

struct StalledWrite {
    since: Instant,
    last_byte: Instant,
    timer: Pin<Box<Sleep>>,
}

impl<S> IdleTimeoutStream<S> {
    /// `short` when other connections wait.
    pub(super) fn new(stream: S, activity: Arc<Activity>, short: bool) -> Self {
        let last_byte = Instant::now();
        let timeouts = if short { SHORT_TIMEOUTS } else { TIMEOUTS };
        let timer = Box::pin(tokio::time::sleep_until(last_byte + timeouts.idle));
        activity.last_byte.store(milliseconds(), Ordering::Relaxed);
        Self {
            stream,
            activity,
            timeouts,
            read_ahead: Vec::new(),
            head: None,
            last_byte,
            timer,
            stalled_write: None,
        }
    }

    /// Puts bytes back, so that they are read once more.
    pub(super) fn unread(&mut self, bytes: Vec<u8>) {
        self.read_ahead = bytes;
    }

    fn note_read(&mut self) {
        self.note_byte();
        self.activity.has_read.store(true, Ordering::Relaxed);
        if self.activity.answering.load(Ordering::Relaxed) {
            self.clear_head();
        } else if self.head.is_none() {
            self.head = Some(self.last_byte);
            self.activity.head.store(milliseconds(), Ordering::Relaxed);
        }
    }

    fn note_byte(&mut self) {
        self.last_byte = Instant::now();
        self.activity.last_byte.store(milliseconds(), Ordering::Relaxed);
    }

    fn clear_head(&mut self) {
        self.head = None;
        self.activity.head.store(0, Ordering::Relaxed);
    }

    /// Waits for the read timeout.
    fn poll_read_timeout(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.activity.answering.load(Ordering::Relaxed) {
            self.clear_head();
            return Poll::Pending;
        }
        loop {
            let end = self.head.map_or(self.last_byte + self.timeouts.idle, |begun| {
                begun + self.timeouts.head
            });
            if self.timer.deadline() > end {
                self.timer.as_mut().reset(end);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= end {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            // It was set before a byte was read or written, so it is set again.
            self.timer.as_mut().reset(end);
        }
    }

    /// Waits for the write timeout, while the other end reads nothing.
    fn poll_write_timeout(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let now = Instant::now();
        let stalled = self.stalled_write.get_or_insert_with(|| StalledWrite {
            since: now,
            last_byte: now,
            timer: Box::pin(tokio::time::sleep_until(now + WRITE_STALL_TIMEOUT)),
        });
        loop {
            let end = (stalled.last_byte + WRITE_STALL_TIMEOUT).min(stalled.since + WRITE_TIMEOUT);
            if stalled.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= end {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            stalled.timer.as_mut().reset(end);
        }
    }

    /// A response ends the request, so the next byte that is read belongs to the head of another one.
    fn note_write(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(_)) => {
                self.note_byte();
                self.clear_head();
                if let Some(stalled) = &mut self.stalled_write {
                    stalled.last_byte = self.last_byte;
                }
                written
            }
            Poll::Pending => self.poll_write_timeout(cx).map(Err),
            failed => failed,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for IdleTimeoutStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.read_ahead.is_empty() {
            let fits = self.read_ahead.len().min(buf.remaining());
            buf.put_slice(&self.read_ahead[..fits]);
            self.read_ahead.drain(..fits);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                if buf.filled().len() > before {
                    self.note_read();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(error) => Poll::Ready(error),
            Poll::Pending => self.poll_read_timeout(cx),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for IdleTimeoutStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note_write(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.stalled_write = None;
            if !self.activity.answering.load(Ordering::Relaxed) {
                self.activity.unsent.store(false, Ordering::Relaxed);
            }
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
