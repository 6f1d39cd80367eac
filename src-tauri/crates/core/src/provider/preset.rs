//! The preset that a provider was made of, what was changed since, and what a newer one would change.

use super::{Problems, Provider, is_endpoint};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use tokenry_contract::PresetChange;
use url::Url;

/// Settings that everybody has of their own, or that Tokenry chooses.
const NEVER_CHANGED: [&str; 2] = ["client_id", "loopback_ports"];

/// The preset that a provider was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredPreset {
    /// Its name.
    pub name: String,
    /// The date of the preset.
    pub version: String,
    /// The value of each variable.
    pub variables: BTreeMap<String, String>,
    /// The settings that it gave, in the form in which a provider keeps them.
    pub settings: Map<String, Value>,
}

impl Provider {
    /// Takes over the settings of a preset. The settings are kept with it, so that a change shows.
    pub(super) fn take_preset(&mut self, mut preset: StoredPreset, problems: &mut Problems) {
        self.merge_settings(&preset.settings, problems);
        let kept = self.settings.to_map();
        for (name, value) in &mut preset.settings {
            if let Some(kept) = kept.get(name) {
                *value = kept.clone();
            }
        }
        self.preset = Some(preset);
    }

    /// The settings that differ from what the preset gave.
    pub fn changed_settings(&self) -> Vec<String> {
        let Some(preset) = &self.preset else {
            return Vec::new();
        };
        let defaults = self.default_settings().to_map();
        let members = self.settings.members().into_iter();
        let changed = members.filter(|(name, value)| {
            let given = preset.settings.get(name).or_else(|| defaults.get(name));
            !NEVER_CHANGED.contains(&name.as_str()) && given != Some(value)
        });
        changed.map(|(name, _)| name).collect()
    }

    /// What differs between the preset that the provider has and a newer one, whose variables are filled in.
    pub fn preset_changes(&self, newer: &StoredPreset) -> Vec<PresetChange> {
        let Some(preset) = &self.preset else {
            return Vec::new();
        };
        let newer = self.in_kept_form(newer);
        let (defaults, now) = (self.default_settings().to_map(), self.settings.to_map());
        let names: BTreeSet<&String> = preset.settings.keys().chain(newer.keys()).collect();
        let changes = names.into_iter().filter_map(|name| {
            let default = defaults.get(name)?;
            let before = preset.settings.get(name).unwrap_or(default);
            let after = newer.get(name).unwrap_or(default);
            let own = now.get(name)?;
            (before != after && own != after).then(|| PresetChange {
                setting: name.clone(),
                from: own.clone(),
                to: after.clone(),
                is_own: own != before,
                moves_host: is_endpoint(name) && origin(own) != origin(after),
            })
        });
        changes.collect()
    }

    /// The provider with a newer preset. What is in `decided` stands as the provider has it now, or as `accepted` says; the
    /// version is the newer one once nothing is left to decide.
    #[must_use]
    pub fn with_newer_preset(mut self, newer: &StoredPreset, decided: &BTreeSet<String>) -> Self {
        let kept_form = self.in_kept_form(newer);
        if let Some(preset) = &mut self.preset {
            for name in decided {
                match kept_form.get(name) {
                    Some(value) => preset.settings.insert(name.clone(), value.clone()),
                    None => preset.settings.remove(name),
                };
            }
            preset.variables.clone_from(&newer.variables);
        }
        if self.preset_changes(newer).is_empty()
            && let Some(preset) = &mut self.preset
        {
            preset.version.clone_from(&newer.version);
            preset.settings = kept_form;
        }
        self
    }

    /// The settings of a preset as this provider would keep them.
    fn in_kept_form(&self, preset: &StoredPreset) -> Map<String, Value> {
        let mut fresh = Self {
            settings: self.default_settings(),
            preset: None,
            ..self.clone()
        };
        fresh.take_preset(preset.clone(), &mut Problems::new());
        fresh.preset.map(|preset| preset.settings).unwrap_or_default()
    }
}

fn origin(address: &Value) -> Option<url::Origin> {
    address
        .as_str()
        .and_then(|text| Url::parse(text).ok())
        .map(|url| url.origin())
}

