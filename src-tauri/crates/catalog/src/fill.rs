//! Putting the values of variables into the settings of a preset.

use regex_lite::Regex;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tokenry_contract::{Preset, PresetVariable};

const HTTPS: &str = "https://";
/// Before a host it stays, for servers of the user's own network: whether http may be used is for the provider's settings.
const HTTP: &str = "http://";

/// No value of a variable is longer, in bytes.
const MAX_VALUE_BYTES: usize = 512;

/// The settings of a preset with its variables filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Filled {
    /// The value of each variable.
    pub variables: BTreeMap<String, String>,
    /// Only those that differ from the defaults.
    pub settings: Map<String, Value>,
}

/// From the name of each variable to what is wrong with its value. No value is repeated.
pub type VariableProblems = BTreeMap<String, String>;

/// Fills in the values of the variables.
///
/// # Errors
/// When a value is missing, unknown, or has another form than its variable.
pub fn fill(preset: &Preset, values: &BTreeMap<String, String>) -> Result<Filled, VariableProblems> {
    let mut problems = VariableProblems::new();
    for name in values.keys() {
        if !preset.variables.iter().any(|variable| variable.name == *name) {
            problems.insert(name.clone(), unknown(preset));
        }
    }
    let mut variables = BTreeMap::new();
    for variable in &preset.variables {
        match value_of(variable, values.get(&variable.name)) {
            Ok(value) => {
                variables.insert(variable.name.clone(), value);
            }
            Err(wrong) => {
                problems.insert(variable.name.clone(), wrong);
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let values = values_in(preset, &variables);
    let settings = preset
        .settings
        .iter()
        .map(|(name, value)| (name.clone(), filled(value, &values)));
    Ok(Filled {
        settings: settings.collect(),
        variables,
    })
}

/// The hosts that a preset names, by what they are for, with the values of its variables.
pub fn serves(preset: &Preset, variables: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let values = values_in(preset, variables);
    let hosts = |hosts: &Vec<String>| hosts.iter().map(|host| filled_text(host, &values)).collect();
    preset
        .serves
        .iter()
        .map(|(kind, named)| (kind.clone(), hosts(named)))
        .collect()
}

/// A value as it stands in the texts of a preset.
enum Part<'a> {
    Text(&'a str),
    /// A host, which makes an address that begins with it an address with http.
    HttpHost(&'a str),
}

type Values<'a> = BTreeMap<&'a str, Part<'a>>;

fn values_in<'a>(preset: &'a Preset, variables: &'a BTreeMap<String, String>) -> Values<'a> {
    let part = |variable: &'a PresetVariable| {
        let value = variables.get(&variable.name)?;
        let part = match value.strip_prefix(HTTP) {
            // A variable that is a whole address has its own scheme.
            Some(host) if !fits(variable, value) => Part::HttpHost(host),
            _ => Part::Text(value),
        };
        Some((variable.name.as_str(), part))
    };
    preset.variables.iter().filter_map(part).collect()
}

fn value_of(variable: &PresetVariable, given: Option<&String>) -> Result<String, String> {
    let given = given.map(|text| text.trim()).filter(|text| !text.is_empty());
    let Some(given) = given.or(variable.default.as_deref()) else {
        return Err(format!(
            "is required: {}, for example {}",
            variable.label, variable.example
        ));
    };
    // People copy the address of a site where its host is asked for.
    let (scheme, bare) = match given.strip_prefix(HTTP) {
        Some(rest) if is_local(rest) => (HTTP, rest),
        _ => ("", given.strip_prefix(HTTPS).unwrap_or(given)),
    };
    let bare = bare.strip_suffix('/').unwrap_or(bare);
    let whole = fits(variable, given).then(|| given.to_owned());
    whole
        .or_else(|| fits(variable, bare).then(|| format!("{scheme}{bare}")))
        .ok_or_else(|| {
            if variable.values.is_empty() {
                format!("does not look like {}", variable.example)
            } else {
                format!("must be one of {}", variable.values.join(", "))
            }
        })
}

/// Whether a host may be one of the user's own network. Exactly that is checked where the provider is kept.
fn is_local(host: &str) -> bool {
    let name = host.split([':', '/']).next().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let is_local_name = name == "localhost" || name.ends_with(".local") || name.ends_with(".home.arpa");
    is_local_name || name.parse::<std::net::Ipv4Addr>().is_ok()
}

fn fits(variable: &PresetVariable, value: &str) -> bool {
    if value.len() > MAX_VALUE_BYTES {
        return false;
    }
    if !variable.values.is_empty() && !variable.values.iter().any(|one| one == value) {
        return false;
    }
    Regex::new(&format!("^(?:{})$", variable.pattern)).is_ok_and(|pattern| pattern.is_match(value))
}

fn unknown(preset: &Preset) -> String {
    let known: Vec<_> = preset.variables.iter().map(|one| one.name.as_str()).collect();
    match known.as_slice() {
        [] => "is unknown: this preset has no variables".to_owned(),
        known => format!("is unknown: this preset has {}", known.join(", ")),
    }
}

/// The same with the values in all texts.
fn filled(value: &Value, variables: &Values<'_>) -> Value {
    match value {
        Value::String(text) => Value::String(filled_text(text, variables)),
        Value::Array(list) => list.iter().map(|one| filled(one, variables)).collect(),
        Value::Object(map) => {
            let members = map
                .iter()
                .map(|(name, one)| (name.clone(), filled(one, variables)));
            Value::Object(members.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Each variable once, so that no value is taken for a variable. Other names in braces stay: they stand for what a sign-in
/// brings.
fn filled_text(text: &str, variables: &Values<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let close = rest.find('}').unwrap_or(0);
        match rest.get(1..close).and_then(|name| variables.get(name)) {
            Some(part) => {
                match part {
                    Part::Text(text) => out.push_str(text),
                    Part::HttpHost(host) => {
                        if let Some(before) = out.strip_suffix(HTTPS) {
                            out.truncate(before.len());
                            out.push_str(HTTP);
                        }
                        out.push_str(host);
                    }
                }
                rest = &rest[close + 1..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn preset() -> Preset {
        serde_json::from_value(json!({
            "name": "x", "display_name": "X", "category": "c", "version": "2026-11-29", "grant_types": [],
            "guide": "g", "confidence": "high", "facts_from": "2026-11", "sources": ["s"],
            "variables": [
                {"name": "host", "label": "Host", "example": "x.example", "pattern": "[a-z0-9.-]+"},
                {"name": "dc", "label": "Data centre", "example": "com", "pattern": "[a-z.]+",
                    "enum": ["com", "eu"], "default": "com"}
            ],
            "settings": {"token_endpoint": "https://{host}/{dc}/{captured}", "authorize_params": {"a": "{dc}"},
                "default_scopes": ["{host}/x"], "use_pkce": false}
        }))
        .unwrap()
    }

    fn with(host: &str) -> Result<Filled, VariableProblems> {
        fill(&preset(), &BTreeMap::from([("host".to_owned(), host.to_owned())]))
    }

    #[test]
    fn variables_are_filled_in_everywhere_and_captured_names_stay() {
        let filled = with("id.example").unwrap();
        assert_eq!(
            Value::Object(filled.settings),
            json!({"token_endpoint": "https://id.example/com/{captured}", "authorize_params": {"a": "com"},
                "default_scopes": ["id.example/x"], "use_pkce": false})
        );
        assert_eq!(filled.variables["dc"], "com");
    }

    #[test]
    fn the_address_of_a_site_stands_for_its_host() {
        for text in ["https://id.example/", " id.example ", "https://id.example"] {
            assert_eq!(with(text).unwrap().variables["host"], "id.example", "{text}");
        }
    }

    #[test]
    fn a_local_host_with_http_before_it_makes_addresses_with_http() {
        for text in ["http://nas.local/", " http://nas.local"] {
            let filled = with(text).unwrap();
            assert_eq!(
                Value::Object(filled.settings),
                json!({"token_endpoint": "http://nas.local/com/{captured}", "authorize_params": {"a": "com"},
                    "default_scopes": ["nas.local/x"], "use_pkce": false})
            );
            // The same again where the preset is followed.
            let again = with(&filled.variables["host"]).unwrap();
            assert_eq!(again.variables, filled.variables);
        }
        for text in [
            "http://",
            "http://id.example",
            "http://http://nas.local",
            "http://nas.local/x",
            "http://nas.local.example",
            "ftp://nas.local",
        ] {
            assert!(with(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_variable_that_is_a_whole_address_keeps_its_scheme() {
        let mut preset = preset();
        preset.variables[0].pattern = "https?://[a-z0-9.:-]+".to_owned();
        preset.settings =
            serde_json::from_value(json!({"issuer": "{host}", "token_endpoint": "{host}/token"})).unwrap();
        for issuer in ["http://127.0.0.1:8080", "http://nas.local", "https://op.example"] {
            let values = BTreeMap::from([("host".to_owned(), issuer.to_owned())]);
            let settings = fill(&preset, &values).unwrap().settings;
            let expected = json!({"issuer": issuer, "token_endpoint": format!("{issuer}/token")});
            assert_eq!(Value::Object(settings), expected);
        }
    }

    #[test]
    fn a_value_of_another_form_is_refused_and_not_repeated() {
        for text in [
            "evil.example/c4n4ry",
            "a@c4n4ry",
            "c4n4ry?",
            "c4n4ry#",
            "{dc}c4n4ry",
            "C4N4RY x",
        ] {
            let problems = with(text).unwrap_err();
            assert!(
                !format!("{problems:?}").to_lowercase().contains("c4n4ry"),
                "{text}: {problems:?}"
            );
        }
        assert!(with(&"x".repeat(100_000)).is_err());
        assert!(with("").unwrap_err()["host"].contains("for example x.example"));
    }

    #[test]
    fn unknown_variables_and_values_are_told() {
        let values = BTreeMap::from([
            ("host".to_owned(), "a.example".to_owned()),
            ("dc".to_owned(), "mars".to_owned()),
            ("hots".to_owned(), "x".to_owned()),
        ]);
        let problems = fill(&preset(), &values).unwrap_err();
        assert_eq!(problems["dc"], "must be one of com, eu");
        assert_eq!(problems["hots"], "is unknown: this preset has host, dc");
    }
}
