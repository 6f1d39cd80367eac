//! `loopback.json`: where a program of our user finds the loopback server and its token.

use serde_json::json;
use std::{
    fs::{self, Metadata, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use tokenry_core::Secret;
use zeroize::Zeroizing;

/// The file in the folder of the profile.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("loopback.json")
}

/// The file that this process wrote. It is removed when this is dropped.
pub(super) struct DiscoveryFile {
    path: PathBuf,
    identity: Option<Identity>,
}

/// What a file is recognised by: its inode, and when it was written, since an inode number may be used again.
type Identity = (u64, u64, i64, i64);

fn identity(found: &Metadata) -> Identity {
    (found.dev(), found.ino(), found.mtime(), found.mtime_nsec())
}

impl DiscoveryFile {
    /// Writes a temporary file (mode 0600) and renames it, so that no program ever reads half of it.
    pub(super) fn write(folder: &Path, port: u16, token: &Secret) -> io::Result<Self> {
        let (path, temporary) = (path(folder), folder.join("loopback.json.new"));
        remove(&temporary)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        let content = json!({"port": port, "token": token.expose(), "pid": std::process::id()});
        file.write_all(Zeroizing::new(format!("{content}\n")).as_bytes())?;
        let written = file.metadata()?;
        fs::rename(&temporary, &path)?;
        Ok(Self {
            path,
            identity: Some(identity(&written)),
        })
    }

    /// Removes the file if it is still the one that this process wrote.
    pub(super) fn remove(&mut self) {
        let found = fs::symlink_metadata(&self.path)
            .ok()
            .map(|found| identity(&found));
        if self.identity.take().is_some_and(|ours| Some(ours) == found) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for DiscoveryFile {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Removes what a killed engine left.
pub(super) fn clear(folder: &Path) {
    let _ = remove(&path(folder));
    let _ = remove(&folder.join("loopback.json.new"));
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