#[cfg(test)]
mod tests {
    use super::super::ProviderPatch;
    use super::*;
    use crate::{Clock, OsRandom, ProviderId, SystemClock};
    use serde_json::json;

    fn preset(version: &str, settings: Value) -> StoredPreset {
        let Value::Object(settings) = settings else {
            panic!("{settings}")
        };
        StoredPreset {
            name: "x".to_owned(),
            version: version.to_owned(),
            variables: BTreeMap::new(),
            settings,
        }
    }

    fn first() -> StoredPreset {
        preset(
            "2026-11-29",
            json!({
                "authorization_endpoint": "https://id.example",
                "token_endpoint": "https://id.example/token",
                "default_scopes": ["a"],
                "authorize_params": {"prompt": "consent"},
                "use_pkce": false
            }),
        )
    }

    fn provider(own: Value) -> Provider {
        let Value::Object(own) = own else { panic!("{own}") };
        let mut patch = ProviderPatch::from(own).with_preset(first());
        patch = patch.with("name", "x").with("client_id", "abc");
        let (provider, problems) =
            Provider::create(ProviderId::new(&SystemClock, &OsRandom), patch, now()).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        provider
    }

    fn now() -> jiff::Timestamp {
        SystemClock.now()
    }

    fn changes(provider: &Provider, newer: &StoredPreset) -> Vec<(String, bool, bool)> {
        let changes = provider.preset_changes(newer).into_iter();
        changes
            .map(|change| (change.setting, change.is_own, change.moves_host))
            .collect()
    }

    #[test]
    fn what_the_user_gave_wins_over_the_preset_and_shows_as_changed() {
        let made = provider(json!({"default_scopes": ["b"], "authorize_params": {"max_age": "0"}}));
        assert_eq!(made.settings.default_scopes, ["b"]);
        assert_eq!(made.settings.authorize_params.len(), 2);
        assert!(!made.settings.use_pkce);
        assert_eq!(made.changed_settings(), ["default_scopes", "authorize_params"]);
        assert!(provider(json!({})).changed_settings().is_empty());
    }

    #[test]
    fn a_newer_preset_that_says_the_same_changes_nothing() {
        let made = provider(json!({}));
        let mut same = first();
        same.version = "2027-01-01".to_owned();
        assert!(made.preset_changes(&same).is_empty());
        let after = made.with_newer_preset(&same, &BTreeSet::new());
        assert_eq!(after.preset.unwrap().version, "2027-01-01");
    }

    #[test]
    fn changes_tell_what_is_the_users_own_and_which_endpoint_moves_to_another_host() {
        let made = provider(json!({"default_scopes": ["b"]}));
        let newer = preset(
            "2027-01-01",
            json!({
                "authorization_endpoint": "https://id.example/authorize",
                "token_endpoint": "https://tokens.example/token",
                "default_scopes": ["a", "c"],
                "authorize_params": {"prompt": "consent"},
            }),
        );
        assert_eq!(
            changes(&made, &newer),
            [
                ("authorization_endpoint".to_owned(), false, false),
                ("default_scopes".to_owned(), true, false),
                ("token_endpoint".to_owned(), false, true),
                ("use_pkce".to_owned(), false, false),
            ]
        );
        let decided: BTreeSet<String> = ["default_scopes", "use_pkce"].map(str::to_owned).into();
        let after = made.with_newer_preset(&newer, &decided);
        assert_eq!(after.preset.as_ref().unwrap().version, "2026-11-29");
        assert_eq!(
            changes(&after, &newer),
            [
                ("authorization_endpoint".to_owned(), false, false),
                ("token_endpoint".to_owned(), false, true)
            ]
        );
        let rest: BTreeSet<String> = ["authorization_endpoint", "token_endpoint"]
            .map(str::to_owned)
            .into();
        let after = after.with_newer_preset(&newer, &rest);
        assert_eq!(after.preset.as_ref().unwrap().version, "2027-01-01");
        assert!(after.changed_settings().contains(&"use_pkce".to_owned()));
    }
}
