//! Presets: found, filled in for a new provider, and followed when a newer Tokenry has a newer one.

use crate::{
    Engine, Error,
    access::{consent::AccessRequest, policy::Operation},
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use tokenry_core::{
    ApplyPreset, Caller, CatalogQuery, ClientType, EventKind, GrantType, Preset, PresetChoice, PresetSummary,
    PresetUpdate, PreviewPreset, Problems, Provider, ProviderId, ProviderPatch, StoredPreset,
    TokenEndpointAuthMethod,
};

/// The member of a new provider that names its preset.
const PRESET: &str = "preset";

impl Engine {
    /// The presets that a query asks for, the best matches first.
    ///
    /// # Errors
    /// When the caller may not see providers.
    pub fn presets(&self, caller: &Caller, query: &CatalogQuery) -> Result<Vec<PresetSummary>, Error> {
        self.allow(caller, Operation::ReadProviders)?;
        tokenry_catalog::search(query).map_err(unreadable)
    }

    /// One preset, by its name or an alias.
    ///
    /// # Errors
    /// When there is none.
    pub fn preset(&self, caller: &Caller, name: &str) -> Result<Preset, Error> {
        self.allow(caller, Operation::ReadProviders)?;
        preset(name)
    }

    /// The provider that a preset would make. Nothing is kept of it.
    ///
    /// # Errors
    /// When there is no such preset, or a value of its variables is wrong.
    pub fn preview_preset(
        &self,
        caller: &Caller,
        name: &str,
        wanted: PreviewPreset,
    ) -> Result<Provider, Error> {
        self.allow(caller, Operation::ReadProviders)?;
        let preset = preset(name)?;
        let stored = stored(&preset, &wanted.variables)?;
        let mut patch = ProviderPatch::default()
            .with("name", wanted.name.unwrap_or_else(|| preset.name.clone()))
            .with_preset(stored);
        if !preset.settings.contains_key("client_id") {
            patch = patch.with("client_id", "-");
        }
        let (mut provider, mut problems) = self.previewed(patch)?;
        // Only what the caller has given can be wrong here.
        problems.retain(|field, _| field == "name");
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        if !preset.settings.contains_key("client_id") {
            provider.settings.client_id.clear();
        }
        // What is to be registered there has its ports in it.
        self.with_ports_to_come(provider)
    }

    /// How the preset that this Tokenry has differs from the one that a provider was made of.
    ///
    /// # Errors
    /// When there is no such provider, or it was made of no preset that is still there.
    pub fn preset_update(&self, caller: &Caller, reference: &str) -> Result<PresetUpdate, Error> {
        self.allow(caller, Operation::ReadProviders)?;
        let provider = self.provider_record(reference)?;
        let (preset, here) = preset_of(&provider)?;
        let variables: Vec<_> = preset
            .variables
            .iter()
            .filter(|one| one.default.is_none() && !here.variables.contains_key(&one.name))
            .cloned()
            .collect();
        // Without their values the newer settings are not known yet.
        let changes = match variables.is_empty() {
            true => provider.preset_changes(&stored(&preset, &known_variables(&preset, here))?),
            false => Vec::new(),
        };
        Ok(PresetUpdate {
            name: preset.name.clone(),
            from: here.version.clone(),
            to: preset.version,
            changes,
            variables,
        })
    }

    /// Applies the answer to the changes of a newer preset.
    ///
    /// # Errors
    /// When the preset is another than was shown, an endpoint that moves to another host does not stand alone, or the user
    /// refuses.
    pub async fn apply_preset(
        &self,
        caller: &Caller,
        reference: &str,
        answer: ApplyPreset,
    ) -> Result<Provider, Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::WriteProviders))?;
        let before = self.provider_record(reference)?;
        let (preset, here) = preset_of(&before)?;
        if preset.version != answer.version {
            return Err(Error::Conflict(
                "the preset is not the one that was shown; look at the changes again".to_owned(),
            ));
        }
        let mut variables = known_variables(&preset, here);
        variables.extend(answer.variables.clone());
        let newer = stored(&preset, &variables)?;
        let accepted = accepted(&before, &newer, &answer)?;
        let decided: BTreeSet<String> = answer.accept.iter().chain(&answer.keep).cloned().collect();
        let follow = |provider: &Provider| {
            let patch = ProviderPatch::from(accepted.clone());
            let (after, problems) = provider.changed(&patch, self.now());
            (after.with_newer_preset(&newer, &decided), problems)
        };
        let (after, problems) = follow(&before);
        let mut wanted = self.changing(&before, &after)?;
        wanted.notes.insert(
            0,
            format!("It follows the preset {} of {}.", preset.name, preset.version),
        );
        let check = async { self.can_be_kept(&after, problems, Some(&before.name)) };
        self.check_before_asking(caller, &wanted, check).await?;
        self.permit(caller, wanted).await?;
        let now = self.unchanged_since(&before)?;
        let (after, problems) = follow(&now);
        self.keep_provider(
            caller,
            after,
            problems,
            EventKind::ProviderChanged,
            Some(now.name),
        )
        .await
    }

    /// A provider that is not kept, and everything that is wrong with it.
    pub(crate) fn previewed(&self, patch: ProviderPatch) -> Result<(Provider, Problems), Error> {
        let id = ProviderId::new(&*self.inner.clock, &*self.inner.random);
        Provider::create(id, patch, self.now())
            .map_err(|_| Error::Internal("the default project has no valid name".into()))
    }
}

/// The version of the preset that this Tokenry has, if that is newer than the one that a provider has.
pub fn newer_preset(stored: &StoredPreset) -> Option<String> {
    // The versions are dates, which are ordered as texts.
    tokenry_catalog::version(&stored.name).filter(|version| *version > stored.version)
}

