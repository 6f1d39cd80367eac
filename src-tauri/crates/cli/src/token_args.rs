//! The options of the commands that get tokens: `tokenry token`, `dpop`, `exec` and `headers`.

use clap::Args;
use std::ffi::OsString;

#[derive(Args)]
pub(crate) struct TokenArgs {
    /// A connection: `provider`, `provider/label`, a label or an id
    pub(crate) name: String,
    /// Refresh first if the token expires sooner than this
    #[arg(long, value_name = "SECONDS")]
    pub(crate) min_valid: Option<u32>,
    /// Limit the token to this scope of the connection; may be repeated. If the provider cannot issue a token with
    /// fewer scopes, Tokenry asks whether to give out one with all scopes
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// Request a token for this audience, as the provider names it
    #[arg(long)]
    pub(crate) audience: Option<String>,
    /// Request a token for this resource (RFC 8707)
    #[arg(long, value_name = "URI")]
    pub(crate) resource: Option<String>,
    /// Send an audience or resource that was never used before. Check its spelling: some providers revoke the
    /// sign-in when it is wrong
    #[arg(long)]
    pub(crate) allow_unknown_target: bool,
    /// Report that the token on standard input was rejected, and print a new one
    #[arg(long, conflicts_with_all = ["scopes", "audience", "resource"])]
    pub(crate) rejected: bool,
    /// Print the id token instead, which cloud logins and Kubernetes take
    #[arg(long)]
    pub(crate) id_token: bool,
}

#[derive(Args)]
pub(crate) struct DpopArgs {
    /// A connection: `provider`, `provider/label`, a label or an id
    pub(crate) name: String,
    /// The HTTP method of the request
    pub(crate) method: String,
    /// The address of the request
    pub(crate) url: String,
    /// The nonce that the server gave in DPoP-Nonce
    #[arg(long)]
    pub(crate) nonce: Option<String>,
    /// The hash of the access token, SHA-256 in base64url, when it is not the connection's own
    #[arg(long, value_name = "HASH")]
    pub(crate) ath: Option<String>,
}

#[derive(Args)]
#[command(group(clap::ArgGroup::new("place").required(true).multiple(true).args(["env", "fd"])))]
pub(crate) struct ExecArgs {
    /// The connection whose token the program gets
    #[arg(long, value_name = "NAME")]
    pub(crate) connection: String,
    /// The environment variable that holds the token, such as GITHUB_TOKEN. Other programs of yours can read it while
    /// the program runs
    #[arg(long, value_name = "VARIABLE", value_parser = variable)]
    pub(crate) env: Option<String>,
    /// The file descriptor at which the program can read the token, once: 3, for example
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(3..))]
    pub(crate) fd: Option<u32>,
    /// Limit the token to this scope of the connection; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// The program and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// A name that every shell takes. `PATH` and the like would keep the program from starting, or change what it runs.
fn variable(text: &str) -> Result<String, &'static str> {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_name = text.starts_with(is_first) && text.chars().all(|c| is_first(c) || c.is_ascii_digit());
    if !is_name {
        return Err("must be a name like GITHUB_TOKEN: letters, digits and _");
    }
    if text == "PATH" || text.starts_with("LD_") {
        return Err("decides what is run: a token does not belong there");
    }
    Ok(text.to_owned())
}

#[derive(Args)]
pub(crate) struct CurlArgs {
    /// A connection: `provider`, `provider/label`, a label or an id
    pub(crate) connection: String,
    /// Limit the token to this scope of the connection; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// The options of curl and whole addresses
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true,
        value_name = "ARGUMENT"
    )]
    pub(crate) arguments: Vec<OsString>,
}

#[derive(Args)]
pub(crate) struct HeadersArgs {
    /// A connection: `provider`, `provider/label`, a label or an id
    pub(crate) connection: String,
    /// Limit the token to this scope of the connection; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
}
