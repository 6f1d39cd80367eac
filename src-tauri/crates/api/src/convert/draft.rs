//! What a person typed, read field by field, so that all wrong fields are told at once.

use crate::error::{Fields, Refused};
use std::{collections::BTreeMap, fmt::Display, str::FromStr};
use tokenry_contract as contract;
use tokenry_core::{
    GrantType, Name, NarrowingMethod, OsRandom, Provider, ProviderChange, ProviderId, RedirectPreference,
    Rotation, Scopes, Secret, SystemClock, Timestamp, TokenEndpointAuthMethod, clean, trimmed,
};
use tokenry_engine::NewProvider;
use url::Url;

/// The longest endpoint we take, in bytes.
const LONGEST_URL: usize = 2048;

/// A new provider, or everything that is wrong with it.
pub(crate) fn new_provider(body: contract::CreateProvider) -> Result<NewProvider, Refused> {
    let mut wrong = Fields::new();
    let name = parsed::<Name>(&mut wrong, "name", Some(&body.name));
    let project = parsed::<Name>(
        &mut wrong,
        "project",
        body.project.as_deref().filter(|p| !p.is_empty()),
    );
    let change = read(&mut wrong, rest_of(body));
    match name {
        Some(name) if wrong.is_empty() => Ok(NewProvider {
            name,
            project,
            change,
        }),
        _ => Err(with_problems(wrong, blank()?, change)),
    }
}

/// A change of a provider, or everything that would be wrong with it afterwards. `before` is asked for only then.
pub(crate) async fn provider_change(
    body: contract::UpdateProvider,
    before: impl Future<Output = Result<Provider, tokenry_engine::Error>>,
) -> Result<ProviderChange, Refused> {
    let mut wrong = Fields::new();
    let change = read(&mut wrong, body);
    if wrong.is_empty() {
        Ok(change)
    } else {
        Err(with_problems(wrong, before.await?, change))
    }
}

fn read(wrong: &mut Fields, body: contract::UpdateProvider) -> ProviderChange {
    let mut url = |field: &str, text: Option<String>| {
        let text = text?;
        if text.is_empty() {
            Some(None)
        } else {
            whole_url(wrong, field, &text).map(Some)
        }
    };
    let authorization_endpoint = url("authorization_endpoint", body.authorization_endpoint);
    let token_endpoint = url("token_endpoint", body.token_endpoint);
    let refresh_endpoint = url("refresh_endpoint", body.refresh_endpoint);
    let revocation_endpoint = url("revocation_endpoint", body.revocation_endpoint);
    let userinfo_endpoint = url("userinfo_endpoint", body.userinfo_endpoint);
    if body
        .display_name
        .as_ref()
        .is_some_and(|name| name.chars().count() <= 200 && clean(name) != *name)
    {
        wrong.insert(
            "display_name".into(),
            "must not hold control or direction characters".into(),
        );
    }
    ProviderChange {
        name: parsed(wrong, "name", body.name.as_deref()),
        display_name: body.display_name,
        grant_type: body.grant_type.map(grant_type),
        issuer: body.issuer.map(some_text),
        issuer_aliases: body.issuer_aliases,
        authorization_endpoint,
        token_endpoint,
        refresh_endpoint,
        revocation_endpoint,
        userinfo_endpoint,
        client_id: body.client_id.map(|id| trimmed(&id).to_owned()),
        client_secret: body
            .client_secret
            .map(|secret| some_text(secret).map(Secret::new)),
        token_endpoint_auth_method: body.token_endpoint_auth_method.map(auth_method),
        default_scopes: body.default_scopes.map(Scopes::from),
        scope_separator: body.scope_separator,
        use_pkce: body.use_pkce,
        authorize_params: body.authorize_params,
        redirect: body.redirect.map(redirect),
        authorization_response_iss_parameter_supported: body.authorization_response_iss_parameter_supported,
        rotation: body.rotation.map(rotation),
        narrowing: body.narrowing.map(narrowing),
    }
}

/// All of a new provider but its name and project, which a change has no use for.
fn rest_of(body: contract::CreateProvider) -> contract::UpdateProvider {
    contract::UpdateProvider {
        name: None,
        display_name: body.display_name,
        client_id: Some(body.client_id),
        grant_type: body.grant_type,
        issuer: body.issuer,
        issuer_aliases: body.issuer_aliases,
        authorization_endpoint: body.authorization_endpoint,
        token_endpoint: body.token_endpoint,
        refresh_endpoint: body.refresh_endpoint,
        revocation_endpoint: body.revocation_endpoint,
        userinfo_endpoint: body.userinfo_endpoint,
        client_secret: body.client_secret,
        token_endpoint_auth_method: body.token_endpoint_auth_method,
        default_scopes: body.default_scopes,
        scope_separator: body.scope_separator,
        use_pkce: body.use_pkce,
        authorize_params: body.authorize_params,
        redirect: body.redirect,
        authorization_response_iss_parameter_supported: body.authorization_response_iss_parameter_supported,
        rotation: body.rotation,
        narrowing: body.narrowing,
    }
}

