//! Providers between the domain and the API.

use tokenry_contract as contract;
use tokenry_core::Provider;

/// A provider as it is shown: whether it has a secret, and never the secret.
pub(crate) fn provider(provider: &Provider) -> contract::OAuthProvider {
    contract::OAuthProvider {
        id: provider.id.uuid(),
        name: provider.name.to_string(),
        project: provider.project.to_string(),
        settings: provider.settings.clone(),
        has_client_secret: provider.client_secret.is_some(),
        self_registered: provider.own_registration().is_some(),
        redirect_uris: provider.redirect_uris(),
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
        redirect_uris: provider.redirect_uris(),
        settings: provider.settings.clone(),
    }
}
