//! The folder of the new profile: written under another name, and renamed when all of it is there.

use crate::Error;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What a draft's name ends with.
const DRAFT: &str = ".tokenry-draft";

/// Where the new profile will be: an empty folder, or none.
pub(super) struct New {
    parent: PathBuf,
    name: std::ffi::OsString,
}

impl New {
    /// # Errors
    /// By its field, when the folder cannot be a new profile.
    pub(super) fn beside(folder: &Path, old: &Path) -> Result<Self, Error> {
        let (Some(parent), Some(name), true) = (folder.parent(), folder.file_name(), folder.is_absolute())
        else {
            return Err(wrong("must be an absolute path"));
        };
        let parent = parent.canonicalize().map_err(|error| {
            wrong(&format!(
                "must be in a folder that exists; {} does not ({error})",
                parent.display()
            ))
        })?;
        let path = parent.join(name);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(wrong(&format!("cannot be looked at ({error})"))),
            Ok(found) if !found.is_dir() => {
                return Err(wrong("must not be a file or a link; choose another name"));
            }
            Ok(_) => {
                let entries =
                    fs::read_dir(&path).map_err(|error| wrong(&format!("cannot be read ({error})")))?;
                if entries.count() > 0 {
                    return Err(wrong("must be empty or not exist; choose another folder"));
                }
            }
        }
        if path.starts_with(old) || old.starts_with(&path) {
            return Err(wrong("must be outside of the old profile; choose another folder"));
        }
        Ok(Self {
            parent,
            name: name.to_owned(),
        })
    }

    /// A folder of its own beside it, for what is being written. One that a killed engine left is removed.
    pub(super) fn draft(&self) -> Result<Draft, Error> {
        let mut name = std::ffi::OsString::from(".");
        name.push(&self.name);
        name.push(DRAFT);
        let path = self.parent.join(name);
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
            fs::remove_dir_all(&path).map_err(|error| unwritable(&path, &error))?;
        }
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|error| unwritable(&path, &error))?;
        Ok(Draft {
            path,
            is_published: false,
        })
    }
}

/// A folder that is removed unless it is published.
pub(super) struct Draft {
    pub(super) path: PathBuf,
    is_published: bool,
}

impl Draft {
    /// Gives it its name. An empty folder of that name is replaced, anything else is not.
    pub(super) fn publish(mut self, new: &New) -> Result<PathBuf, Error> {
        let path = new.parent.join(&new.name);
        fs::rename(&self.path, &path).map_err(|error| unwritable(&path, &error))?;
        self.is_published = true;
        fs::File::open(&new.parent)
            .and_then(|parent| parent.sync_all())
            .map_err(|error| unwritable(&new.parent, &error))?;
        Ok(path)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.is_published {
            return;
        }
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!("{} could not be removed: {error}", self.path.display());
        }
    }
}

fn wrong(what: &str) -> Error {
    Error::field("folder", what)
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::field(
        "folder",
        format!(
            "{} could not be written ({error}); free some space, or choose another folder",
            path.display()
        ),
    )
}
