//! What may stand on the command line.

use crate::credential_args::CredentialCommand;
use crate::provider_args::{AddArgs, EditArgs};
use clap::{Args, Parser, Subcommand};
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use std::path::PathBuf;
use tokenry_contract::{ErrorCode, Outcome, PromptDecision, Redirect};

/// Keeps your accounts connected and hands fresh access tokens to your programs.
#[derive(Parser)]
#[command(name = "tokenry", version, after_long_help = after_long_help())]
pub(crate) struct Cli {
    /// Answer as JSON, one document per line, with the field names of the HTTP interface; errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Call as the app whose token this file holds, and do what it was granted without a question
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) app_token_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add, look at, change and remove providers
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// Add, look at, change and delete what is no OAuth: API keys, passwords, any fields
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// Connect an account at a provider, or renew a connection
    Connect(ConnectArgs),
    /// List the connections
    List,
    /// Show how the engine is, or how one connection is
    Status {
        /// A connection; without it, the engine
        name: Option<String>,
    },
    /// Print a fresh access token, and nothing else, to standard output
    Token(TokenArgs),
    /// Refresh a connection now, whatever its expiry
    Refresh {
        /// A connection
        name: String,
    },
    /// Delete a connection's tokens, and revoke them at the provider when it can
    Disconnect {
        /// A connection
        name: String,
    },
    /// Complete a connect with the address the browser was redirected to
    Callback {
        /// Nothing, or `-`: the address is read from standard input. It holds a code, and every user of the machine
        /// sees arguments
        #[arg(value_name = "-", allow_hyphen_values = true)]
        url: Option<String>,
    },
    /// Show the activity log, newest first
    Events(EventsArgs),
    /// Register apps, and say what each of them may do
    #[command(subcommand)]
    App(AppCommand),
    /// See and answer the engine's open questions, where it has no window
    Approve(ApproveArgs),
    /// Lock the vault at once
    Lock,
    /// Unlock the vault with the OS keyring or a passphrase
    Unlock(UnlockArgs),
    /// Go on with a vault that was put back from an older copy
    #[command(subcommand)]
    Vault(VaultCommand),
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
pub(crate) enum VaultCommand {
    /// Let an older copy of the vault count as the newest, and refresh from it; you are asked first
    AcceptOlder,
}

