//! What the end-to-end tests need: the real programs, a real authorization server, a real keyring, a real display, each
//! isolated.
//!
//! What must never be true of this crate: that a test leaves a process or a file behind, touches the user's own
//! profile, or talks to anything but the loopback interface.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up cannot go on"
)]

pub mod accounts;
pub mod authlib;
pub mod backup;
pub mod browser;
pub mod canary;
pub mod crash;
pub mod desktop;
pub mod desktop_session;
pub mod display;
pub mod django;
pub mod folder;
pub mod mcp;
pub mod memory;
pub mod process;
pub mod profile;
pub mod python;
pub mod readme;
pub mod recovery;
pub mod sandbox;
pub mod screen;
pub mod socket;
pub mod system_bus;
pub mod terminal;
pub mod token_server;
pub mod wayland;
pub mod webdriver;
