//! What the refusal of a made-up code says of the client, its authentication and the redirect URI.

use super::endpoint::{correct, host, unreachable};
use super::settings::REDIRECT;
use tokenry_core::{CheckedItem, GrantType, Provider, TokenEndpointAuthMethod};
use tokenry_oauth::Failure;

const ENDPOINT: &str = "token_endpoint";
const CLIENT: &str = "client_authentication";

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// The code: so the client is right.
    Code,
    /// The client id, the secret, or how they are sent.
    Client,
    /// The client may not use this grant.
    Grant,
    Redirect,
    Address,
    Unknown,
}

/// Judges how the token endpoint answered a code that is made up.
pub(super) fn judged(provider: &Provider, outcome: &Result<(), Failure>) -> Vec<CheckedItem> {
    let host = host(provider.settings.token_endpoint.as_deref());
    let answers = || CheckedItem::ok(ENDPOINT, format!("{host} answers."));
    let failure = match outcome {
        Ok(()) => {
            let text = format!("{host} gave tokens for a code that was made up.");
            let next = "Do not use this provider before you know why.";
            return vec![CheckedItem::problem(ENDPOINT, text, next)];
        }
        Err(failure) => failure,
    };
    let Some(refusal) = failure.refusal() else {
        return vec![
            match failure {
                Failure::Interfered {
                    status: 404 | 405 | 410,
                    ..
                } => nothing_there(&host),
                // It could not be built: a value that only a sign-in brings is missing.
                Failure::Unusable { message } => CheckedItem::not_checked(ENDPOINT, message.as_str()),
                failure => unreachable(ENDPOINT, failure),
            },
            CheckedItem::not_checked(CLIENT, "The token endpoint gave no answer that tells."),
        ];
    };
    let words = refusal.words;
    match about(provider, failure) {
        About::Address => vec![nothing_there(&host)],
        About::Code => vec![
            answers(),
            CheckedItem::ok(
                CLIENT,
                "The provider took the client id and its authentication, and refused a made-up code.",
            ),
        ],
        About::Client => {
            let text = format!("The provider does not accept the client: {words}.");
            vec![answers(), CheckedItem::problem(CLIENT, text, advice(provider))]
        }
        About::Grant => {
            let text = format!("The provider does not let this client sign in with a code: {words}.");
            let next = "Allow the authorization code grant for this client at the provider.";
            vec![answers(), CheckedItem::problem(CLIENT, text, next)]
        }
        About::Redirect => {
            let text = format!("The provider does not know the redirect URI: {words}.");
            let next = format!(
                "Register what `tokenry provider show {}` names at the provider.",
                provider.name
            );
            vec![answers(), CheckedItem::problem(REDIRECT, text, next)]
        }
        About::Unknown => {
            let text = format!("The provider's words say nothing about the client: {words}.");
            vec![answers(), CheckedItem::not_checked(CLIENT, text)]
        }
    }
}

fn nothing_there(host: &str) -> CheckedItem {
    let next = format!(
        "{} Some providers also answer like this when they do not know the client id.",
        correct(ENDPOINT)
    );
    CheckedItem::problem(ENDPOINT, format!("{host} has nothing at this address."), next)
}

fn about(provider: &Provider, failure: &Failure) -> About {
    let (error, description, status) = match failure {
        Failure::Rejected {
            error,
            description,
            status,
        } => (
            error.to_lowercase(),
            description.as_deref().unwrap_or_default(),
            *status,
        ),
        Failure::InvalidGrant { .. } => return About::Code,
        _ => return About::Unknown,
    };
    let description = description.to_lowercase();
    let says = |words: &[&str]| {
        words
            .iter()
            .any(|word| description.contains(word) || error.contains(word))
    };
    let is_service = provider.settings.grant_type == GrantType::ClientCredentials;
    match error.as_str() {
        "invalid_grant" => About::Code,
        "invalid_client" | "incorrect_client_credentials" => About::Client,
        "unauthorized_client" if status == 401 || says(&["secret", "credential", "authenticat"]) => {
            About::Client
        }
        // The client was known before its grant was judged.
        "unauthorized_client" if is_service => About::Code,
        "invalid_request" if is_service && says(&["grant type", "grant_type"]) => About::Code,
        "unauthorized_client" => About::Grant,
        _ if matches!(status, 404 | 405 | 410) => About::Address,
        _ if error.contains("redirect") || (error == "invalid_request" && says(&["redirect"])) => {
            About::Redirect
        }
        _ if status == 401
            || says(&[
                "client_id",
                "client id",
                "client secret",
                "client_secret",
                "app id",
            ]) =>
        {
            About::Client
        }
        _ if says(&["code"])
            && says(&["invalid", "expired", "incorrect", "bad", "not found", "malformed"]) =>
        {
            About::Code
        }
        _ => About::Unknown,
    }
}

/// What to try where the client is not accepted.
fn advice(provider: &Provider) -> String {
    let name = &provider.name;
    let edit = format!("`tokenry provider edit {name} ");
    let compare = "Compare the client id and the client secret with the provider's page";
    let other = |method: &str| {
        format!("{compare}. If they are right, try {edit}--token-endpoint-auth-method {method}`.")
    };
    match provider.auth_method() {
        _ if provider.client_secret.is_none() && needs_secret(provider) => {
            format!("Set the client secret: {edit}--client-secret-stdin`.")
        }
        TokenEndpointAuthMethod::None | TokenEndpointAuthMethod::Automatic => {
            format!(
                "Compare the client id. If the client has a secret, set it: {edit}--client-secret-stdin`."
            )
        }
        TokenEndpointAuthMethod::ClientSecretPost => other("client_secret_basic"),
        TokenEndpointAuthMethod::ClientSecretBasic | TokenEndpointAuthMethod::SecretAsUserName => {
            other("client_secret_post")
        }
        TokenEndpointAuthMethod::ClientSecretJwt => other("client_secret_basic"),
        TokenEndpointAuthMethod::PrivateKeyJwt => {
            "Compare the client id, and check that the provider has the public key of this provider."
                .to_owned()
        }
    }
}

fn needs_secret(provider: &Provider) -> bool {
    !matches!(
        provider.auth_method(),
        TokenEndpointAuthMethod::None | TokenEndpointAuthMethod::PrivateKeyJwt
    )
}

#[cfg(test)]
mod tests;
