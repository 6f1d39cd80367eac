//! The presets: what is known of providers, one file each in `data/`.
//!
//! What must never be true of this crate: that a program which asks for no preset reads or keeps anything of them; that
//! the value of a variable changes anything of an address but the place of that variable; that a preset holds a secret.
#![deny(missing_docs)]

mod fill;
mod search;

pub use fill::{Filled, VariableProblems, fill, serves};
pub use search::{closest, search};

use tokenry_contract::{Preset, PresetSummary};

/// One line per preset: its name, a tabulator, and a [`PresetSummary`] as JSON. In the program's file, and read from there
/// when it is asked for.
const INDEX: &str = include_str!(concat!(env!("OUT_DIR"), "/index.jsonl"));
/// The same with each [`Preset`].
const PRESETS: &str = include_str!(concat!(env!("OUT_DIR"), "/presets.jsonl"));

/// A preset that cannot be read, which is a mistake in this program.
#[derive(Debug, thiserror::Error)]
#[error("the preset {name} of this program cannot be read: {cause}")]
pub struct Unreadable {
    name: String,
    #[source]
    cause: serde_json::Error,
}

/// The preset of this name or with this alias.
///
/// # Errors
/// When it cannot be read.
pub fn get(name: &str) -> Result<Option<Preset>, Unreadable> {
    let found = match line(PRESETS, name) {
        Some(json) => Some((name.to_owned(), json)),
        None => search::with_alias(name)?.and_then(|name| line(PRESETS, &name).map(|json| (name, json))),
    };
    found.map(|(name, json)| read(&name, json)).transpose()
}

/// The version of the preset of this name.
pub fn version(name: &str) -> Option<String> {
    let summary: PresetSummary = read(name, line(INDEX, name)?).ok()?;
    Some(summary.version)
}

/// All presets as lists show them, by name.
///
/// # Errors
/// When one cannot be read.
pub fn list() -> Result<Vec<PresetSummary>, Unreadable> {
    lines(INDEX).map(|(name, json)| read(name, json)).collect()
}

fn lines(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    text.lines().filter_map(|line| line.split_once('\t'))
}

fn line(text: &'static str, wanted: &str) -> Option<&'static str> {
    lines(text)
        .find(|(name, _)| *name == wanted)
        .map(|(_, json)| json)
}

fn read<T: serde::de::DeserializeOwned>(name: &str, json: &str) -> Result<T, Unreadable> {
    serde_json::from_str(json).map_err(|cause| Unreadable {
        name: name.to_owned(),
        cause,
    })
}
