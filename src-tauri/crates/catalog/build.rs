//! Writes the presets into two texts with one line per preset, its name and JSON: an index, and the presets themselves.
//! Programs contain these texts and parse only what is asked for.

use serde_json::{Map, Value, json};
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The members of a preset that a list shows.
const SUMMARY: [&str; 6] = ["name", "display_name", "aliases", "category", "version", "logo"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=data");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("no OUT_DIR")?);
    let mut files: Vec<PathBuf> = std::fs::read_dir("data")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let (mut index, mut presets) = (String::new(), String::new());
    for file in files {
        let preset = read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let summary: Map<String, Value> = SUMMARY
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), preset.get(*name)?.clone())))
            .collect();
        let name = preset.get("name").and_then(Value::as_str).unwrap_or_default();
        writeln!(index, "{name}\t{}", Value::Object(summary))?;
        writeln!(presets, "{name}\t{}", Value::Object(preset.clone()))?;
    }
    std::fs::write(out.join("index.jsonl"), index)?;
    std::fs::write(out.join("presets.jsonl"), presets)?;
    Ok(())
}

/// A preset, whose name is that of its file.
fn read(file: &Path) -> Result<Map<String, Value>, Box<dyn Error>> {
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.ok_or("the name of the file is not UTF-8")?;
    let mut preset: Map<String, Value> = toml::from_str(&std::fs::read_to_string(file)?)?;
    preset.insert("name".to_owned(), json!(stem));
    Ok(preset)
}
