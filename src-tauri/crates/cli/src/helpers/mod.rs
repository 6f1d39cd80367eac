//! Tokenry as a helper of other programs: one file for each. Such a program runs `tokenry`, often by another name, and says
//! what it needs in its own format. An error goes to standard error, without what was read, and the program goes on
//! without a token.

mod address;
mod aws;
mod cargo;
mod docker;
mod git;
mod google;
mod headers;
mod id_token;
mod keyring;
mod kubectl;
mod repeated;
mod served;
mod terraform;

pub(crate) use served::{bearer, serving};

use crate::bridge;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::output::Output;
use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::io::BufRead;
use std::path::Path;
use tokenry_contract::{
    ErrorCode, HELPERS, MAX_WAIT_SECONDS, MCP, MCP_SERVER, PROXY, WAIT_VARIABLE, wait_of_the_environment,
};
use zeroize::Zeroizing;

/// The longest request that is read.
const MAX_REQUEST_BYTES: u64 = 64 * 1024;

/// The commands that other programs run.
#[derive(Subcommand)]
pub(crate) enum HelperCommand {
    /// Give git a token as its credential: `git config credential.helper "!tokenry git-credential"`
    GitCredential {
        /// get, store, erase or capability
        operation: String,
        #[command(flatten)]
        wait: WaitArgs,
    },
    /// Give pip, uv and others a token as the password of a package index: a link named `keyring` on their PATH
    Keyring {
        #[command(flatten)]
        args: keyring::KeyringArgs,
        #[command(flatten)]
        wait: WaitArgs,
    },
    /// Give Google's libraries an ID token: `credential_source.executable.command` of an external account
    GoogleCredential {
        #[command(flatten)]
        args: google::GoogleArgs,
        #[command(flatten)]
        wait: WaitArgs,
    },
    /// Give AWS's programs credentials for the ID token of a connection: `credential_process` in ~/.aws/config
    AwsCredential {
        #[command(flatten)]
        args: aws::AwsArgs,
        #[command(flatten)]
        wait: WaitArgs,
    },
    /// Give Bazel and others the headers of a request: `--credential_helper=credential-helper-tokenry`
    CredentialHelper {
        /// get
        operation: String,
        #[command(flatten)]
        wait: WaitArgs,
    },
    #[command(about = MCP_SERVER.about, disable_help_flag = true)]
    McpServer {
        #[arg(value_name = "OPTIONS", trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    #[command(about = MCP.about, disable_help_flag = true)]
    Mcp {
        #[arg(value_name = "URL", trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    #[command(about = PROXY.about, disable_help_flag = true)]
    Proxy {
        #[arg(
            value_name = "NAME --to URL",
            trailing_var_arg = true,
            allow_hyphen_values = true
        )]
        arguments: Vec<OsString>,
    },
    /// Give docker, podman and skopeo a token for a registry; they run it as docker-credential-tokenry
    DockerCredential {
        /// get, store, erase, list or version
        operation: String,
        #[command(flatten)]
        wait: WaitArgs,
    },
    /// Give kubectl a token for a cluster, as its exec plugin
    KubectlCredential {
        /// A connection; omit it for the one that serves the cluster's address
        #[arg(long, value_name = "NAME")]
        connection: Option<String>,
        /// Give the ID token
        #[arg(long)]
        id_token: bool,
        #[command(flatten)]
        wait: WaitArgs,
    },
    /// Give cargo a token for a registry; cargo runs it as cargo-credential-tokenry
    CargoCredential {
        /// Speak cargo's protocol for credential providers
        #[arg(long, required = true)]
        cargo_plugin: bool,
        #[command(flatten)]
        wait: WaitArgs,
    },
    /// Give terraform and tofu a token for a host; they run it as terraform-credentials-tokenry
    TerraformCredentials {
        /// get, store or forget
        operation: String,
        /// A host, and maybe a port
        host: String,
        #[command(flatten)]
        wait: WaitArgs,
    },
}

impl HelperCommand {
    /// The command line of a client that gives one operation and nothing else. Such clients run it often, so it skips
    /// clap, which would first build the description of all commands.
    pub(crate) fn plain(arguments: &[OsString]) -> Option<Self> {
        let [_, command, operation] = arguments else {
            return None;
        };
        let operation = operation.to_str()?.to_owned();
        if !operation.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return None;
        }
        let wait = WaitArgs { seconds: None };
        match command.to_str()? {
            "git-credential" => Some(Self::GitCredential { operation, wait }),
            "docker-credential" => Some(Self::DockerCredential { operation, wait }),
            _ => None,
        }
    }

    /// How many seconds to wait for the user.
    fn wait(&self) -> Result<Option<u32>, Failure> {
        match self {
            Self::GitCredential { wait, .. }
            | Self::Keyring { wait, .. }
            | Self::GoogleCredential { wait, .. }
            | Self::AwsCredential { wait, .. }
            | Self::CredentialHelper { wait, .. }
            | Self::DockerCredential { wait, .. }
            | Self::KubectlCredential { wait, .. }
            | Self::CargoCredential { wait, .. }
            | Self::TerraformCredentials { wait, .. } => wait.seconds(),
            Self::Mcp { .. } | Self::McpServer { .. } | Self::Proxy { .. } => Ok(None),
        }
    }
}

/// How long a helper waits for the user.
#[derive(Args)]
pub(crate) struct WaitArgs {
    /// Wait so long for you to answer, unlock or sign in, also without a window [default: TOKENRY_WAIT]
    #[arg(long = "wait", value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=i64::from(MAX_WAIT_SECONDS)))]
    seconds: Option<u32>,
}

