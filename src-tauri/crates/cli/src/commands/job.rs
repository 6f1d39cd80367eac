//! Follows the work on a backup: shows its progress at a terminal, and cancels it at Ctrl-C.

use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::interrupt;
use crate::output::{Output, write_err};
use std::io::{self, IsTerminal};
use std::time::Duration;
use tokenry_contract::{ErrorCode, Job, JobState};

/// The first pause between two looks; each one is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_millis(200);

/// Waits for the end of a job. `doing` names the work: "Writing the backup".
pub(super) fn follow(engine: &Engine, job: Job, doing: &str, output: &Output) -> Result<Job, Failure> {
    let id = job.id.to_string();
    let progress = Progress::new(doing, output);
    let cancel = || {
        // The engine may have ended it already.
        let _ = engine.send::<Job>(Method::Delete, &["v1", "jobs", &id]);
        write_err("\nCancelled. Nothing was left behind or changed.\n");
    };
    let ended = interrupt::or_else(cancel, || wait(engine, job, &id, &progress));
    progress.clear();
    let ended = ended?;
    match ended.state {
        JobState::Failed => Err(match ended.error {
            Some(error) => error.into(),
            None => Failure::invalid_response("a failed job has no error"),
        }),
        JobState::Cancelled => Err(Failure::new(
            ErrorCode::Conflict,
            "It was cancelled, or the vault was locked. Nothing was left behind or changed.",
            "Start it again.",
        )),
        JobState::Running | JobState::Done => Ok(ended),
    }
}

fn wait(engine: &Engine, mut job: Job, id: &str, progress: &Progress) -> Result<Job, Failure> {
    let mut pause = FIRST_PAUSE;
    while job.state == JobState::Running {
        std::thread::sleep(pause);
        pause = (pause * 2).min(MAX_PAUSE);
        job = engine.get(&["v1", "jobs", id])?;
        progress.show(&job);
    }
    Ok(job)
}

/// One line at a terminal, which is replaced as the work goes on.
struct Progress {
    doing: String,
    is_shown: bool,
}

impl Progress {
    fn new(doing: &str, output: &Output) -> Self {
        Self {
            doing: doing.to_owned(),
            is_shown: !output.is_json() && io::stderr().is_terminal(),
        }
    }

    fn show(&self, job: &Job) {
        if self.is_shown && job.state == JobState::Running {
            write_err(&format!("\r\u{1b}[K{}", self.line(job)));
        }
    }

    fn line(&self, job: &Job) -> String {
        match job.total {
            0 => format!("{} … Ctrl-C cancels.", self.doing),
            total => format!(
                "{}: {} % … Ctrl-C cancels.",
                self.doing,
                job.done.min(total).saturating_mul(100) / total
            ),
        }
    }

    fn clear(&self) {
        if self.is_shown {
            write_err("\r\u{1b}[K");
        }
    }
}
