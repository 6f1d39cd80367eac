//! The details of one object as text.

use crate::output::{Colour, Output, Style};
use crate::table::{Cell, facts};
use crate::time::{both, minute};
use jiff::Timestamp;
use serde::Serialize;
use tokenry_contract::{Connection, ConnectionStatus, OAuthProvider, setting_text};

/// The name of an enum value, with spaces between its words.
pub(super) fn words<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word.replace('_', " "),
        _ => String::new(),
    }
}

/// The host of a URL, and its port.
pub(super) fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// The status with its reason, coloured.
pub(super) fn status_cell(connection: &Connection) -> Cell {
    let colour = match connection.status {
        ConnectionStatus::Active if connection.trouble.is_none() => Colour::Good,
        ConnectionStatus::NeedsReauth => Colour::Bad,
        ConnectionStatus::Paused => Colour::Dim,
        _ => Colour::Busy,
    };
    let mut text = words(&connection.status);
    if connection.status == ConnectionStatus::Expiring
        && let Some(end) = connection.sign_in_again_before
    {
        text = format!("expiring: sign in again before {}", minute(end));
    } else if let Some(reason) = &connection.reason {
        text += &format!(" ({})", words(reason));
    } else if connection.trouble.is_some() {
        text += " (in trouble)";
    }
    Cell::coloured(&text, colour)
}

/// Prints each connection's notice.
pub(super) fn notices(connections: &[Connection], output: &Output) {
    for connection in connections {
        if let Some(notice) = &connection.notice {
            output.say(&format!("{}: {notice}", connection.name));
        }
    }
}

pub(super) fn connection(connection: &Connection, now: Timestamp, style: Style) -> String {
    let when = |at: Option<Timestamp>| Cell::from(at.map_or(String::new(), |at| both(at, now)));
    let trouble = connection.trouble.as_ref();
    let identity = connection.account.as_ref();
    let list = vec![
        ("name", Cell::from(&connection.name)),
        ("provider", Cell::from(&connection.provider_name)),
        ("status", status_cell(connection)),
        (
            "trouble",
            Cell::from(trouble.map_or("", |trouble| &trouble.message)),
        ),
        ("since", when(trouble.map(|trouble| trouble.at))),
        ("next try", when(trouble.and_then(|trouble| trouble.next_try_at))),
        (
            "account",
            Cell::from(identity.map_or("", |account| &account.display_name)),
        ),
        (
            "subject",
            Cell::from(identity.map_or("", |account| &account.subject)),
        ),
        ("scopes", Cell::from(scopes(connection))),
        ("kept values", Cell::from(connection.captured.join(" "))),
        (
            "notice",
            Cell::from(connection.notice.as_deref().unwrap_or_default()),
        ),
        ("expires", when(connection.expires_at)),
        (
            "refreshes",
            if connection.refreshable {
                when(connection.refresh_at)
            } else {
                "never".into()
            },
        ),
        ("sign in again before", when(connection.sign_in_again_before)),
        ("refreshed", when(connection.last_refreshed_at)),
        ("used", when(connection.last_used_at)),
        ("connected", when(Some(connection.created_at))),
        ("id", Cell::from(connection.id.to_string())),
    ];
    facts(list, style)
}

/// The scopes; or, where the provider granted others than were requested, both.
fn scopes(connection: &Connection) -> String {
    let (requested, granted) = (&connection.requested_scopes, &connection.scopes);
    let has_all = |all: &[String], some: &[String]| some.iter().all(|scope| all.contains(scope));
    let is_pending = connection.status == ConnectionStatus::Pending;
    if is_pending || (has_all(granted, requested) && has_all(requested, granted)) {
        return granted.join(" ");
    }
    let list = |scopes: &[String]| match scopes {
        [] => "none".to_owned(),
        scopes => scopes.join(" "),
    };
    format!("requested: {}; granted: {}", list(requested), list(granted))
}

pub(super) fn provider(provider: &OAuthProvider, now: Timestamp, style: Style) -> String {
    let secret = if provider.has_client_secret {
        "stored, not shown"
    } else {
        "none"
    };
    let mut list = vec![
        ("name".to_owned(), Cell::from(&provider.name)),
        ("project".to_owned(), Cell::from(&provider.project)),
    ];
    for (setting, value) in provider.settings.members() {
        let text = setting_text(&value).unwrap_or_default();
        let is_blank = !text.is_empty() && text.trim().is_empty();
        let text = if is_blank { format!("{text:?}") } else { text };
        list.push((setting.replace('_', " "), Cell::from(text)));
    }
    if provider.self_registered {
        list.push(("client".to_owned(), Cell::from("registered by Tokenry itself")));
    }
    list.extend([
        ("client secret".to_owned(), Cell::from(secret)),
        (
            "redirect URIs".to_owned(),
            Cell::from(provider.redirect_uris.join(" ")),
        ),
        ("preset".to_owned(), Cell::from(preset(provider))),
        ("changed".to_owned(), Cell::from(both(provider.updated_at, now))),
        ("id".to_owned(), Cell::from(provider.id.to_string())),
    ]);
    facts(list, style)
}

