//! Apps and grants.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Another program that is registered with a client ID.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct App {
    /// Its id, which is also its `client_id`.
    pub id: Uuid,
    /// Kebab-case, unique.
    pub name: String,
    pub redirect_uris: Vec<String>,
    /// Whether it has no token of its own. A public app can only request consent, each time again.
    pub public: bool,
    /// Its grants.
    pub grants: Vec<Grant>,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it last used a grant, to the minute. Reading a list does not count.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_at: Option<Timestamp>,
}

/// A new app.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateApp {
    /// Kebab-case, unique.
    pub name: String,
    /// Redirect URIs for authorization codes; only needed for the authorization code flow.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Without a token of its own, for programs that cannot store one.
    #[serde(default)]
    pub public: bool,
}

/// The app, and its own token, which is also its `client_secret`. The token is shown only once.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedApp {
    pub app: App,
    /// Null for a public app.
    pub token: Option<String>,
}

impl std::fmt::Debug for CreatedApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedApp")
            .field("app", &self.app)
            .finish_non_exhaustive()
    }
}

/// What an app may do, with which connections and credentials, and until when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Grant {
    pub id: Uuid,
    pub app_id: Uuid,
    pub app_name: String,
    /// Scopes of this API, as `GET /oauth/scopes` lists them.
    pub scopes: Vec<String>,
    pub connections: Vec<Uuid>,
    pub credentials: Vec<Uuid>,
    /// Limits the scopes of a token at its provider; null allows all scopes of the connection.
    pub token_scopes: Option<Vec<String>>,
    /// Whether the app gets access tokens that are still valid while the vault is locked, if the settings allow that.
    #[serde(default)]
    pub while_locked: bool,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_at: Option<Timestamp>,
}

/// A new grant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateGrant {
    /// The app's id or name.
    pub app: String,
    /// Scopes of this API, as `GET /oauth/scopes` lists them.
    pub scopes: Vec<String>,
    /// Connections, by id or name.
    #[serde(default)]
    pub connections: Vec<String>,
    /// Credentials, by id or name.
    #[serde(default)]
    pub credentials: Vec<String>,
    /// Limits the scopes of a token at its provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_scopes: Option<Vec<String>>,
    /// Whether the app gets access tokens that are still valid while the vault is locked. This has an effect only
    /// while the setting `tokens_while_locked` is on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub while_locked: bool,
    /// When it ends; without it, when the user revokes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
}