#[derive(Subcommand)]
pub(crate) enum ProviderCommand {
    /// Add a provider, from a file, from flags, or both (a flag wins)
    Add(Box<AddArgs>),
    /// List the providers
    List,
    /// Show all of a provider; never its client secret
    Show {
        /// A provider's name or id
        name: String,
    },
    /// Change what is given, and nothing else; an empty text clears a field
    Edit(Box<EditArgs>),
    /// Remove a provider
    Remove {
        /// A provider's name or id
        name: String,
        /// Disconnect its connections first; without it, a provider that has some stays
        #[arg(long)]
        disconnect: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum AppCommand {
    /// Register an app; its own token is printed this once
    Add {
        /// Its name: lower-case letters, digits and single hyphens
        name: String,
        /// Where an authorization code may be sent; may be repeated
        #[arg(long = "redirect-uri", value_name = "URI")]
        redirect_uris: Vec<String>,
        /// Without a token of its own, for a program that cannot keep one
        #[arg(long)]
        public: bool,
    },
    /// List the apps, and what they may do
    List,
    /// Remove an app with everything it may do
    Remove {
        /// An app's name or id
        name: String,
    },
    /// Let an app do something from now on
    Grant(GrantArgs),
    /// Take a grant away
    Revoke {
        /// The grant's id, as `tokenry app list` shows it
        id: String,
    },
}

#[derive(Args)]
pub(crate) struct GrantArgs {
    /// An app's name or id
    pub(crate) name: String,
    /// What it may do, like tokens:read; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    pub(crate) scopes: Vec<String>,
    /// With this connection; may be repeated
    #[arg(long = "connection", value_name = "NAME")]
    pub(crate) connections: Vec<String>,
    /// With this credential; may be repeated
    #[arg(long = "credential", value_name = "NAME")]
    pub(crate) credentials: Vec<String>,
    /// The most that its tokens may do at their provider; may be repeated
    #[arg(long = "token-scope", value_name = "SCOPE")]
    pub(crate) token_scopes: Vec<String>,
    /// When it ends, like 2027-01-31T12:00:00Z; without it, when it is revoked
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<jiff::Timestamp>,
}

#[derive(Args)]
pub(crate) struct ApproveArgs {
    /// A question's id; without it, all of them, one after the other
    pub(crate) id: Option<String>,
    /// The answer to that question
    #[arg(long, value_parser = word::<PromptDecision>, requires = "id")]
    pub(crate) decision: Option<PromptDecision>,
    /// With `--decision authorize`: a connection that the app may use; may be repeated
    #[arg(long = "connection", value_name = "NAME", requires = "decision")]
    pub(crate) connections: Vec<String>,
    /// With `--decision authorize`: a credential that the app may use; may be repeated
    #[arg(long = "credential", value_name = "NAME", requires = "decision")]
    pub(crate) credentials: Vec<String>,
    /// With `--decision authorize`: the app may use no connection and no credential
    #[arg(long, requires = "decision", conflicts_with_all = ["connections", "credentials"])]
    pub(crate) nothing: bool,
    /// With `--decision authorize`: when it ends, like 2027-01-31T12:00:00Z; without it, when it is revoked
    #[arg(long, value_name = "TIME", requires = "decision")]
    pub(crate) until: Option<jiff::Timestamp>,
    /// Go on waiting for questions
    #[arg(long, conflicts_with = "id")]
    pub(crate) wait: bool,
    /// Read the approval code from this file descriptor (0 is standard input)
    #[arg(long, value_name = "N")]
    pub(crate) code_fd: Option<u32>,
    /// Read the passphrase from this file descriptor, where the settings demand it (0 is standard input)
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
}

#[derive(Args)]
pub(crate) struct TokenArgs {
    /// A connection: `provider`, `provider/label`, a label or an id
    pub(crate) name: String,
    /// The token must live at least this long; else it is refreshed first
    #[arg(long, value_name = "SECONDS")]
    pub(crate) min_valid: Option<u32>,
    /// A token that can do only this, of what the connection holds; may be repeated. Where the provider cannot narrow
    /// a token, you are asked about the whole
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// A token for this audience, as the provider calls it
    #[arg(long)]
    pub(crate) audience: Option<String>,
    /// A token that will be used there (RFC 8707)
    #[arg(long, value_name = "URI")]
    pub(crate) resource: Option<String>,
    /// Send an audience or resource that was never used before. Check its spelling: some providers end the sign-in
    /// when it is wrong
    #[arg(long)]
    pub(crate) allow_unknown_target: bool,
}

#[derive(Args)]
pub(crate) struct EventsArgs {
    /// At most this many, 1 to 500
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) limit: Option<u32>,
    /// Only what is older than this page mark
    #[arg(long, value_name = "MARK")]
    pub(crate) before: Option<i64>,
    /// Only what this app did, or what is about it
    #[arg(long, value_name = "NAME")]
    pub(crate) app: Option<String>,
    /// Only what is about this connection
    #[arg(long, value_name = "NAME")]
    pub(crate) connection: Option<String>,
    /// Only what ended like this: done, refused or failed
    #[arg(long, value_parser = word::<Outcome>)]
    pub(crate) outcome: Option<Outcome>,
}

#[derive(Args)]
pub(crate) struct ConnectArgs {
    /// A provider; or a connection, to renew it
    pub(crate) name: String,
    /// Tells this connection from others at the same provider
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// Ask for this scope instead of the provider's default ones; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// How the browser's answer comes back: loopback, deep-link or paste
    #[arg(long, value_parser = word::<Redirect>)]
    pub(crate) redirect: Option<Redirect>,
    /// Renew this connection although the provider does not tell which account signed in: you say that it is the same
    #[arg(long)]
    pub(crate) same_account: bool,
    /// Open no browser: the address to open is the first line on standard output
    #[arg(long)]
    pub(crate) no_browser: bool,
}

#[derive(Args)]
pub(crate) struct UnlockArgs {
    /// Read the passphrase from this file descriptor (0 is standard input)
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
}

/// A word of the contract, with `-` or `_` between its parts. The error does not repeat what was given instead.
pub(crate) fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.replace('-', "_").into()).map_err(|error| {
        let text = error.to_string();
        let expected = text.rsplit_once(", expected ").map(|(_, expected)| expected);
        format!("expected {}", expected.unwrap_or("another word"))
    })
}

fn time(text: &str) -> Result<jiff::Timestamp, &'static str> {
    text.parse()
        .map_err(|_| "expected a time like 2027-01-31T12:00:00Z (RFC 3339)")
}

fn after_long_help() -> String {
    let mut text = String::from(
        "Exit codes:\n   0  done\n   2  the command line is wrong\n   3  no engine is running and none could be \
         started\n",
    );
    for code in ErrorCode::ALL {
        text += &format!("  {:2}  {}\n", code.exit_code(), code.slug());
    }
    text + "\nEnvironment:\n  TOKENRY_HOME            the folder of the whole profile, socket included\n  \
            TOKENRY_APP_TOKEN_FILE  what --app-token-file says, for programs that start this one\n  \
            TOKENRY_APPROVE         ask, never or all: how an engine that a command starts by itself asks for \
            consent\n  \
            NO_COLOR                no colours"
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
