//! A change before it is made: what would be written, as the user sees it.

use crate::diff::diff;
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::file;
use crate::record::{Entry, Record};
use crate::tools::{Lines, Options, ProposedEdit, tool};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A change that was planned and not made yet.
pub struct Plan {
    pub(crate) tool: &'static str,
    pub(crate) files: Vec<FileChange>,
    pub(crate) added: Vec<Entry>,
    /// Entries whose change is taken back, or replaced by an added one.
    pub(crate) dropped: Vec<Entry>,
    notes: Vec<String>,
    lines: Vec<Lines>,
    target: Option<String>,
}

/// A file, and its text before and after. `None` when there is no file.
pub(crate) struct FileChange {
    pub(crate) path: PathBuf,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// A plan as the user sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanView {
    /// The tool's name.
    pub tool: &'static str,
    /// The changes. Nothing is to do when there are none.
    pub changes: Vec<ChangeView>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// Lines that the user adds to files of their own.
    pub lines: Vec<Lines>,
}

/// The change of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeView {
    /// The file.
    pub path: String,
    /// What changes in it: lines that begin with a blank, `-` or `+`.
    pub diff: String,
}

/// The texts of files, with the changes that were planned so far.
#[derive(Default)]
struct Texts {
    files: BTreeMap<PathBuf, (Option<String>, Option<String>)>,
}

impl Texts {
    /// The text of a file as it will be.
    fn read(&mut self, path: &Path) -> Result<Option<String>, SetupError> {
        if let Some((_, after)) = self.files.get(path) {
            return Ok(after.clone());
        }
        let text = file::read(path)?;
        self.files.insert(path.to_owned(), (text.clone(), text.clone()));
        Ok(text)
    }

    fn write(&mut self, path: &Path, text: Option<String>) {
        if let Some((_, after)) = self.files.get_mut(path) {
            *after = text;
        }
    }

    fn changes(self) -> Result<Vec<FileChange>, SetupError> {
        let changed = self
            .files
            .into_iter()
            .filter(|(_, (before, after))| before != after);
        let changes = changed.map(|(path, (before, after))| FileChange { path, before, after });
        let changes: Vec<_> = changes.collect();
        changes
            .iter()
            .try_for_each(|change| file::check_writable(&change.path))?;
        Ok(changes)
    }
}

/// Plans to set up a tool.
///
/// # Errors
/// When an option is wrong, or when a file cannot be read, understood or written.
pub fn plan(environment: &Environment, name: &str, options: &Options) -> Result<Plan, SetupError> {
    let tool = tool(name)?;
    let proposal = tool.propose(environment, options)?;
    let record = Record::read(environment)?;
    let mut texts = Texts::default();
    let mut plan = Plan {
        tool: tool.name(),
        files: Vec::new(),
        added: Vec::new(),
        dropped: Vec::new(),
        notes: proposal.notes,
        lines: proposal.lines,
        target: proposal.edits.first().map(|edit| edit.target.clone()),
    };
    let mut id = record.next_id();
    for proposed in proposal.edits {
        let is_same = |entry: &&Entry| {
            entry.tool == plan.tool
                && entry.path == proposed.path
                && (entry.edit.is_same_place(&proposed.edit) && entry.target == proposed.target)
        };
        let old = record.entries.iter().rev().find(is_same);
        if let Edit::Link { target } = &proposed.edit {
            // One that the user made is not ours to remove. One of ours may be needed by several entries.
            let is_ours = record.entries.iter().any(|entry| entry.path == proposed.path);
            if is_link_to(&proposed.path, target)? && (old.is_some() || !is_ours) {
                continue;
            }
        } else if !edit_file(&proposed, old, &mut texts)? {
            continue;
        }
        let before = match proposed.edit {
            Edit::Link { .. } => None,
            _ => texts
                .files
                .get(&proposed.path)
                .and_then(|(before, _)| before.clone()),
        };
        plan.added
            .push(added(id, proposed, old, before.as_deref(), &plan, environment)?);
        plan.dropped.extend(old.cloned());
        id += 1;
    }
    plan.files = texts.changes()?;
    if plan.is_empty() && plan.lines.is_empty() {
        plan.notes.clear();
    }
    Ok(plan)
}

/// Plans the change of one file. `false` when it is there already.
fn edit_file(proposed: &ProposedEdit, old: Option<&Entry>, texts: &mut Texts) -> Result<bool, SetupError> {
    let path = &proposed.path;
    let wrong = |why: String| SetupError::file(path, describe(&why));
    let now = texts.read(path)?;
    // What an earlier version set up is taken out first.
    let without = match (old, &now) {
        (Some(old), Some(text)) => old.edit.undo(text).map_err(wrong)?.or_else(|| now.clone()),
        _ => now.clone(),
    };
    let after = proposed.edit.apply(without.as_deref()).map_err(wrong)?;
    if now.as_ref() == Some(&after) {
        return Ok(false);
    }
    texts.write(path, Some(after));
    Ok(true)
}

/// The entry of the record for a change.
fn added(
    id: u64,
    mut proposed: ProposedEdit,
    old: Option<&Entry>,
    before: Option<&str>,
    plan: &Plan,
    environment: &Environment,
) -> Result<Entry, SetupError> {
    let wrong = |why: String| SetupError::file(&proposed.path, describe(&why));
    let without = match (old, before) {
        (Some(old), Some(text)) => old.edit.undo(text).map_err(wrong)?,
        _ => None,
    };
    let text = without.as_deref().or(before).unwrap_or_default();
    proposed.edit.observe(text).map_err(wrong)?;
    Ok(Entry {
        id,
        tool: plan.tool.to_owned(),
        target: proposed.target,
        label: proposed.label.to_owned(),
        existed: old.map_or(before.is_some(), |old| old.existed),
        backup: old.and_then(|old| old.backup.clone()),
        folders: old.map(|old| old.folders.clone()).unwrap_or_default(),
        path: proposed.path,
        edit: proposed.edit,
        command: environment.tokenry().to_owned(),
    })
}

