//! The standard streams: lines from the client, and lines to it. Each has a thread of its own, since a pipe can block.

use super::message;
use crate::failure::Failure;
use crate::json_rpc::MAX_LINE_BYTES;
use hyper::body::Bytes;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};

/// So many lines and parts of lines wait in each direction. Then the other side is read no further.
const MAX_QUEUED: usize = 16;
/// So many bytes wait for the client, or one longer part.
const MAX_QUEUED_BYTES: usize = 1024 * 1024;
/// A longer answer is passed on while it arrives.
const MAX_BUFFERED_BYTES: usize = 256 * 1024;

/// A line of the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Message(Bytes),
    TooLong,
}

/// The lines of standard input, until its end.
///
/// # Errors
/// When the system starts no thread.
pub(super) fn input() -> Result<mpsc::Receiver<Line>, Failure> {
    let (send, lines) = mpsc::channel(MAX_QUEUED);
    let read = move || {
        // Not the buffer of the standard library, which is never wiped.
        let input = std::fs::File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let mut input = BufReader::with_capacity(64 * 1024, input);
        while let Some(line) = next_line(&mut input)? {
            if send.blocking_send(line).is_err() {
                break;
            }
        }
        Ok::<_, io::Error>(())
    };
    start("input", move || drop(read()))?;
    Ok(lines)
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(128 * 1024);
    let started = thread.spawn(work);
    started
        .map(drop)
        .map_err(|error| Failure::internal(format!("Cannot start a thread: {error}.")))
}

/// The next line that is not empty, without its end.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    loop {
        let mut line = Vec::new();
        let mut limited = input.by_ref().take(MAX_LINE_BYTES as u64 + 1);
        if limited.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.len() > MAX_LINE_BYTES {
            input.skip_until(b'\n')?;
            return Ok(Some(Line::TooLong));
        }
        while line.last().is_some_and(u8::is_ascii_whitespace) {
            line.pop();
        }
        if !line.is_empty() {
            // A lone CR would end the line for some readers.
            message::in_one_line(&mut line);
            return Ok(Some(Line::Message(line.into())));
        }
    }
}

/// Standard output, one line at a time.
pub(super) struct Output {
    parts: Mutex<mpsc::Sender<Part>>,
    room: Arc<Semaphore>,
}

/// Bytes to write, and the room that they take until then.
type Part = (Vec<u8>, OwnedSemaphorePermit);

impl Output {
    /// `ended` gets a message when the last part is written, or the reader is gone.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub(super) fn new() -> Result<(Self, mpsc::Receiver<()>), Failure> {
        let (send, mut parts) = mpsc::channel::<Part>(MAX_QUEUED);
        let (end, ended) = mpsc::channel(1);
        let mut write = move || {
            let mut output = std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?);
            while let Some((part, room)) = parts.blocking_recv() {
                output.write_all(&part)?;
                drop((part, room));
            }
            Ok::<_, io::Error>(())
        };
        start("output", move || {
            let _ = write();
            drop(end);
        })?;
        let parts = Mutex::new(send);
        let room = Arc::new(Semaphore::new(MAX_QUEUED_BYTES));
        Ok((Self { parts, room }, ended))
    }

    async fn send(&self, parts: &mpsc::Sender<Part>, bytes: Vec<u8>) {
        let size = u32::try_from(bytes.len().min(MAX_QUEUED_BYTES)).unwrap_or(u32::MAX);
        if let Ok(room) = self.room.clone().acquire_many_owned(size).await {
            // The reader may be gone.
            let _ = parts.send((bytes, room)).await;
        }
    }

    /// Writes a message. Its line ends become spaces.
    pub(super) async fn line(&self, mut bytes: Vec<u8>) {
        message::in_one_line(&mut bytes);
        bytes.push(b'\n');
        let parts = self.parts.lock().await;
        self.send(&parts, bytes).await;
    }

    /// Reads an answer. One that is short is returned; a long one is written while it arrives, if it begins as JSON does.
    ///
    /// # Errors
    /// When the server ends it early.
    pub(super) async fn answer(
        &self,
        mut response: reqwest::Response,
    ) -> Result<Option<Vec<u8>>, reqwest::Error> {
        let mut bytes = Vec::new();
        while let Some(part) = response.chunk().await? {
            bytes.extend_from_slice(&part);
            if bytes.len() > MAX_BUFFERED_BYTES {
                bytes = message::without_mark(bytes);
                let is_json = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
                if !is_json {
                    break;
                }
                self.long_answer(bytes, response).await?;
                return Ok(None);
            }
        }
        Ok(Some(message::without_mark(bytes)))
    }

    async fn long_answer(
        &self,
        mut bytes: Vec<u8>,
        mut response: reqwest::Response,
    ) -> Result<(), reqwest::Error> {
        let parts = self.parts.lock().await;
        let ended = loop {
            message::in_one_line(&mut bytes);
            self.send(&parts, bytes).await;
            match response.chunk().await {
                Ok(Some(part)) => bytes = part.to_vec(),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        // A line that ended early is not JSON: the client ignores it, and hears of the error in the next one.
        self.send(&parts, b"\n".to_vec()).await;
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_without_their_ends_and_one_that_is_too_long_is_skipped() {
        let long = "x".repeat(MAX_LINE_BYTES + 10);
        let text = format!("{{}}\r\n\n  \n{long}\n{{\"a\":\r1}}\nlast");
        let mut input = BufReader::new(text.as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut input).unwrap() {
            lines.push(line);
        }
        let message = |text: &'static str| Line::Message(Bytes::from_static(text.as_bytes()));
        assert_eq!(
            lines,
            [
                message("{}"),
                Line::TooLong,
                message("{\"a\": 1}"),
                message("last")
            ]
        );
    }
}
