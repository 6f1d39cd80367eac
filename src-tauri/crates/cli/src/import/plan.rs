//! What an import would do beside what is here: what is new, what is the same, and whose name is taken.

use super::{Found, Item, What};
use crate::output::{Colour, Style};
use crate::table::{Cell, table};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use tokenry_contract::{Credential, OAuthProvider};

/// The names that are here already.
pub(super) struct Here {
    pub(super) providers: Vec<OAuthProvider>,
    pub(super) credentials: Vec<Credential>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    New,
    /// It is here already, and stays as it is.
    Same,
    /// Another one has its name, so it gets another name.
    NameTaken,
}

/// One item, and what becomes of it.
#[derive(Serialize)]
pub(super) struct Planned {
    pub(super) kind: &'static str,
    /// The name that it gets here.
    pub(super) name: String,
    pub(super) state: State,
    pub(super) from: String,
    /// Why it was not imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(skip)]
    pub(super) what: What,
}

/// Gives each item a name of ours that nothing has yet.
pub(super) fn plan(found: &mut Found, here: &Here) -> Vec<Planned> {
    let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let mut providers = names(
        here.providers
            .iter()
            .map(|provider| provider.name.as_str())
            .collect(),
    );
    let mut credentials = names(
        here.credentials
            .iter()
            .map(|credential| credential.name.as_str())
            .collect(),
    );
    let items = std::mem::take(&mut found.items);
    items
        .into_iter()
        .map(|item| match &item.what {
            What::Provider { .. } => {
                planned(item, "provider", &mut providers, |item| same_provider(item, here))
            }
            // Their values are not compared: to read one needs the user's consent.
            What::Token { .. } => planned(item, "credential", &mut credentials, |item| {
                let name = kebab(&item.name);
                here.credentials
                    .iter()
                    .any(|credential| credential.name == name)
                    .then_some(name)
            }),
        })
        .collect()
}

fn planned(
    item: Item,
    kind: &'static str,
    taken: &mut BTreeSet<String>,
    same: impl Fn(&Item) -> Option<String>,
) -> Planned {
    let wanted = kebab(&item.name);
    let (name, state) = match same(&item) {
        Some(name) => (name, State::Same),
        None if !taken.contains(&wanted) => (wanted, State::New),
        None => (free(&wanted, taken), State::NameTaken),
    };
    taken.insert(name.clone());
    Planned {
        kind,
        name,
        state,
        from: item.place,
        error: None,
        what: item.what,
    }
}

/// The provider that is here with the same client at the same server.
fn same_provider(item: &Item, here: &Here) -> Option<String> {
    let What::Provider { settings, .. } = &item.what else {
        return None;
    };
    let text = |name: &str| {
        settings
            .get(name)
            .and_then(Value::as_str)
            .map(|text| text.trim_end_matches('/'))
    };
    let same = |ours: Option<&str>, name: &str| {
        text(name).is_none_or(|theirs| ours.map(|ours| ours.trim_end_matches('/')) == Some(theirs))
    };
    let mut providers = here.providers.iter();
    let found = providers.find(|provider| {
        let ours = &provider.settings;
        text("client_id") == Some(ours.client_id.trim_end_matches('/'))
            && same(ours.token_endpoint.as_deref(), "token_endpoint")
            && same(ours.authorization_endpoint.as_deref(), "authorization_endpoint")
            && same(ours.issuer.as_deref(), "issuer")
    });
    found.map(|provider| provider.name.clone())
}

/// A kebab-case name of at most 56 letters, so that a number fits behind it.
fn kebab(text: &str) -> String {
    let mut name = String::new();
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' => name.push(letter),
            _ if name.ends_with('-') || name.is_empty() => {}
            _ => name.push('-'),
        }
        if name.len() >= 56 {
            break;
        }
    }
    let name = name.trim_end_matches('-');
    match name.starts_with(|c: char| c.is_ascii_lowercase()) {
        true => name.to_owned(),
        false => format!("imported-{name}").trim_end_matches('-').to_owned(),
    }
}

fn free(name: &str, taken: &BTreeSet<String>) -> String {
    let mut numbered = (2..).map(|number: u64| format!("{name}-{number}"));
    numbered.find(|name| !taken.contains(name)).unwrap_or_default()
}

/// The plan as a table.
pub(super) fn text(plan: &[Planned], style: Style) -> String {
    let row = |item: &Planned| -> Vec<Cell> {
        let (word, colour) = match item.state {
            State::New => ("new", Colour::Good),
            State::Same => ("is here already", Colour::Dim),
            State::NameTaken => ("new; its name is taken", Colour::Busy),
        };
        vec![
            Cell::from(item.kind),
            Cell::from(&item.name),
            Cell::coloured(word, colour),
            Cell::from(&item.from),
        ]
    };
    match plan.is_empty() {
        true => String::new(),
        false => table(
            &["WHAT", "NAME", "STATE", "FROM"],
            plan.iter().map(row).collect(),
            style,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn provider(name: &str, client_id: &str, token: &str) -> Item {
        let Value::Object(settings) = json!({"client_id": client_id, "token_endpoint": token}) else {
            unreachable!()
        };
        Item {
            name: name.to_owned(),
            place: "file:1".to_owned(),
            what: What::Provider {
                settings,
                client_secret: None,
            },
        }
    }

    #[test]
    fn what_is_here_stays_and_a_taken_name_gets_a_number() {
        let ours = json!({
            "id": "01930000-0000-7000-8000-000000000001", "name": "mail", "project": "default", "client_id": "c1",
            "token_endpoint": "https://a.example/token", "has_client_secret": false, "redirect_uris": [],
            "created_at": "2027-01-01T08:00:00Z", "updated_at": "2027-01-01T08:00:00Z",
        });
        let here = Here {
            providers: vec![serde_json::from_value(ours).unwrap()],
            credentials: Vec::new(),
        };
        let mut found = Found {
            items: vec![
                provider("other name", "c1", "https://a.example/token/"),
                provider("Mail", "c2", "https://a.example/token"),
                provider("mail", "c3", "https://a.example/token"),
                provider("new", "c4", "https://b.example/token"),
                Item {
                    name: "gh-github.com".to_owned(),
                    place: "hosts.yml:2".to_owned(),
                    what: What::Token {
                        value: "x".to_owned().into(),
                        expires_at: None,
                    },
                },
            ],
            ..Found::default()
        };
        let plan = plan(&mut found, &here);
        let shown: Vec<_> = plan.iter().map(|item| (item.name.as_str(), item.state)).collect();
        assert_eq!(
            shown,
            [
                ("mail", State::Same),
                ("mail-2", State::NameTaken),
                ("mail-3", State::NameTaken),
                ("new", State::New),
                ("gh-github-com", State::New),
            ]
        );
    }

    #[test]
    fn any_text_becomes_a_name_of_ours() {
        for (text, name) in [
            ("Work Mail", "work-mail"),
            ("gitlab.example.com:8443/x", "gitlab-example-com-8443-x"),
            ("9lives", "imported-9lives"),
            ("--", "imported"),
            ("ÄÖ", "imported"),
            ("a--b-", "a-b"),
        ] {
            assert_eq!(kebab(text), name);
        }
        assert_eq!(kebab(&"x".repeat(500)).len(), 56);
    }
}
