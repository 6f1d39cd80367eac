//! Operating systems whose session is not asked: nothing is available there.

use crate::{SessionMonitor, Sources, Watch, WatchOptions};
use std::{future::Future, pin::Pin};
use tokio::task::JoinSet;

/// The session of the user, which reports nothing on this operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct DesktopSession {}

impl SessionMonitor for DesktopSession {
    fn watch(&self, _: &WatchOptions) -> Watch {
        Watch::new(|_| JoinSet::new())
    }

    fn sources(&self) -> Pin<Box<dyn Future<Output = Sources> + Send + '_>> {
        Box::pin(async { Sources::default() })
    }
}
