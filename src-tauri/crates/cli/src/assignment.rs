//! `--set NAME=VALUE`: any setting of a provider, its value read as the setting's JSON type.

use serde_json::{Map, Value};
use tokenry_contract::{ProviderSettings, closest};

/// Why no secret is taken from the command line.
const SECRET: &str = "a secret is never given as an argument, where every user of this machine can read it; use \
    --client-secret-stdin or --client-secret-fd";

/// A setting, or one member of it, and its new value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assignment {
    setting: String,
    member: Option<String>,
    value: Value,
}

impl Assignment {
    /// Adds it to a JSON merge patch (RFC 7396).
    pub(crate) fn apply(&self, into: &mut Map<String, Value>) {
        let Some(member) = &self.member else {
            into.insert(self.setting.clone(), self.value.clone());
            return;
        };
        let object = into.entry(self.setting.clone()).or_insert(Value::Null);
        if !object.is_object() {
            *object = Value::Object(Map::new());
        }
        if let Value::Object(object) = object {
            object.insert(member.clone(), self.value.clone());
        }
    }
}

/// Reads `NAME=VALUE` or `NAME.KEY=VALUE`. No error repeats a value.
pub(crate) fn assignment(text: &str) -> Result<Assignment, String> {
    let (name, text) = text
        .split_once('=')
        .ok_or("there is no `=` in it, as in: --set use_pkce=false")?;
    let (setting, member) = match name.split_once('.') {
        Some((setting, member)) => (setting, Some(member)),
        None => (name, None),
    };
    if name.to_ascii_lowercase().contains("secret") {
        return Err(SECRET.to_owned());
    }
    let defaults = ProviderSettings::default().to_map();
    let Some(default) = defaults.get(setting) else {
        return Err(unknown(setting, &defaults));
    };
    let value = match member {
        Some("") => return Err("there is no key between the `.` and the `=`".to_owned()),
        Some(_) if !default.is_object() => return Err(format!("{setting} has no members")),
        Some(member) => member_value(setting, member, default, text),
        None => value(setting, default, text)?,
    };
    Ok(Assignment {
        setting: setting.to_owned(),
        member: member.map(str::to_owned),
        value,
    })
}

/// The first reading of a text that the setting takes.
fn value(setting: &str, default: &Value, text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let word = || Value::from(text.replace('-', "_"));
    let list = text.split(',').map(|item| Value::from(item.trim())).collect();
    let readings = [
        Some(Value::from(text)),
        Some(word()),
        serde_json::from_str(text).ok(),
        Some(Map::from_iter([("kind".to_owned(), word())]).into()),
        Some(Value::Array(list)),
    ];
    let mut readings = readings.into_iter().flatten();
    readings.find(|value| fits(setting, value)).ok_or_else(|| {
        let expected = match default {
            Value::Bool(_) => "true or false".to_owned(),
            Value::Array(_) => "a list, with commas or as JSON".to_owned(),
            Value::Object(_) => format!("JSON, or one member as in {setting}.KEY=VALUE"),
            _ => expected_word(setting, text),
        };
        format!("expected {expected}")
    })
}

/// The value of one member of a map: a text where the map takes one, else what JSON makes of it.
fn member_value(setting: &str, member: &str, default: &Value, text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    let whole = |value: Value| {
        let mut object = default.clone();
        object[member] = value;
        object
    };
    let as_text = Value::from(text);
    if fits(setting, &whole(as_text.clone())) && !fits(setting, &whole(Value::Bool(true))) {
        return as_text;
    }
    // The members of a choice depend on each other, so the engine judges them together.
    serde_json::from_str(text).unwrap_or(as_text)
}

fn fits(setting: &str, value: &Value) -> bool {
    read(setting, value).is_ok()
}

fn read(setting: &str, value: &Value) -> Result<ProviderSettings, serde_json::Error> {
    let object = Map::from_iter([(setting.to_owned(), value.clone())]);
    serde_json::from_value(Value::Object(object))
}

/// What serde expects in place of the text, without the text.
fn expected_word(setting: &str, text: &str) -> String {
    let error = read(setting, &text.into()).err().map(|error| error.to_string());
    let expected = error
        .as_deref()
        .and_then(|error| error.rsplit_once(", expected "));
    expected
        .map_or("another value", |(_, expected)| expected)
        .to_owned()
}

