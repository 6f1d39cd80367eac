//! The grammar of `tokenry vault`, `recovery` and `unlock`.

use crate::args::word;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use tokenry_contract::SlotKind;

#[derive(Subcommand)]
pub(crate) enum VaultCommand {
    /// Accept an older copy of the vault as the current one, and refresh again; asks for consent
    AcceptOlder,
    /// List, set and remove the ways to unlock the vault
    Slots {
        #[command(subcommand)]
        command: Option<SlotsCommand>,
    },
    /// Check every record, the manifest, the activity log and the files, and name what is wrong; changes nothing
    Check(ProofArgs),
    /// Copy what still opens into a new profile folder with a vault of its own; asks for consent
    ///
    /// The old profile is left as it is. Use only one of the two from then on.
    Salvage(SalvageArgs),
}

#[derive(Subcommand)]
pub(crate) enum SlotsCommand {
    /// List the ways to unlock the vault
    List,
    /// Add a way to unlock the vault, or change its passphrase
    Set {
        /// keyring, passphrase or keyring-and-passphrase
        #[arg(value_parser = word::<SlotKind>)]
        kind: SlotKind,
        /// Read the new passphrase from this file descriptor (0 is standard input)
        #[arg(long, value_name = "N")]
        new_passphrase_fd: Option<u32>,
        #[command(flatten)]
        proof: ProofArgs,
    },
    /// Remove a way to unlock the vault; one has to remain besides the recovery code
    Remove {
        /// keyring, passphrase, keyring-and-passphrase or recovery-code
        #[arg(value_parser = word::<SlotKind>)]
        kind: SlotKind,
        #[command(flatten)]
        proof: ProofArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum RecoveryCommand {
    /// Print a new recovery code once, check that it was written down, and replace the one before
    New {
        /// Do not check that the code was written down: the output is kept
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        proof: ProofArgs,
    },
}

#[derive(Args)]
pub(crate) struct SalvageArgs {
    /// The new profile folder: empty, or a new name
    #[arg(value_name = "NEW")]
    pub(crate) folder: PathBuf,
    /// Read a passphrase from this file descriptor (0 is standard input). It opens the old vault, where the OS keyring
    /// does not, and the new one [default: the OS keyring]
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
    /// Read the recovery code of the old vault from this file descriptor; the passphrase then opens only the new one
    #[arg(long, value_name = "N")]
    pub(crate) recovery_fd: Option<u32>,
}

/// What the user knows: the passphrase or the recovery code. Without any of these, a terminal prompts.
#[derive(Args, Default)]
pub(crate) struct ProofArgs {
    /// Read the passphrase from this file descriptor (0 is standard input)
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
    /// Use the recovery code instead of the passphrase: from a prompt or standard input
    #[arg(long, conflicts_with = "passphrase_fd")]
    pub(crate) recovery: bool,
    /// Read the recovery code from this file descriptor (0 is standard input)
    #[arg(long, value_name = "N", conflicts_with = "passphrase_fd")]
    pub(crate) recovery_fd: Option<u32>,
}
