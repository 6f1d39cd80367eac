//! "Did you mean": suggests existing names that are similar to an unknown one.

use crate::commands::credential::called;
use crate::engine::Engine;
use crate::failure::Failure;
use tokenry_contract::{Connection, Credential, ErrorCode, OAuthProvider};

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
    match closest(name, &candidates).as_slice() {
        [] => failure,
        close => failure.with_next(format!("Did you mean {}?", close.join(" or "))),
    }
}

/// Up to three candidates that differ from `name` in at most a third of its letters.
fn closest(name: &str, candidates: &[String]) -> Vec<String> {
    let most = (name.chars().count() / 3).max(1);
    let mut close: Vec<(usize, &String)> = candidates
        .iter()
        .map(|candidate| (strsim::levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    close.sort();
    close
        .into_iter()
        .take(3)
        .map(|(_, candidate)| format!("`{candidate}`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        let names = ["github", "gitlab", "google"].map(str::to_owned);
        assert_eq!(closest("githbu", &names), ["`github`"]);
        assert_eq!(closest("gitlub", &names), ["`github`", "`gitlab`"]);
        assert!(closest("slack", &names).is_empty());
    }

    #[test]
    fn the_distance_counts_letters_and_not_bytes() {
        let names = ["äöü".to_owned()];
        assert_eq!(closest("äöx", &names), ["`äöü`"]);
        assert!(closest("äxx", &names).is_empty());
        assert!(closest("", &names).is_empty());
    }
}
