//! One change of one file, which can be applied, recognized and taken back.

use crate::block::Block;
use crate::kube_user::KubeUser;
use crate::view::view;
use crate::{json, toml};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;

/// What is changed. The record of what was set up holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Edit {
    /// A member of a JSON file.
    Json {
        path: Vec<String>,
        value: Value,
        /// How many keys of the path were there before.
        #[serde(default)]
        existing: usize,
        /// The value that was there before.
        #[serde(default)]
        before: Option<Value>,
    },
    /// A value of a TOML file.
    Toml {
        path: Vec<String>,
        value: Value,
        #[serde(default)]
        existing: usize,
        #[serde(default)]
        before: Option<String>,
    },
    /// Lines at the end of a file.
    Lines(Block),
    /// A user in a kubeconfig.
    KubeUser(KubeUser),
    /// A file of its own.
    Whole { text: String },
    /// A symbolic link to `tokenry`, whose name says what it is to do.
    Link { target: PathBuf },
}

impl Edit {
    pub(crate) fn json(path: &[&str], value: Value) -> Self {
        Self::Json {
            path: path.iter().map(|&key| key.to_owned()).collect(),
            value,
            existing: 0,
            before: None,
        }
    }

    pub(crate) fn toml(path: &[&str], value: Value) -> Self {
        Self::Toml {
            path: path.iter().map(|&key| key.to_owned()).collect(),
            value,
            existing: 0,
            before: None,
        }
    }

    /// Notes what is there before the change.
    pub(crate) fn observe(&mut self, text: &str) -> Result<(), String> {
        match self {
            Self::Json {
                path,
                existing,
                before,
                ..
            } => (*before, *existing) = json::get(text, path)?,
            Self::Toml {
                path,
                existing,
                before,
                ..
            } => (*before, *existing) = toml::get(text, path)?,
            Self::Lines(block) => block.observe(text),
            Self::KubeUser(_) | Self::Whole { .. } | Self::Link { .. } => {}
        }
        Ok(())
    }

    /// The text with the change. It is the same text when the change is there.
    pub(crate) fn apply(&self, text: Option<&str>) -> Result<String, String> {
        let old = text.unwrap_or_default();
        match self {
            Self::Json { path, value, .. } => json::set(old, path, value),
            Self::Toml { path, value, .. } if toml::is(old, path, value)? => Ok(old.to_owned()),
            Self::Toml { path, value, .. } => toml::set(old, path, value),
            Self::Lines(block) => Ok(block.add(old)),
            Self::KubeUser(user) => user.add(old),
            Self::Whole { text: new } if old.is_empty() || old == new => Ok(new.clone()),
            Self::Whole { .. } => Err("exists, and Tokenry did not write it".to_owned()),
            Self::Link { .. } => Ok(old.to_owned()),
        }
    }

    /// Whether the change is in the text.
    pub(crate) fn is_in(&self, text: &str) -> Result<bool, String> {
        match self {
            Self::Json { path, value, .. } => Ok(json::get(text, path)?.0.as_ref() == Some(value)),
            Self::Toml { path, value, .. } => toml::is(text, path, value),
            Self::Lines(block) => Ok(block.is_in(text)),
            Self::KubeUser(user) => Ok(user.is_in(text)),
            Self::Whole { text: new } => Ok(text == new),
            Self::Link { .. } => Ok(true),
        }
    }

    /// The text without the change, and with what was there before it. `None` when the change is not there any more, or
    /// is no longer ours.
    pub(crate) fn undo(&self, text: &str) -> Result<Option<String>, String> {
        match self {
            Self::Json {
                path,
                value,
                existing,
                before,
            } => {
                let (now, _) = json::get(text, path)?;
                if !now.is_some_and(|now| is_ours(&now, value)) {
                    return Ok(None);
                }
                match before {
                    Some(before) => json::set(text, path, before).map(Some),
                    None => json::remove(text, path, *existing).map(Some),
                }
            }
            Self::Toml {
                path,
                value,
                existing,
                before,
            } => {
                if !toml::is(text, path, value)? {
                    return Ok(None);
                }
                match before {
                    Some(before) => toml::restore(text, path, before).map(Some),
                    None => toml::remove(text, path, *existing).map(Some),
                }
            }
            Self::Lines(block) => Ok(block.remove(text)),
            Self::KubeUser(user) => Ok(user.remove(text)),
            Self::Whole { text: ours } => Ok((text == ours).then(String::new)),
            Self::Link { .. } => Ok(None),
        }
    }

    /// Whether another change is about the same thing in a file.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Json { path: one, .. }, Self::Json { path: other, .. })
            | (Self::Toml { path: one, .. }, Self::Toml { path: other, .. }) => one == other,
            (Self::Lines(one), Self::Lines(other)) => one.heading == other.heading,
            (Self::KubeUser(one), Self::KubeUser(other)) => one.name == other.name,
            (Self::Whole { .. }, Self::Whole { .. }) | (Self::Link { .. }, Self::Link { .. }) => true,
            _ => false,
        }
    }

    /// Whether another change is the same one. Several hosts can need it: then it stays until none of them does.
    pub(crate) fn is_same_change(&self, other: &Self) -> bool {
        let is_same_value = match (self, other) {
            (Self::Json { value: one, .. }, Self::Json { value: other, .. })
            | (Self::Toml { value: one, .. }, Self::Toml { value: other, .. }) => one == other,
            (Self::Lines(one), Self::Lines(other)) => one.is_same(other),
            // A link is at one path for all tools and hosts.
            (Self::Link { .. }, Self::Link { .. }) => true,
            _ => self == other,
        };
        is_same_value && self.is_same_place(other)
    }

    /// The lines of the change in a text, marked as lines that stay.
    pub(crate) fn context(&self, text: &str) -> String {
        let Ok(Some(without)) = self.undo(text) else {
            return String::new();
        };
        let diff = view([self], &without, text);
        let lines = diff.lines().filter_map(|line| line.strip_prefix('+'));
        lines.map(|line| format!(" {line}\n")).collect()
    }

    /// The command that removes the change where Tokenry cannot.
    pub(crate) fn removal_command(&self) -> Option<String> {
        match self {
            Self::KubeUser(user) => Some(format!("kubectl config delete-user {}", user.name)),
            _ => None,
        }
    }
}

/// Whether a value is the one that was set: an entry of a server may have got further members since.
fn is_ours(now: &Value, set: &Value) -> bool {
    match (now.get("command"), set.get("command")) {
        (Some(now), Some(set)) => now == set,
        _ => now == set,
    }
}
