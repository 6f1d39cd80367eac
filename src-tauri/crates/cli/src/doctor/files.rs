//! The folder of the profile, its files, the log and the free space.

use rustix::fs::statvfs;
use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use tokenry_contract::CheckedItem;

/// Below this a refresh may not be stored for long, in bytes.
const LITTLE_SPACE: u64 = 200 * 1024 * 1024;
const NO_SPACE: u64 = 20 * 1024 * 1024;
/// More files than a profile ever has.
const MAX_FILES: usize = 1_000;

pub(super) fn check(folder: &Path) -> Vec<CheckedItem> {
    let mut items = Vec::new();
    match fs::symlink_metadata(folder) {
        Ok(found) => {
            items.push(of_folder(folder, &found));
            if found.is_dir() {
                items.push(of_files(folder));
                items.extend(of_log(folder));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let text = format!("There is no profile yet at {}.", folder.display());
            items.push(CheckedItem::not_checked("profile", text));
        }
        Err(error) => items.push(CheckedItem::problem(
            "profile",
            format!("{} cannot be read: {error}.", folder.display()),
            "Check the folders above it, or set TOKENRY_HOME to another folder.",
        )),
    }
    items.push(space(folder));
    items
}

fn of_folder(folder: &Path, found: &Metadata) -> CheckedItem {
    const NAME: &str = "profile";
    let shown = folder.display();
    let real = match found.is_symlink().then(|| fs::metadata(folder)) {
        Some(Ok(real)) => real,
        Some(Err(error)) => {
            let text = format!("{shown} leads nowhere: {error}.");
            return CheckedItem::problem(NAME, text, "Remove the link, or put the folder back.");
        }
        None => found.clone(),
    };
    if !real.is_dir() {
        let next = "Move it away, or set TOKENRY_HOME to another folder.";
        return CheckedItem::problem(NAME, format!("{shown} is not a folder."), next);
    }
    match wrong_access(&real, "700") {
        Some((text, next)) => {
            CheckedItem::problem(NAME, format!("{shown}: {text}."), next.of(&[folder.to_owned()]))
        }
        None => CheckedItem::ok(NAME, format!("{shown} is yours alone.")),
    }
}

/// The files of a profile are named together: most often all of them are wrong in the same way.
fn of_files(folder: &Path) -> CheckedItem {
    const NAME: &str = "files";
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let text = format!("The folder cannot be listed: {error}.");
            return CheckedItem::problem(NAME, text, Next::Mode("700").of(&[folder.to_owned()]));
        }
    };
    let mut count = 0;
    let mut wrong: Vec<(PathBuf, (String, Next))> = Vec::new();
    for entry in entries.flatten().take(MAX_FILES) {
        count += 1;
        let path = entry.path();
        let Ok(found) = fs::symlink_metadata(&path) else {
            continue;
        };
        let kind = found.file_type();
        let what = match kind.is_file() || kind.is_socket() {
            true => wrong_access(&found, "600"),
            false => Some(("it is not a plain file".to_owned(), Next::Remove)),
        };
        wrong.extend(what.map(|what| (path, what)));
    }
    wrong.sort_by(|a, b| a.0.cmp(&b.0));
    let Some((first, (text, next))) = wrong.first() else {
        return CheckedItem::ok(NAME, format!("All {count} files of the profile are yours alone."));
    };
    let name = first.file_name().unwrap_or_default().to_string_lossy();
    let others = match wrong.len() {
        1 => String::new(),
        many => format!(" {many} files are not as they should be."),
    };
    let alike: Vec<PathBuf> = wrong
        .iter()
        .filter(|(_, (_, other))| other == next)
        .map(|(path, _)| path.clone())
        .collect();
    CheckedItem::problem(NAME, format!("{name}: {text}.{others}"), next.of(&alike))
}

/// What to do about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Mode(&'static str),
    Own,
    Remove,
}

impl Next {
    fn of(self, paths: &[PathBuf]) -> String {
        let paths: Vec<_> = paths
            .iter()
            .take(8)
            .map(|path| quoted(&path.to_string_lossy()))
            .collect();
        let paths = paths.join(" ");
        match self {
            Self::Mode(mode) => format!("Run `chmod {mode} {paths}`."),
            Self::Own => format!("Run `sudo chown \"$USER\" {paths}`."),
            Self::Remove => format!("Look at it, and move it away: {paths}."),
        }
    }
}

fn wrong_access(found: &Metadata, mode: &'static str) -> Option<(String, Next)> {
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Some(("it belongs to another user".to_owned(), Next::Own));
    }
    let is = found.mode() & 0o7777;
    (is & 0o077 != 0).then(|| (format!("others may open it (mode {is:04o})"), Next::Mode(mode)))
}

fn of_log(folder: &Path) -> Option<CheckedItem> {
    let log = folder.join("engine.log");
    let found = fs::symlink_metadata(&log).ok()?;
    found.is_file().then(|| {
        let text = format!("{} has {} KiB.", log.display(), found.len().div_ceil(1024));
        CheckedItem::ok("log", text)
    })
}

fn space(folder: &Path) -> CheckedItem {
    const NAME: &str = "disk_space";
    let stat = folder.ancestors().find_map(|folder| statvfs(folder).ok());
    let Some(free) = stat.map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize)) else {
        return CheckedItem::not_checked(NAME, "The system does not tell the free space.");
    };
    let text = format!("{} MiB are free.", free / 1024 / 1024);
    match free {
        ..NO_SPACE => CheckedItem::problem(
            NAME,
            text,
            "Free some space: new tokens cannot be stored on a full disk.",
        ),
        NO_SPACE..LITTLE_SPACE => CheckedItem::warning(NAME, text, "Free some space."),
        LITTLE_SPACE.. => CheckedItem::ok(NAME, text),
    }
}

/// A path for a shell.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@".contains(c);
    match path.chars().all(is_plain) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use tokenry_contract::CheckResult;

    fn result<'a>(items: &'a [CheckedItem], name: &str) -> &'a CheckedItem {
        items.iter().find(|item| item.name == name).unwrap()
    }

    #[test]
    fn a_profile_is_checked_and_left_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("it's a profile");
        assert_eq!(result(&check(&folder), "profile").result, CheckResult::NotChecked);
        fs::create_dir(&folder).unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        mode(&folder, 0o755);
        let item = check(&folder);
        let item = result(&item, "profile");
        assert_eq!(item.result, CheckResult::Problem);
        assert!(item.next.as_ref().unwrap().contains("chmod 700 '"), "{item:?}");
        mode(&folder, 0o700);
        let file = folder.join("tokenry.sqlite");
        fs::write(&file, "x").unwrap();
        mode(&file, 0o644);
        let items = check(&folder);
        assert_eq!(result(&items, "profile").result, CheckResult::Ok);
        let item = result(&items, "files");
        assert!(item.text.contains("mode 0644"), "{item:?}");
        assert!(item.next.as_ref().unwrap().contains("chmod 600"), "{item:?}");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o644);
        mode(&file, 0o600);
        assert_eq!(result(&check(&folder), "files").result, CheckResult::Ok);
        symlink("/nowhere", folder.join("engine.log")).unwrap();
        assert_eq!(result(&check(&folder), "files").result, CheckResult::Problem);
        assert_eq!(result(&check(&file), "profile").result, CheckResult::Problem);
    }
}
