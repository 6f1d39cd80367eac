//! What a caller can ask the engine to do, as the policy, the prompts and the API's operations name it.

use serde::{Deserialize, Serialize};

macro_rules! operations {
    ($($(#[$attribute:meta])* $name:ident,)*) => {
        /// The requested operation.
        //
        // The user is prompted for some of them only. The others never cross the API, so they have no word there.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(as = PromptOperation))]
        #[serde(rename_all = "snake_case")]
        pub enum Operation { $($(#[$attribute])* $name,)* }

        impl Operation {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

operations! {
    /// Get an access token.
    Token,
    /// Start a sign-in, or connect with client credentials.
    StartFlow,
    /// Sign in to a connection again, since a resource wants more scopes or another sign-in.
    StepUp,
    /// End a sign-in, with an answer or without one. The user is prompted when another caller started it.
    FinishFlow,
    /// Refresh now.
    Refresh,
    /// Disconnect a connection.
    Disconnect,
    /// Label, pause or resume a connection.
    WriteConnection,
    /// Add or change a provider.
    WriteProviders,
    /// Delete a provider, with its connections.
    DeleteProvider,
    /// Change where a provider's secrets go, or how they are protected.
    MoveEndpoint,
    /// Get the values of a credential.
    ReadCredential,
    /// Add or change a credential.
    WriteCredentials,
    /// Delete a credential.
    DeleteCredential,
    /// Register apps, give and revoke grants.
    WriteApps,
    /// Remove an app, with its grants.
    DeleteApp,
    /// Go on with a vault that is older than what was known of it.
    AcceptOlder,
    /// Add, change or remove a way to unlock the vault.
    WriteSlots,
    /// End the engine, so that another one takes the profile.
    HandOver,
    /// End grants, permissions and tokens at once.
    CutOff,
    /// Copy what still opens of the vault into a new one.
    SalvageVault,
    /// Become an app with grants, through our authorization server.
    AuthorizeApp,
    /// Change when the vault locks itself, and what is handed out while it is locked.
    AutoLock,
    /// Write a backup.
    Backup,
    /// Restore a backup.
    Restore,
    /// See the providers.
    #[serde(skip)]
    ReadProviders,
    /// Ask an address what it tells of a provider.
    #[serde(skip)]
    Discover,
    /// See the connections.
    #[serde(skip)]
    ReadConnections,
    /// See the credentials, without their values.
    #[serde(skip)]
    ListCredentials,
    /// Read the activity log.
    #[serde(skip)]
    ReadActivity,
    /// See the apps and their grants.
    #[serde(skip)]
    ReadApps,
    /// See the settings.
    #[serde(skip)]
    ReadSettings,
    /// Change the settings, and dismiss requests that wait for the vault to be unlocked.
    #[serde(skip)]
    Settings,
    /// See what a backup holds; follow and cancel the work on backups.
    #[serde(skip)]
    BackupJobs,
    /// See the open prompts.
    #[serde(skip)]
    ReadPrompts,
    /// Answer a prompt.
    #[serde(skip)]
    Answer,
    /// Check every record of the vault, or the installation.
    #[serde(skip)]
    CheckVault,
    /// Check that a provider works, without a sign-in.
    #[serde(skip)]
    CheckProvider,
    /// Open a socket for the programs of another host.
    #[serde(skip)]
    Forward,
    /// Status, lock, unlock.
    #[serde(skip)]
    Engine,
}
