//! What a change of a provider changes, for the question about it.

use crate::access::consent::{Differences, fingerprint};
use serde_json::Value;
use tokenry_core::{Provider, setting_text};
use tokenry_vault::Vault;

/// The fields that decide neither where secrets go, nor how they are protected, nor whether a grant survives. A change of
/// any other field is asked about each time; so is one of a setting that is not known here yet.
const PLAIN: [&str; 4] = ["name", "display_name", "default_scopes", "scope_separator"];

/// Protections: only switching one off is decisive.
const PROTECTIONS: [&str; 2] = ["use_pkce", "authorization_response_iss_parameter_supported"];

/// What differs between a provider and what it is to be.
pub(crate) fn between(vault: &Vault, before: &Provider, after: &Provider) -> Differences {
    let mut differences = Differences::default();
    let (from, to) = (fields(before), fields(after));
    for ((field, value), (_, after)) in from.iter().zip(&to) {
        let is_decisive = match field.as_str() {
            field if PLAIN.contains(&field) => false,
            field if PROTECTIONS.contains(&field) => *after != Value::Bool(true),
            _ => true,
        };
        let (from, to) = (setting_text(value), setting_text(after));
        match is_decisive {
            true => differences.decisive(field, from, to),
            false => differences.text(field, from, to),
        }
    }
    let of = |provider: &Provider| fingerprint(vault, provider.client_secret.as_ref());
    differences.secret("client_secret", of(before), of(after));
    differences
}

/// What a new provider is, as far as it differs from the defaults.
pub(crate) fn of_new(vault: &Vault, new: &Provider) -> Differences {
    let mut differences = Differences::default();
    let mut defaults = new.default_settings().to_map();
    // How the client authenticates is always said.
    defaults.remove("token_endpoint_auth_method");
    for (field, value) in fields(new) {
        if defaults.get(&field) != Some(&value) {
            differences.decisive(&field, None, setting_text(&value));
        }
    }
    differences.secret(
        "client_secret",
        None,
        fingerprint(vault, new.client_secret.as_ref()),
    );
    differences
}

/// All that a question may show of a provider: its name first, then its settings.
fn fields(provider: &Provider) -> Vec<(String, Value)> {
    let name = ("name".to_owned(), Value::from(provider.name.as_str()));
    std::iter::once(name).chain(provider.settings.members()).collect()
}