impl WaitArgs {
    /// The number of seconds: of the option, else of the variable.
    fn seconds(&self) -> Result<Option<u32>, Failure> {
        if self.seconds.is_some() {
            return Ok(self.seconds);
        }
        let next = format!("Correct it, or remove it: `unset {WAIT_VARIABLE}`.");
        wait_of_the_environment().map_err(|wrong| Failure::new(ErrorCode::ValidationError, wrong, next))
    }
}

/// Runs one of them.
pub(crate) fn run(
    command: &HelperCommand,
    engine: impl Fn() -> Result<Engine, Failure>,
    app_token_file: Option<&Path>,
    output: &Output,
) -> Result<(), Failure> {
    let engine = || Ok(engine()?.waiting(command.wait()?));
    match command {
        HelperCommand::GitCredential { operation, .. } => git::run(operation, engine),
        HelperCommand::DockerCredential { operation, .. } => docker::run(operation, engine, output),
        HelperCommand::KubectlCredential {
            connection, id_token, ..
        } => kubectl::run(connection.as_deref(), *id_token, &engine()?, output),
        HelperCommand::CargoCredential { .. } => cargo::run(engine),
        HelperCommand::TerraformCredentials { operation, host, .. } => {
            terraform::run(operation, host, engine)
        }
        HelperCommand::Keyring { args, .. } => keyring::run(args, engine),
        HelperCommand::GoogleCredential { args, .. } => google::run(args, engine),
        HelperCommand::AwsCredential { args, .. } => aws::run(args, engine),
        HelperCommand::CredentialHelper { operation, .. } => headers::run(operation, engine),
        HelperCommand::McpServer { arguments } => {
            Err(bridge::in_place(&MCP_SERVER, app_token_file, arguments))
        }
        HelperCommand::Mcp { arguments } => Err(bridge::in_place(&MCP, app_token_file, arguments)),
        HelperCommand::Proxy { arguments } => Err(bridge::in_place(&PROXY, app_token_file, arguments)),
    }
}

/// The command line, with the command that the name of a link stands for.
pub(crate) fn arguments(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let name = arguments.first().and_then(|first| Path::new(first).file_name());
    let helper = HELPERS.iter().find(|helper| {
        let link = helper.link.map(AsRef::as_ref);
        link.is_some() && link == name
    });
    if let Some(helper) = helper {
        // Usage lines then name a command that works.
        arguments[0] = "tokenry".into();
        arguments.insert(1, helper.command.into());
    }
    arguments
}

/// The whole of standard input.
fn request() -> Result<String, Failure> {
    request_until(|_| false)
}

/// Standard input to its end, or until it is a whole request: some clients keep the pipe open.
fn request_until(is_whole: impl Fn(&[u8]) -> bool) -> Result<String, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let mut input = std::io::stdin().lock();
    while bytes.len() as u64 <= MAX_REQUEST_BYTES && !is_whole(&bytes) {
        let part = input.fill_buf().map_err(|error| unreadable(&error.to_string()))?;
        if part.is_empty() {
            break;
        }
        let length = part.len();
        bytes.extend_from_slice(part);
        input.consume(length);
    }
    if bytes.len() as u64 > MAX_REQUEST_BYTES {
        return Err(unreadable("it is longer than 64 KiB"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| unreadable("it is not UTF-8"))?;
    Ok(text.to_owned())
}

fn unreadable(why: &str) -> Failure {
    Failure::new(
        ErrorCode::ValidationError,
        format!("The request on standard input cannot be read: {why}."),
        "Other programs run this command; you need not.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    impl HelperCommand {
        fn operation(&self) -> Option<(&'static str, &str)> {
            match self {
                Self::GitCredential { operation, .. } => Some(("git", operation)),
                Self::DockerCredential { operation, .. } => Some(("docker", operation)),
                _ => None,
            }
        }
    }
    use clap::CommandFactory;

    #[test]
    fn the_name_of_a_link_stands_for_a_command_and_any_other_name_for_none() {
        let told = |line: &str| {
            let words = arguments(line.split(' ').map(OsString::from).collect());
            words.join(" ".as_ref()).into_string().unwrap()
        };
        assert_eq!(
            told("/usr/bin/git-credential-tokenry get"),
            "tokenry git-credential get"
        );
        assert_eq!(told("tokenry token x"), "tokenry token x");
        assert_eq!(
            told("/x/git-credential-tokenry/tokenry list"),
            "/x/git-credential-tokenry/tokenry list"
        );
        assert!(arguments(Vec::new()).is_empty());
    }

    #[test]
    fn a_plain_command_line_of_a_client_is_read_as_clap_reads_it() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (line, is_plain) in [
            ("tokenry git-credential get", true),
            ("tokenry docker-credential list", true),
            ("tokenry git-credential --help", false),
            ("tokenry git-credential get --wait 3", false),
            ("tokenry git-credential", false),
            ("tokenry token get", false),
        ] {
            let plain = HelperCommand::plain(&words(line));
            assert_eq!(plain.is_some(), is_plain, "{line}");
            if let Some(plain) = plain {
                let cli = <crate::args::Cli as clap::Parser>::try_parse_from(words(line));
                let crate::args::Command::Helper(read) = cli.unwrap_or_else(|_| panic!("{line}")).command
                else {
                    panic!("{line}");
                };
                assert_eq!(plain.operation(), read.operation(), "{line}");
            }
        }
    }

    #[test]
    fn every_command_for_other_programs_is_known_as_one() {
        #[derive(clap::Parser)]
        struct Helpers {
            #[command(subcommand)]
            _command: HelperCommand,
        }
        for command in Helpers::command().get_subcommands() {
            let name = command.get_name();
            assert!(HELPERS.iter().any(|helper| helper.command == name), "{name}");
        }
    }
}
