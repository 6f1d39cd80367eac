//! What a caller is shown of each thing of a backup.

use crate::FieldChange;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RestoreKind {
    /// A provider.
    Provider,
    /// A credential that was entered by hand.
    Credential,
    /// A connection.
    Connection,
    /// The settings.
    Settings,
}

/// How an item stands beside what is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreState {
    /// Nothing like it is here; it is added.
    New,
    /// It is here, and nothing of it differs.
    Same,
    /// It is here and differs, or its name is taken. It is left as it is, unless the user says otherwise.
    Conflict,
}

/// One thing of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreItem {
    /// Its id in the backup; all zeros for the settings.
    pub id: String,
    /// What it is.
    pub kind: RestoreKind,
    /// Its name.
    pub name: String,
    /// How it stands beside what is here.
    pub state: RestoreState,
    /// What differs: here first, then in the backup. Never a secret.
    pub differences: Vec<FieldChange>,
    /// What else the user should know.
    pub note: Option<String>,
    /// Whether what is here can be replaced by it.
    pub can_replace: bool,
    /// The item that has to be replaced for it to be restored: its provider.
    pub needs: Option<String>,
    /// Whether the connection needs a new sign-in after the restore.
    pub needs_sign_in: bool,
}
