//! Work that takes seconds and that a caller follows: its progress, its end, and how it is cancelled.

use crate::{BackupMade, Engine, Error, RestorePreview, Restored, access::policy::Operation, locks};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokenry_core::{Caller, JobId};
use tokio::sync::Notify;

/// How many that have ended are kept for those who follow them.
const MAX_ENDED_JOBS: usize = 16;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// It writes a backup.
    Backup,
    /// It reads a backup and compares it with what is here.
    ReadBackup,
    /// It restores a backup that was read.
    Restore,
}

/// What a job brought.
#[derive(Debug, Clone)]
pub enum JobResult {
    /// The backup is written.
    Backup(Arc<BackupMade>),
    /// What would be restored.
    Read(Arc<RestorePreview>),
    /// What was restored.
    Restored(Arc<Restored>),
}

/// How a job ended.
#[derive(Debug, Clone)]
pub enum JobEnd {
    /// As it should.
    Done(JobResult),
    /// With an error; nothing is left behind or changed.
    Failed(Arc<Error>),
    /// It was cancelled; nothing is left behind or changed.
    Cancelled,
}

/// A job as it stands.
#[derive(Debug, Clone)]
pub struct JobView {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// How much of it is done.
    pub done: u64,
    /// Of how much; 0 while that is not known.
    pub total: u64,
    /// How it ended; `None` while it runs.
    pub end: Option<JobEnd>,
}

/// One job.
pub(crate) struct Job {
    id: JobId,
    kind: JobKind,
    done: AtomicU64,
    total: AtomicU64,
    cancelled: AtomicBool,
    end: Mutex<Option<JobEnd>>,
}

impl Job {
    pub(super) fn new(id: JobId, kind: JobKind) -> Self {
        Self {
            id,
            kind,
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            cancelled: AtomicBool::new(false),
            end: Mutex::default(),
        }
    }

    fn view(&self) -> JobView {
        JobView {
            id: self.id,
            kind: self.kind,
            done: self.done.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
            end: locks::lock(&self.end).clone(),
        }
    }

    fn runs(&self) -> bool {
        locks::lock(&self.end).is_none()
    }

    /// How much there is to do.
    pub(super) fn set_total(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// One more is done.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(super) fn step(&self) -> Result<(), Error> {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.goes_on()
    }

    /// # Errors
    /// [`Error::Cancelled`].
    pub(super) fn goes_on(&self) -> Result<(), Error> {
        match self.cancelled.load(Ordering::Acquire) {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }
}

/// All jobs of an engine. One runs at a time.
#[derive(Default)]
pub(crate) struct Jobs {
    all: Mutex<VecDeque<Arc<Job>>>,
    ended: Notify,
}

impl Jobs {
    fn begin(&self, job: &Arc<Job>) -> Result<(), Error> {
        let mut all = locks::lock(&self.all);
        if all.iter().any(|job| job.runs()) {
            return Err(Error::Busy(
                "a backup or restore is under way; wait for its end, or cancel it, and try again".to_owned(),
                None,
            ));
        }
        while all.len() >= MAX_ENDED_JOBS {
            all.pop_front();
        }
        all.push_back(job.clone());
        Ok(())
    }

    fn find(&self, id: JobId) -> Option<Arc<Job>> {
        let all = locks::lock(&self.all);
        all.iter().find(|job| job.id == id).cloned()
    }

    /// The vault is locked: what runs is cancelled, and what others brought is forgotten.
    pub(crate) fn lock(&self) {
        let mut all = locks::lock(&self.all);
        all.retain(|job| job.runs());
        for job in all.iter() {
            job.cancelled.store(true, Ordering::Release);
        }
    }

    pub(super) fn end_of(&self, id: JobId) -> Option<JobEnd> {
        let job = self.find(id)?;
        let end = locks::lock(&job.end);
        end.clone()
    }

    /// Resolves when none runs.
    pub(crate) async fn idle(&self) {
        loop {
            let ended = self.ended.notified();
            if !locks::lock(&self.all).iter().any(|job| job.runs()) {
                return;
            }
            ended.await;
        }
    }
}

impl Engine {
    /// Begins a job, which goes on when its caller goes away.
    pub(super) fn begin_job<F>(
        &self,
        kind: JobKind,
        work: impl FnOnce(Arc<Job>) -> F,
    ) -> Result<JobView, Error>
    where
        F: Future<Output = Result<JobResult, Error>> + Send + 'static,
    {
        let id = JobId::new(&*self.inner.clock, &*self.inner.random);
        let job = Arc::new(Job::new(id, kind));
        self.inner.jobs.begin(&job)?;
        let view = job.view();
        let (engine, task) = (self.clone(), tokio::spawn(work(job.clone())));
        tokio::spawn(async move {
            let ended = task.await;
            let ended =
                ended.unwrap_or_else(|error| Err(Error::Internal(format!("a task ended early ({error})"))));
            let end = match ended {
                Ok(result) => JobEnd::Done(result),
                Err(_) if job.cancelled.load(Ordering::Acquire) => JobEnd::Cancelled,
                Err(error) => JobEnd::Failed(Arc::new(error)),
            };
            *locks::lock(&job.end) = Some(end);
            engine.inner.jobs.ended.notify_waiters();
        });
        Ok(view)
    }

    /// A job as it stands.
    ///
    /// # Errors
    /// When there is none with this id, or the caller may not.
    pub fn job(&self, caller: &Caller, id: JobId) -> Result<JobView, Error> {
        self.allow(caller, Operation::BackupJobs)?;
        let job = self.inner.jobs.find(id).ok_or_else(|| no_job(id))?;
        Ok(job.view())
    }

    /// Cancels a job. It ends soon, and leaves nothing behind; one that has ended stays as it is.
    ///
    /// # Errors
    /// When there is none with this id, or the caller may not.
    pub fn cancel_job(&self, caller: &Caller, id: JobId) -> Result<JobView, Error> {
        self.allow(caller, Operation::BackupJobs)?;
        let job = self.inner.jobs.find(id).ok_or_else(|| no_job(id))?;
        job.cancelled.store(true, Ordering::Release);
        Ok(job.view())
    }
}

fn no_job(id: JobId) -> Error {
    Error::not_found(
        "job",
        &id.to_string(),
        "it ended, or the vault was locked since; start it again",
    )
}
