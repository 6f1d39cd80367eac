//! The authorization server for the programs of this machine.

/// The address under which a caller reached us, which is our issuer identifier (RFC 8414 §2). Only a door that has
/// one puts it among a request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(pub String);

/// Whether this path is for everybody who is let in at all: an OAuth client proves itself there in OAuth's own ways,
/// or does not have to.
pub(crate) fn is_public(path: &str) -> bool {
    matches!(
        path,
        "/.well-known/oauth-authorization-server"
            | "/oauth/authorize"
            | "/oauth/token"
            | "/oauth/revoke"
            | "/oauth/introspect"
            | "/oauth/scopes"
    )
}

/// Whether this path takes a form and no JSON (RFC 6749 §4.1.3, RFC 7009 §2.1, RFC 7662 §2.1).
pub(crate) fn takes_form(path: &str) -> bool {
    matches!(path, "/oauth/token" | "/oauth/revoke" | "/oauth/introspect")
}
