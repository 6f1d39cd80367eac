//! Finding presets by words of their names, aliases and categories.

use crate::{Unreadable, list};
use tokenry_contract::{CatalogQuery, PresetSummary};

/// The presets that a query asks for, the best matches first. Where none matches, those with similar names.
///
/// # Errors
/// When a preset cannot be read.
pub fn search(query: &CatalogQuery) -> Result<Vec<PresetSummary>, Unreadable> {
    let wanted = query.q.as_deref().unwrap_or_default().trim().to_lowercase();
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let mut all = list()?;
    if let Some(category) = &query.category {
        all.retain(|preset| preset.category == *category);
    }
    let mut found: Vec<(usize, &PresetSummary)> = all
        .iter()
        .filter_map(|preset| Some((rank(preset, &wanted, &words)?, preset)))
        .collect();
    if found.is_empty() {
        let similar = similar(&wanted, &all);
        return Ok(similar.into_iter().cloned().collect());
    }
    found.sort_by_key(|(rank, preset)| (*rank, preset.display_name.to_lowercase()));
    Ok(found.into_iter().map(|(_, preset)| preset.clone()).collect())
}

/// The names of up to three presets whose name or alias is similar to this one.
///
/// # Errors
/// When a preset cannot be read.
pub fn closest(name: &str) -> Result<Vec<String>, Unreadable> {
    let all = list()?;
    let similar = similar(&name.to_lowercase(), &all);
    Ok(similar.into_iter().map(|preset| preset.name.clone()).collect())
}

/// The name of the preset with this alias.
pub(crate) fn with_alias(alias: &str) -> Result<Option<String>, Unreadable> {
    let found = list()?
        .into_iter()
        .find(|preset| preset.aliases.iter().any(|one| one == alias));
    Ok(found.map(|preset| preset.name))
}

/// How well a preset matches, 0 being best. Every word has to be found in it.
fn rank(preset: &PresetSummary, wanted: &str, words: &[&str]) -> Option<usize> {
    let display_name = preset.display_name.to_lowercase();
    let names = || std::iter::once(&preset.name).chain(&preset.aliases);
    if names().any(|name| name == wanted) || display_name == wanted {
        return Some(0);
    }
    if names().any(|name| name.starts_with(wanted)) || display_name.starts_with(wanted) {
        return Some(1);
    }
    let worst = words.iter().map(|word| {
        let begins = |text: &str| {
            text.split(|c: char| !c.is_alphanumeric())
                .any(|part| part.starts_with(word))
        };
        if begins(&display_name) || names().any(|name| begins(name)) {
            Some(2)
        } else if display_name.contains(word) || names().any(|name| name.contains(word)) {
            Some(3)
        } else {
            preset.category.contains(word).then_some(4)
        }
    });
    worst.collect::<Option<Vec<_>>>()?.into_iter().max()
}

fn similar<'a>(wanted: &str, all: &'a [PresetSummary]) -> Vec<&'a PresetSummary> {
    let names = |preset: &'a PresetSummary| {
        std::iter::once(preset.name.as_str()).chain(preset.aliases.iter().map(String::as_str))
    };
    let close = tokenry_contract::closest(wanted, all.iter().flat_map(names));
    let mut found: Vec<&PresetSummary> = Vec::new();
    for name in close {
        let preset = all.iter().find(|preset| names(preset).any(|one| one == name));
        if let Some(preset) = preset.filter(|preset| !found.contains(preset)) {
            found.push(preset);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn names(q: &str) -> Vec<String> {
        let query = CatalogQuery {
            q: Some(q.to_owned()),
            category: None,
        };
        search(&query)
            .unwrap()
            .into_iter()
            .map(|preset| preset.name)
            .collect()
    }

    #[test]
    fn a_preset_is_found_by_name_alias_display_name_category_and_slip() {
        for (q, first) in [
            ("github", "github"),
            ("GitHub", "github"),
            ("hugging face", "huggingface"),
            ("  entra ", "microsoft"),
            ("azure ad", "microsoft"),
            ("twitter", "x-twitter"),
            ("githbu", "github"),
            ("spotfy", "spotify"),
            ("jira", "jira"),
            ("codeberg", "codeberg"),
        ] {
            assert_eq!(names(q).first().map(String::as_str), Some(first), "{q}");
        }
        assert!(names("identity").len() > 10);
        assert_eq!(names("").len(), list().unwrap().len());
        assert!(names("nothing is called so").is_empty());
    }

    #[test]
    fn a_category_limits_what_is_found() {
        let query = CatalogQuery {
            q: Some("git".to_owned()),
            category: Some("dev-tools".to_owned()),
        };
        let found = search(&query).unwrap();
        assert!(!found.is_empty() && found.iter().all(|preset| preset.category == "dev-tools"));
    }

    /// While the user types. The limit is for a debug build on a busy machine, too.
    #[test]
    fn a_search_over_all_presets_takes_a_moment_only() {
        let begin = Instant::now();
        for q in ["g", "gi", "git", "gith", "githu"] {
            assert!(!names(q).is_empty());
        }
        let each = begin.elapsed() / 5;
        assert!(each < Duration::from_millis(50), "{each:?}");
        assert!(names(&"x".repeat(1_000_000)).is_empty());
    }
}
