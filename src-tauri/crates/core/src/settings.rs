//! The user's settings.

use serde::{Deserialize, Serialize};

/// What the person chose, beyond providers, connections, apps and grants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whether programs that only speak TCP may call on 127.0.0.1.
    pub loopback: bool,
    /// The port of that server, once it had one. It is kept, since it is part of our issuer identifier, which OAuth
    /// clients write down (RFC 8414 §2).
    pub loopback_port: Option<u16>,
    /// Whether a prompt that is decided each time needs the passphrase to allow it.
    pub ask_passphrase: bool,
    /// When the vault locks by itself.
    pub auto_lock: AutoLock,
    /// Whether apps with a grant for that get access tokens while the vault is locked.
    pub tokens_while_locked: bool,
    /// Whether a socket for the clients of oidc-agent is open as long as the engine runs.
    pub oidc_agent: bool,
}

/// When the vault locks by itself. All of it is off by default: a locked vault stops what programs do in the
/// background.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AutoLock {
    /// When the user has been idle for so many minutes.
    pub idle_minutes: Option<u32>,
    /// When the screen is locked.
    pub screen_lock: bool,
    /// When the machine suspends.
    pub suspend: bool,
    /// When another user's session becomes the active one.
    pub user_switch: bool,
}
