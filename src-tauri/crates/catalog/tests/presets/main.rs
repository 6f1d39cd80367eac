//! Every preset: it is whole, its variables hold, and it makes a provider whose requests are right.

#![allow(clippy::unwrap_used)]

mod checked;
mod requests;
mod server;

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use tokenry_catalog::{fill, get, list};
use tokenry_contract::{ClientType, Preset, ProviderSettings};
use tokenry_core::{OsRandom, Provider, ProviderId, ProviderPatch, StoredPreset, SystemClock};

/// Names in braces that are no variables of a preset: what Tokenry itself fills in, and Entra's template of an issuer.
const OTHER_NAMES: [&str; 5] = ["access_token", "client_id", "client_secret", "token", "tenantid"];

const CLIENT_ID: &str = "example-client";
/// The parts of HTTP Basic are form-encoded, and this shows it.
const CLIENT_SECRET: &str = "example:secret";

fn presets() -> Vec<Preset> {
    let all = list().unwrap().into_iter();
    all.map(|summary| get(&summary.name).unwrap().unwrap()).collect()
}

fn examples(preset: &Preset) -> BTreeMap<String, String> {
    let variables = preset.variables.iter();
    variables
        .map(|one| (one.name.clone(), one.example.clone()))
        .collect()
}

/// The provider that the preset makes of the examples of its variables.
fn made_of(preset: &Preset) -> Provider {
    let filled = fill(preset, &examples(preset)).unwrap_or_else(|wrong| panic!("{}: {wrong:?}", preset.name));
    let mut settings = filled.settings;
    settings.insert("display_name".to_owned(), preset.display_name.clone().into());
    let stored = StoredPreset {
        name: preset.name.clone(),
        version: preset.version.clone(),
        variables: filled.variables,
        settings,
    };
    let mut patch = ProviderPatch::default()
        .with("name", preset.name.clone())
        .with_preset(stored);
    if !preset.settings.contains_key("client_id") {
        patch = patch.with("client_id", CLIENT_ID);
    }
    if preset.client_type == ClientType::Confidential {
        patch = patch.with("client_secret", CLIENT_SECRET);
    }
    let id = ProviderId::new(&SystemClock, &OsRandom);
    let (provider, problems) = Provider::create(id, patch, jiff::Timestamp::UNIX_EPOCH).unwrap();
    assert!(problems.is_empty(), "{}: {problems:?}", preset.name);
    provider
}

