//! Credentials.

use crate::ConnectionStatus;
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, Visitor},
};
use std::{collections::BTreeMap, fmt, marker::PhantomData};
use uuid::Uuid;

/// The type of a credential: which fields it must have. `Default`, `Raw`, `BasicAuth` and `OAuth2Refresh` are
/// accepted, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CredentialType {
    /// Any fields.
    #[default]
    #[serde(alias = "Default")]
    Default,
    /// The field `value`: an API key, for example.
    #[serde(alias = "Raw")]
    Raw,
    /// The fields `username` and `password`.
    #[serde(alias = "BasicAuth")]
    BasicAuth,
    /// A connection. It is made by a sign-in and can only be read here.
    #[serde(rename = "oauth2_refresh", alias = "OAuth2Refresh")]
    OAuth2Refresh,
}

impl CredentialType {
    /// As the API and the records write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Raw => "raw",
            Self::BasicAuth => "basic_auth",
            Self::OAuth2Refresh => "oauth2_refresh",
        }
    }
}

/// An encrypted secret with a type.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Credential {
    pub id: Uuid,
    pub project: String,
    /// Kebab-case and unique within the project. For a connection, its name for `tokenry`.
    pub name: String,
    #[serde(rename = "type")]
    pub kind: CredentialType,
    /// The names of its fields.
    pub fields: Vec<String>,
    /// The value of each field, base64. Empty in lists, for the window and for connections; without write-only
    /// fields.
    pub data: BTreeMap<String, String>,
    /// Write-only fields, which are never returned.
    pub redact_fields: Vec<String>,
    /// When it is deleted automatically.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// Always `active`, except for connections.
    pub status: ConnectionStatus,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_at: Option<Timestamp>,
}

/// Shows no values.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

/// A new credential. `name` and `data` are required; an unknown field is an error. `organisationID`, `redactFields`
/// and `expiresAt` are accepted, too.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateCredential {
    /// Kebab-case, unique within the project.
    pub name: String,
    /// `default` when not given.
    #[serde(default, alias = "organisationID", skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// `default` when not given. `oauth2_refresh` is made by a sign-in only.
    #[serde(rename = "type", default)]
    pub kind: CredentialType,
    /// The value of each field, base64 (RFC 4648 §4): at most 64 fields of 64 KiB, with names of at most 200 bytes.
    /// May be empty for `default`.
    #[serde(deserialize_with = "each_once")]
    pub data: BTreeMap<String, String>,
    /// Write-only fields, which are never returned. They need not exist yet. Ignored for other types than `default`.
    #[serde(default, alias = "redactFields", skip_serializing_if = "Vec::is_empty")]
    pub redact_fields: Vec<String>,
    /// When it is deleted automatically (RFC 3339).
    #[serde(default, alias = "expiresAt", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<String>,
}

/// Changes of a credential. Only the given fields change. `redactFields` and `expiresAt` are accepted, too.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateCredential {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New values by field, base64; null removes a field.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "each_once"
    )]
    pub data: BTreeMap<String, Option<String>>,
    /// Further write-only fields; ignored for other types than `default`. A write-only field stays write-only.
    #[serde(default, alias = "redactFields", skip_serializing_if = "Vec::is_empty")]
    pub redact_fields: Vec<String>,
    /// Null: it is not deleted automatically.
    #[serde(
        default,
        alias = "expiresAt",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "even_null"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Option<String>>,
}

/// How to show a credential.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct CredentialQuery {
    /// Only the value of this field. A write-only field is refused.
    #[serde(default)]
    pub field: Option<String>,
}

/// Where to send the browser so that a credential becomes `active`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartAnswer {
    /// The provider's own URL, with all parameters.
    pub auth_url: String,
    /// The URL that Tokenry's own clients open; see `AuthorizeAnswer`.
    pub browser_url: String,
}

/// Distinguishes null from a missing field.
fn even_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A map that has each key once: of two values it would not be clear which one is meant.
fn each_once<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct EachOnce<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for EachOnce<T> {
        type Value = BTreeMap<String, T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of fields")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = BTreeMap::new();
            while let Some(field) = map.next_key::<String>()? {
                if fields.contains_key(&field) {
                    return Err(A::Error::custom(format!("duplicate field `{field}`")));
                }
                fields.insert(field, map.next_value()?);
            }
            Ok(fields)
        }
    }
    deserializer.deserialize_map(EachOnce(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_not_the_same_as_nothing() {
        let read = |text: &str| serde_json::from_str::<UpdateCredential>(text).unwrap();
        assert_eq!(read("{}").expires_at, None);
        assert_eq!(read(r#"{"expires_at":null}"#).expires_at, Some(None));
        let data = read(r#"{"data":{"a":null,"b":"Yg=="}}"#).data;
        assert_eq!((&data["a"], &data["b"]), (&None, &Some("Yg==".to_owned())));
    }

    #[test]
    fn a_field_that_is_given_twice_is_an_error() {
        let text = r#"{"name":"a","type":"raw","data":{"value":"YQ==","value":"Yg=="}}"#;
        let error = serde_json::from_str::<CreateCredential>(text).err().unwrap();
        assert!(error.to_string().contains("duplicate field `value`"), "{error}");
    }

    #[test]
    fn the_types_are_written_as_the_contract_says() {
        use CredentialType as T;
        let written = [T::Default, T::Raw, T::BasicAuth, T::OAuth2Refresh]
            .map(|kind| serde_json::to_value(kind).unwrap());
        assert_eq!(written, ["default", "raw", "basic_auth", "oauth2_refresh"]);
        for kind in [T::Default, T::Raw, T::BasicAuth, T::OAuth2Refresh] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for (kind, reference) in [T::Default, T::Raw, T::BasicAuth, T::OAuth2Refresh]
            .into_iter()
            .zip(["Default", "Raw", "BasicAuth", "OAuth2Refresh"])
        {
            assert_eq!(serde_json::from_value::<T>(reference.into()).unwrap(), kind);
        }
    }

    #[test]
    fn the_spellings_of_the_reference_are_read_and_one_field_is_not_given_twice() {
        let text = r#"{"name":"a","organisationID":"work","data":{},"type":"Raw","redactFields":["x"],"expiresAt":"t"}"#;
        let read: CreateCredential = serde_json::from_str(text).unwrap();
        assert_eq!(
            (read.project.as_deref(), read.kind),
            (Some("work"), CredentialType::Raw)
        );
        assert_eq!(
            (read.redact_fields, read.expires_at.as_deref()),
            (vec!["x".to_owned()], Some("t"))
        );
        let least: CreateCredential = serde_json::from_str(r#"{"name":"a","data":{}}"#).unwrap();
        assert_eq!(least.kind, CredentialType::Default);
        let twice = r#"{"name":"a","data":{},"expires_at":"t","expiresAt":"t"}"#;
        assert!(serde_json::from_str::<CreateCredential>(twice).is_err());
        let change: UpdateCredential =
            serde_json::from_str(r#"{"expiresAt":null,"redactFields":["x"]}"#).unwrap();
        assert_eq!((change.expires_at, change.redact_fields.len()), (Some(None), 1));
    }
}
