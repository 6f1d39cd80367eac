//! The user's settings.

use serde::{Deserialize, Serialize};

/// The user's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settings {
    /// Whether programs that only speak TCP may call on 127.0.0.1.
    pub loopback: bool,
    /// The port of that server; null until it ran once.
    pub loopback_port: Option<u16>,
    /// Whether a prompt that is decided each time needs the passphrase to allow it.
    pub ask_passphrase: bool,
    pub auto_lock: AutoLock,
    /// Whether apps with a grant `while_locked` get access tokens that are still valid while the vault is locked.
    pub tokens_while_locked: bool,
    /// Whether a socket for the clients of oidc-agent is open as long as the engine runs.
    #[serde(default)]
    pub oidc_agent: bool,
}

/// When the vault locks itself. A locked vault also stops what programs do in the background, mail for example.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AutoLock {
    /// After so many minutes in which the user was idle; null if it does not.
    pub idle_minutes: Option<u32>,
    /// When the screen is locked.
    pub screen_lock: bool,
    /// When the computer suspends.
    pub suspend: bool,
    /// When another user's session becomes the active one.
    pub user_switch: bool,
}

/// The services of this computer that auto-lock can rely on, by their D-Bus names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AutoLockSources {
    /// What reports how long the user has been idle. Null: nothing does, and the user counts as idle while Tokenry is
    /// not used.
    pub idle: Option<String>,
    /// What reports that the screen is locked. Empty: nothing does.
    pub screen_lock: Vec<String>,
    /// What reports that the computer suspends. Null: nothing does.
    pub suspend: Option<String>,
    /// What reports that another user's session is active. Null: nothing does.
    pub user_switch: Option<String>,
}

/// Settings to change. Only the given fields change.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateSettings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loopback: Option<bool>,
    /// Only where a passphrase unlocks the vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_passphrase: Option<bool>,
    /// When the vault locks itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_lock: Option<UpdateAutoLock>,
    /// Whether apps with a grant `while_locked` get access tokens that are still valid while the vault is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_while_locked: Option<bool>,
    /// Whether a socket for the clients of oidc-agent is open as long as the engine runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oidc_agent: Option<bool>,
    /// The passphrase, which is needed to change `ask_passphrase`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
}

/// When the vault locks itself. Only the given fields change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateAutoLock {
    /// 1 to 1440; 0 turns it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_minutes: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen_lock: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_switch: Option<bool>,
}

impl std::fmt::Debug for UpdateSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpdateSettings")
            .field("loopback", &self.loopback)
            .field("ask_passphrase", &self.ask_passphrase)
            .field("auto_lock", &self.auto_lock)
            .field("tokens_while_locked", &self.tokens_while_locked)
            .field("oidc_agent", &self.oidc_agent)
            .finish_non_exhaustive()
    }
}