fn names_in_braces(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let parts = text.split('{').skip(1);
            into.extend(parts.filter_map(|part| Some(part.split_once('}')?.0.to_owned())));
        }
        Value::Array(list) => list.iter().for_each(|one| names_in_braces(one, into)),
        Value::Object(map) => map.values().for_each(|one| names_in_braces(one, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn there_are_at_least_250_presets_with_unique_names_and_aliases() {
    let all = list().unwrap();
    assert!(all.len() >= 250, "{}", all.len());
    let mut seen = BTreeMap::new();
    for preset in &all {
        for name in std::iter::once(&preset.name).chain(&preset.aliases) {
            let is_kebab = name.split('-').all(|part| {
                !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            });
            assert!(is_kebab, "{name} of {}", preset.name);
            let before = seen.insert(name.clone(), preset.name.clone());
            assert!(before.is_none(), "{name} is of {before:?} and of {}", preset.name);
        }
    }
}

#[test]
fn every_preset_says_what_a_person_has_to_know() {
    for preset in presets() {
        let name = &preset.name;
        let is_sentence = |text: &str| text.ends_with('.') && text.chars().count() <= 400;
        assert!(
            is_sentence(&preset.guide) && preset.guide.len() > 40,
            "{name}: {}",
            preset.guide
        );
        assert!(
            preset.warnings.iter().all(|text| is_sentence(text)),
            "{name}: {:?}",
            preset.warnings
        );
        assert!(
            !preset.category.is_empty() && !preset.sources.is_empty(),
            "{name}"
        );
        assert!(!preset.grant_types.is_empty(), "{name}");
        let date: Result<jiff::civil::Date, _> = preset.version.parse();
        assert!(date.is_ok(), "{name}: {}", preset.version);
        let month: Result<jiff::civil::Date, _> = format!("{}-01", preset.facts_from).parse();
        assert!(month.is_ok(), "{name}: {}", preset.facts_from);
    }
}

#[test]
fn every_preset_holds_only_settings_that_differ_from_their_defaults() {
    let defaults = ProviderSettings::default().to_map();
    for preset in presets() {
        for (setting, value) in &preset.settings {
            let default = defaults.get(setting);
            assert!(default.is_some(), "{}: {setting} is no setting", preset.name);
            assert_ne!(Some(value), default, "{}: {setting} is the default", preset.name);
        }
        assert!(!preset.settings.contains_key("display_name"), "{}", preset.name);
        let read: Result<ProviderSettings, _> = serde_json::from_value(preset.settings.clone().into());
        assert!(read.is_ok(), "{}: {:?}", preset.name, read.err());
    }
}

#[test]
fn variables_are_those_that_the_settings_use() {
    for preset in presets() {
        let settings = Value::Object(preset.settings.clone());
        let mut used = BTreeSet::new();
        names_in_braces(&settings, &mut used);
        let captured: Option<&Map<String, Value>> = settings.get("captures").and_then(Value::as_object);
        used.retain(|name| {
            !OTHER_NAMES.contains(&name.as_str()) && !captured.is_some_and(|names| names.contains_key(name))
        });
        let declared: BTreeSet<String> = preset.variables.iter().map(|one| one.name.clone()).collect();
        assert_eq!(declared, used, "{}", preset.name);
    }
}

#[test]
fn every_example_and_default_fits_its_variable() {
    for preset in presets() {
        fill(&preset, &examples(&preset)).unwrap_or_else(|wrong| panic!("{}: {wrong:?}", preset.name));
        for one in &preset.variables {
            assert!(!one.label.is_empty(), "{}", preset.name);
            for value in one.default.iter().chain(&one.values) {
                let mut values = examples(&preset);
                values.insert(one.name.clone(), value.clone());
                assert!(
                    fill(&preset, &values).is_ok(),
                    "{}: {} = {value}",
                    preset.name,
                    one.name
                );
            }
        }
    }
}

/// Whatever a user was talked into pasting, an endpoint keeps the host and the path that the preset gives it.
#[test]
fn no_value_of_a_variable_gets_out_of_its_place_in_an_address() {
    let hostile = [
        "evil.example/",
        "evil.example/x",
        "evil.example#",
        "evil.example?x=",
        "evil.example\\x",
        "a@evil.example",
        "evil.example:443@x",
        "x/../..",
        "..",
        "%2e%2e",
        "evil.example%2f",
        "x&client_id=evil",
        "javascript:alert(1)",
        "http://evil.example",
        "{access_token}",
        "ev\u{131}l.example",
        "x y",
        "",
    ];
    for preset in presets() {
        for one in &preset.variables {
            for text in hostile {
                let mut values = examples(&preset);
                values.insert(one.name.clone(), text.to_owned());
                // A site's address stands for its host, and an empty value for the default.
                let Ok(filled) = fill(&preset, &values) else {
                    continue;
                };
                let value = &filled.variables[&one.name];
                assert!(
                    Some(value) == one.default.as_ref() || value == "evil.example",
                    "{}: {} = {text:?} became {value:?}",
                    preset.name,
                    one.name
                );
            }
        }
    }
}

#[test]
fn every_preset_makes_a_provider_whose_endpoints_are_https() {
    for preset in presets() {
        let provider = made_of(&preset);
        for (field, address) in provider.endpoints() {
            assert!(
                address.starts_with("https://"),
                "{}: {field} is {address}",
                preset.name
            );
        }
        for address in [&provider.settings.docs_url, &provider.settings.register_url]
            .into_iter()
            .flatten()
        {
            assert!(address.starts_with("https://"), "{}: {address}", preset.name);
        }
        assert!(
            provider.changed_settings().is_empty(),
            "{}: {:?}",
            preset.name,
            provider.changed_settings()
        );
    }
}

#[test]
fn an_unknown_name_is_no_preset_and_a_similar_one_is_told() {
    assert!(get("githbu").unwrap().is_none());
    assert_eq!(tokenry_catalog::closest("githbu").unwrap(), ["github"]);
    assert_eq!(get("entra").unwrap().unwrap().name, "microsoft");
    assert!(get("").unwrap().is_none());
    assert!(
        tokenry_catalog::version("github").is_some() && tokenry_catalog::version("no-such-preset").is_none()
    );
}
