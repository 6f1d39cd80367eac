//! What a change of a provider changes, for the question about it.

use crate::access::consent::{Differences, fingerprint};
use tokenry_core::{
    GrantType, NarrowingMethod, Provider, RedirectPreference, Rotation, TokenEndpointAuthMethod,
};
use tokenry_vault::Vault;
use url::Url;

/// What a field of a provider means for the question about it.
#[derive(Clone, Copy)]
enum Weight {
    Plain,
    /// It decides where secrets go, how they are protected, or whether a grant survives.
    Decisive,
    /// A protection: only switching it off is decisive.
    Protection,
}

type Field = (&'static str, Option<String>, Weight);

/// What differs between a provider and what it is to be.
pub(super) fn between(vault: &Vault, before: &Provider, after: &Provider) -> Differences {
    let mut differences = Differences::default();
    for ((field, from, weight), (_, to, _)) in fields(before).into_iter().zip(fields(after)) {
        let is_decisive = match weight {
            Weight::Plain => false,
            Weight::Decisive => true,
            Weight::Protection => to.as_deref() != Some(ON),
        };
        match is_decisive {
            true => differences.decisive(field, from, to),
            false => differences.text(field, from, to),
        }
    }
    let of = |provider: &Provider| fingerprint(vault, provider.client_secret.as_ref());
    differences.secret("client_secret", of(before), of(after));
    differences
}

/// What a new provider is, as far as it is not as usual.
pub(super) fn of_new(vault: &Vault, new: &Provider) -> Differences {
    let mut differences = Differences::default();
    let is_usual = |field: &str, value: &str| match field {
        "display_name" => value == new.name.as_str(),
        "grant_type" => value == grant_type(GrantType::default()),
        "scope_separator" => value == " ",
        "use_pkce" => value == ON,
        "authorization_response_iss_parameter_supported" => value == OFF,
        "redirect" => value == redirect(RedirectPreference::default()),
        "rotation" => value == rotation(Rotation::default()),
        "narrowing" => value == narrowing(NarrowingMethod::default()),
        _ => false,
    };
    for (field, value, _) in fields(new) {
        let value = value.filter(|value| !is_usual(field, value));
        differences.decisive(field, None, value);
    }
    differences.secret(
        "client_secret",
        None,
        fingerprint(vault, new.client_secret.as_ref()),
    );
    differences
}

const ON: &str = "true";
const OFF: &str = "false";

fn on(is_on: bool) -> Option<String> {
    Some(if is_on { ON } else { OFF }.to_owned())
}

fn fields(provider: &Provider) -> Vec<Field> {
    use Weight::{Decisive, Plain, Protection};
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let url = |url: &Option<Url>| url.as_ref().map(Url::to_string);
    let parameters: Vec<_> = provider
        .authorize_params
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    vec![
        ("name", text(provider.name.as_str()), Plain),
        ("display_name", text(&provider.display_name), Plain),
        ("grant_type", text(grant_type(provider.grant_type)), Decisive),
        ("issuer", provider.issuer.clone(), Decisive),
        (
            "issuer_aliases",
            text(&provider.issuer_aliases.join(" ")),
            Decisive,
        ),
        (
            "authorization_endpoint",
            url(&provider.authorization_endpoint),
            Decisive,
        ),
        ("token_endpoint", url(&provider.token_endpoint), Decisive),
        ("refresh_endpoint", url(&provider.refresh_endpoint), Decisive),
        (
            "revocation_endpoint",
            url(&provider.revocation_endpoint),
            Decisive,
        ),
        ("userinfo_endpoint", url(&provider.userinfo_endpoint), Decisive),
        ("client_id", text(&provider.client_id), Decisive),
        (
            "token_endpoint_auth_method",
            text(auth_method(provider.token_endpoint_auth_method)),
            Decisive,
        ),
        (
            "default_scopes",
            text(&provider.default_scopes.to_string()),
            Plain,
        ),
        ("scope_separator", text(&provider.scope_separator), Plain),
        ("use_pkce", on(provider.use_pkce), Protection),
        ("authorize_params", text(&parameters.join("&")), Decisive),
        ("redirect", text(redirect(provider.redirect)), Decisive),
        (
            "authorization_response_iss_parameter_supported",
            on(provider.authorization_response_iss_parameter_supported),
            Protection,
        ),
        ("rotation", text(&rotation(provider.rotation)), Decisive),
        ("narrowing", text(narrowing(provider.narrowing)), Decisive),
    ]
}

fn grant_type(grant_type: GrantType) -> &'static str {
    match grant_type {
        GrantType::AuthorizationCode => "authorization_code",
        GrantType::ClientCredentials => "client_credentials",
    }
}

fn auth_method(method: TokenEndpointAuthMethod) -> &'static str {
    match method {
        TokenEndpointAuthMethod::ClientSecretBasic => "client_secret_basic",
        TokenEndpointAuthMethod::ClientSecretPost => "client_secret_post",
        TokenEndpointAuthMethod::None => "none",
    }
}

/// How the answer of a sign-in comes back.
pub(crate) fn redirect(redirect: RedirectPreference) -> &'static str {
    match redirect {
        RedirectPreference::Loopback => "loopback",
        RedirectPreference::DeepLink => "deep_link",
        RedirectPreference::Paste => "paste",
    }
}

fn rotation(rotation: Rotation) -> String {
    match rotation {
        Rotation::None => "none".to_owned(),
        Rotation::Grace { seconds } => format!("grace of {seconds} s"),
        Rotation::Strict => "strict".to_owned(),
        Rotation::Unknown => "unknown".to_owned(),
    }
}

fn narrowing(narrowing: NarrowingMethod) -> &'static str {
    match narrowing {
        NarrowingMethod::Refresh => "refresh",
        NarrowingMethod::Exchange => "exchange",
        NarrowingMethod::None => "none",
        NarrowingMethod::Unknown => "unknown",
    }
}
