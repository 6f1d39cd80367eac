//! The file of a backup: written beside, synced, compared, and only then given its name.

use crate::{
    Error,
    backup::step::{Step, reached},
};
use rustix::fs::{CWD, FlockOperation, OFlags, RenameFlags, flock, renameat_with};
use std::{
    ffi::OsStr,
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};
use tokenry_core::{Code, Random, clean};

/// A draft is called `.tokenry-`, 16 hexadecimal digits, and this.
const DRAFT_SUFFIX: &str = ".new";
const DRAFT_PREFIX: &str = ".tokenry-";

/// Why no backup can be written to a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The path starts nowhere.
    #[error("the file of a backup must be an absolute path; give one that begins with /")]
    Relative,
    /// The path has no name at its end.
    #[error("{0} names no file; give the path of a file")]
    NoName(String),
    /// The folder is missing.
    #[error("there is no folder {0}; create it, or choose another one")]
    NoFolder(String),
    /// What should be the folder is something else.
    #[error("{0} is not a folder; choose another place")]
    NotAFolder(String),
    /// Every user may write to the folder.
    #[error(
        "every user of this machine can replace files in {0}; choose a folder of your own, or run `chmod o-w` on it"
    )]
    OpenToAll(String),
    /// The folder cannot be written to.
    #[error("{0} cannot be written to; choose another folder, or make it writable for you")]
    ReadOnly(String),
    /// There is no room. Nothing is left behind.
    #[error("the disk of {0} is full, so no backup was written; free some space, or choose another folder")]
    Full(String),
    /// A file of this name is there.
    #[error("{0} exists and was left as it is; choose another name, or replace it with --replace")]
    Exists(String),
    /// A link of this name is there.
    #[error("{0} is a link, and Tokenry writes no backup through a link; give the path of the file itself")]
    Link(String),
    /// A folder or a device of this name is there.
    #[error("{0} exists and is not a file; choose another name")]
    NotAFile(String),
    /// What was read back is not what was written.
    #[error(
        "{0} was written and could not be read back as it was written, so it was removed; check the disk, or choose another folder"
    )]
    Differs(String),
    /// The operating system.
    #[error("{0} could not be used ({1}); check the disk and try again")]
    Io(String, String),
}

impl TargetError {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Relative | Self::NoName(_) => Code::ValidationError,
            Self::NoFolder(_) => Code::NotFound,
            Self::NotAFolder(_)
            | Self::OpenToAll(_)
            | Self::Exists(_)
            | Self::Link(_)
            | Self::NotAFile(_) => Code::Conflict,
            Self::ReadOnly(_) | Self::Full(_) | Self::Differs(_) | Self::Io(..) => Code::Internal,
        }
    }

    /// What the system said about this path.
    pub(super) fn of(path: &Path, error: &io::Error) -> Self {
        let shown = shown(path);
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full(shown)
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(shown),
            io::ErrorKind::NotFound => Self::NoFolder(shown),
            io::ErrorKind::NotADirectory => Self::NotAFolder(shown),
            _ => Self::Io(shown, clean(&error.to_string())),
        }
    }
}

/// A path as it is shown.
pub(super) fn shown(path: &Path) -> String {
    clean(&path.to_string_lossy())
}

/// Where a backup goes.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) path: PathBuf,
    folder: PathBuf,
    replace: bool,
    /// What the user should know about the folder.
    pub(super) warning: Option<String>,
}

impl Target {
    /// Looks at a path before anything is written. A file that is there is in the way unless `replace` is true.
    pub(super) fn new(path: &Path, replace: bool) -> Result<Self, TargetError> {
        if !path.is_absolute() {
            return Err(TargetError::Relative);
        }
        let (Some(folder), Some(_)) = (path.parent(), path.file_name()) else {
            return Err(TargetError::NoName(shown(path)));
        };
        let found = fs::metadata(folder).map_err(|error| TargetError::of(folder, &error))?;
        let warning = look_at_folder(folder, &found)?;
        let target = Self {
            path: path.to_owned(),
            folder: folder.to_owned(),
            replace,
            warning,
        };
        target.is_free()?;
        Ok(target)
    }

    fn is_free(&self) -> Result<(), TargetError> {
        match fs::symlink_metadata(&self.path) {
            Ok(found) if found.is_symlink() => Err(TargetError::Link(shown(&self.path))),
            Ok(found) if !found.is_file() => Err(TargetError::NotAFile(shown(&self.path))),
            Ok(_) if !self.replace => Err(TargetError::Exists(shown(&self.path))),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(TargetError::of(&self.path, &error)),
            _ => Ok(()),
        }
    }

