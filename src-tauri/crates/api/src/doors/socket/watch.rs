//! Notices that a folder on the way to the socket has changed, and costs nothing while none does.

use std::{path::Path, time::Duration};

/// How often to look where the system tells nothing by itself.
const INTERVAL: Duration = Duration::from_secs(60);

/// What happens to the folders of the socket, as long as it lives.
pub(super) struct Watch(Option<system::Events>);

impl Watch {
    /// Watches the way to the socket at `current`, and to the place where it is `wanted`.
    pub(super) fn on(wanted: &Path, current: &Path) -> Self {
        Self(system::Events::of(wanted, current))
    }

    /// Resolves after something has happened.
    pub(super) async fn changed(&mut self) {
        match &self.0 {
            Some(events) => events.changed().await,
            None => tokio::time::sleep(INTERVAL).await,
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
                // The first folder that is there is where the next one on the way will appear.
                let appears = match missing {
                    true => WatchFlags::CREATE | WatchFlags::MOVED_TO,
                    false => WatchFlags::empty(),
                };
                // What is watched already keeps what it is watched for.
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
