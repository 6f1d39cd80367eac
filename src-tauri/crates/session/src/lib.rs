//! What the desktop session says: the user is idle, the screen is locked, the machine suspends, another user is active.
//!
//! What must never be true of this crate: that it opens a connection while nothing is wanted; that a message counts
//! which the service itself did not send, or which is about another session; that it spins while a bus is away.
#![deny(missing_docs)]

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;
mod monitor;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::DesktopSession;
#[cfg(target_os = "linux")]
pub use linux::DesktopSession;
pub use monitor::{Inhibitor, Reporter, SessionEvent, SessionMonitor, Sources, Watch, WatchOptions};
