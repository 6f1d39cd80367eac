//! `tokenry provider update`: follows newer presets, after showing what they change.

use super::provider_fields::wrong;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::names::{self, Kind};
use crate::output::{Colour, Output};
use crate::secret_input;
use crate::table::{Cell, table};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use tokenry_contract::{ApplyPreset, OAuthProvider, PresetChange, PresetUpdate, setting_text};

/// All providers with a newer preset, or the one of this name.
pub(crate) fn run(name: Option<&str>, yes: bool, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let providers: Vec<OAuthProvider> = match name {
        Some(name) => vec![
            engine
                .get(&["v1", "oauth-providers", name])
                .map_err(|failure| names::explain(failure, engine, Kind::Provider, name))?,
        ],
        None => engine.get(&["v1", "oauth-providers"])?,
    };
    let is_newer =
        |provider: &&OAuthProvider| provider.preset.as_ref().is_some_and(|one| one.newer.is_some());
    let newer: Vec<&OAuthProvider> = providers.iter().filter(is_newer).collect();
    if newer.is_empty() {
        output.say("No provider has a newer preset.");
    }
    let mut after = Vec::new();
    for provider in newer {
        after.push(follow(provider, yes, engine, output)?);
    }
    output.data(&after, |_| String::new())
}

/// A hint for the providers that have a newer preset.
pub(super) fn hint(providers: &[OAuthProvider], output: &Output) {
    for provider in providers {
        let newer = provider.preset.as_ref().and_then(|preset| preset.newer.as_ref());
        if let Some(newer) = newer {
            output.say(&format!(
                "{0} has a newer preset ({newer}). `tokenry provider update {0}` shows what it changes.",
                provider.name
            ));
        }
    }
}

fn follow(
    provider: &OAuthProvider,
    yes: bool,
    engine: &Engine,
    output: &Output,
) -> Result<OAuthProvider, Failure> {
    let id = provider.id.to_string();
    let segments = ["v1", "oauth-providers", &id, "preset"];
    let update: PresetUpdate = engine.get(&segments)?;
    if !update.variables.is_empty() {
        let names: Vec<_> = update.variables.iter().map(|one| one.label.as_str()).collect();
        return Err(wrong(
            &format!("The newer preset of {} needs {}", provider.name, names.join(", ")),
            "Add the provider again, or edit it by hand.",
        ));
    }
    show(provider, &update, output);
    let asks = io::stdin().is_terminal() && !output.is_json();
    if !asks && !yes {
        return Err(wrong(
            &format!("{} was not changed", provider.name),
            "Run it at a terminal, or accept with `--yes` what moves no endpoint to another host.",
        ));
    }
    let answers = Answers::of(&update.changes, asks && !yes, output)?;
    let send = |accept: Vec<String>, keep: Vec<String>| {
        let answer = ApplyPreset {
            version: update.to.clone(),
            accept,
            keep,
            variables: BTreeMap::new(),
        };
        engine.send_body::<OAuthProvider>(Method::Post, &segments, answer)
    };
    // The engine takes a move to another host only on its own.
    for name in answers.moves {
        send(vec![name], Vec::new())?;
    }
    let after = send(answers.accept, answers.keep)?;
    let version = after.preset.as_ref().map_or("", |preset| &preset.version);
    output.say(&format!("{} follows the preset of {version}.", provider.name));
    Ok(after)
}

fn show(provider: &OAuthProvider, update: &PresetUpdate, output: &Output) {
    output.say(&format!(
        "{}: the preset {} of {} became one of {}.",
        provider.name, update.name, update.from, update.to
    ));
    if output.is_json() || update.changes.is_empty() {
        return;
    }
    let text = |value: &Value| setting_text(value).unwrap_or_else(|| "–".to_owned());
    let row = |change: &PresetChange| -> Vec<Cell> {
        let note = match (change.moves_host, change.is_own) {
            (true, _) => Cell::coloured("moves to another host", Colour::Bad),
            (false, true) => Cell::coloured("you changed it: stays", Colour::Busy),
            (false, false) => Cell::from(""),
        };
        vec![
            Cell::from(change.setting.replace('_', " ")),
            Cell::from(text(&change.from)),
            Cell::from(text(&change.to)),
            note,
        ]
    };
    let rows = update.changes.iter().map(row).collect();
    let style = crate::output::Style { colour: false };
    crate::output::write_err(&table(&["SETTING", "NOW", "NEW", ""], rows, style));
}

/// What becomes of each change.
#[derive(Debug, Default, PartialEq)]
struct Answers {
    accept: Vec<String>,
    moves: Vec<String>,
    keep: Vec<String>,
}

impl Answers {
    /// Asks once about the plain changes, and about each move to another host on its own. Without a question the plain ones
    /// are accepted, and everything else stays.
    fn of(changes: &[PresetChange], asks: bool, output: &Output) -> Result<Self, Failure> {
        let mut answers = Self::default();
        let plain = changes
            .iter()
            .filter(|one| !one.moves_host && !one.is_own)
            .count();
        let follows = plain == 0 || !asks || confirmed(&format!("Follow {plain} of these changes? [y/N] "))?;
        for change in changes {
            let name = change.setting.clone();
            if change.is_own || (!change.moves_host && !follows) {
                answers.keep.push(name);
            } else if !change.moves_host {
                answers.accept.push(name);
            } else if asks && confirmed(&moved(change))? {
                answers.moves.push(name);
            } else {
                output.say(&format!(
                    "{} stays where it is.",
                    change.setting.replace('_', " ")
                ));
                answers.keep.push(name);
            }
        }
        Ok(answers)
    }
}

fn moved(change: &PresetChange) -> String {
    let host = |value: &Value| super::show::host(value.as_str().unwrap_or_default()).to_owned();
    format!(
        "Move the {} from {} to {}? Codes and tokens will go there. [y/N] ",
        change.setting.replace('_', " "),
        host(&change.from),
        host(&change.to)
    )
}

fn confirmed(question: &str) -> Result<bool, Failure> {
    let line = secret_input::shown_line(&tokenry_contract::sanitize_for_display(question))?;
    let line = line.as_ref().map_or("", |line| line.trim());
    Ok(["y", "yes"].contains(&line.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(setting: &str, is_own: bool, moves_host: bool) -> PresetChange {
        PresetChange {
            setting: setting.to_owned(),
            from: json!("https://a.example/x"),
            to: json!("https://b.example/x"),
            is_own,
            moves_host,
        }
    }

    #[test]
    fn without_a_question_only_plain_changes_are_accepted() {
        let changes = [
            change("use_pkce", false, false),
            change("default_scopes", true, false),
            change("token_endpoint", false, true),
        ];
        let answers = Answers::of(&changes, false, &Output::new(false)).unwrap();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            answers,
            Answers {
                accept: names(&["use_pkce"]),
                moves: names(&[]),
                keep: names(&["default_scopes", "token_endpoint"]),
            }
        );
    }

    #[test]
    fn a_move_is_told_with_both_hosts() {
        let question = moved(&change("token_endpoint", false, true));
        assert!(
            question.contains("token endpoint from a.example to b.example"),
            "{question}"
        );
    }
}
