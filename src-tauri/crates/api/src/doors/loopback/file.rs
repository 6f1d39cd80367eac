use serde_json::json;
use std::{
    fs::{self, Metadata, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use tokenry_core::Secret;
use zeroize::Zeroizing;

/// Where a program finds the door.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("loopback.json")
}

/// The file that we wrote. It goes with this.
pub(super) struct Told {
    path: PathBuf,
    made: Option<Mark>,
}

/// What a file is known by: its inode, and when it was written, since an inode may be used again.
type Mark = (u64, u64, i64, i64);

fn mark(found: &Metadata) -> Mark {
    (found.dev(), found.ino(), found.mtime(), found.mtime_nsec())
}

impl Told {
    /// Writes it beside its place (mode 0600) and moves it there, so that nobody ever reads half of it.
    pub(super) fn write(folder: &Path, port: u16, token: &Secret) -> io::Result<Self> {
        let (path, beside) = (path(folder), folder.join("loopback.json.new"));
        remove(&beside)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        let told = json!({"port": port, "token": token.expose(), "pid": std::process::id()});
        file.write_all(Zeroizing::new(format!("{told}\n")).as_bytes())?;
        let found = file.metadata()?;
        fs::rename(&beside, &path)?;
        Ok(Self {
            path,
            made: Some(mark(&found)),
        })
    }

    /// Removes the file if it is still the one we wrote.
    pub(super) fn remove(&mut self) {
        let there = fs::symlink_metadata(&self.path).ok().map(|found| mark(&found));
        if self.made.take().is_some_and(|made| Some(made) == there) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Removes what an engine that was killed left.
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
