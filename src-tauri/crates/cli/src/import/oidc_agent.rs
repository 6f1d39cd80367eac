//! oidc-agent: an account as `oidc-gen --print NAME` shows it. Its own files are encrypted. The refresh token stays
//! where it is.

use super::{Found, Item, What, has_control, put};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

const PLACE: &str = "standard input";

/// Reads one account, or several after each other.
pub(super) fn read(text: &str, found: &mut Found) {
    let mut count = 0;
    for account in serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>() {
        count += 1;
        match account {
            Ok(account) => match provider(&account) {
                Ok(item) => {
                    if !field(&account, "refresh_token").is_empty() {
                        found.warn(
                            "Tokens are not imported: a refresh token that is replaced at each use can live in one place \
                             only. Sign in with `tokenry connect NAME`.",
                        );
                    }
                    found.items.push(item);
                }
                Err(why) => found.unread(&format!("{PLACE}, account {count}"), why),
            },
            // The error could quote a value.
            Err(error) => {
                found.unread(
                    &format!("{PLACE}:{}", error.line()),
                    "it is not an account as JSON, as `oidc-gen --print NAME` shows it",
                );
                return;
            }
        }
    }
    if count == 0 {
        found.unread(
            PLACE,
            "it is empty; send an account: `oidc-gen --print NAME | tokenry import oidc-agent -`",
        );
    }
}

fn field<'a>(account: &'a Map<String, Value>, name: &str) -> &'a str {
    account.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn provider(account: &Map<String, Value>) -> Result<Item, String> {
    for name in [
        "name",
        "issuer_url",
        "client_id",
        "client_secret",
        "scope",
        "auth_scope",
        "cert_path",
    ] {
        match account.get(name) {
            None => {}
            Some(Value::String(text)) if !has_control(text) => {}
            Some(_) => return Err(format!("its field {name} is not a text of one line")),
        }
    }
    let (name, issuer, client_id) = (
        field(account, "name"),
        field(account, "issuer_url"),
        field(account, "client_id"),
    );
    if issuer.is_empty() || client_id.is_empty() {
        return Err("it has no issuer_url or no client_id".to_owned());
    }
    let mut settings = Map::new();
    put(&mut settings, "issuer", issuer);
    put(&mut settings, "client_id", client_id);
    put(
        &mut settings,
        "device_authorization_endpoint",
        field(account, "device_authorization_endpoint"),
    );
    // Version 5 has two kinds of scopes; what is asked for at the sign-in is the first.
    let scope = Some(field(account, "auth_scope")).filter(|scope| !scope.is_empty());
    let scopes: Vec<Value> = scope
        .unwrap_or(field(account, "scope"))
        .split_whitespace()
        .map(Value::from)
        .collect();
    if !scopes.is_empty() && scopes != ["max"] {
        settings.insert("default_scopes".to_owned(), scopes.into());
    }
    let audience = field(account, "audience");
    if !audience.is_empty() && !has_control(audience) {
        settings.insert(
            "authorize_params".to_owned(),
            serde_json::json!({ "audience": audience }),
        );
    }
    put_registered(&mut settings, account);
    Ok(Item {
        name: if name.is_empty() {
            "oidc".to_owned()
        } else {
            name.to_owned()
        },
        place: PLACE.to_owned(),
        what: What::Provider {
            settings,
            client_secret: Some(Zeroizing::new(field(account, "client_secret").to_owned()))
                .filter(|s| !s.is_empty()),
        },
    })
}

/// The ports of its loopback redirects; oidc-agent registers several.
fn put_registered(settings: &mut Map<String, Value>, account: &Map<String, Value>) {
    let uris = account
        .get("redirect_uris")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let ports: Vec<u16> = uris
        .iter()
        .filter_map(|uri| {
            uri.as_str()?
                .strip_prefix("http://localhost:")?
                .trim_end_matches('/')
                .parse()
                .ok()
        })
        .filter(|port| *port != 0)
        .collect();
    if !ports.is_empty() {
        settings.insert("loopback_ports".to_owned(), ports.into());
        put(settings, "loopback_host", "localhost");
        put(settings, "redirect_path", "/");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_it(text: &str) -> Found {
        let mut found = Found::default();
        read(text, &mut found);
        found
    }

    fn account() -> Value {
        json!({
            "name": "egi", "client_name": "oidc-agent:egi", "issuer_url": "https://aai.example/auth/realms/egi",
            "mytoken_url": "", "device_authorization_endpoint": "", "daeSetByUser": 0, "client_id": "c1",
            "client_secret": "s1", "refresh_token": "c4n4ry", "cert_path": "/etc/ssl/certs/ca-certificates.crt",
            "auth_scope": "openid offline_access", "refresh_scope": "openid", "audience": "", "oauth": 0,
            "redirect_uris": ["edu.kit.data.oidc-agent:/redirect", "http://localhost:4242", "http://localhost:8080/"],
            "username": "", "password": "",
        })
    }

    #[test]
    fn an_account_becomes_a_provider_without_its_refresh_token() {
        let found = read_it(&format!("{}\n{}", account(), account()));
        assert_eq!(
            (found.items.len(), found.unread.len(), found.warnings.len()),
            (2, 0, 1)
        );
        let What::Provider {
            settings,
            client_secret,
        } = &found.items[0].what
        else {
            panic!()
        };
        assert_eq!(client_secret.as_ref().map(|secret| secret.as_str()), Some("s1"));
        assert_eq!(
            Value::Object(settings.clone()),
            json!({"issuer": "https://aai.example/auth/realms/egi", "client_id": "c1",
                "default_scopes": ["openid", "offline_access"],
                "loopback_ports": [4242, 8080], "loopback_host": "localhost", "redirect_path": "/"})
        );
    }

    #[test]
    fn a_wrong_account_is_named_without_a_value() {
        for (text, place) in [
            ("", PLACE),
            ("c4n4ry", "standard input:1"),
            ("[\"c4n4ry\"]", "standard input:1"),
            ("{\"client_id\": \"c4n4ry\"}", "standard input, account 1"),
            (
                "{\"client_id\": 5, \"issuer_url\": \"c4n4ry\"}",
                "standard input, account 1",
            ),
            (
                "{\"client_id\": \"a\\u0000c4n4ry\", \"issuer_url\": \"x\"}",
                "standard input, account 1",
            ),
            ("{\"client_id\": \"c4n4ry\", ", "standard input:1"),
        ] {
            let found = read_it(text);
            assert!(found.items.is_empty(), "{text}");
            assert_eq!(found.unread[0].place, place, "{text}");
            assert!(!found.unread[0].text.contains("c4n4ry"), "{text}");
        }
        assert_eq!(read_it(&"[".repeat(100_000)).unread.len(), 1);
    }
}
