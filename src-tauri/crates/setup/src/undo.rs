//! Takes back what was set up.

use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::link;
use crate::plan::{ChangeView, Plan, Texts, describe};
use crate::record::{Entry, Record};
use crate::tools::tool;
use std::path::Path;

/// Plans to take back what was set up for a tool: all of it, or one target.
///
/// # Errors
/// When nothing was set up, or when a file cannot be read, understood or written.
pub fn plan_undo(environment: &Environment, name: &str, target: Option<&str>) -> Result<Plan, SetupError> {
    let tool = tool(name)?;
    let record = Record::read(environment)?;
    let is_named = |entry: &Entry, named: &str| {
        is_target(&entry.target, named) || tool.target(named).as_ref() == Some(&entry.target)
    };
    let is_meant =
        |entry: &&Entry| entry.tool == tool.name() && target.is_none_or(|target| is_named(entry, target));
    let dropped: Vec<Entry> = record.entries.iter().filter(is_meant).cloned().collect();
    if dropped.is_empty() {
        let what = match target {
            Some(target) => format!("{name} for {target}"),
            None => name.to_owned(),
        };
        return Err(SetupError::NotSetUp { what });
    }
    let mut undo = Undo {
        dropped: dropped.iter().map(|entry| entry.id).collect(),
        done: Vec::new(),
        record,
        texts: Texts::default(),
        notes: Vec::new(),
        others: Vec::new(),
    };
    // The newest change first, as what is below it is then as it was.
    for entry in dropped.iter().rev() {
        undo.done.push(entry.id);
        match &entry.edit {
            Edit::Link { target } => undo.take_link_back(entry, target),
            _ => undo.take_back(entry)?,
        }
    }
    Ok(Plan {
        tool: tool.name(),
        files: undo.texts.changes()?,
        added: Vec::new(),
        dropped,
        notes: undo.notes,
        lines: Vec::new(),
        others: undo.others,
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

/// An undo that is being planned.
struct Undo {
    record: Record,
    /// The entries that are taken back.
    dropped: Vec<u64>,
    /// Those of them that were looked at. The last entry that shares a change takes it back.
    done: Vec<u64>,
    texts: Texts,
    notes: Vec<String>,
    others: Vec<ChangeView>,
}

impl Undo {
    fn take_back(&mut self, entry: &Entry) -> Result<(), SetupError> {
        let path = &entry.path;
        let Some(now) = self.texts.read(path)? else {
            self.note(format!("{} is gone.", path.display()));
            return Ok(());
        };
        if self.stays(entry, entry.edit.context(&now)) {
            return Ok(());
        }
        match without(entry, &now, &self.record).map_err(|why| SetupError::file(path, describe(&why)))? {
            Some(text) => self.texts.write(path, text),
            None => {
                let removal = entry.edit.removal_command();
                let removal = removal.map(|command| format!(" `{command}` removes it."));
                self.note(format!(
                    "{}: the entry for {} is no longer the one that Tokenry wrote, and stays.{}",
                    path.display(),
                    entry.target,
                    removal.unwrap_or_default()
                ));
            }
        }
        Ok(())
    }

    fn take_link_back(&mut self, entry: &Entry, target: &Path) {
        let path = entry.path.display();
        if !entry.path.is_symlink() {
            self.note(format!("{path} is gone."));
            return;
        }
        if self.stays(entry, link_line(' ', target)) {
            return;
        }
        if link::is_removed(entry, target, &self.record, &self.done) {
            self.others
                .push(ChangeView::new(&entry.path, link_line('-', target)));
        } else {
            self.note(format!("{path} no longer leads to Tokenry, and stays."));
        }
    }

    /// Whether a change stays because another entry needs it, or because the user made it.
    fn stays(&mut self, entry: &Entry, context: String) -> bool {
        let path = entry.path.display();
        if self.record.is_needed(entry, &self.done) {
            if self.record.is_needed(entry, &self.dropped) {
                self.others.push(ChangeView::new(&entry.path, context));
                self.note(format!(
                    "{path}: the change stays, because another entry needs it."
                ));
            }
            return true;
        }
        if !entry.is_ours {
            self.note(format!(
                "{path}: the entry for {} was there before Tokenry was set up, and stays.",
                entry.target
            ));
        }
        !entry.is_ours
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// A link, as a line of a diff.
pub(crate) fn link_line(mark: char, target: &Path) -> String {
    format!("{mark}link to {}\n", target.display())
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
    // Of a file that Tokenry created nothing stays but what others wrote.
    let is_left = |text: &String| entry.existed || !matches!(text.trim(), "" | "{}");
    Ok(entry.edit.undo(now)?.map(|text| Some(text).filter(is_left)))
}
