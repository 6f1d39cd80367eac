//! The options of `tokenry backup` and `tokenry restore`.

use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct BackupArgs {
    /// The file to write; it must not exist yet
    pub(crate) file: PathBuf,
    /// Encrypt it for this age key (age1…) instead of a passphrase; may be repeated
    #[arg(long = "recipient", value_name = "KEY", conflicts_with = "passphrase_fd")]
    pub(crate) recipients: Vec<String>,
    /// Read the passphrase of the backup from this file descriptor (0 is standard input)
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
    /// Include refresh tokens. A rotating refresh token can live in one place only: after a restore on another machine,
    /// the connection on this one ends
    #[arg(long)]
    pub(crate) with_refresh_tokens: bool,
    /// Replace the file if it exists
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Args)]
pub(crate) struct RestoreArgs {
    /// A file that `tokenry backup` wrote
    pub(crate) file: PathBuf,
    /// Read the passphrase of the backup from this file descriptor (0 is standard input)
    #[arg(long, value_name = "N", conflicts_with_all = ["identity_fd", "identity"])]
    pub(crate) passphrase_fd: Option<u32>,
    /// Read an age identity (AGE-SECRET-KEY-1…) from this file descriptor
    #[arg(long, value_name = "N", conflicts_with = "identity")]
    pub(crate) identity_fd: Option<u32>,
    /// Open the backup with this age identity file
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
    /// Replace what is here and in conflict with this entry of the backup: its name, `kind:name` or its id; may be
    /// repeated. All other conflicts stay as they are
    #[arg(long = "replace", value_name = "NAME")]
    pub(crate) replaced: Vec<String>,
    /// Restore without another question
    #[arg(long)]
    pub(crate) yes: bool,
    /// Show what would be restored, and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
}
