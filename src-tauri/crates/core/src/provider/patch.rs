//! Adding and changing a provider by a JSON merge patch (RFC 7396).

use super::{Problems, Provider, StoredPreset, is_endpoint, placeholders};
use crate::address::read_address;
use crate::{DEFAULT_PROJECT, InvalidName, Name, ProviderId, Scopes, Secret, clean, json_problem, trimmed};
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokenry_contract::{ProviderSettings, closest};

/// The most unknown members that are told one by one.
const MAX_UNKNOWN: usize = 16;

/// Members of a provider: for a new one, all that differ from the defaults; for a change, those that change. `null` sets
/// a member back to its default, and an empty text clears an optional one. Holds no secret but in [`Secret`].
#[derive(Debug, Clone, Default)]
pub struct ProviderPatch {
    client_secret: Option<SecretPatch>,
    /// What a new provider begins with.
    preset: Option<StoredPreset>,
    members: Map<String, Value>,
}

/// What becomes of the client secret.
#[derive(Debug, Clone)]
enum SecretPatch {
    Set(Secret),
    Clear,
    /// It was given, and not as a text. The value is not kept.
    NoText,
}

impl From<Map<String, Value>> for ProviderPatch {
    fn from(mut members: Map<String, Value>) -> Self {
        let client_secret = members.remove("client_secret").map(|value| match value {
            Value::String(text) if !text.is_empty() => SecretPatch::Set(Secret::new(text)),
            Value::String(_) | Value::Null => SecretPatch::Clear,
            _ => SecretPatch::NoText,
        });
        Self {
            client_secret,
            preset: None,
            members,
        }
    }
}

impl ProviderPatch {
    /// For a new provider: the same on top of the settings of a preset.
    #[must_use]
    pub fn with_preset(self, preset: StoredPreset) -> Self {
        Self {
            preset: Some(preset),
            ..self
        }
    }

    /// Takes a member out.
    pub fn take(&mut self, member: &str) -> Option<Value> {
        self.members.remove(member)
    }

    /// Whether a member is given.
    pub fn gives(&self, member: &str) -> bool {
        match member {
            "client_secret" => self.client_secret.is_some(),
            member => self.members.contains_key(member),
        }
    }

    /// The same with another member, or with another value of it.
    #[must_use]
    pub fn with(self, member: &str, value: impl Into<Value>) -> Self {
        let own = Self::from(Map::from_iter([(member.to_owned(), value.into())]));
        let mut members = self.members;
        members.extend(own.members);
        Self {
            client_secret: own.client_secret.or(self.client_secret),
            preset: self.preset,
            members,
        }
    }
}

impl Provider {
    /// A new provider, and everything that is wrong with it. It may be kept when nothing is.
    ///
    /// # Errors
    /// When the default project has no valid name, which is a mistake in this program.
    pub fn create(
        id: ProviderId,
        mut patch: ProviderPatch,
        now: Timestamp,
    ) -> Result<(Self, Problems), InvalidName> {
        let mut problems = Problems::new();
        let mut name = |member: &str, value: Option<Value>, default: &str| {
            let Some(value) = value else {
                return default.parse::<Name>();
            };
            match read_name(&value) {
                Ok(name) => Ok(name),
                Err(wrong) => {
                    problems.insert(member.to_owned(), wrong);
                    default.parse()
                }
            }
        };
        let project = patch.members.remove("project");
        let project = project.filter(|value| !matches!(value.as_str(), Some("")) && !value.is_null());
        let project = name("project", project, DEFAULT_PROJECT)?;
        let given = patch.members.remove("name");
        let is_missing = given.is_none();
        let name = name("name", given, "new")?;
        if is_missing {
            problems.insert("name".to_owned(), "is missing".to_owned());
        }
        let mut provider = Self {
            id,
            project,
            name,
            client_secret: None,
            registration: None,
            client_key: None,
            dpop_key: None,
            found_auth_method: None,
            settings: ProviderSettings::default(),
            preset: None,
            created_at: now,
            updated_at: now,
        };
        read_secret(&mut provider, patch.client_secret.as_ref(), &mut problems);
        provider.settings = provider.default_settings();
        if let Some(preset) = patch.preset.take() {
            provider.take_preset(preset, &mut problems);
        }
        provider.merge_settings(&patch.members, &mut problems);
        provider.add_problems(&mut problems);
        Ok((provider, problems))
    }

