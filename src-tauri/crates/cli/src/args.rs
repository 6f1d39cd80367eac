//! The grammar of the command line.

use crate::backup_args::{BackupArgs, RestoreArgs};
use crate::credential_args::CredentialCommand;
use crate::export::{Format, since};
use crate::helpers::HelperCommand;
use crate::import::ImportArgs;
use crate::provider_args::{CatalogCommand, ProviderCommand};
use crate::setup_args::SetupArgs;
use crate::socket_args::{AgentSocketArgs, SshForwardArgs};
use crate::token_args::{CurlArgs, DpopArgs, ExecArgs, HeadersArgs, TokenArgs};
use crate::vault_args::{ProofArgs, RecoveryCommand, VaultCommand};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use std::path::PathBuf;
use tokenry_contract::{ErrorCode, Outcome, PromptDecision, Redirect};

/// Keep your accounts connected and give fresh access tokens to your programs.
#[derive(Parser)]
#[command(name = "tokenry", version, after_long_help = after_long_help())]
pub(crate) struct Cli {
    /// Print JSON, one document per line, with the field names of the HTTP API; errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Act as the app whose token is in this file, within its grants and without prompts
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) app_token_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add, show, edit and remove providers
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// Search and show presets: what Tokenry knows of providers
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Add, show, edit and remove static secrets: API keys, passwords, custom fields
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// Connect an account at a provider, or sign in to a connection again
    Connect(ConnectArgs),
    /// List connections
    List,
    /// Show the status of the engine, or of one connection
    Status {
        /// A connection; omit it for the engine
        name: Option<String>,
    },
    /// Print a fresh access token to standard output, and nothing else
    Token(TokenArgs),
    /// Choose the connection that serves an address, show which one does, or list what is bound
    Bind(BindArgs),
    /// Set up git, docker, MCP clients and other tools to get their tokens from Tokenry; without a tool, list them
    Setup(SetupArgs),
    #[command(flatten)]
    Helper(HelperCommand),
    /// Open a socket for the clients of oidc-agent: eval "$(tokenry oidc-agent)"
    OidcAgent(AgentSocketArgs),
    /// Open a socket for the clients of pizauth
    PizauthSocket(AgentSocketArgs),
    /// Run ssh so that the programs of that host can request tokens here, with your consent
    SshForward(SshForwardArgs),
    /// Run a program that gets an access token, in one environment variable or at a file descriptor
    Exec(ExecArgs),
    /// Print the headers of a request as a JSON object, for programs that run a command to get them
    Headers(HeadersArgs),
    /// Run curl with an access token, for addresses that the connection serves: `tokenry curl NAME -- -sS URL`
    Curl(CurlArgs),
    /// Print a proof for one request with a token that is bound to a key (DPoP)
    Dpop(DpopArgs),
    /// Refresh a connection now, even if its access token is still valid
    Refresh {
        /// A connection
        name: String,
    },
    /// Remove a connection, and revoke its tokens at the provider if it supports that
    Disconnect {
        /// A connection
        name: String,
    },
    /// Finish a sign-in with the redirect URL from the browser
    Callback {
        /// Read the redirect URL from standard input, which is also the default. It is never an argument: it contains
        /// a code, and other users of this machine can see arguments
        #[arg(value_name = "-", allow_hyphen_values = true)]
        url: Option<String>,
    },
    /// Pass a link with our scheme to the engine. Desktops run this
    #[command(hide = true)]
    OpenLink {
        /// The link
        link: String,
    },
    /// Show the activity log, newest first; check or export all of it
    Events(EventsArgs),
    /// Count who got what: tokens and values by program, app, connection and credential
    Audit(AuditArgs),
    /// Cut off an app, a connection or everything: end grants and permissions, revoke tokens
    Revoke(RevokeArgs),
    /// Register apps, and grant and revoke their access
    #[command(subcommand)]
    App(AppCommand),
    /// Answer permission requests, where the engine has no window
    Approve(ApproveArgs),
    /// Lock the vault
    Lock,
    /// Unlock the vault with the OS keyring, a passphrase or the recovery code
    Unlock(ProofArgs),
    /// Create a recovery code, which unlocks the vault when the keyring or the passphrase is lost
    #[command(subcommand)]
    Recovery(RecoveryCommand),
    /// Write a backup: one file, encrypted with a passphrase or for age keys; asks for consent
    Backup(BackupArgs),
    /// Restore a backup, after showing what it holds; asks for consent
    Restore(RestoreArgs),
    /// Check the installation: keyring, engine, files, clock, programs
    Doctor {
        /// Ask no provider for the time
        #[arg(long)]
        offline: bool,
    },
    /// Import providers and tokens from another tool; without one, list what there is
    Import(ImportArgs),
    /// Check and recover the vault, and change how it is unlocked
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Show the settings, or change when the vault locks itself
    Settings {
        #[command(subcommand)]
        command: Option<SettingsCommand>,
    },
    /// Run the engine in the foreground, without a window
    ///
    /// It prints one line when it is ready. The options are those of tokenry-serve; `tokenry serve --help` lists them.
    #[command(disable_help_flag = true)]
    Serve {
        #[arg(value_name = "OPTIONS", trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

#[derive(Subcommand)]
pub(crate) enum SettingsCommand {
    /// Show the settings, and what auto-lock relies on; this is also the default
    Show,
    /// Change the given settings only; asks for consent
    Set(SetArgs),
}

/// A locked vault also stops what programs do in the background, mail for example.
#[derive(Args)]
pub(crate) struct BindArgs {
    /// An address, such as https://github.com/acme. Everything below it is meant, too
    pub(crate) address: Option<String>,
    /// The connection that serves it from now on
    #[arg(long, value_name = "NAME", requires = "address")]
    pub(crate) connection: Option<String>,
    /// Bind it to no connection any more
    #[arg(long, requires = "address", conflicts_with = "connection")]
    pub(crate) remove: bool,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct SetArgs {
    /// Lock the vault when you are idle for so many minutes, 1 to 1440; 0 turns it off
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(0..=1440))]
    pub(crate) idle_minutes: Option<u32>,
    /// Lock the vault when the screen is locked
    #[arg(long)]
    pub(crate) screen_lock: Option<Switch>,
    /// Lock the vault when the computer suspends
    #[arg(long)]
    pub(crate) suspend: Option<Switch>,
    /// Lock the vault when another user's session becomes the active one
    #[arg(long)]
    pub(crate) user_switch: Option<Switch>,
    /// While the vault is locked, give valid access tokens to apps with a grant `--while-locked`; they stay in memory
    #[arg(long)]
    pub(crate) tokens_while_locked: Option<Switch>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

impl From<Switch> for bool {
    fn from(switch: Switch) -> Self {
        switch == Switch::On
    }
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct RevokeArgs {
    /// End all access of this app: its grants, permissions and tokens
    #[arg(long, value_name = "NAME")]
    pub(crate) app: Option<String>,
    /// End all access to this connection, and revoke its tokens at the provider. It needs a new sign-in
    #[arg(long, value_name = "NAME")]
    pub(crate) connection: Option<String>,
    /// Do both for every app and every connection
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args)]
pub(crate) struct AuditArgs {
    /// Only requests of this program: its path, or its file name
    #[arg(long, value_name = "PATH")]
    pub(crate) program: Option<String>,
    /// Only requests of this app
    #[arg(long, value_name = "NAME", conflicts_with = "program")]
    pub(crate) app: Option<String>,
    /// Only this connection
    #[arg(long, value_name = "NAME")]
    pub(crate) connection: Option<String>,
    /// Only this static credential
    #[arg(long, value_name = "NAME", conflicts_with = "connection")]
    pub(crate) credential: Option<String>,
    /// Only requests from this time on, like 2027-01-31T12:00:00Z, or how long ago: 90m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) since: Option<jiff::Timestamp>,
    /// The format of the output [default: table]
    #[arg(long)]
    pub(crate) format: Option<Format>,
}

#[derive(Subcommand)]
pub(crate) enum AppCommand {
    /// Register an app, and print its token, which cannot be displayed again
    Add {
        /// The app's name: lowercase letters, digits and hyphens
        name: String,
        /// A redirect URI for authorization codes; may be repeated
        #[arg(long = "redirect-uri", value_name = "URI")]
        redirect_uris: Vec<String>,
        /// A public client: without a token, for a program that cannot keep one secret
        #[arg(long)]
        public: bool,
    },
    /// List apps and their grants
    List,
    /// Remove an app and its grants
    Remove {
        /// An app's name or id
        name: String,
    },
    /// Grant an app access
    Grant(GrantArgs),
    /// Revoke a grant
    Revoke {
        /// The grant's id, from `tokenry app list`
        id: String,
    },
}

#[derive(Args)]
pub(crate) struct GrantArgs {
    /// An app's name or id
    pub(crate) name: String,
    /// What the app may do, like tokens:read; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    pub(crate) scopes: Vec<String>,
    /// A connection that the app may use; may be repeated
    #[arg(long = "connection", value_name = "NAME")]
    pub(crate) connections: Vec<String>,
    /// A credential that the app may use; may be repeated
    #[arg(long = "credential", value_name = "NAME")]
    pub(crate) credentials: Vec<String>,
    /// Limit the app's tokens to this scope at the provider; may be repeated
    #[arg(long = "token-scope", value_name = "SCOPE")]
    pub(crate) token_scopes: Vec<String>,
    /// Also while the vault is locked: access tokens that are still valid, if the setting `--tokens-while-locked` is on
    #[arg(long)]
    pub(crate) while_locked: bool,
    /// When the grant expires, like 2027-01-31T12:00:00Z [default: never]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<jiff::Timestamp>,
}

#[derive(Args)]
pub(crate) struct ApproveArgs {
    /// A request's id; omit it to answer all open requests one after the other
    pub(crate) id: Option<String>,
    /// The decision for that request
    #[arg(long, value_parser = word::<PromptDecision>, requires = "id")]
    pub(crate) decision: Option<PromptDecision>,
    /// With `--decision authorize`: a connection that the app may use; may be repeated
    #[arg(long = "connection", value_name = "NAME", requires = "decision")]
    pub(crate) connections: Vec<String>,
    /// With `--decision authorize`: a credential that the app may use; may be repeated
    #[arg(long = "credential", value_name = "NAME", requires = "decision")]
    pub(crate) credentials: Vec<String>,
    /// With `--decision authorize`: no connection and no credential
    #[arg(long, requires = "decision", conflicts_with_all = ["connections", "credentials"])]
    pub(crate) nothing: bool,
    /// With `--decision authorize`: when the access expires, like 2027-01-31T12:00:00Z [default: never]
    #[arg(long, value_name = "TIME", requires = "decision")]
    pub(crate) until: Option<jiff::Timestamp>,
    /// Keep waiting for requests
    #[arg(long, conflicts_with = "id")]
    pub(crate) wait: bool,
    /// Read the approval code from this file descriptor (0 is standard input)
    #[arg(long, value_name = "N")]
    pub(crate) code_fd: Option<u32>,
    /// Read the passphrase from this file descriptor, if the settings require it (0 is standard input)
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
}

#[derive(Args)]
pub(crate) struct EventsArgs {
    /// The maximum number of events, 1 to 500
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) limit: Option<u32>,
    /// Only events before this page mark
    #[arg(long, value_name = "MARK")]
    pub(crate) before: Option<i64>,
    /// Only events of or about this app
    #[arg(long, value_name = "NAME")]
    pub(crate) app: Option<String>,
    /// Only events about this connection
    #[arg(long, value_name = "NAME")]
    pub(crate) connection: Option<String>,
    /// Only events with this outcome: done, refused or failed
    #[arg(long, value_parser = word::<Outcome>)]
    pub(crate) outcome: Option<Outcome>,
    /// Only events from this time on, like 2027-01-31T12:00:00Z, or how long ago: 90m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) since: Option<jiff::Timestamp>,
    /// With csv and json-lines, all events are exported, not only one page [default: table]
    #[arg(long)]
    pub(crate) format: Option<Format>,
    /// Check every line and the hash chain over them instead
    #[arg(long, conflicts_with_all = ["limit", "before", "app", "connection", "outcome", "since", "format"])]
    pub(crate) verify: bool,
}

