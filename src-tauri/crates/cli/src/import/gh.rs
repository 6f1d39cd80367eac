//! GitHub's `gh`: the tokens in `hosts.yml`. With a keyring they are not in the file.

use super::{Found, Item, What, yaml};
use crate::secret_input::SecretText;

/// Reads `hosts.yml`.
pub(super) fn read(text: &str, file: &str, found: &mut Found) {
    let (entries, wrong) = yaml::read(text);
    for yaml::Wrong { line, text } in wrong {
        found.unread(&format!("{file}:{line}"), text);
    }
    let mut hosts: Vec<(&str, usize)> = Vec::new();
    let mut tokens: Vec<(&str, Option<&str>, &SecretText, usize)> = Vec::new();
    for entry in &entries {
        let keys: Vec<&str> = entry.keys.iter().map(String::as_str).collect();
        match (keys.as_slice(), &entry.value) {
            ([host], None) => hosts.push((host, entry.line)),
            ([_], Some(_)) => found.unread(
                &format!("{file}:{}", entry.line),
                "a host is expected, with its values below it",
            ),
            ([host, "oauth_token"], Some(token)) => tokens.push((host, None, token, entry.line)),
            ([host, "users", user, "oauth_token"], Some(token)) => {
                tokens.push((host, Some(user), token, entry.line))
            }
            _ => {}
        }
    }
    for (host, line) in hosts {
        let of_host: Vec<_> = tokens.iter().filter(|(of, ..)| *of == host).collect();
        if of_host.is_empty() {
            found.unread(&format!("{file}:{line}"), in_keyring(host));
        }
        // The token of the active user stands at the host, too.
        let of_users: Vec<_> = of_host.iter().filter(|(_, user, ..)| user.is_some()).collect();
        for (_, user, token, line) in of_host.iter().copied() {
            let is_again = user.is_none()
                && of_users
                    .iter()
                    .any(|(_, _, other, _)| other.as_str() == token.as_str());
            if !is_again {
                let name = user.map_or_else(|| format!("gh-{host}"), |user| format!("gh-{host}-{user}"));
                found.items.push(Item {
                    name,
                    place: format!("{file}:{line}"),
                    what: What::Token {
                        value: (*token).clone(),
                        expires_at: None,
                    },
                });
            }
        }
    }
}

fn in_keyring(host: &str) -> String {
    let is_plain = host
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c));
    let host = if is_plain { host } else { "HOST" };
    format!(
        "its token is not in the file, but in the OS keyring; send it yourself: `gh auth token --hostname {host} | \
         tokenry credential add NAME --type raw`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_it(text: &str) -> (Vec<(String, String)>, Vec<String>) {
        let mut found = Found::default();
        read(text, "hosts.yml", &mut found);
        let items = found.items.into_iter().map(|item| match item.what {
            What::Token { value, .. } => (item.name, value.to_string()),
            What::Provider { .. } => unreachable!(),
        });
        let unread = found
            .unread
            .into_iter()
            .map(|unread| format!("{} {}", unread.place, unread.text));
        (items.collect(), unread.collect())
    }

    #[test]
    fn the_token_of_each_user_is_read_once_and_a_keyring_is_named() {
        let (items, unread) = read_it(
            "github.com:\n    users:\n        ada:\n            oauth_token: gho_1\n        eve:\n            oauth_token: gho_2\n    git_protocol: https\n    oauth_token: gho_1\n    user: ada\nghe.example:\n    user: bob\nold.example:\n    oauth_token: gho_3\n",
        );
        let expected = [
            ("gh-github.com-ada", "gho_1"),
            ("gh-github.com-eve", "gho_2"),
            ("gh-old.example", "gho_3"),
        ];
        assert_eq!(
            items,
            expected.map(|(name, token)| (name.to_owned(), token.to_owned()))
        );
        assert_eq!(unread.len(), 1);
        assert!(
            unread[0].starts_with("hosts.yml:10 ") && unread[0].contains("--hostname ghe.example |"),
            "{unread:?}"
        );
    }

    #[test]
    fn a_hostile_file_is_named_by_its_lines() {
        let (items, unread) =
            read_it("github.com:\n    oauth_token: [gho_1]\n\"a; rm -rf b\":\n    user: x\nplain: text\n");
        assert!(items.is_empty());
        assert_eq!(unread.len(), 4, "{unread:?}");
        assert!(
            !unread
                .iter()
                .any(|line| line.contains("rm -rf") || line.contains("gho_1")),
            "{unread:?}"
        );
    }
}
