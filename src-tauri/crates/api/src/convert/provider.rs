use super::list;
use tokenry_contract as contract;
use tokenry_core::{
    GrantType, Name, NarrowingMethod, Provider, RedirectPreference, Rotation, TokenEndpointAuthMethod,
};

/// A provider as it is shown: whether it has a secret, and never the secret.
pub(crate) fn provider(provider: &Provider) -> contract::OAuthProvider {
    let text = |url: &Option<url::Url>| url.as_ref().map(ToString::to_string);
    contract::OAuthProvider {
        id: provider.id.uuid(),
        name: provider.name.to_string(),
        display_name: provider.display_name.clone(),
        project: provider.project.to_string(),
        grant_type: grant_type(provider.grant_type),
        issuer: provider.issuer.clone(),
        issuer_aliases: provider.issuer_aliases.clone(),
        authorization_endpoint: text(&provider.authorization_endpoint),
        token_endpoint: text(&provider.token_endpoint),
        refresh_endpoint: text(&provider.refresh_endpoint),
        revocation_endpoint: text(&provider.revocation_endpoint),
        userinfo_endpoint: text(&provider.userinfo_endpoint),
        client_id: provider.client_id.clone(),
        has_client_secret: provider.client_secret.is_some(),
        token_endpoint_auth_method: auth_method(provider.token_endpoint_auth_method),
        default_scopes: list(&provider.default_scopes),
        scope_separator: provider.scope_separator.clone(),
        use_pkce: provider.use_pkce,
        authorize_params: provider.authorize_params.clone(),
        redirect: redirect(provider.redirect),
        redirect_uris: redirect_uris(&provider.name),
        authorization_response_iss_parameter_supported: provider
            .authorization_response_iss_parameter_supported,
        rotation: rotation(provider.rotation),
        narrowing: narrowing(provider.narrowing),
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

fn grant_type(grant_type: GrantType) -> contract::GrantType {
    match grant_type {
        GrantType::AuthorizationCode => contract::GrantType::AuthorizationCode,
        GrantType::ClientCredentials => contract::GrantType::ClientCredentials,
    }
}

fn auth_method(method: TokenEndpointAuthMethod) -> contract::TokenEndpointAuthMethod {
    match method {
        TokenEndpointAuthMethod::ClientSecretBasic => contract::TokenEndpointAuthMethod::ClientSecretBasic,
        TokenEndpointAuthMethod::ClientSecretPost => contract::TokenEndpointAuthMethod::ClientSecretPost,
        TokenEndpointAuthMethod::None => contract::TokenEndpointAuthMethod::None,
    }
}

pub(super) fn redirect(redirect: RedirectPreference) -> contract::Redirect {
    match redirect {
        RedirectPreference::Loopback => contract::Redirect::Loopback,
        RedirectPreference::DeepLink => contract::Redirect::DeepLink,
        RedirectPreference::Paste => contract::Redirect::Paste,
    }
}

fn rotation(rotation: Rotation) -> contract::Rotation {
    match rotation {
        Rotation::None => contract::Rotation::None,
        Rotation::Grace { seconds } => contract::Rotation::Grace { seconds },
        Rotation::Strict => contract::Rotation::Strict,
        Rotation::Unknown => contract::Rotation::Unknown,
    }
}

fn narrowing(method: NarrowingMethod) -> contract::NarrowingMethod {
    match method {
        NarrowingMethod::Refresh => contract::NarrowingMethod::Refresh,
        NarrowingMethod::Exchange => contract::NarrowingMethod::Exchange,
        NarrowingMethod::None => contract::NarrowingMethod::None,
        NarrowingMethod::Unknown => contract::NarrowingMethod::Unknown,
    }
}
