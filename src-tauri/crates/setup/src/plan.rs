//! A change before it is made: what would be written, as the user sees it.

use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::file;
use crate::link;
use crate::record::{Entry, Record};
use crate::tools::{Lines, Options, ProposedEdit, Tool, tool};
use crate::undo::link_line;
use crate::view::view;
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
    pub(crate) notes: Vec<String>,
    pub(crate) lines: Vec<Lines>,
    /// Links, and changes that are there already and that a new entry needs, too.
    pub(crate) others: Vec<ChangeView>,
    pub(crate) target: Option<String>,
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
    /// The changes, and the changes by earlier entries that are needed, too. Nothing is to do when there are none.
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

impl ChangeView {
    pub(crate) fn new(path: &Path, diff: String) -> Self {
        Self {
            path: path.display().to_string(),
            diff,
        }
    }
}

/// The texts of files, with the changes that were planned so far.
#[derive(Default)]
pub(crate) struct Texts {
    files: BTreeMap<PathBuf, (Option<String>, Option<String>)>,
}

impl Texts {
    /// The text of a file as it will be.
    pub(crate) fn read(&mut self, path: &Path) -> Result<Option<String>, SetupError> {
        if let Some((_, after)) = self.files.get(path) {
            return Ok(after.clone());
        }
        let text = file::read(path)?;
        self.files.insert(path.to_owned(), (text.clone(), text.clone()));
        Ok(text)
    }

    pub(crate) fn write(&mut self, path: &Path, text: Option<String>) {
        if let Some((_, after)) = self.files.get_mut(path) {
            *after = text;
        }
    }

    pub(crate) fn changes(self) -> Result<Vec<FileChange>, SetupError> {
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
    check_options(tool, options)?;
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
        others: Vec::new(),
        target: proposal.edits.first().map(|edit| edit.target.clone()),
    };
    let mut id = record.next_id();
    for proposed in proposal.edits {
        let is_same = |entry: &&Entry| {
            entry.tool == plan.tool
                && entry.path == proposed.path
                && (entry.edit.is_same_place(&proposed.edit) && entry.target == proposed.target)
        };
        let is_shared =
            |entry: &&Entry| entry.path == proposed.path && entry.edit.is_same_change(&proposed.edit);
        let old = record.entries.iter().rev().find(is_same);
        // Another host may need the same change, which is then recorded for both and made once.
        let known = old.or_else(|| record.entries.iter().rev().find(is_shared));
        let is_there = match &proposed.edit {
            Edit::Link { target } => link::is_there(&proposed.path, target, &record)?,
            _ => !edit_file(&proposed, old, &mut texts)?,
        };
        // The list checks the program that the record names.
        if is_there && old.is_some_and(|old| old.command == environment.tokenry()) {
            continue;
        }
        let (before, now) = texts.files.get(&proposed.path).cloned().unwrap_or_default();
        let view = match &proposed.edit {
            Edit::Link { target } if is_there => Some(link_line(' ', target)),
            Edit::Link { target } => Some(link_line('+', target)),
            _ if is_there => Some(proposed.edit.context(now.as_deref().unwrap_or_default())),
            // The change of the file shows it.
            _ => None,
        };
        plan.others
            .extend(view.map(|view| ChangeView::new(&proposed.path, view)));
        let mut entry = added(id, proposed, known, before.as_deref(), &plan, environment)?;
        entry.is_ours = !is_there || known.is_some_and(|known| known.is_ours);
        if tool.address(&entry).is_none() {
            entry.connection.clone_from(&options.connection);
        }
        plan.added.push(entry);
        plan.dropped.extend(old.cloned());
        id += 1;
    }
    plan.files = texts.changes()?;
    if plan.is_empty() && plan.lines.is_empty() {
        plan.notes.clear();
    }
    Ok(plan)
}

/// Fails when an option was given that the tool does not take.
fn check_options(tool: &dyn Tool, options: &Options) -> Result<(), SetupError> {
    let takes = |name: &str| tool.fields().iter().any(|field| field.name == name);
    let given = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.trim().is_empty());
    let checked = [
        (given(&options.address), takes("address"), "an address or --host"),
        // The connection of a host is bound to it.
        (
            given(&options.connection),
            takes("connection") || takes("address"),
            "--connection",
        ),
        (given(&options.name), takes("name"), "--name"),
        (given(&options.role), takes("role"), "--role"),
        (given(&options.audience), takes("audience"), "--audience"),
        (!options.clients.is_empty(), tool.takes_clients(), "--client"),
    ];
    match checked
        .iter()
        .find(|(is_given, is_taken, _)| *is_given && !is_taken)
    {
        Some((_, _, option)) => Err(SetupError::option(
            format!("The setup of {} does not take {option}.", tool.name()),
            "Leave it out and try again.",
        )),
        None => Ok(()),
    }
}

/// Plans the change of one file. `false` when it is there already.
fn edit_file(proposed: &ProposedEdit, old: Option<&Entry>, texts: &mut Texts) -> Result<bool, SetupError> {
    let path = &proposed.path;
    let wrong = |why: String| SetupError::file(path, describe(&why));
    let now = texts.read(path)?;
    if let Some(text) = &now
        && proposed.edit.is_in(text).map_err(wrong)?
    {
        return Ok(false);
    }
    // What an earlier version set up is taken out first.
    let without = match (old, &now) {
        (Some(old), Some(text)) => old.edit.undo(text).map_err(wrong)?.or_else(|| now.clone()),
        _ => now.clone(),
    };
    let after = proposed.edit.apply(without.as_deref()).map_err(wrong)?;
    texts.write(path, Some(after));
    Ok(true)
}

/// The entry of the record for a change. `known` is an older entry for the same change.
fn added(
    id: u64,
    mut proposed: ProposedEdit,
    known: Option<&Entry>,
    before: Option<&str>,
    plan: &Plan,
    environment: &Environment,
) -> Result<Entry, SetupError> {
    let wrong = |why: String| SetupError::file(&proposed.path, describe(&why));
    let without = match (known, before) {
        (Some(known), Some(text)) => known.edit.undo(text).map_err(wrong)?,
        _ => None,
    };
    let text = without.as_deref().or(before).unwrap_or_default();
    proposed.edit.observe(text).map_err(wrong)?;
    Ok(Entry {
        id,
        tool: plan.tool.to_owned(),
        target: proposed.target,
        label: proposed.label.to_owned(),
        existed: known.map_or(before.is_some(), |known| known.existed),
        backup: known.and_then(|known| known.backup.clone()),
        folders: known.map(|known| known.folders.clone()).unwrap_or_default(),
        path: proposed.path,
        edit: proposed.edit,
        command: environment.tokenry().to_owned(),
        is_ours: true,
        connection: None,
    })
}

/// What is wrong with a file, after its path.
pub(crate) fn describe(why: &str) -> String {
    if why.starts_with("cannot ") || why.starts_with("exists") {
        return why.to_owned();
    }
    format!("has {why}")
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
        let file = |change: &FileChange| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let entries = self.added.iter().chain(&self.dropped);
            let edits = entries
                .filter(|entry| entry.path == change.path)
                .map(|entry| &entry.edit);
            ChangeView::new(
                &change.path,
                view(edits, &text(&change.before), &text(&change.after)),
            )
        };
        let mut changes: Vec<_> = self.files.iter().map(file).collect();
        for other in &self.others {
            if changes.iter().all(|change| change.path != other.path) {
                changes.push(other.clone());
            }
        }
        PlanView {
            tool: self.tool,
            changes,
            notes: self.notes.clone(),
            lines: self.lines.clone(),
        }
    }
}
