/// What went wrong, as far as a person or a program would act on it. The closed list of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A value that was given cannot be right; the message names the field.
    ValidationError,
    /// The caller did not prove who it is.
    Unauthorized,
    /// The caller may not do this.
    PermissionDenied,
    /// The person said no.
    ConsentDenied,
    /// The person would have to be asked, and cannot be.
    InteractionRequired,
    /// Nothing has this name or id.
    NotFound,
    /// It would clash with what is there.
    Conflict,
    /// The connection has to be made again by its person.
    NeedsReauth,
    /// The consent flow is over: used, cancelled or older than ten minutes.
    FlowExpired,
    /// More bytes than we take.
    PayloadTooLarge,
    /// The vault is locked.
    VaultLocked,
    /// Too many requests.
    RateLimited,
    /// Our own fault, or the machine's (a full disk).
    Internal,
    /// The provider said no.
    ProviderError,
    /// The provider could not be reached, or did not answer in its protocol.
    ProviderUnreachable,
    /// No redirect can be caught, or the keyring is gone.
    OauthUnavailable,
}