    /// Makes an empty draft beside the file (mode 0600). Drafts that a killed engine left in the folder are removed.
    pub(super) fn draft(&self, random: &dyn Random) -> Result<Draft, TargetError> {
        remove_left_drafts(&self.folder);
        let mut bytes = [0; 8];
        random.fill(&mut bytes);
        let name = format!("{DRAFT_PREFIX}{}{DRAFT_SUFFIX}", *tokenry_core::hex(&bytes));
        let path = self.folder.join(name);
        let file = opening().write(true).create_new(true).open(&path);
        let file = file.map_err(|error| TargetError::of(&self.folder, &error))?;
        // Says to other engines that it is not left behind. Some file systems have no locks.
        let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
        reached(Step::BackupBegun);
        Ok(Draft {
            file,
            path,
            is_named: false,
        })
    }
}

/// The folder must not be one where others can replace the backup. In a sticky folder they cannot.
fn look_at_folder(folder: &Path, found: &Metadata) -> Result<Option<String>, TargetError> {
    if !found.is_dir() {
        return Err(TargetError::NotAFolder(shown(folder)));
    }
    let is_sticky = found.mode() & 0o1000 != 0;
    if found.mode() & 0o002 != 0 && !is_sticky {
        return Err(TargetError::OpenToAll(shown(folder)));
    }
    let by_group =
        found.mode() & 0o020 != 0 && !is_sticky && found.gid() != rustix::process::getegid().as_raw();
    Ok(by_group.then(|| {
        format!(
            "A group of users can replace files in {}. They cannot read the backup.",
            shown(folder)
        )
    }))
}

/// A file that does not have its name yet. It is removed unless it gets one.
pub(super) struct Draft {
    pub(super) file: File,
    path: PathBuf,
    is_named: bool,
}

impl Draft {
    /// Puts all of it on the disk.
    pub(super) fn sync(&self, target: &Target) -> Result<u64, TargetError> {
        let synced = self.file.sync_all().and_then(|()| self.file.metadata());
        let length = synced
            .map_err(|error| TargetError::of(&target.folder, &error))?
            .len();
        reached(Step::BackupSynced);
        Ok(length)
    }

    /// The same file, opened anew.
    pub(super) fn reopened(&self, target: &Target) -> Result<File, TargetError> {
        let file = opening().read(true).open(&self.path);
        file.map_err(|error| TargetError::of(&target.folder, &error))
    }

    /// Gives it its name, and puts the name on the disk.
    pub(super) fn publish(mut self, target: &Target) -> Result<(), TargetError> {
        target.is_free()?;
        let renamed = match target.replace {
            true => fs::rename(&self.path, &target.path),
            false => rename_without_replacing(&self.path, &target.path),
        };
        renamed.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => TargetError::Exists(shown(&target.path)),
            _ => TargetError::of(&target.folder, &error),
        })?;
        self.is_named = true;
        reached(Step::BackupRenamed);
        let synced = File::open(&target.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| TargetError::of(&target.folder, &error))?;
        reached(Step::BackupDone);
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_named {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Some network file systems cannot do it in one step; there the look before has to be enough.
fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}

/// Private from its creation on, and never through a link.
fn opening() -> OpenOptions {
    let mut options = OpenOptions::new();
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.mode(0o600).custom_flags(flags.bits().cast_signed());
    options
}

/// Removes the drafts of engines that were killed: ours by name and by user, and locked by no engine.
fn remove_left_drafts(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(|entry| is_draft(&entry.file_name())) {
        let path = entry.path();
        let Ok(file) = opening().read(true).open(&path) else {
            continue;
        };
        let is_ours = file
            .metadata()
            .is_ok_and(|found| found.is_file() && found.uid() == rustix::process::geteuid().as_raw());
        if is_ours && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = fs::remove_file(&path);
        }
    }
}

fn is_draft(name: &OsStr) -> bool {
    let middle = name
        .to_str()
        .and_then(|name| name.strip_prefix(DRAFT_PREFIX)?.strip_suffix(DRAFT_SUFFIX));
    middle.is_some_and(|hex| hex.len() == 16 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// An existing file, opened for reading: a plain one. A pipe or a device would never end.
pub(super) fn opened(path: &Path) -> Result<File, Error> {
    if !path.is_absolute() {
        return Err(TargetError::Relative.into());
    }
    let mut options = OpenOptions::new();
    options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let file = options
        .read(true)
        .open(path)
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::not_found("file", &path.to_string_lossy(), "check its path"),
            _ => TargetError::Io(shown(path), clean(&error.to_string())).into(),
        })?;
    let found = file.metadata();
    match found {
        Ok(found) if found.is_file() => Ok(file),
        Ok(_) => Err(TargetError::NotAFile(shown(path)).into()),
        Err(error) => Err(TargetError::of(path, &error).into()),
    }
}