/// A new provider on top of the preset that it names.
pub(crate) fn filled_in(mut new: ProviderPatch) -> Result<ProviderPatch, Error> {
    let Some(value) = new.take(PRESET).filter(|value| !value.is_null()) else {
        return Ok(new);
    };
    let choice: PresetChoice = serde_json::from_value(value).map_err(|_| {
        one_problem(
            PRESET,
            "must be a name and variables, like {\"name\": \"gitea\", \"variables\": {\"host\": \"git.example\"}}",
        )
    })?;
    let preset = preset(&choice.name).map_err(|error| match error {
        Error::NotFound { next, .. } => one_problem("preset.name", format!("is no preset; {next}")),
        error => error,
    })?;
    let stored = stored(&preset, &choice.variables)?;
    if !new.gives("name") {
        new = new.with("name", preset.name.clone());
    }
    Ok(new.with_preset(stored))
}

/// A secret is asked for where the provider gives one, unless the settings say that the client has none.
pub(super) fn with_missing_secret(provider: &Provider, mut problems: Problems) -> Result<Problems, Error> {
    let Some(named) = &provider.preset else {
        return Ok(problems);
    };
    let preset = preset(&named.name)?;
    // Without a secret the method is `none` by itself; a preset with another method needs one to work.
    let says_none = preset.settings.get("token_endpoint_auth_method").is_some()
        && provider.settings.token_endpoint_auth_method == TokenEndpointAuthMethod::None;
    let is_code = provider.settings.grant_type == GrantType::AuthorizationCode;
    if preset.client_type == ClientType::Confidential
        && provider.client_secret.is_none()
        && is_code
        && !says_none
    {
        problems.entry("client_secret".to_owned()).or_insert_with(|| {
            format!(
                "is required: {} gives one with the client id",
                preset.display_name
            )
        });
    }
    Ok(problems)
}

/// The settings that the caller accepted, with their new values.
fn accepted(
    before: &Provider,
    newer: &StoredPreset,
    answer: &ApplyPreset,
) -> Result<Map<String, Value>, Error> {
    let changes: BTreeMap<_, _> = before
        .preset_changes(newer)
        .into_iter()
        .map(|change| (change.setting.clone(), change))
        .collect();
    let mut accepted = Map::new();
    for name in &answer.keep {
        if !changes.contains_key(name) || answer.accept.contains(name) {
            return Err(one_problem("keep", not_shown(name)));
        }
    }
    for name in &answer.accept {
        let change = changes
            .get(name)
            .ok_or_else(|| one_problem("accept", not_shown(name)))?;
        if change.moves_host && answer.accept.len() > 1 {
            let text = format!("{name} moves to another host, and is accepted on its own");
            return Err(one_problem("accept", text));
        }
        accepted.insert(name.clone(), replaced(&change.from, &change.to));
    }
    Ok(accepted)
}

/// A merge patch (RFC 7396) that makes `to` of `from`.
fn replaced(from: &Value, to: &Value) -> Value {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => {
            let gone = from.keys().filter(|name| !to.contains_key(*name));
            let mut patch: Map<String, Value> = gone.map(|name| (name.clone(), Value::Null)).collect();
            patch.extend(to.clone());
            Value::Object(patch)
        }
        (_, to) => to.clone(),
    }
}

fn not_shown(name: &str) -> String {
    format!("{} is not among the changes", tokenry_core::clean(name))
}

/// The preset that a provider was made of, as this Tokenry has it, and as the provider has it.
fn preset_of(provider: &Provider) -> Result<(Preset, &StoredPreset), Error> {
    let here = provider.preset.as_ref().ok_or_else(|| {
        Error::Conflict(format!(
            "{} was made of no preset, so there is nothing to follow",
            provider.name
        ))
    })?;
    Ok((preset(&here.name)?, here))
}

/// The stored values of the variables that the preset still has.
fn known_variables(preset: &Preset, here: &StoredPreset) -> BTreeMap<String, String> {
    let known = here.variables.iter();
    known
        .filter(|(name, _)| preset.variables.iter().any(|one| one.name == **name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn stored(preset: &Preset, variables: &BTreeMap<String, String>) -> Result<StoredPreset, Error> {
    let filled = tokenry_catalog::fill(preset, variables).map_err(|problems| {
        let fields = problems.into_iter();
        Error::Invalid(
            fields
                .map(|(name, wrong)| (format!("preset.variables.{}", tokenry_core::clean(&name)), wrong))
                .collect(),
        )
    })?;
    let mut settings = filled.settings;
    settings.insert("display_name".to_owned(), preset.display_name.clone().into());
    Ok(StoredPreset {
        name: preset.name.clone(),
        version: preset.version.clone(),
        variables: filled.variables,
        settings,
    })
}

fn preset(name: &str) -> Result<Preset, Error> {
    if let Some(preset) = tokenry_catalog::get(name).map_err(unreadable)? {
        return Ok(preset);
    }
    let close = tokenry_catalog::closest(name).map_err(unreadable)?;
    let close: Vec<_> = close.iter().map(|name| format!("`{name}`")).collect();
    let next = match close.as_slice() {
        [] => "search the catalog, or give all settings yourself".to_owned(),
        close => format!("did you mean {}?", close.join(" or ")),
    };
    Err(Error::not_found("preset", name, next))
}

fn one_problem(field: &str, text: impl Into<String>) -> Error {
    Error::Invalid(Problems::from([(field.to_owned(), text.into())]))
}

fn unreadable(error: tokenry_catalog::Unreadable) -> Error {
    Error::Internal(error.to_string())
}
