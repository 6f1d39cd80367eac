//! What a refusal at the first request to a token endpoint means for a user.

use crate::Error;
use tokenry_core::{Provider, TokenEndpointAuthMethod};
use tokenry_oauth::Failure;

pub(super) fn refused(failure: Failure) -> Error {
    Error::Provider {
        failure,
        next_try_at: None,
        wait: None,
    }
}

/// A refusal of the first request at the token endpoint. Whether the secret goes into the header or the body is what
/// is most often not as the client was registered.
pub(super) fn refused_client(provider: &Provider, failure: Failure) -> Error {
    let says_client = matches!(
        failure.provider_error(),
        Some("invalid_client" | "unauthorized_client" | "incorrect_client_credentials")
    );
    let is_unauthorized = matches!(
        failure,
        Failure::Rejected { status: 401, .. } | Failure::Interfered { status: 401, .. }
    );
    if !says_client && !is_unauthorized {
        return refused(failure);
    }
    let edit = format!(
        "tokenry provider edit {} --token-endpoint-auth-method",
        provider.name
    );
    let hint = match (
        provider.settings.token_endpoint_auth_method,
        &provider.client_secret,
    ) {
        (TokenEndpointAuthMethod::None, _) | (TokenEndpointAuthMethod::ClientSecretPost, None) => {
            "Tokenry sent no client secret; if this client has one, add it to the provider".to_owned()
        }
        (TokenEndpointAuthMethod::ClientSecretPost, Some(_)) => format!(
            "Tokenry sent the client secret in the body (client_secret_post); if the client is registered for HTTP Basic, use `{edit} client_secret_basic`"
        ),
        (TokenEndpointAuthMethod::ClientSecretBasic, _) => format!(
            "Tokenry sent the client secret by HTTP Basic (client_secret_basic); if the provider wants it in the body, use `{edit} client_secret_post`"
        ),
        (TokenEndpointAuthMethod::SecretAsUserName, _) => format!(
            "Tokenry sent the client secret as the user name of HTTP Basic (secret_as_user_name); if the provider wants it as the password, use `{edit} client_secret_basic`"
        ),
        (TokenEndpointAuthMethod::ClientSecretJwt | TokenEndpointAuthMethod::PrivateKeyJwt, _) => {
            "Tokenry sent a signed JWT; check that the provider knows the key and takes it from this client"
                .to_owned()
        }
    };
    Error::ClientRefused { failure, hint }
}
