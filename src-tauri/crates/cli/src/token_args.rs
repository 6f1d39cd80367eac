//! The options of `tokenry token` and `tokenry dpop`.

use clap::Args;

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
