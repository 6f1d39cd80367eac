//! What a request changes, field by field: shown in the question, and part of what a yes is good for.

pub use tokenry_core::PromptChangeKind as ChangeKind;
use tokenry_core::{Secret, clean};

/// More rows than this are only counted.
const MAX_ROWS: usize = 64;
/// So many names are listed in a question; the rest is counted.
const MAX_NAMES: usize = 12;
/// Two long values are shown from this many characters before they differ.
const CONTEXT: usize = 20;

/// One field that a request changes, as the question shows it. Texts are cleaned and cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The field, as the API calls it.
    pub field: String,
    /// What happens to it.
    pub kind: ChangeKind,
    /// Its value before; `None` where it had none, and for a secret.
    pub from: Option<String>,
    /// Its value after; `None` where it has none, and for a secret.
    pub to: Option<String>,
}

/// A value, as far as a question has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    /// The keyed hash of a secret: two secrets are two questions, and none is kept here.
    Secret([u8; 32]),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Difference {
    field: String,
    from: Option<Value>,
    to: Option<Value>,
    is_decisive: bool,
}

impl Difference {
    fn shown(&self) -> FieldChange {
        let (from, to) = match (&self.from, &self.to) {
            (Some(Value::Text(from)), Some(Value::Text(to))) => {
                let (from, to) = told_apart(from, to);
                (Some(from), Some(to))
            }
            (from, to) => (text(from.as_ref()), text(to.as_ref())),
        };
        FieldChange {
            field: clean(&self.field),
            kind: match (&self.from, &self.to) {
                (None, _) => ChangeKind::Set,
                (_, None) => ChangeKind::Removed,
                _ => ChangeKind::Changed,
            },
            from,
            to,
        }
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::Text(text)) => Some(clean(text)),
        Some(Value::Secret(_)) | None => None,
    }
}

/// Two values that differ also look different: from where they part, and with what is hidden written out.
fn told_apart(from: &str, to: &str) -> (String, String) {
    let (before, after) = (clean(from), clean(to));
    if before != after {
        return (before, after);
    }
    let common = from.chars().zip(to.chars()).take_while(|(a, b)| a == b).count();
    let skipped = common.saturating_sub(CONTEXT);
    let rest = |text: &str| {
        let rest: String = text.chars().skip(skipped).flat_map(char::escape_debug).collect();
        clean(&format!("…{rest}"))
    };
    (rest(from), rest(to))
}

/// The fields that a request changes. Those that stay as they are, are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Differences(Vec<Difference>);

impl Differences {
    /// A field of no consequence for where secrets go.
    pub(crate) fn text(&mut self, field: &str, from: Option<String>, to: Option<String>) {
        self.add(field, from.map(Value::Text), to.map(Value::Text), false);
    }

    /// A field that decides where secrets go, or how they are protected.
    pub(crate) fn decisive(&mut self, field: &str, from: Option<String>, to: Option<String>) {
        self.add(field, from.map(Value::Text), to.map(Value::Text), true);
    }

    /// A secret, of which only a keyed hash is known here. It decides, too.
    pub(crate) fn secret(&mut self, field: &str, from: Option<[u8; 32]>, to: Option<[u8; 32]>) {
        self.add(field, from.map(Value::Secret), to.map(Value::Secret), true);
    }

    fn add(&mut self, field: &str, from: Option<Value>, to: Option<Value>, is_decisive: bool) {
        if from != to {
            let field = field.to_owned();
            self.0.push(Difference {
                field,
                from,
                to,
                is_decisive,
            });
        }
    }

    /// Whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds those of one of several things, by its name.
    pub(crate) fn add_all(&mut self, name: &str, others: &Self) {
        self.0.extend(others.0.iter().map(|other| Difference {
            field: format!("{name}: {}", other.field),
            ..other.clone()
        }));
    }

    /// Whether one of them decides where secrets go, or how they are protected.
    pub(crate) fn are_decisive(&self) -> bool {
        self.0.iter().any(|difference| difference.is_decisive)
    }

    /// As the question shows them.
    pub(crate) fn shown(&self) -> Vec<FieldChange> {
        let mut rows: Vec<_> = self.0.iter().take(MAX_ROWS).map(Difference::shown).collect();
        if let Some(more) = self.0.len().checked_sub(MAX_ROWS).filter(|more| *more > 0) {
            rows.push(FieldChange {
                field: "…".to_owned(),
                kind: ChangeKind::Set,
                from: None,
                to: Some(format!("and {more} more")),
            });
        }
        rows
    }
}

/// The first of these names, and how many more there are.
pub(crate) fn bounded(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let all: Vec<_> = names.into_iter().collect();
    let more = all.len().saturating_sub(MAX_NAMES);
    let mut listed: Vec<_> = all.iter().take(MAX_NAMES).map(|name| clean(name)).collect();
    if more > 0 {
        listed.push(format!("and {more} more"));
    }
    listed
}

/// By which a secret is told from another one.
pub(crate) fn fingerprint(vault: &tokenry_vault::Vault, secret: Option<&Secret>) -> Option<[u8; 32]> {
    secret.map(|secret| vault.token_hash(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(from: &str, to: &str) -> FieldChange {
        let mut differences = Differences::default();
        differences.text("field", Some(from.to_owned()), Some(to.to_owned()));
        differences.shown().remove(0)
    }

    /// security.md, "Outbound": everything a provider says is cleaned and cut. Two values that differ look different.
    #[test]
    fn two_values_that_differ_never_look_the_same_in_a_question() {
        let long = "x".repeat(400);
        for (from, to) in [
            (format!("{long}a"), format!("{long}b")),
            (format!("{long}a"), long.clone()),
            ("a\u{202e}b".to_owned(), "ab".to_owned()),
            ("a\u{200b}b".to_owned(), "a\u{feff}b".to_owned()),
            ("https://a.example/1".to_owned(), "https://a.example/2".to_owned()),
        ] {
            let shown = shown(&from, &to);
            assert_ne!(shown.from, shown.to, "{from:?} {to:?}");
            for text in [shown.from, shown.to].into_iter().flatten() {
                assert!(text.chars().count() <= 201 && clean(&text) == text, "{text:?}");
            }
        }
    }

    #[test]
    fn what_stays_as_it_is_makes_no_row_and_many_rows_are_counted() {
        let mut differences = Differences::default();
        differences.text("same", Some("a".to_owned()), Some("a".to_owned()));
        differences.secret("same", Some([1; 32]), Some([1; 32]));
        assert!(differences.shown().is_empty() && !differences.are_decisive());
        for number in 0..70 {
            differences.text("field", None, Some(number.to_string()));
        }
        let rows = differences.shown();
        assert_eq!(rows.len(), MAX_ROWS + 1);
        assert_eq!(rows[MAX_ROWS].to.as_deref(), Some("and 6 more"));
        let names = bounded((0..14).map(|number| format!("n-{number}")));
        assert_eq!((names.len(), names[12].as_str()), (13, "and 2 more"));
    }

    #[test]
    fn a_secret_is_told_apart_and_never_shown() {
        let with = |to| {
            let mut differences = Differences::default();
            differences.secret("client_secret", Some([1; 32]), to);
            differences
        };
        assert_ne!(with(Some([2; 32])), with(Some([3; 32])));
        assert!(with(Some([2; 32])).are_decisive());
        let row = with(None).shown().remove(0);
        assert_eq!((row.kind, row.from, row.to), (ChangeKind::Removed, None, None));
    }
}
