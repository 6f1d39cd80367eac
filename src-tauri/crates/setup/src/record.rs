//! The record of what was set up, and the backups of the files, in Tokenry's folder for states. Only the user can read
//! them: a configuration file may hold secrets.

use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::file;
use crate::undo::without;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The only version of the file so far.
const VERSION: u32 = 1;

/// One change that was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Rises with each change.
    pub(crate) id: u64,
    pub(crate) tool: String,
    /// The host, the server or the profile that was set up.
    pub(crate) target: String,
    /// The program whose file it is.
    pub(crate) label: String,
    pub(crate) path: PathBuf,
    pub(crate) edit: Edit,
    /// The `tokenry` that the file names.
    pub(crate) command: PathBuf,
    /// Whether the file was there before.
    pub(crate) existed: bool,
    /// The name of the backup.
    pub(crate) backup: Option<String>,
    /// The folders that were created for the file, the innermost last.
    #[serde(default)]
    pub(crate) folders: Vec<PathBuf>,
    /// Whether Tokenry made the change. What was there before stays after the undo.
    #[serde(default = "made")]
    pub(crate) is_ours: bool,
    /// The connection that it names, where none serves an address.
    #[serde(default)]
    pub(crate) connection: Option<String>,
}

/// Older records hold only what Tokenry made.
fn made() -> bool {
    true
}

impl Entry {
    /// Whether another entry needs the same change of the same file.
    pub(crate) fn shares(&self, other: &Self) -> bool {
        self.id != other.id && self.path == other.path && self.edit.is_same_change(&other.edit)
    }
}

#[derive(Serialize, Deserialize)]
struct Content {
    version: u32,
    entries: Vec<Entry>,
}

/// The record, locked against other processes while it is changed.
pub(crate) struct Record {
    folder: PathBuf,
    pub(crate) entries: Vec<Entry>,
    _lock: Option<File>,
}

impl Record {
    /// Reads it.
    pub(crate) fn read(environment: &Environment) -> Result<Self, SetupError> {
        let folder = environment.state()?;
        let entries = entries(&folder.join("record.json"))?;
        Ok(Self {
            folder,
            entries,
            _lock: None,
        })
    }

    /// Waits until no other process changes it, and reads it.
    pub(crate) fn locked(environment: &Environment) -> Result<Self, SetupError> {
        let folder = environment.state()?;
        let path = folder.join("lock");
        let failed = |error: std::io::Error| SetupError::file(&path, format!("cannot be locked: {error}"));
        file::create_folders(&folder).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(&path).map_err(failed)?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
            .map_err(|error| failed(error.into()))?;
        let entries = entries(&folder.join("record.json"))?;
        Ok(Self {
            folder,
            entries,
            _lock: Some(lock),
        })
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.entries.iter().map(|entry| entry.id).max().unwrap_or(0) + 1
    }

    /// Writes it in one step.
    pub(crate) fn save(&self) -> Result<(), SetupError> {
        let path = self.folder.join("record.json");
        let content = Content {
            version: VERSION,
            entries: self.entries.clone(),
        };
        let failed = |error: std::io::Error| SetupError::file(&path, format!("cannot be written: {error}"));
        let mut bytes = serde_json::to_vec_pretty(&content).map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        let draft = file::draft(&path);
        file::write_new(&draft, &bytes, 0o600)
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(failed)
    }

    /// Keeps a copy of a file before its change. Returns the name of the copy.
    pub(crate) fn back_up(&self, id: u64, path: &Path, text: &str) -> Result<String, SetupError> {
        let folder = self.folder.join("backups");
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{id}-{}", file_name.trim_start_matches('.'));
        let copy = folder.join(&name);
        let failed = |error: std::io::Error| SetupError::file(&copy, format!("cannot be written: {error}"));
        file::create_folders(&folder).map_err(failed)?;
        // One of a change that was never made.
        let _ = fs::remove_file(&copy);
        file::write_new(&copy, text.as_bytes(), 0o600).map_err(failed)?;
        Ok(name)
    }

    /// The text of a backup, if it is still there.
    pub(crate) fn backup(&self, name: &str) -> Option<String> {
        file::read(&self.backup_path(name)?).ok().flatten()
    }

    /// Where a backup is.
    pub(crate) fn backup_path(&self, name: &str) -> Option<PathBuf> {
        // A name that is a path would lead out of the folder.
        let is_name = Path::new(name).components().count() == 1 && !name.starts_with('.');
        is_name.then(|| self.folder.join("backups").join(name))
    }

    /// Whether an entry that is not among `dropped` needs the change of this one.
    pub(crate) fn is_needed(&self, entry: &Entry, dropped: &[u64]) -> bool {
        let mut kept = self.entries.iter().filter(|one| !dropped.contains(&one.id));
        kept.any(|one| one.shares(entry))
    }

    /// Notes where the link at a path leads now, for all entries that need it.
    pub(crate) fn move_links(&mut self, path: &Path, new: &Path) {
        for entry in self
            .entries
            .iter_mut()
            .filter(|entry| entry.path == path && entry.is_ours)
        {
            if let Edit::Link { target } = &mut entry.edit {
                new.clone_into(target);
            }
        }
    }

    /// Takes a change that is undone out of what later changes of the file know as the text before them.
    pub(crate) fn take_out(&mut self, gone: &Entry, dropped: &[u64]) -> Result<(), SetupError> {
        if !gone.is_ours || self.is_needed(gone, dropped) {
            return Ok(());
        }
        let mut later: Vec<Entry> = self.entries.clone();
        later.retain(|entry| entry.path == gone.path && entry.id > gone.id && !dropped.contains(&entry.id));
        for mut entry in later {
            let Some(text) = entry.backup.as_deref().and_then(|name| self.backup(name)) else {
                continue;
            };
            let Ok(Some(text)) = without(gone, &text, self) else {
                continue;
            };
            // Its old backup is kept until the record says otherwise: at worst the undo is less exact.
            if entry.edit.observe(text.as_deref().unwrap_or_default()).is_err() {
                continue;
            }
            entry.backup = match &text {
                Some(text) => Some(self.back_up(entry.id, &entry.path, text)?),
                None => None,
            };
            if text.is_none() {
                entry.existed = false;
                entry.folders.splice(..0, gone.folders.iter().cloned());
            }
            self.entries
                .iter_mut()
                .filter(|one| one.id == entry.id)
                .for_each(|one| *one = entry.clone());
        }
        Ok(())
    }

    /// Forgets these entries, and deletes the backups that no other entry needs.
    pub(crate) fn forget(&mut self, ids: &[u64]) -> Result<(), SetupError> {
        let (gone, kept) = self.entries.drain(..).partition(|entry| ids.contains(&entry.id));
        self.entries = kept;
        self.save()?;
        let gone: Vec<Entry> = gone;
        for name in gone.iter().filter_map(|entry| entry.backup.as_ref()) {
            let is_needed = self
                .entries
                .iter()
                .any(|entry| entry.backup.as_ref() == Some(name));
            if let Some(path) = self.backup_path(name).filter(|_| !is_needed) {
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }
}

fn entries(path: &Path) -> Result<Vec<Entry>, SetupError> {
    let Some(text) = file::read(path)? else {
        return Ok(Vec::new());
    };
    let content: Content = serde_json::from_str(&text).map_err(|error| {
        let why = format!(
            "is not a record of this version of Tokenry (line {})",
            error.line()
        );
        SetupError::file(path, why)
    })?;
    if content.version != VERSION {
        return Err(SetupError::file(
            path,
            "was written by a newer version of Tokenry",
        ));
    }
    Ok(content.entries)
}
