//! Restores a backup that was read: all of it in one transaction, or nothing.

use crate::{
    Engine, Error,
    access::{
        consent::{AccessRequest, Differences, bounded},
        policy::Operation,
    },
    backup::{
        JobKind, JobResult, JobView, RestoreKind, RestoreState,
        file::shown,
        job::Job,
        make::REFRESH_TOKENS,
        plan::{Place, Plan},
        read::Pending,
        restore::Restore,
        step::{Step, reached},
    },
    engine::blocking,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use tokenry_core::{Caller, ConnectionId, EventKind, Outcome, RestoreId, Rule};

/// What was restored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// How many were added.
    pub added: u64,
    /// How many replaced what was here.
    pub replaced: u64,
    /// How many were here already.
    pub same: u64,
    /// How many were left out, because they are in conflict with what is here.
    pub left: u64,
    /// The names of the restored connections that need a new sign-in.
    pub needs_sign_in: Vec<String>,
}

impl Engine {
    /// Begins to restore a backup that was read. What is in conflict stays as it is, unless its id is in `replace`. A
    /// program needs the user's consent each time.
    ///
    /// # Errors
    /// When nothing was read under this id, or the vault was locked since; when `replace` names something that cannot be
    /// replaced; when the user does not agree.
    pub async fn apply_restore(
        &self,
        caller: &Caller,
        id: RestoreId,
        replace: Vec<String>,
    ) -> Result<JobView, Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::Restore))?;
        self.store()?;
        let pending = self.pending(id)?;
        let replace: HashSet<String> = replace.into_iter().collect();
        check_replaced(&pending.plan, &replace)?;
        let wanted = wanted(&pending, &replace);
        let rule = self.permit(caller, wanted).await?.rule;
        let pending = self.pending(id)?;
        let (engine, caller) = (self.clone(), caller.clone());
        self.begin_job(JobKind::Restore, move |job| async move {
            let restored = engine.restore(&job, &caller, rule, &pending, replace).await;
            match &restored {
                Ok(_) => engine.inner.restores.forget(id),
                Err(error) => {
                    let event = engine
                        .event(&caller, EventKind::Restored, Outcome::Failed)
                        .with_detail(&error.to_string());
                    engine.inner.activity.push(event.by(rule));
                }
            }
            restored.map(|restored| JobResult::Restored(Arc::new(restored)))
        })
    }

    fn pending(&self, id: RestoreId) -> Result<Arc<Pending>, Error> {
        let found = self.inner.restores.find(id, self.inner.clock.boottime());
        found.ok_or_else(|| {
            let next = "a backup that was read waits for ten minutes, until the vault is locked or another one is read; read it again with `tokenry restore`";
            Error::not_found("restore", &id.to_string(), next)
        })
    }

    async fn restore(
        &self,
        job: &Arc<Job>,
        caller: &Caller,
        rule: Rule,
        pending: &Arc<Pending>,
        replace: HashSet<String>,
    ) -> Result<Restored, Error> {
        let places = connections_to_replace(&pending.plan, &replace);
        // A refresh that is under way is committed first, and none begins meanwhile.
        let mut reserved = Vec::new();
        for id in places {
            self.refresh_done(id).await;
            reserved.extend(self.reserve(id));
        }
        let store = self.store()?;
        let (engine, job, pending, caller) = (self.clone(), job.clone(), pending.clone(), caller.clone());
        let restored = blocking(move || {
            let now = engine.now();
            let can_ask = engine.can_ask_passphrase();
            store.change_surely(now, |transaction| {
                let mut restore = Restore {
                    transaction,
                    pending: &pending,
                    replace: &replace,
                    job: &job,
                    now,
                    credentials: HashMap::new(),
                    clients: HashMap::new(),
                    done: Restored::default(),
                };
                restore.run(can_ask)?;
                let done = restore.done;
                let event = engine
                    .event(&caller, EventKind::Restored, Outcome::Done)
                    .with_detail(&words(&pending, &done));
                transaction.event(&event.by(rule))?;
                reached(Step::RestoreCommitting);
                job.goes_on()?;
                Ok(done)
            })
        })
        .await?;
        reached(Step::RestoreCommitted);
        drop(reserved);
        self.raise_floor();
        self.inner.due.notify_one();
        let _ = self.inner.changes.send(crate::Change::Engine);
        Ok(restored)
    }

    /// Whether a slot of the vault takes a passphrase that a prompt can ask for.
    pub(super) fn can_ask_passphrase(&self) -> bool {
        self.inner
            .opener
            .slots()
            .contains(&tokenry_vault::SlotKind::Passphrase)
    }
}

/// # Errors
/// When an id names nothing that is in conflict and can be replaced.
fn check_replaced(plan: &Plan, replace: &HashSet<String>) -> Result<(), Error> {
    let can: HashSet<_> = plan
        .items
        .iter()
        .filter(|item| item.can_replace)
        .map(|item| item.id.as_str())
        .collect();
    match replace.iter().find(|id| !can.contains(id.as_str())) {
        None => Ok(()),
        Some(id) => Err(Error::field(
            "replace",
            format!(
                "names {}, which is not in conflict or cannot be replaced",
                tokenry_core::clean(id)
            ),
        )),
    }
}

fn connections_to_replace(plan: &Plan, replace: &HashSet<String>) -> Vec<ConnectionId> {
    let chosen = (0..plan.items.len()).filter(|at| plan.is_chosen(*at, replace));
    let places = chosen.filter_map(|at| match plan.details[at].place {
        Place::Connection(id, _) if plan.items[at].state == RestoreState::Conflict => Some(id),
        _ => None,
    });
    places.collect()
}

/// The request, with everything that a yes is for.
fn wanted(pending: &Pending, replace: &HashSet<String>) -> AccessRequest {
    let (plan, preview) = (&pending.plan, &pending.preview);
    let chosen: Vec<_> = (0..plan.items.len())
        .filter(|at| plan.is_chosen(*at, replace))
        .collect();
    let new = |kind| {
        let of_kind =
            |at: &&usize| plan.items[**at].kind == kind && plan.items[**at].state == RestoreState::New;
        chosen.iter().filter(of_kind).count()
    };
    let mut differences = Differences::default();
    let mut replaced = Vec::new();
    for at in &chosen {
        let (item, detail) = (&plan.items[*at], &plan.details[*at]);
        if item.state == RestoreState::Conflict {
            replaced.push(item.name.clone());
            differences.add_all(&item.name, &detail.differences);
        }
    }
    let mut wanted = AccessRequest::new(Operation::Restore)
        .note(format!(
            "It restores the backup {} of {:.0}.",
            shown(&preview.file),
            preview.made_at
        ))
        .note(format!(
            "It adds {} providers, {} connections and {} credentials.",
            new(RestoreKind::Provider),
            new(RestoreKind::Connection),
            new(RestoreKind::Credential)
        ));
    if !replaced.is_empty() {
        let names = bounded(replaced).join(", ");
        wanted = wanted.note(format!("It replaces what is here: {names}."));
    }
    if chosen
        .iter()
        .any(|at| plan.items[*at].kind == RestoreKind::Settings)
    {
        wanted = wanted.note("It restores the settings.");
    }
    if preview.with_refresh_tokens {
        wanted = wanted.note(REFRESH_TOKENS);
    }
    wanted.changing(differences)
}

/// For the activity log.
fn words(pending: &Pending, done: &Restored) -> String {
    format!(
        "{}: {} added, {} replaced, {} left as they were",
        shown(&pending.preview.file),
        done.added,
        done.replaced,
        done.same + done.left
    )
}
