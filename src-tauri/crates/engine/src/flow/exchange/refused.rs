//! What a refusal at the first request to a token endpoint means for a user.

use crate::{Error, providers::client_auth::may_be_about_the_client};
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
pub(in crate::flow) fn refused_client(provider: &Provider, failure: Failure) -> Error {
    if !may_be_about_the_client(&failure) {
        return refused(failure);
    }
    let edit = format!(
        "tokenry provider edit {} --token-endpoint-auth-method",
        provider.name
    );
    let is_open = provider.other_auth_method().is_some();
    let hint = match (provider.auth_method(), &provider.client_secret) {
        _ if is_open && provider.found_auth_method.is_some() => {
            "Tokenry sent the client secret in the body and by HTTP Basic; check the client id and the client secret"
                .to_owned()
        }
        _ if is_open => {
            "Tokenry sent the client secret in the body; the next sign-in sends it by HTTP Basic".to_owned()
        }
        (TokenEndpointAuthMethod::None | TokenEndpointAuthMethod::Automatic, _) | (TokenEndpointAuthMethod::ClientSecretPost, None) => {
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
