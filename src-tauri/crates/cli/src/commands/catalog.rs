//! `tokenry catalog`: searches, lists and shows presets.

use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::{Method, Request, encoded, path};
use crate::output::{Output, Style};
use crate::provider_args::CatalogCommand;
use crate::table::{Cell, facts, table};
use tokenry_contract::{Confidence, Preset, PresetSummary, setting_text};

pub(super) fn run(command: &CatalogCommand, engine: &Engine, output: &Output) -> Result<(), Failure> {
    match command {
        CatalogCommand::Search { words } => list(Some(&words.join(" ")), None, engine, output),
        CatalogCommand::List { category } => list(None, category.as_deref(), engine, output),
        CatalogCommand::Show { name } => show(name, engine, output),
    }
}

fn list(
    words: Option<&str>,
    category: Option<&str>,
    engine: &Engine,
    output: &Output,
) -> Result<(), Failure> {
    let mut target = path(&["v1", "catalog"]);
    for (at, (name, value)) in [("q", words), ("category", category)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .enumerate()
    {
        target.push(if at == 0 { '?' } else { '&' });
        target += &format!("{name}={}", encoded(value));
    }
    let presets: Vec<PresetSummary> = engine.ask(&Request::new(Method::Get, target))?;
    if presets.is_empty() {
        output.say(
            "No preset matches. A provider can also be added by its address: `tokenry provider add ADDRESS`.",
        );
    }
    output.data(&presets, |style| preset_table(&presets, style))
}

fn preset_table(presets: &[PresetSummary], style: Style) -> String {
    if presets.is_empty() {
        return String::new();
    }
    let row = |preset: &PresetSummary| -> Vec<Cell> {
        vec![
            Cell::from(&preset.name),
            Cell::from(&preset.display_name),
            Cell::from(&preset.category),
        ]
    };
    table(
        &["NAME", "PROVIDER", "CATEGORY"],
        presets.iter().map(row).collect(),
        style,
    )
}

fn show(name: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let preset: Preset = engine.get(&["v1", "catalog", name])?;
    output.data(&preset, |style| text(&preset, style))
}

fn text(preset: &Preset, style: Style) -> String {
    let mut list = vec![
        ("name".to_owned(), Cell::from(&preset.name)),
        ("provider".to_owned(), Cell::from(&preset.display_name)),
        ("aliases".to_owned(), Cell::from(preset.aliases.join(" "))),
        ("category".to_owned(), Cell::from(&preset.category)),
        ("guide".to_owned(), Cell::from(&preset.guide)),
    ];
    let warnings = preset.warnings.iter();
    list.extend(warnings.map(|warning| ("note".to_owned(), Cell::from(warning))));
    list.extend(doubt(preset).map(|doubt| ("doubtful".to_owned(), Cell::from(doubt))));
    let field = preset.redirect_field.as_deref().unwrap_or_default();
    list.push(("redirect goes into".to_owned(), Cell::from(field)));
    for variable in &preset.variables {
        let text = format!("{}, for example {}", variable.label, variable.example);
        list.push((format!("variable {}", variable.name), Cell::from(text)));
    }
    for (setting, value) in &preset.settings {
        let text = setting_text(value).unwrap_or_default();
        list.push((setting.replace('_', " "), Cell::from(text)));
    }
    list.push(("version".to_owned(), Cell::from(&preset.version)));
    list.push(("sources".to_owned(), Cell::from(preset.sources.join("; "))));
    facts(list, style)
}

/// What to say where the facts of a preset are doubtful.
pub(super) fn doubt(preset: &Preset) -> Option<String> {
    let since = &preset.facts_from;
    if preset.confidence != Confidence::High {
        return Some(format!(
            "Not verified since {since}: compare the addresses with the provider's documentation."
        ));
    }
    if preset.unverified.is_empty() {
        return None;
    }
    let what: Vec<_> = preset
        .unverified
        .iter()
        .map(|name| name.replace('_', " "))
        .collect();
    Some(format!("Not verified since {since}: {}.", what.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn preset(confidence: &str, unverified: &[&str]) -> Preset {
        serde_json::from_value(json!({
            "name": "gitea", "display_name": "Gitea", "category": "dev-tools", "version": "2026-11-29",
            "grant_types": ["authorization_code"], "guide": "Create one.", "confidence": confidence,
            "facts_from": "2026-11", "unverified": unverified, "sources": ["docs"],
            "variables": [{"name": "host", "label": "Gitea host", "example": "git.example", "pattern": ".*"}],
            "settings": {"token_endpoint": "https://{host}/token"}
        }))
        .unwrap()
    }

    #[test]
    fn a_preset_says_what_is_doubtful() {
        assert_eq!(doubt(&preset("high", &[])), None);
        assert_eq!(
            doubt(&preset("high", &["redirect", "use_pkce"])).unwrap(),
            "Not verified since 2026-11: redirect, use pkce."
        );
        assert!(doubt(&preset("medium", &[])).unwrap().contains("2026-11"));
    }

    #[test]
    fn a_preset_is_shown_with_its_variables_and_settings() {
        let text = text(&preset("high", &[]), Style { colour: false });
        for line in [
            "provider        Gitea\n",
            "variable host   Gitea host, for example git.example\n",
            "token endpoint  https://{host}/token\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.contains("redirect goes into"), "{text}");
    }
}