    /// The provider after a change, and everything that is wrong with it then. Each member is merged and read on its
    /// own, so that all wrong ones are told at once.
    pub fn changed(&self, patch: &ProviderPatch, now: Timestamp) -> (Self, Problems) {
        let (mut provider, mut problems) = (self.clone(), Problems::new());
        let mut members = patch.members.clone();
        match members.remove("name").map(|value| read_name(&value)) {
            Some(Ok(name)) => provider.name = name,
            Some(Err(wrong)) => {
                problems.insert("name".to_owned(), wrong);
            }
            None => {}
        }
        read_secret(&mut provider, patch.client_secret.as_ref(), &mut problems);
        provider.merge_settings(&members, &mut problems);
        provider.forget_found(self);
        provider.updated_at = now;
        provider.add_problems(&mut problems);
        (provider, problems)
    }

    fn add_problems(&self, problems: &mut Problems) {
        // What could not even be read comes first.
        for (field, wrong) in self.problems() {
            problems.entry(field).or_insert(wrong);
        }
    }

    pub(super) fn merge_settings(&mut self, members: &Map<String, Value>, problems: &mut Problems) {
        let defaults = self.default_settings().to_map();
        let mut settings = self.settings.to_map();
        let mut unknown = 0;
        for (name, value) in members {
            let (Some(current), Some(default)) = (settings.get(name), defaults.get(name)) else {
                unknown += 1;
                if unknown <= MAX_UNKNOWN {
                    problems.insert(clean(name), unknown_problem(name, defaults.keys()));
                }
                continue;
            };
            let merged = match value {
                Value::Null => default.clone(),
                Value::String(text) if text.is_empty() && default.is_null() => Value::Null,
                value => normalised(name, merged(current, value)),
            };
            match read_setting(name, merged) {
                Ok(read) => {
                    settings.insert(name.clone(), read);
                }
                Err((field, wrong)) => {
                    problems.insert(field, wrong);
                }
            }
        }
        if let Ok(settings) = serde_json::from_value(Value::Object(settings)) {
            self.settings = settings;
        }
    }
}

fn read_secret(provider: &mut Provider, patch: Option<&SecretPatch>, problems: &mut Problems) {
    match patch {
        Some(SecretPatch::Set(secret)) => provider.client_secret = Some(secret.clone()),
        Some(SecretPatch::Clear) => provider.client_secret = None,
        Some(SecretPatch::NoText) => {
            problems.insert("client_secret".to_owned(), "must be a string".to_owned());
        }
        None => {}
    }
}

fn read_name(value: &Value) -> Result<Name, String> {
    let text = value.as_str().ok_or_else(|| "must be a string".to_owned())?;
    text.parse().map_err(|error: InvalidName| error.to_string())
}

/// RFC 7396 §2: an object is merged member by member, anything else is replaced.
fn merged(current: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut merged_object = match current {
        Value::Object(current) => current.clone(),
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            merged_object.remove(name);
        } else {
            let before = merged_object.get(name).unwrap_or(&Value::Null);
            let after = merged(before, value);
            merged_object.insert(name.clone(), after);
        }
    }
    Value::Object(merged_object)
}

/// The one form in which a text is kept: an address as the URL standard writes it, an id without white space around it.
fn normalised(name: &str, value: Value) -> Value {
    match value {
        // A value of a sign-in has no place in an address that is normalised.
        Value::String(text) if is_endpoint(name) && placeholders(&text).is_empty() => {
            match read_address(&text) {
                Ok(url) => url.to_string().into(),
                Err(_) => text.into(),
            }
        }
        Value::String(text) if name == "client_id" => trimmed(&text).into(),
        other => other,
    }
}

/// Reads one setting, and writes it again without what it does not know.
fn read_setting(name: &str, value: Value) -> Result<Value, (String, String)> {
    let object = Value::Object(Map::from_iter([(name.to_owned(), value)]));
    let read = serde_path_to_error::deserialize::<_, ProviderSettings>(object);
    let mut settings =
        read.map_err(|error| json_problem(&error.path().to_string(), name, &error.inner().to_string()))?;
    if name == "default_scopes" {
        settings.default_scopes = Scopes::from(settings.default_scopes).into();
    }
    Ok(settings.to_map().remove(name).unwrap_or_default())
}

fn unknown_problem<'a>(name: &str, known: impl Iterator<Item = &'a String> + Clone) -> String {
    let quoted = |name: &str| format!("`{name}`");
    let close = closest(name, known.clone().map(String::as_str));
    let close: Vec<_> = close.into_iter().map(quoted).collect();
    if close.is_empty() {
        let known: Vec<_> = known.map(|name| quoted(name)).collect();
        return format!("is not known here: expected one of {}", known.join(", "));
    }
    format!("is not known here: did you mean {}?", close.join(" or "))
}
