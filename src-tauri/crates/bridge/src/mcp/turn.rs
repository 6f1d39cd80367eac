//! One sign-in at a time for each server, also of several processes: the others wait, and share what comes of it.

use crate::failure::Failure;
use rustix::fs::{FlockOperation, OFlags, flock};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokenry_contract::ErrorCode;
use tokio::time::sleep;

/// How often a process that waits looks whether it is its turn.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// More than a message of ours has.
const MAX_NOTE_BYTES: u64 = 4096;

/// The turn of this process, until it is dropped.
pub(super) struct Turn {
    file: File,
}

impl Turn {
    /// Waits for the turn, in this folder.
    ///
    /// # Errors
    /// When another process failed to sign in meanwhile: with its failure. When the folder cannot be written to.
    pub(super) async fn wait(folder: &Path, address: &str) -> Result<Self, Failure> {
        let digest = Sha256::digest(address.as_bytes());
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let path = folder.join(format!("mcp-{name}.lock"));
        let failed = |error: io::Error| Failure::internal(format!("Cannot use {}: {error}.", path.display()));
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = options.custom_flags(flags.bits().cast_signed()).open(&path);
        let mut turn = Self {
            file: file.map_err(failed)?,
        };
        let before = turn.note().map_err(failed)?;
        loop {
            match flock(&turn.file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(rustix::io::Errno::WOULDBLOCK) => sleep(POLL_INTERVAL).await,
                Err(error) => return Err(failed(error.into())),
            }
        }
        let after = turn.note().map_err(failed)?;
        let Some((_, message)) = after.split_once('\n').filter(|_| after != before) else {
            return Ok(turn);
        };
        Err(Failure::new(
            ErrorCode::ConsentDenied,
            format!("Another process tried to sign in: {message}"),
            "Try again.",
        ))
    }

    /// Tells the processes that wait how it ended.
    pub(super) fn end(mut self, result: &Result<(), Failure>) {
        let note = match result {
            Ok(()) => String::new(),
            Err(failure) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                format!("{}-{}\n{}", std::process::id(), now.as_nanos(), failure.line())
            }
        };
        // Those that wait sign in themselves where this cannot be written.
        let _ = self.file.set_len(0);
        let _ = self.file.seek(SeekFrom::Start(0));
        let _ = self.file.write_all(note.as_bytes());
    }

    fn note(&mut self) -> io::Result<String> {
        let mut note = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        (&self.file).take(MAX_NOTE_BYTES).read_to_end(&mut note)?;
        Ok(String::from_utf8_lossy(&note).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const ADDRESS: &str = "https://mcp.example.com/mcp";

    #[tokio::test]
    async fn one_has_the_turn_and_those_that_wait_share_its_failure() {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let first = Turn::wait(folder.path(), ADDRESS).await.unwrap();
        let other = Turn::wait(folder.path(), "https://other.example/").await;
        assert!(other.is_ok(), "another server is another matter");
        let turns = Arc::new(AtomicUsize::new(0));
        let waiting = || {
            let (folder, turns) = (folder.clone(), turns.clone());
            tokio::spawn(async move {
                let turn = Turn::wait(folder.path(), ADDRESS).await?;
                turns.fetch_add(1, Ordering::Relaxed);
                turn.end(&Ok(()));
                Ok::<_, Failure>(())
            })
        };
        let tasks = [waiting(), waiting()];
        sleep(POLL_INTERVAL).await;
        first.end(&Err(Failure::internal("It was denied.")));
        for task in tasks {
            let failure = task.await.unwrap();
            // The first of them may have told that all is well before the second looked.
            assert!(failure.is_ok() || failure.unwrap_err().line().contains("It was denied."));
        }
        let before = turns.load(Ordering::Relaxed);
        waiting().await.unwrap().unwrap();
        assert_eq!(
            turns.load(Ordering::Relaxed),
            before + 1,
            "a later one has its own turn"
        );
    }
}
