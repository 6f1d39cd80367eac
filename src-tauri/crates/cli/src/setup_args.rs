//! The grammar of `tokenry setup`.

use clap::Args;

#[derive(Args)]
pub(crate) struct SetupArgs {
    /// The tool: git, docker, mcp and others; omit it to list all tools and what is set up
    pub(crate) tool: Option<String>,
    /// The host, or the address of the MCP server; the same as --host
    #[arg(value_name = "ADDRESS", requires = "tool")]
    pub(crate) address: Option<String>,
    /// The host that the tool gets tokens for
    #[arg(long, requires = "tool", conflicts_with = "address")]
    pub(crate) host: Option<String>,
    /// The connection whose tokens the tool gets. For a host it is bound, as `tokenry bind` does
    #[arg(long, value_name = "NAME", requires = "tool")]
    pub(crate) connection: Option<String>,
    /// The name of the entry in the tool's configuration
    #[arg(long, requires = "tool")]
    pub(crate) name: Option<String>,
    /// The role that AWS gives
    #[arg(long, value_name = "ARN", requires = "tool")]
    pub(crate) role: Option<String>,
    /// The audience of Google's workload identity pool
    #[arg(long, requires = "tool")]
    pub(crate) audience: Option<String>,
    /// Only this client of MCP, or this shell; may be repeated [default: all that are installed, or your shell]
    #[arg(long = "client", value_name = "CLIENT", requires = "tool")]
    pub(crate) clients: Vec<String>,
    /// Take back what was set up, for one host or for all
    #[arg(long, requires = "tool", conflicts_with_all = ["connection", "name", "role", "audience", "clients"])]
    pub(crate) undo: bool,
    /// Show the change, and write nothing
    #[arg(long, requires = "tool")]
    pub(crate) dry_run: bool,
    /// Write without asking
    #[arg(long, requires = "tool", conflicts_with = "dry_run")]
    pub(crate) yes: bool,
}
