//! The arguments of commands that open sockets.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// It stays open until the engine ends. Each request there is decided like one of `tokenry token`.
#[derive(Args)]
pub(crate) struct AgentSocketArgs {
    /// Close it again
    #[arg(long)]
    pub(crate) stop: bool,
    /// Start no engine for it: for the start file of a shell
    #[arg(long, conflicts_with = "stop")]
    pub(crate) if_running: bool,
    /// The shell that reads the lines
    #[arg(long, default_value = "sh")]
    pub(crate) shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Sh,
    Csh,
    Fish,
}

/// The host gets no more than tokens of the given connections; you are asked for each. All ends with the ssh connection.
#[derive(Args)]
pub(crate) struct SshForwardArgs {
    /// The host, as ssh takes it
    pub(crate) host: String,
    /// A connection whose tokens can be requested there; may be repeated
    #[arg(long = "connection", value_name = "NAME", required = true)]
    pub(crate) connections: Vec<String>,
    /// The configuration of ssh, instead of ~/.ssh/config
    #[arg(long, value_name = "FILE")]
    pub(crate) ssh_config: Option<PathBuf>,
    /// The command to run there, after `--`; a login shell without one
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}
