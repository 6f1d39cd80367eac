//! "Did you mean": suggests existing names that are similar to an unknown one.

use crate::commands::credential::called;
use crate::engine::Engine;
use crate::failure::Failure;
use tokenry_contract::{Connection, Credential, ErrorCode, OAuthProvider, closest};

/// The kind of object that a name was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Provider,
    Connection,
    Credential,
}

/// Adds the closest names to a `not_found` failure.
pub(crate) fn explain(failure: Failure, engine: &Engine, kind: Kind, name: &str) -> Failure {
    if failure.code() != Some(ErrorCode::NotFound) {
        return failure;
    }
    let mut candidates = Vec::new();
    if kind == Kind::Connection {
        let connections: Vec<Connection> = engine.get(&["v1", "connections"]).unwrap_or_default();
        candidates.extend(connections.into_iter().map(|connection| connection.name));
    }
    if kind == Kind::Credential {
        let credentials: Vec<Credential> = engine.get(&["v1", "credentials"]).unwrap_or_default();
        candidates.extend(credentials.iter().map(called));
    } else {
        // A connection may be named by its provider.
        let providers: Vec<OAuthProvider> = engine.get(&["v1", "oauth-providers"]).unwrap_or_default();
        candidates.extend(providers.into_iter().map(|provider| provider.name));
    }
    candidates.sort();
    candidates.dedup();
    candidates.retain(|candidate| candidate != name);
    let close = closest(name, candidates.iter().map(String::as_str));
    let close: Vec<_> = close.into_iter().map(|name| format!("`{name}`")).collect();
    if close.is_empty() {
        return failure;
    }
    failure.with_next(format!("Did you mean {}?", close.join(" or ")))
}
