//! Why a request cannot be built.

use tokenry_core::Code;

/// Why a request could not even be built. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The TLS library or the machine's root certificates could not be loaded.
    #[error(
        "No secure connection can be made on this machine: {0}. Check that its CA certificates are installed, and SSL_CERT_FILE and SSL_CERT_DIR where they are set."
    )]
    Tls(String),
    /// The provider has no authorization endpoint.
    #[error(
        "The provider {0} has no authorization endpoint, so no browser can be sent there. Add it to the provider, or sign in on another device, where the provider offers that: `tokenry connect {0} --device`."
    )]
    NoAuthorizationEndpoint(String),
    /// The authorization endpoint is an address no browser should be sent to.
    #[error(
        "The authorization endpoint of {0} is neither https nor on this machine. Correct it in the provider."
    )]
    UnsafeAuthorizationEndpoint(String),
    /// A parameter that only Tokenry sets.
    #[error("The parameter {0} is set by Tokenry itself. Leave it out.")]
    ReservedParameter(String),
    /// A parameter was given twice, or is in the authorization endpoint already (RFC 6749 §3.1).
    #[error("The parameter {0} is given twice. Leave one out.")]
    RepeatedParameter(String),
    /// The key that tokens are to be bound to.
    #[error("The key for DPoP cannot be read. Start the sign-in again.")]
    DpopKey,
    /// The redirect URI is no absolute address without a fragment (RFC 6749 §3.1.2).
    #[error("The redirect URI is not an absolute address without a fragment.")]
    RedirectUri,
    /// Without PKCE a code on a custom scheme could be used by another program that claims the scheme (RFC 8252 §8.1).
    #[error("A deep link needs PKCE, and PKCE is off for {0}. Turn it on, or use the loopback redirect.")]
    DeepLinkWithoutPkce(String),
}

impl Error {
    /// The code of the contract.
    pub fn code(&self) -> Code {
        match self {
            Self::Tls(_) | Self::DpopKey => Code::Internal,
            Self::NoAuthorizationEndpoint(_)
            | Self::UnsafeAuthorizationEndpoint(_)
            | Self::ReservedParameter(_)
            | Self::RepeatedParameter(_)
            | Self::RedirectUri
            | Self::DeepLinkWithoutPkce(_) => Code::ValidationError,
        }
    }
}
