//! GitLab's `glab`: the tokens in `config.yml`. Tokens of a sign-in live two hours, and glab refreshes them.

use super::{Found, Item, What, yaml};
use jiff::{Timestamp, civil::DateTime};
use std::collections::BTreeMap;

/// Reads `config.yml`.
pub(super) fn read(text: &str, file: &str, now: Timestamp, found: &mut Found) {
    let (entries, wrong) = yaml::read(text);
    let hosts_end = entries
        .iter()
        .filter(|entry| entry.keys[0] == "hosts")
        .map(|entry| entry.line)
        .max();
    let hosts_start = entries
        .iter()
        .find(|entry| entry.keys == ["hosts"])
        .map(|entry| entry.line);
    for yaml::Wrong { line, text } in wrong {
        // The rest of the file is about other things.
        if hosts_start.is_some_and(|start| line > start) && hosts_end.is_some_and(|end| line <= end + 1) {
            found.unread(&format!("{file}:{line}"), text);
        }
    }
    let mut hosts: BTreeMap<&str, BTreeMap<&str, (&yaml::Entry, &str)>> = BTreeMap::new();
    for entry in &entries {
        if let ([hosts_key, host, key], Some(value)) = (entry.keys.as_slice(), &entry.value)
            && hosts_key == "hosts"
        {
            hosts.entry(host).or_default().insert(key, (entry, value));
        }
    }
    for (host, values) in hosts {
        let value = |key: &str| values.get(key).map(|(_, value)| *value);
        let Some((entry, token)) = values.get("token").filter(|(_, token)| !token.is_empty()) else {
            let line = values.values().map(|(entry, _)| entry.line).min().unwrap_or(1);
            if value("use_keyring") == Some("true") {
                let text = "its token is in the OS keyring; make a personal access token and add it with `tokenry \
                            credential add NAME --type raw`";
                found.unread(&format!("{file}:{line}"), text);
            }
            continue;
        };
        let place = format!("{file}:{}", entry.line);
        let is_oauth = value("is_oauth2") == Some("true");
        let expires_at = value("oauth2_expiry_date").and_then(date);
        if is_oauth && expires_at.is_none_or(|end| end <= now) {
            let text = "its token was made by a sign-in and has expired; connect GitLab here instead";
            found.unread(&place, text);
            continue;
        }
        if is_oauth {
            found.warn(format!(
                "The token for {host} lives two hours, and only glab can refresh it. Connect GitLab here instead."
            ));
        }
        found.items.push(Item {
            name: format!("glab-{host}"),
            place,
            what: What::Token {
                value: token.to_string().into(),
                expires_at: expires_at.filter(|_| is_oauth),
            },
        });
    }
}

/// A time as glab writes it: Go's RFC 822 (`13 Mar 23 15:47 UTC`), or RFC 3339.
fn date(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let (time, zone) = text.rsplit_once(' ')?;
    if !matches!(zone, "UTC" | "GMT" | "Z" | "+0000") {
        return None;
    }
    let time = DateTime::strptime("%d %b %y %H:%M", time).ok()?;
    format!("{time}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_it(text: &str) -> Found {
        let mut found = Found::default();
        read(
            text,
            "config.yml",
            "2026-11-29T12:00:00Z".parse().unwrap(),
            &mut found,
        );
        found
    }

    #[test]
    fn personal_tokens_are_kept_and_tokens_of_a_sign_in_have_their_end() {
        let found = read_it(
            "git_protocol: ssh\nlist:\n  - a\nhosts:\n    gitlab.com:\n        token: !!null glpat-1\n        user: ada\n    a.example:\n        token: abc\n        is_oauth2: \"true\"\n        oauth2_refresh_token: r\n        oauth2_expiry_date: 29 Nov 26 13:30 UTC\n    b.example:\n        token: old\n        is_oauth2: \"true\"\n        oauth2_expiry_date: 01 Jan 20 00:00 GMT\n    c.example:\n        use_keyring: \"true\"\n    d.example:\n        token:\n",
        );
        let items: Vec<_> = found
            .items
            .iter()
            .map(|item| match &item.what {
                What::Token { value, expires_at } => (
                    item.name.as_str(),
                    value.as_str(),
                    expires_at.map(|at| at.to_string()),
                ),
                What::Provider { .. } => unreachable!(),
            })
            .collect();
        assert_eq!(
            items,
            [
                ("glab-a.example", "abc", Some("2026-11-29T13:30:00Z".to_owned())),
                ("glab-gitlab.com", "glpat-1", None)
            ]
        );
        let unread: Vec<_> = found.unread.iter().map(|unread| unread.place.as_str()).collect();
        assert_eq!(unread, ["config.yml:14", "config.yml:18"]);
        assert_eq!(found.warnings.len(), 1);
    }

    #[test]
    fn a_date_that_is_not_understood_is_none() {
        assert!(date("2026-06-18T14:00:00Z").is_some());
        for odd in ["", "13 Mar 23 15:47 CET", "99 Foo 23 15:47 UTC", "13 Mar 23"] {
            assert_eq!(date(odd), None, "{odd}");
        }
    }
}