/// Adds what the core finds wrong with the whole. What could not even be read has the first word.
fn with_problems(mut wrong: Fields, mut provider: Provider, change: ProviderChange) -> Refused {
    let now = provider.updated_at;
    provider.apply(change, now);
    for (field, problem) in provider.problems() {
        wrong.entry(field.to_owned()).or_insert(problem);
    }
    Refused::Fields(wrong)
}

fn parsed<T: FromStr<Err: Display>>(wrong: &mut Fields, field: &str, text: Option<&str>) -> Option<T> {
    match text?.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            wrong.insert(field.to_owned(), error.to_string());
            None
        }
    }
}

fn whole_url(wrong: &mut Fields, field: &str, text: &str) -> Option<Url> {
    let mut refuse = |why: &str| {
        wrong.insert(
            field.to_owned(),
            format!("must be a whole address like https://example.com/token: {why}"),
        );
        None
    };
    if text.len() > LONGEST_URL {
        return refuse("it is longer than 2048 bytes");
    }
    // A URL parser would drop these in silence, and keep another address than the one that was shown.
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refuse("it holds a space or a control character");
    }
    Url::parse(text).map_or_else(|error| refuse(&error.to_string()), Some)
}

fn some_text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// A provider with nothing in it, to see what else would be wrong.
fn blank() -> Result<Provider, Refused> {
    let name: Name = "new".parse().map_err(|_| Refused::field("name", "is missing"))?;
    Ok(Provider {
        id: ProviderId::new(&SystemClock, &OsRandom),
        project: name.clone(),
        display_name: name.to_string(),
        name,
        grant_type: GrantType::default(),
        issuer: None,
        issuer_aliases: Vec::new(),
        authorization_endpoint: None,
        token_endpoint: None,
        refresh_endpoint: None,
        revocation_endpoint: None,
        userinfo_endpoint: None,
        client_id: String::new(),
        client_secret: None,
        token_endpoint_auth_method: TokenEndpointAuthMethod::default(),
        default_scopes: Scopes::default(),
        scope_separator: " ".to_owned(),
        use_pkce: true,
        authorize_params: BTreeMap::new(),
        redirect: RedirectPreference::default(),
        authorization_response_iss_parameter_supported: false,
        rotation: Rotation::default(),
        narrowing: NarrowingMethod::default(),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    })
}

fn grant_type(grant_type: contract::GrantType) -> GrantType {
    match grant_type {
        contract::GrantType::AuthorizationCode => GrantType::AuthorizationCode,
        contract::GrantType::ClientCredentials => GrantType::ClientCredentials,
    }
}

fn auth_method(method: contract::TokenEndpointAuthMethod) -> TokenEndpointAuthMethod {
    match method {
        contract::TokenEndpointAuthMethod::ClientSecretBasic => TokenEndpointAuthMethod::ClientSecretBasic,
        contract::TokenEndpointAuthMethod::ClientSecretPost => TokenEndpointAuthMethod::ClientSecretPost,
        contract::TokenEndpointAuthMethod::None => TokenEndpointAuthMethod::None,
    }
}

pub(super) fn redirect(redirect: contract::Redirect) -> RedirectPreference {
    match redirect {
        contract::Redirect::Loopback => RedirectPreference::Loopback,
        contract::Redirect::DeepLink => RedirectPreference::DeepLink,
        contract::Redirect::Paste => RedirectPreference::Paste,
    }
}

fn rotation(rotation: contract::Rotation) -> Rotation {
    match rotation {
        contract::Rotation::None => Rotation::None,
        contract::Rotation::Grace { seconds } => Rotation::Grace { seconds },
        contract::Rotation::Strict => Rotation::Strict,
        contract::Rotation::Unknown => Rotation::Unknown,
    }
}

fn narrowing(method: contract::NarrowingMethod) -> NarrowingMethod {
    match method {
        contract::NarrowingMethod::Refresh => NarrowingMethod::Refresh,
        contract::NarrowingMethod::Exchange => NarrowingMethod::Exchange,
        contract::NarrowingMethod::None => NarrowingMethod::None,
        contract::NarrowingMethod::Unknown => NarrowingMethod::Unknown,
    }
}
