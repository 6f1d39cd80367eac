//! Makes a planned change: backups first, then the record, then the files.

use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::file;
use crate::link;
use crate::plan::{FileChange, Plan};
use crate::record::{Entry, Record};
use std::fs;

/// Makes the change.
///
/// # Errors
/// When a file was changed since the plan was made, or cannot be written. The files before it are changed then, and the
/// record says so.
pub fn write(environment: &Environment, plan: Plan) -> Result<(), SetupError> {
    let mut record = Record::locked(environment)?;
    let mut next = record.next_id();
    for change in &plan.files {
        let mine = |entry: &&Entry| entry.path == change.path && !matches!(entry.edit, Edit::Link { .. });
        let mut added: Vec<Entry> = plan.added.iter().filter(mine).cloned().collect();
        let dropped: Vec<u64> = plan.dropped.iter().filter(mine).map(|entry| entry.id).collect();
        write_file(change, &mut added, &dropped, &mut record, &mut next)?;
    }
    for entry in &plan.added {
        let is_in_file = plan.files.iter().any(|change| change.path == entry.path);
        let mut entry = entry.clone();
        if let Edit::Link { target } = &entry.edit {
            entry.folders.extend(link::create(&entry.path, target, &record)?);
            // One that was there may lead to our program by another way.
            let target = entry.path.read_link().unwrap_or_else(|_| target.clone());
            record.move_links(&entry.path, &target);
            entry.edit = Edit::Link { target };
        } else if is_in_file {
            continue;
        }
        entry.id = next;
        next += 1;
        record.entries.push(entry);
        record.save()?;
    }
    let dropped: Vec<u64> = plan.dropped.iter().map(|entry| entry.id).collect();
    for entry in plan
        .dropped
        .iter()
        .filter(|entry| plan.added.iter().all(|added| added.path != entry.path))
    {
        if let Edit::Link { target } = &entry.edit
            && link::is_removed(entry, target, &record, &dropped)
        {
            let _ = fs::remove_file(&entry.path);
        }
        remove_folders(entry);
    }
    if plan.added.is_empty() {
        plan.dropped
            .iter()
            .rev()
            .try_for_each(|gone| record.take_out(gone, &dropped))?;
    }
    record.forget(&dropped)
}

fn write_file(
    change: &FileChange,
    added: &mut [Entry],
    dropped: &[u64],
    record: &mut Record,
    next: &mut u64,
) -> Result<(), SetupError> {
    let new: Vec<u64> = (*next..).take(added.len()).collect();
    for (entry, id) in added.iter_mut().zip(&new) {
        entry.id = *id;
        // What Tokenry created has no text to return to.
        if let (Some(before), None, true) = (&change.before, &entry.backup, entry.existed) {
            entry.backup = Some(record.back_up(*id, &change.path, before)?);
        }
        record.entries.push(entry.clone());
    }
    *next += added.len() as u64;
    // What was recorded and not made is harmless, what was made and not recorded could not be taken back.
    record.save()?;
    let made = match &change.after {
        Some(after) => file::replace(&change.path, change.before.as_deref(), after),
        None => file::remove(&change.path, change.before.as_deref().unwrap_or_default()).map(|()| Vec::new()),
    };
    match made {
        Ok(folders) => {
            for entry in record.entries.iter_mut().filter(|entry| new.contains(&entry.id)) {
                entry.folders.extend(folders.iter().cloned());
            }
            record.save()?;
        }
        Err(error) => {
            // Those that a new entry replaces stay: their change is still in the file.
            record.forget(&new)?;
            return Err(error);
        }
    }
    // The backups of an undo are needed until the end.
    if added.is_empty() {
        return Ok(());
    }
    // An added entry may use the backup of the one that it replaces.
    record.forget(dropped)
}

/// Removes the folders that were created, as far as they are empty.
fn remove_folders(entry: &Entry) {
    for folder in entry.folders.iter().rev() {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}
