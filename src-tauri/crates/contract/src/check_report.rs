//! What a check found: of a provider, and of an installation.

use serde::{Deserialize, Serialize};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// It could not be checked, or does not apply.
    NotChecked,
    Ok,
    /// It may cause trouble.
    Warning,
    /// It does not work.
    Problem,
}

/// One thing that was checked. Without a value that is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckedItem {
    /// What was checked, such as `token_endpoint`.
    pub name: String,
    pub result: CheckResult,
    /// What was found, in one sentence.
    pub text: String,
    /// What to do, where there is something to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl CheckedItem {
    /// An item without anything to do.
    pub fn new(name: &str, result: CheckResult, text: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            result,
            text: text.into(),
            next: None,
        }
    }

    /// An item that is as it should be.
    pub fn ok(name: &str, text: impl Into<String>) -> Self {
        Self::new(name, CheckResult::Ok, text)
    }

    /// An item that could not be checked.
    pub fn not_checked(name: &str, text: impl Into<String>) -> Self {
        Self::new(name, CheckResult::NotChecked, text)
    }

    /// An item that may cause trouble, and what to do.
    pub fn warning(name: &str, text: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            next: Some(next.into()),
            ..Self::new(name, CheckResult::Warning, text)
        }
    }

    /// An item that does not work, and what to do.
    pub fn problem(name: &str, text: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            next: Some(next.into()),
            ..Self::new(name, CheckResult::Problem, text)
        }
    }
}

/// All that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckReport {
    /// The worst of the results.
    pub result: CheckResult,
    pub checks: Vec<CheckedItem>,
}

impl From<Vec<CheckedItem>> for CheckReport {
    fn from(checks: Vec<CheckedItem>) -> Self {
        let results = checks.iter().map(|check| check.result);
        Self {
            result: results.max().unwrap_or(CheckResult::NotChecked),
            checks,
        }
    }
}

/// How to check the installation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct DoctorQuery {
    /// Ask no provider for the time.
    #[serde(default)]
    pub offline: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_is_as_bad_as_its_worst_check() {
        let report = |results: &[CheckResult]| {
            let item = |result: &CheckResult| CheckedItem::new("clock", *result, "x");
            CheckReport::from(results.iter().map(item).collect::<Vec<_>>()).result
        };
        use CheckResult::{NotChecked, Ok, Problem, Warning};
        assert_eq!(report(&[]), NotChecked);
        assert_eq!(report(&[NotChecked, Ok]), Ok);
        assert_eq!(report(&[Problem, Ok, Warning]), Problem);
        assert_eq!(
            json!([NotChecked, Ok, Warning, Problem]),
            json!(["not_checked", "ok", "warning", "problem"])
        );
    }
}