/// Plans to take back what was set up for a tool: all of it, or one target.
///
/// # Errors
/// When nothing was set up, or when a file cannot be read, understood or written.
pub fn plan_undo(environment: &Environment, name: &str, target: Option<&str>) -> Result<Plan, SetupError> {
    let tool = tool(name)?;
    let record = Record::read(environment)?;
    let is_meant = |entry: &&Entry| {
        entry.tool == tool.name() && target.is_none_or(|target| is_target(&entry.target, target))
    };
    let dropped: Vec<Entry> = record.entries.iter().filter(is_meant).cloned().collect();
    if dropped.is_empty() {
        let what = match target {
            Some(target) => format!("{name} for {target}"),
            None => name.to_owned(),
        };
        return Err(SetupError::NotSetUp { what });
    }
    let mut texts = Texts::default();
    let mut notes = Vec::new();
    // The newest change first, as what is below it is then as it was.
    for entry in dropped.iter().rev() {
        if !matches!(entry.edit, Edit::Link { .. }) {
            take_back(entry, &record, &mut texts, &mut notes)?;
        }
    }
    Ok(Plan {
        tool: tool.name(),
        files: texts.changes()?,
        added: Vec::new(),
        dropped,
        notes,
        lines: Vec::new(),
        target: None,
    })
}

/// Whether the target of an entry is the one that the user names: a host can be given without its scheme.
fn is_target(target: &str, named: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
        let host = text.split_once("://").map(|(_, host)| host.to_owned());
        host.unwrap_or(text)
    };
    bare(target) == bare(named)
}

fn take_back(
    entry: &Entry,
    record: &Record,
    texts: &mut Texts,
    notes: &mut Vec<String>,
) -> Result<(), SetupError> {
    let path = &entry.path;
    let Some(now) = texts.read(path)? else {
        notes.push(format!("{} is gone.", path.display()));
        return Ok(());
    };
    match without(entry, &now, record).map_err(|why| SetupError::file(path, describe(&why)))? {
        Some(text) => texts.write(path, text),
        None => notes.push(format!(
            "{}: the entry for {} is no longer the one that Tokenry wrote, and stays.",
            path.display(),
            entry.target
        )),
    }
    Ok(())
}

/// A text without the change of an entry: the text that the file had before, byte for byte, where nothing else was changed
/// (`Some(None)` where there was no file). `None` when the change is not in the text.
pub(crate) fn without(entry: &Entry, now: &str, record: &Record) -> Result<Option<Option<String>>, String> {
    let backup = entry.backup.as_deref().and_then(|name| record.backup(name));
    let is_known = backup.is_some() || !entry.existed;
    if is_known
        && entry
            .edit
            .apply(backup.as_deref())
            .is_ok_and(|again| again == now)
    {
        return Ok(Some(backup));
    }
    Ok(entry.edit.undo(now)?.map(Some))
}

/// What is wrong with a file, after its path.
fn describe(why: &str) -> String {
    if why.starts_with("cannot ") || why.starts_with("exists") {
        return why.to_owned();
    }
    format!("has {why}")
}

/// Whether a link leads to our program already.
///
/// # Errors
/// When something else is at its path.
fn is_link_to(path: &Path, target: &Path) -> Result<bool, SetupError> {
    match path.read_link() {
        Ok(found) => Ok(found == target),
        Err(_) if path.symlink_metadata().is_err() => Ok(false),
        Err(_) => Err(SetupError::file(path, "exists, and is not a link of Tokenry")),
    }
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.added.is_empty() && self.dropped.is_empty()
    }

    /// What is set up: a host, a server, a profile.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Fails when the user was shown another change.
    ///
    /// # Errors
    /// [`SetupError::Changed`].
    pub fn must_be(&self, shown: &[ChangeView]) -> Result<(), SetupError> {
        let now = self.view().changes;
        if now == shown {
            return Ok(());
        }
        let differs = now.iter().find(|change| !shown.contains(change)).or(now.first());
        let path = differs
            .map(|change| PathBuf::from(&change.path))
            .unwrap_or_default();
        Err(SetupError::Changed { path })
    }

    /// The plan as the user sees it.
    pub fn view(&self) -> PlanView {
        let file = |change: &FileChange| ChangeView {
            path: change.path.display().to_string(),
            diff: diff(
                change.before.as_deref().unwrap_or_default(),
                change.after.as_deref().unwrap_or_default(),
            ),
        };
        let link = |mark: char, entry: &Entry| match &entry.edit {
            Edit::Link { target } => Some(ChangeView {
                path: entry.path.display().to_string(),
                diff: format!("{mark}link to {}\n", target.display()),
            }),
            _ => None,
        };
        let replaced = |entry: &&Entry| !self.added.iter().any(|added| added.path == entry.path);
        let mut changes: Vec<_> = self.files.iter().map(file).collect();
        changes.extend(
            self.dropped
                .iter()
                .filter(replaced)
                .filter_map(|entry| link('-', entry)),
        );
        changes.extend(self.added.iter().filter_map(|entry| link('+', entry)));
        PlanView {
            tool: self.tool,
            changes,
            notes: self.notes.clone(),
            lines: self.lines.clone(),
        }
    }
}
