//! The details of one object as text.

use crate::output::{Colour, Output, Style};
use crate::table::{Cell, facts};
use crate::time::both;
use jiff::Timestamp;
use serde::Serialize;
use tokenry_contract::{Account, Connection, ConnectionStatus, NarrowingMethod, OAuthProvider, Rotation};

/// The name of an enum value, with spaces between its words.
pub(super) fn words<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word.replace('_', " "),
        _ => String::new(),
    }
}

/// The account's email address, name or subject.
pub(super) fn account(account: &Account) -> &str {
    account
        .email
        .as_ref()
        .or(account.name.as_ref())
        .unwrap_or(&account.subject)
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
    if let Some(reason) = &connection.reason {
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
        ("account", Cell::from(identity.map_or("", account))),
        (
            "subject",
            Cell::from(identity.map_or("", |account| &account.subject)),
        ),
        ("scopes", Cell::from(connection.scopes.join(" "))),
        ("not granted", Cell::from(connection.missing_scopes.join(" "))),
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
        ("refreshed", when(connection.last_refreshed_at)),
        ("used", when(connection.last_used_at)),
        ("connected", when(Some(connection.created_at))),
        ("id", Cell::from(connection.id.to_string())),
    ];
    facts(list, style)
}

pub(super) fn provider(provider: &OAuthProvider, now: Timestamp, style: Style) -> String {
    let endpoint = |endpoint: &Option<String>| Cell::from(endpoint.as_deref().unwrap_or_default());
    let yes = |yes: bool| Cell::from(if yes { "yes" } else { "no" });
    let params: Vec<String> = provider
        .authorize_params
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let list = vec![
        ("name", Cell::from(&provider.name)),
        ("display name", Cell::from(&provider.display_name)),
        ("project", Cell::from(&provider.project)),
        ("grant", Cell::from(words(&provider.grant_type))),
        ("issuer", endpoint(&provider.issuer)),
        ("issuer aliases", Cell::from(provider.issuer_aliases.join(" "))),
        (
            "authorization endpoint",
            endpoint(&provider.authorization_endpoint),
        ),
        ("token endpoint", endpoint(&provider.token_endpoint)),
        ("refresh endpoint", endpoint(&provider.refresh_endpoint)),
        ("revocation endpoint", endpoint(&provider.revocation_endpoint)),
        ("userinfo endpoint", endpoint(&provider.userinfo_endpoint)),
        ("client id", Cell::from(&provider.client_id)),
        (
            "client secret",
            Cell::from(if provider.has_client_secret {
                "kept in the vault"
            } else {
                "none"
            }),
        ),
        (
            "client authentication",
            Cell::from(words(&provider.token_endpoint_auth_method)),
        ),
        ("default scopes", Cell::from(provider.default_scopes.join(" "))),
        ("authorize parameters", Cell::from(params.join(" "))),
        ("PKCE", yes(provider.use_pkce)),
        ("redirect", Cell::from(words(&provider.redirect))),
        ("redirect URIs", Cell::from(provider.redirect_uris.join(" "))),
        (
            "iss in answers",
            yes(provider.authorization_response_iss_parameter_supported),
        ),
        ("refresh tokens", Cell::from(rotation(provider.rotation))),
        ("narrower tokens", Cell::from(narrowing(provider.narrowing))),
        ("changed", Cell::from(both(provider.updated_at, now))),
        ("id", Cell::from(provider.id.to_string())),
    ];
    facts(list, style)
}

fn rotation(rotation: Rotation) -> String {
    match rotation {
        Rotation::None => "stay good".to_owned(),
        Rotation::Grace { seconds } => format!("are replaced; the old one works for {seconds} s more"),
        Rotation::Strict => "are replaced at once".to_owned(),
        Rotation::Unknown => "unknown whether they are replaced".to_owned(),
    }
}

fn narrowing(method: NarrowingMethod) -> &'static str {
    match method {
        NarrowingMethod::Refresh => "by a refresh request",
        NarrowingMethod::Exchange => "by token exchange",
        NarrowingMethod::None => "none: the provider cannot narrow a token",
        NarrowingMethod::Unknown => "only where refresh tokens are not replaced",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn connection() -> Connection {
        serde_json::from_value(json!({
            "id": "01900000-0000-7000-8000-000000000001", "name": "github",
            "provider_id": "01900000-0000-7000-8000-000000000002", "provider_name": "github", "label": null,
            "account": {"subject": "1", "name": "Alice", "email": "alice@example.com"}, "status": "active",
            "reason": null, "trouble": null, "scopes": ["repo", "user"], "missing_scopes": [], "notice": null,
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
    fn the_host_of_an_address_is_what_a_person_looks_for() {
        assert_eq!(host("https://github.com/login?x"), "github.com");
        assert_eq!(host("http://127.0.0.1:8080"), "127.0.0.1:8080");
        assert_eq!(host("nothing"), "nothing");
    }
}