#[derive(Args)]
pub(crate) struct ConnectArgs {
    /// A provider, or a connection to sign in again
    pub(crate) name: String,
    /// A label that distinguishes connections at one provider
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// Request this scope instead of the provider's default scopes; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// The redirect method: loopback, deep-link or paste
    #[arg(long, value_parser = word::<Redirect>)]
    pub(crate) redirect: Option<Redirect>,
    /// Sign in on another device, with a code that this command shows
    #[arg(long, conflicts_with_all = ["redirect", "no_browser"])]
    pub(crate) device: bool,
    /// Confirm that you sign in with the same account, if the provider does not report the account
    #[arg(long)]
    pub(crate) same_account: bool,
    /// Do not open a browser: print the URL as the first line of standard output
    #[arg(long)]
    pub(crate) no_browser: bool,
}

/// A value of an enum of the contract, with `-` or `_` between its words. The error does not repeat the argument.
pub(crate) fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.replace('-', "_").into()).map_err(|error| {
        let text = error.to_string();
        let expected = text.rsplit_once(", expected ").map(|(_, expected)| expected);
        format!("expected {}", expected.unwrap_or("another value"))
    })
}

fn time(text: &str) -> Result<jiff::Timestamp, &'static str> {
    text.parse()
        .map_err(|_| "expected a time like 2027-01-31T12:00:00Z (RFC 3339)")
}

