//! Presets: what is known of a provider before anybody registered a client there.

use crate::ProviderSettings;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A preset as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PresetSummary {
    /// Kebab-case, unique.
    pub name: String,
    pub display_name: String,
    /// Other names that find it.
    #[serde(default)]
    pub aliases: Vec<String>,
    pub category: String,
    /// The date of the preset.
    pub version: String,
    /// The slug of its logo in Simple Icons.
    #[serde(default)]
    pub logo: Option<String>,
}

/// What is known of a provider: its settings, and what only the user can tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Kebab-case, unique.
    pub name: String,
    pub display_name: String,
    /// Other names that find it.
    #[serde(default)]
    pub aliases: Vec<String>,
    pub category: String,
    /// The date of the preset.
    pub version: String,
    /// The slug of its logo in Simple Icons.
    #[serde(default)]
    pub logo: Option<String>,
    /// What the provider supports, as RFC 6749 and RFC 8628 name it.
    pub grant_types: Vec<String>,
    /// How to register a client there, in two or three sentences.
    pub guide: String,
    /// What surprises people at this provider.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// What the provider calls the field for the redirect URI.
    #[serde(default)]
    pub redirect_field: Option<String>,
    /// Whether a client there has a secret.
    #[serde(default)]
    pub client_type: ClientType,
    /// How sure the facts are.
    pub confidence: Confidence,
    /// The day when the facts were last compared with their sources.
    pub facts_from: String,
    /// What could not be verified then, and is therefore left out or uncertain.
    #[serde(default)]
    pub unverified: Vec<String>,
    /// Where the facts come from.
    pub sources: Vec<String>,
    /// The hosts that its tokens are for: of the API, of git, of a registry.
    #[serde(default)]
    pub serves: BTreeMap<String, Vec<String>>,
    /// The user name that goes with a token at git or at a registry, where any other is refused.
    #[serde(default)]
    pub user_names: BTreeMap<String, String>,
    /// What the user has to tell.
    #[serde(default)]
    pub variables: Vec<PresetVariable>,
    /// The settings that differ from the defaults. `{name}` stands for a variable.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, Value>))]
    pub settings: Map<String, Value>,
}

/// Something that only the user can tell, such as a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PresetVariable {
    pub name: String,
    /// What the provider calls it.
    pub label: String,
    pub example: String,
    /// The form of a value: a regular expression that the whole value has to match.
    pub pattern: String,
    /// The only values, where they are known.
    #[serde(default, rename = "enum")]
    pub values: Vec<String>,
    /// The value when none is given.
    #[serde(default)]
    pub default: Option<String>,
    /// Where to find it.
    #[serde(default)]
    pub help: Option<String>,
}

/// Whether the clients of a provider have a secret (RFC 6749, 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClientType {
    /// They have a secret.
    #[default]
    Confidential,
    /// They have none.
    Public,
    /// It depends on how the client was registered.
    Either,
}

/// How sure the facts of a preset are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Two independent sources agree.
    High,
    /// One source, or sources that disagree in details.
    Medium,
    /// Concluded from something similar.
    Low,
}

/// Which presets to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct CatalogQuery {
    /// Words of a name, an alias or a category. The best matches come first.
    #[serde(default)]
    pub q: Option<String>,
    /// Only this category.
    #[serde(default)]
    pub category: Option<String>,
}

/// A preset for a new provider, with the values of its variables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PresetChoice {
    pub name: String,
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

/// What a preset would make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PreviewPreset {
    /// The name of the provider to be. By default the preset's.
    pub name: Option<String>,
    pub variables: BTreeMap<String, String>,
}

/// The provider that a preset would make. Nothing is kept of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PresetPreview {
    /// The name of the provider to be.
    pub name: String,
    /// The redirect URIs to register at the provider. They stay the same when the provider is added with the ports of
    /// `settings`.
    pub redirect_uris: Vec<String>,
    pub settings: ProviderSettings,
}

/// The preset that a provider was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderPreset {
    pub name: String,
    pub version: String,
    pub variables: BTreeMap<String, String>,
    /// The settings that differ from what the preset gave.
    pub changed: Vec<String>,
    /// The version of the preset that this Tokenry has, if that is newer.
    pub newer: Option<String>,
}

/// How a newer preset differs from the one that a provider was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PresetUpdate {
    pub name: String,
    /// The version that the provider has.
    pub from: String,
    /// The version that this Tokenry has.
    pub to: String,
    pub changes: Vec<PresetChange>,
    /// The variables of the newer preset that still need a value.
    pub variables: Vec<PresetVariable>,
}

/// One setting that a newer preset changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PresetChange {
    pub setting: String,
    /// The value that the provider has now.
    pub from: Value,
    /// The value that the newer preset gives.
    pub to: Value,
    /// Whether you changed this setting yourself. Then it stays, unless you accept the new value.
    pub is_own: bool,
    /// Whether an endpoint moves to another host. It has to be accepted on its own.
    pub moves_host: bool,
}

/// The answer to the changes of a newer preset. Each one is accepted, or stays as it is from then on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ApplyPreset {
    /// The version that was shown.
    pub version: String,
    /// The settings that take the new value, as they were shown. An endpoint that moves to another host stands alone.
    #[serde(default)]
    pub accept: Vec<String>,
    /// The settings that stay as they are.
    #[serde(default)]
    pub keep: Vec<String>,
    /// The values of variables that are new.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}