fn unknown(setting: &str, known: &Map<String, Value>) -> String {
    if matches!(setting, "name" | "project") {
        return format!("it is not a setting; use --{setting}");
    }
    match closest(setting, known.keys().map(String::as_str)).as_slice() {
        [] => {
            let known: Vec<_> = known.keys().map(String::as_str).collect();
            format!("unknown setting; there are {}", known.join(", "))
        }
        close => format!("unknown setting; did you mean {}?", close.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patch(texts: &[&str]) -> Value {
        let mut patch = Map::new();
        for text in texts {
            assignment(text).unwrap().apply(&mut patch);
        }
        Value::Object(patch)
    }

    #[test]
    fn a_value_is_read_as_the_type_of_its_setting() {
        for (text, value) in [
            ("use_pkce=false", json!({"use_pkce": false})),
            ("display_name=true", json!({"display_name": "true"})),
            ("scope_separator=,", json!({"scope_separator": ","})),
            ("default_scopes=a, b", json!({"default_scopes": ["a", "b"]})),
            (r#"default_scopes=["a,b"]"#, json!({"default_scopes": ["a,b"]})),
            ("issuer_aliases=1", json!({"issuer_aliases": ["1"]})),
            ("redirect=deep-link", json!({"redirect": "deep_link"})),
            ("rotation=strict", json!({"rotation": {"kind": "strict"}})),
            (
                r#"rotation={"kind": "grace", "seconds": 30}"#,
                json!({"rotation": {"kind": "grace", "seconds": 30}}),
            ),
            (
                r#"authorize_params={"a": "b=c"}"#,
                json!({"authorize_params": {"a": "b=c"}}),
            ),
            (
                "authorize_params.max_age=0",
                json!({"authorize_params": {"max_age": "0"}}),
            ),
            (
                "authorize_params.a=b=c",
                json!({"authorize_params": {"a": "b=c"}}),
            ),
            ("authorize_params.a=", json!({"authorize_params": {"a": null}})),
            (
                "refresh_endpoint=https://a.example/x?a=b",
                json!({"refresh_endpoint": "https://a.example/x?a=b"}),
            ),
            ("issuer=", json!({"issuer": null})),
            ("use_pkce=", json!({"use_pkce": null})),
        ] {
            assert_eq!(patch(&[text]), value, "{text}");
        }
        assert_eq!(
            patch(&[
                "rotation.kind=grace",
                "rotation.seconds=30",
                "authorize_params.a=1",
                "authorize_params.b=2"
            ]),
            json!({"rotation": {"kind": "grace", "seconds": 30}, "authorize_params": {"a": "1", "b": "2"}})
        );
    }

    #[test]
    fn every_setting_can_be_set_to_the_value_that_show_prints() {
        for (name, value) in ProviderSettings::default().to_map() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let text = if value.is_null() { String::new() } else { text };
            let read = patch(&[&format!("{name}={text}")]);
            let expected = if text.is_empty() { Value::Null } else { value };
            assert_eq!(read, json!({ &name: expected }), "{name}={text}");
        }
    }

    #[test]
    fn a_wrong_name_or_value_is_told_without_the_value() {
        for (text, says) in [
            ("isuer=c4n4ry", "did you mean issuer?"),
            ("colour=c4n4ry", "there are account_paths, "),
            ("c4n4ry", "no `=`"),
            ("use_pkce=c4n4ry", "expected true or false"),
            ("redirect=c4n4ry", "expected one of `loopback`"),
            ("rotation=c4n4ry", "rotation.KEY=VALUE"),
            ("issuer.x=c4n4ry", "issuer has no members"),
            ("authorize_params.=c4n4ry", "no key"),
            ("client_secret=c4n4ry", "--client-secret-stdin"),
            ("authorize_params.client_secret=c4n4ry", "--client-secret-stdin"),
            ("Client-Secret=c4n4ry", "--client-secret-stdin"),
            ("name=c4n4ry", "--name"),
        ] {
            let wrong = assignment(text).unwrap_err();
            assert!(
                wrong.contains(says) && !wrong.contains("c4n4ry"),
                "{text}: {wrong}"
            );
        }
    }
}
