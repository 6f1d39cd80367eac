use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

/// How long the head of a request may take from its first byte on.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may be quiet between requests.
const QUIET: Duration = Duration::from_secs(60);

/// What the connection is doing, told by the service to the stream below it.
#[derive(Default)]
pub(super) struct Pace {
    /// A request is being answered.
    answering: AtomicBool,
}

impl Pace {
    /// Marks a request as being answered until the guard is dropped.
    pub(super) fn answering(&self) -> Answering<'_> {
        self.answering.store(true, Ordering::Relaxed);
        Answering(self)
    }
}

pub(super) struct Answering<'a>(&'a Pace);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.answering.store(false, Ordering::Relaxed);
    }
}

/// A stream that loses patience: a caller that is slow to say what it wants, or says nothing any more, is hung up
/// on. The timer is set only when there is nothing to read, and moved only when it fires, so it costs a busy
/// connection a look at the clock for each way and a quiet one a single waking-up, at its end.
pub(super) struct Patient<S> {
    stream: S,
    pace: Arc<Pace>,
    /// What was read ahead, and is to be read again.
    early: Vec<u8>,
    /// When the first byte of the request that is arriving came.
    head: Option<Instant>,
    /// When a byte last went either way.
    moved: Instant,
    timer: Pin<Box<Sleep>>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, pace: Arc<Pace>) -> Self {
        let moved = Instant::now();
        let timer = Box::pin(tokio::time::sleep_until(moved + QUIET));
        Self {
            stream,
            pace,
            early: Vec::new(),
            head: None,
            moved,
            timer,
        }
    }

    /// Puts back what was read, so that it is read once more.
    pub(super) fn read_again(&mut self, bytes: Vec<u8>) {
        self.early = bytes;
    }

    fn arrived(&mut self) {
        self.moved = Instant::now();
        if self.pace.answering.load(Ordering::Relaxed) {
            self.head = None;
        } else {
            self.head.get_or_insert(self.moved);
        }
    }

    /// Waits for the moment at which patience ends.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pace.answering.load(Ordering::Relaxed) {
            self.head = None;
            return Poll::Pending;
        }
        loop {
            let end = self.head.map_or(self.moved + QUIET, |begun| begun + HEAD);
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
        self.went(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.went(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S> Patient<S> {
    /// An answer ends the request, so what arrives next is the head of another.
    fn went(&mut self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(_)) = written {
            self.moved = Instant::now();
            self.head = None;
        }
    }
}