fn after_long_help() -> String {
    let mut text = String::from(
        "Exit codes:\n   0  success\n   1  a check found a problem\n   2  invalid command line\n   3  no engine is running and none could be started\n",
    );
    for code in ErrorCode::ALL {
        text += &format!("  {:2}  {}\n", code.exit_code(), code.slug());
    }
    text + "\nEnvironment:\n  TOKENRY_HOME            the folder of the profile, including its socket\n  \
            TOKENRY_SOCKET          a socket that `tokenry ssh-forward` forwards from another machine\n  \
            TOKENRY_APP_TOKEN_FILE  the same as --app-token-file\n  \
            TOKENRY_APPROVE         ask, never or all: the --approve option of an engine that a command starts\n  \
            TOKENRY_WAIT            the same as --wait of the commands that other programs run, in seconds\n  \
            NO_COLOR                print without colors"
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use tokenry_contract::{GrantType, TokenEndpointAuthMethod};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_words_are_those_of_the_contract_however_they_are_joined() {
        assert_eq!(word("deep-link"), Ok(Redirect::DeepLink));
        assert_eq!(word("client_credentials"), Ok(GrantType::ClientCredentials));
        assert_eq!(word("none"), Ok(TokenEndpointAuthMethod::None));
        let error = word::<Redirect>("deeplink").unwrap_err();
        assert!(
            error.contains("`loopback`") && error.contains("`paste`"),
            "{error}"
        );
    }

    #[test]
    fn every_exit_code_is_documented() {
        let help = Cli::command().render_long_help().to_string();
        for code in ErrorCode::ALL {
            assert!(
                help.contains(&format!("{:2}  {}", code.exit_code(), code.slug())),
                "{}",
                code.slug()
            );
        }
    }
}
