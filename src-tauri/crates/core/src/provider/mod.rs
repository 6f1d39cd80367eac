//! A provider: an authorization server and our client registration at it.

mod captures;
mod client_auth;
mod patch;
mod preset;
mod problems;
mod redirect;
mod registration;

pub use captures::{
    CaptureError, CaptureSource, Captured, MAX_CAPTURED_BYTES, fill_address, fill_text, placeholders,
};
pub use client_auth::FoundAuthMethod;
pub use patch::ProviderPatch;
pub use preset::StoredPreset;
pub use problems::{Problems, is_reserved_parameter, parameter_name};
pub use redirect::is_plain_path;
pub use registration::Registration;

use crate::{Name, ProviderId, Scopes, Secret};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokenry_contract::ProviderSettings;
use url::Url;

/// An authorization server and our client registration at it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// The project it belongs to.
    pub project: Name,
    /// Unique within the project.
    pub name: Name,
    /// Our secret at the provider; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// How Tokenry registered itself there, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
    /// The private key that signs its client assertions (RFC 7523 §2.2), made when it is first needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<Secret>,
    /// The key that the tokens of one connection are bound to (RFC 9449): set for a request of that connection, and
    /// never stored here.
    #[serde(skip)]
    pub dpop_key: Option<Secret>,
    /// What an answer has shown of the client authentication, where the setting leaves it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_auth_method: Option<FoundAuthMethod>,
    /// Everything else that is known of it.
    #[serde(flatten)]
    pub settings: ProviderSettings,
    /// The preset that it was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<StoredPreset>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Provider {
    /// Where the browser is sent.
    pub fn authorization_endpoint(&self) -> Option<Url> {
        url(self.settings.authorization_endpoint.as_deref())
    }

    /// Where codes are exchanged.
    pub fn token_endpoint(&self) -> Option<Url> {
        url(self.settings.token_endpoint.as_deref())
    }

    /// Where a refresh token is sent: the refresh endpoint, else the token endpoint.
    pub fn refresh_target(&self) -> Option<Url> {
        let own = self.settings.refresh_endpoint.as_deref();
        url(own.or(self.settings.token_endpoint.as_deref()))
    }

    /// Where clients register themselves.
    pub fn registration_endpoint(&self) -> Option<Url> {
        url(self.settings.registration_endpoint.as_deref())
    }

    /// Where tokens are revoked.
    pub fn revocation_endpoint(&self) -> Option<Url> {
        url(self.settings.revocation_endpoint.as_deref())
    }

    /// Where a sign-in with a code on another device starts.
    pub fn device_authorization_endpoint(&self) -> Option<Url> {
        url(self.settings.device_authorization_endpoint.as_deref())
    }

    /// Whether users can sign in on another device alone.
    pub fn has_only_device_sign_in(&self) -> bool {
        self.settings.authorization_endpoint.is_none()
            && self.settings.device_authorization_endpoint.is_some()
    }

    /// Where the parameters of a sign-in are pushed.
    pub fn pushed_authorization_request_endpoint(&self) -> Option<Url> {
        url(self.settings.pushed_authorization_request_endpoint.as_deref())
    }

    /// Where the keys are that sign id tokens.
    pub fn jwks_uri(&self) -> Option<Url> {
        url(self.settings.jwks_uri.as_deref())
    }

    /// Where the account is asked for.
    pub fn userinfo_endpoint(&self) -> Option<Url> {
        url(self.settings.userinfo_endpoint.as_deref())
    }

    /// The scopes of a sign-in that names none.
    pub fn default_scopes(&self) -> Scopes {
        self.settings.default_scopes.clone().into()
    }

    /// Where tokens are described.
    pub fn introspection_endpoint(&self) -> Option<Url> {
        url(self.settings.introspection_endpoint.as_deref())
    }

    /// All endpoints that it has, by the name of their setting.
    pub fn endpoints(&self) -> Vec<(String, String)> {
        let settings = self.settings.to_map().into_iter();
        let texts = settings.filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
        let step = self.settings.exchange_step.as_ref();
        let step = step.map(|step| ("exchange_step".to_owned(), step.endpoint.clone()));
        texts.filter(|(name, _)| is_endpoint(name)).chain(step).collect()
    }

    /// The settings of this provider that apply when none is set.
    pub fn default_settings(&self) -> ProviderSettings {
        ProviderSettings {
            display_name: self.name.to_string(),
            ..ProviderSettings::default()
        }
    }
}

/// Whether a setting is the address of an endpoint.
fn is_endpoint(setting: &str) -> bool {
    setting.ends_with("_endpoint") || setting == "jwks_uri"
}

/// A stored address is known to be one, unless a value of a sign-in is missing in it.
fn url(text: Option<&str>) -> Option<Url> {
    text.filter(|text| !text.contains('{'))
        .and_then(|text| text.parse().ok())
}

#[cfg(test)]
mod tests;
