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
        created_at: provider.created_at,
        updated_at: provider.updated_at,
    }
}

/// What to register at the provider. A registered loopback address matches on any port (RFC 8252 §7.3).
fn redirect_uris(name: &Name) -> Vec<String> {
    vec![
        format!("http://127.0.0.1/cb/{name}"),
        format!("{}:/cb/{name}", contract::profile::APP_ID),
    ]
}
