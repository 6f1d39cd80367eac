//! Which connections serve an address.

use crate::TokenAnswer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// An address that a program wants to use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct ResolveQuery {
    /// A whole address: `https`, or `http` on this machine.
    pub url: String,
}

/// A wish for the access token that an address needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddressTokenRequest {
    /// A whole address: `https`, or `http` on this machine.
    pub url: String,
    /// What the program uses the address for: `api`, `git`, `registry`. A preset names an address for some of these only.
    pub kinds: Vec<String>,
}

/// The connections that serve an address for these kinds, and the token if there is one connection only.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddressToken {
    /// None, one, or several between which only the user can choose.
    pub connections: Vec<ServingConnection>,
    /// A valid access token of the only one.
    pub token: Option<TokenAnswer>,
}

/// A connection whose tokens may go to an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServingConnection {
    pub connection_id: Uuid,
    /// Its name for `tokenry`.
    pub connection_name: String,
    pub provider_name: String,
    /// Who said that it serves the address.
    pub named_by: NamedBy,
    /// What was named: the address, or one above it.
    pub address: String,
    /// What the host is for, where the preset says it: `api`, `git`, `registry`.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// From a kind to the user name that goes with the token, where the preset says it.
    #[serde(default)]
    pub user_names: BTreeMap<String, String>,
}

impl ServingConnection {
    /// Whether it serves the address for one of these kinds. A preset names an address for some kinds only, and the API on
    /// the same host is another matter than git; the user names it for everything.
    pub fn is_for<K: AsRef<str>>(&self, kinds: &[K]) -> bool {
        let is_wanted = |known: &String| kinds.iter().any(|kind| kind.as_ref() == known);
        self.named_by != NamedBy::Preset || self.kinds.iter().any(is_wanted)
    }
}

/// Who said that a connection serves an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NamedBy {
    /// The user, by a binding.
    Binding,
    /// The user, by the address of the resource that the provider was added for.
    Resource,
    /// The preset of its provider.
    Preset,
}
