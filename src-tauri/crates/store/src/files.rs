//! A look at the files of a profile that changes nothing.

use crate::{Error, damage};
use std::{fs, path::Path};

/// The files of a profile, and what is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilesReport {
    /// How many files were looked at.
    pub files: u64,
    /// The name of each file that is not as it should be, and what is wrong with it.
    pub problems: Vec<(String, String)>,
}

/// Looks whether the folder and each file in it are this user's, and closed to others. Nothing is changed.
///
/// # Errors
/// [`Error::Io`], [`Error::ReadOnly`] when the folder cannot be read.
pub fn file_report(folder: &Path) -> Result<FilesReport, Error> {
    let mut report = FilesReport::default();
    let found = fs::symlink_metadata(folder).map_err(damage::io(folder))?;
    if let Some(wrong) = access(&found, 0o700) {
        report.problems.push((folder.display().to_string(), wrong));
    }
    for entry in fs::read_dir(folder).map_err(damage::io(folder))? {
        let entry = entry.map_err(damage::io(folder))?;
        let name = tokenry_core::clean(&entry.file_name().to_string_lossy());
        let found = fs::symlink_metadata(entry.path()).map_err(damage::io(&entry.path()))?;
        report.files += 1;
        if let Some(wrong) = kind(&found).or_else(|| access(&found, 0o600)) {
            report.problems.push((name, wrong));
        }
    }
    report.problems.sort();
    Ok(report)
}

fn kind(found: &fs::Metadata) -> Option<String> {
    #[cfg(unix)]
    let is_socket = std::os::unix::fs::FileTypeExt::is_socket(&found.file_type());
    #[cfg(not(unix))]
    let is_socket = false;
    (!found.is_file() && !is_socket).then(|| "it is not a plain file".to_owned())
}

#[cfg(unix)]
fn access(found: &fs::Metadata, expected: u32) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Some("it belongs to another user".to_owned());
    }
    let mode = found.mode() & 0o7777;
    (mode & 0o077 != 0)
        .then(|| format!("others may open it: its mode is {mode:04o}, and {expected:04o} is expected"))
}

#[cfg(not(unix))]
fn access(_: &fs::Metadata, _: u32) -> Option<String> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_file_that_others_may_open_and_a_link_are_named_and_left_as_they_are() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("profile");
        drop(crate::Store::open(&folder).unwrap());
        let whole = file_report(&folder).unwrap();
        assert!(whole.files >= 2 && whole.problems.is_empty(), "{whole:?}");
        let file = folder.join("tokenry.reserve");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        symlink("/nowhere", folder.join("tokenry.1-1.spill")).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).unwrap();
        let report = file_report(&folder).unwrap();
        let told: Vec<_> = report.problems.iter().map(|(_, what)| what.as_str()).collect();
        assert_eq!(told.len(), 3, "{report:?}");
        assert!(told.iter().any(|what| what.contains("0644")), "{report:?}");
        assert!(told.iter().any(|what| what.contains("0750")), "{report:?}");
        assert!(told.contains(&"it is not a plain file"), "{report:?}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    }
}
