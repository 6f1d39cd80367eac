//! Providers between the domain and the API.

use tokenry_contract as contract;
use tokenry_core::{Name, Provider};

/// A provider as it is shown: whether it has a secret, and never the secret.
pub(crate) fn provider(provider: &Provider) -> contract::OAuthProvider {
    contract::OAuthProvider {
        id: provider.id.uuid(),
        name: provider.name.to_string(),
        project: provider.project.to_string(),
        settings: provider.settings.clone(),
        has_client_secret: provider.client_secret.is_some(),
        redirect_uris: redirect_uris(&provider.name),
        preset: provider.preset.as_ref().map(|preset| contract::ProviderPreset {
            name: preset.name.clone(),
            version: preset.version.clone(),
            variables: preset.variables.clone(),
            changed: provider.changed_settings(),
            newer: tokenry_engine::newer_preset(preset),
        }),
        created_at: provider.created_at,
        updated_at: provider.updated_at,
    }
}

/// A provider that is not kept.
pub(crate) fn preview(provider: &Provider) -> contract::PresetPreview {
    contract::PresetPreview {
        name: provider.name.to_string(),
        redirect_uris: redirect_uris(&provider.name),
        settings: provider.settings.clone(),
    }
}

/// What to register at the provider. A registered loopback address matches on any port (RFC 8252 §7.3).
fn redirect_uris(name: &Name) -> Vec<String> {
    vec![
        format!("http://127.0.0.1/cb/{name}"),
        format!("{}:/cb/{name}", contract::profile::APP_ID),
    ]
}