/// The preset that a provider was made of, and what was changed since.
fn preset(provider: &OAuthProvider) -> String {
    let Some(preset) = &provider.preset else {
        return String::new();
    };
    let made = format!("{} of {}", preset.name, preset.version);
    if preset.changed.is_empty() {
        return made;
    }
    let changed: Vec<_> = preset.changed.iter().map(|name| name.replace('_', " ")).collect();
    format!("{made}; changed since: {}", changed.join(", "))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn connection() -> Connection {
        serde_json::from_value(json!({
            "id": "01900000-0000-7000-8000-000000000001", "name": "github",
            "provider_id": "01900000-0000-7000-8000-000000000002", "provider_name": "github", "label": null,
            "account": {"display_name": "alice@example.com", "subject": "1", "name": "Alice", "email": "alice@example.com"}, "status": "active",
            "reason": null, "trouble": null, "scopes": ["repo", "user"],
            "requested_scopes": ["repo", "user"], "missing_scopes": [], "notice": null,
            "expires_at": "2027-01-15T08:52:00Z", "refresh_at": "2027-01-15T08:40:00Z", "refreshable": true,
            "last_refreshed_at": "2027-01-15T07:52:00Z", "last_used_at": "2027-01-15T07:59:30Z",
            "flow_id": null, "created_at": "2027-01-10T08:00:00Z", "updated_at": "2027-01-15T07:52:00Z"
        }))
        .unwrap()
    }

    #[test]
    fn a_connection_says_what_it_has_and_leaves_out_what_it_has_not() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let text = super::connection(&connection(), now, Style { colour: false });
        assert!(
            text.contains("expires    in 52 min (2027-01-15T08:52:00Z)\n"),
            "{text}"
        );
        assert!(text.contains("account    alice@example.com\n"), "{text}");
        assert!(
            !text.contains("trouble") && !text.contains("not granted"),
            "{text}"
        );
    }

    #[test]
    fn a_reason_and_a_trouble_stand_beside_the_status() {
        let mut broken = connection();
        broken.status = ConnectionStatus::NeedsReauth;
        broken.reason = Some(tokenry_contract::ReauthReason::LostResponse);
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let text = super::connection(&broken, now, Style { colour: true });
        assert!(
            text.contains("\u{1b}[31mneeds reauth (lost response)\u{1b}[0m"),
            "{text}"
        );
    }

    #[test]
    fn scopes_that_were_not_granted_as_requested_are_shown_beside_those_that_were() {
        for (requested, granted, text) in [
            (vec!["user", "repo"], vec!["repo", "user"], "repo user"),
            (vec![], vec![], ""),
            (
                vec!["repo", "user"],
                vec!["user"],
                "requested: repo user; granted: user",
            ),
            (
                vec!["user"],
                vec!["repo", "user"],
                "requested: user; granted: repo user",
            ),
            (vec!["user"], vec!["mail"], "requested: user; granted: mail"),
            (vec!["user"], vec![], "requested: user; granted: none"),
            (vec![], vec!["user"], "requested: none; granted: user"),
        ] {
            let mut shown = connection();
            shown.requested_scopes = requested.iter().map(ToString::to_string).collect();
            shown.scopes = granted.iter().map(ToString::to_string).collect();
            assert_eq!(scopes(&shown), text);
        }
    }

    #[test]
    fn a_sign_in_that_ends_soon_says_until_when() {
        let mut expiring = connection();
        expiring.status = ConnectionStatus::Expiring;
        expiring.sign_in_again_before = Some("2027-01-15T12:00:00Z".parse().unwrap());
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let text = super::connection(&expiring, now, Style { colour: false });
        assert!(
            text.contains("expiring: sign in again before Fri 2027-01-15 12:00 UTC"),
            "{text}"
        );
        assert!(
            text.contains("sign in again before  in 4 h (2027-01-15T12:00:00Z)\n"),
            "{text}"
        );
    }

    #[test]
    fn the_host_of_an_address_is_what_a_person_looks_for() {
        assert_eq!(host("https://github.com/login?x"), "github.com");
        assert_eq!(host("http://127.0.0.1:8080"), "127.0.0.1:8080");
        assert_eq!(host("nothing"), "nothing");
    }
}
