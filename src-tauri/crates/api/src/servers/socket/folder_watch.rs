//! Notices changes of the folders above the socket, at no cost while none changes.

use std::{path::Path, time::Duration};

/// How often to check on a system that does not report changes.
const POLL_INTERVAL: Duration = Duration::from_secs(60);

/// Watches until it is dropped.
pub(super) struct FolderWatch(Option<system::Events>);

impl FolderWatch {
    /// Watches the folders above the socket at `current`, and above the `wanted` path.
    pub(super) fn on(wanted: &Path, current: &Path) -> Self {
        Self(system::Events::of(wanted, current))
    }

    /// Resolves after a change.
    pub(super) async fn changed(&mut self) {
        match &self.0 {
            Some(events) => events.changed().await,
            None => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::{
        fs::inotify::{self, CreateFlags, WatchFlags},
        io,
    };
    use std::{os::fd::OwnedFd, path::Path};
    use tokio::io::unix::AsyncFd;

    pub(super) struct Events(AsyncFd<OwnedFd>);

    impl Events {
        /// `None` where the folder of the socket cannot be watched.
        pub(super) fn of(wanted: &Path, current: &Path) -> Option<Self> {
            let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok()?;
            let itself = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF | WatchFlags::ONLYDIR;
            let watch = |folder: &Path, what| inotify::add_watch(&fd, folder, itself | what);
            let goes = WatchFlags::DELETE | WatchFlags::MOVED_FROM;
            watch(current.parent()?, goes).ok()?;
            let home = wanted.parent()?;
            let mut missing = watch(home, goes | WatchFlags::MASK_ADD) == Err(io::Errno::NOENT);
            for folder in home.ancestors().skip(1) {
                // In the first folder that exists, the next one on the way will appear.
                let appears = match missing {
                    true => WatchFlags::CREATE | WatchFlags::MOVED_TO,
                    false => WatchFlags::empty(),
                };
                // A folder that is watched already keeps its flags.
                missing = watch(folder, appears | WatchFlags::MASK_ADD) == Err(io::Errno::NOENT);
            }
            // `AsyncFd::new` is deprecated because of types that let go of their descriptor; an `OwnedFd` does not.
            #[expect(deprecated)]
            AsyncFd::new(fd).ok().map(Self)
        }

        pub(super) async fn changed(&self) {
            loop {
                let Ok(mut ready) = self.0.readable().await else {
                    return std::future::pending().await;
                };
                let mut bytes = [0; 4096];
                match io::read(self.0.get_ref(), &mut bytes) {
                    Ok(_) => return,
                    Err(io::Errno::AGAIN) => ready.clear_ready(),
                    Err(_) => return std::future::pending().await,
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::path::Path;

    pub(super) struct Events(std::convert::Infallible);

    impl Events {
        pub(super) fn of(_: &Path, _: &Path) -> Option<Self> {
            None
        }

        pub(super) async fn changed(&self) {
            match self.0 {}
        }
    }
}
