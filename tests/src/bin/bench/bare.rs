//! The bare route of `tokenry-store`, in a process of its own.

use std::path::PathBuf;
use tokenry_e2e::folder::Folder;
use tokenry_e2e::process::{Running, program};

/// The bare route of `tokenry-store`'s example, running in a process and a folder of its own.
pub(crate) struct Bare {
    process: Running,
    folder: Folder,
}

impl Bare {
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        let mut command = std::process::Command::new(program("examples/bare_route"));
        command.arg(folder.path());
        let mut process = Running::start(command);
        assert_eq!(process.line(), "ready");
        Self { process, folder }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("bare.sock")
    }
}
