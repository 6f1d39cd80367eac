//! The OAuth settings of git-credential-oauth and Git Credential Manager, which are in git's configuration.

use super::{Found, Item, Tool, What, has_control, put, put_redirect};
use crate::failure::Failure;
use crate::secret_input::SecretText;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use tokenry_contract::ErrorCode;
use zeroize::Zeroizing;

/// More than any configuration has.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What git reads of its configuration, or of this file: `origin NUL key LF value NUL`, each.
pub(super) fn list(file: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut command = Command::new("git");
    command.arg("config");
    if let Some(file) = file {
        command.arg("--file").arg(file);
    }
    command.args(["--includes", "--list", "-z", "--show-origin"]);
    // Not the configuration of the repository around the working folder.
    command
        .current_dir("/")
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let failed = |why: &str| {
        let next = "Install git, and check its configuration: `git config --list`.";
        Failure::new(
            ErrorCode::ValidationError,
            format!("git's configuration cannot be read: {why}."),
            next,
        )
    };
    let output = command.output().map_err(|error| failed(&error.to_string()))?;
    let bytes = Zeroizing::new(output.stdout);
    match (output.status.success(), bytes.len()) {
        (false, _) => Err(failed("git reports an error in it")),
        (_, MAX_BYTES..) => Err(failed("it is too long")),
        (true, _) => Ok(bytes),
    }
}

/// The variables of one host.
#[derive(Default)]
struct Host {
    place: String,
    values: BTreeMap<String, SecretText>,
}

impl Host {
    fn get(&self, names: &[&str]) -> Option<&str> {
        let value = names.iter().find_map(|name| self.values.get(*name))?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Reads what [`list`] gave, for one of the two tools.
pub(super) fn read(bytes: &[u8], tool: Tool, found: &mut Found) {
    let mut hosts: BTreeMap<String, Host> = BTreeMap::new();
    let mut parts = bytes.split(|byte| *byte == 0);
    while let (Some(origin), Some(entry)) = (parts.next(), parts.next()) {
        let place = String::from_utf8_lossy(origin)
            .trim_start_matches("file:")
            .to_owned();
        // A variable without a value is `true` to git.
        let (key, value) = match entry.iter().position(|byte| *byte == b'\n') {
            Some(at) => (&entry[..at], &entry[at + 1..]),
            None => (entry, &b"true"[..]),
        };
        let Some((host, name)) = variable(key) else {
            continue;
        };
        let what = format!(
            "{place}, credential.{}.{name}",
            if host.is_empty() { "*" } else { &host }
        );
        if host.is_empty() {
            found.unread(&what, "it is for every host; Tokenry needs one provider for each");
            continue;
        }
        let Ok(value) = std::str::from_utf8(value) else {
            found.unread(&what, "its value is not UTF-8");
            continue;
        };
        if has_control(value) || value.len() > 8 * 1024 {
            found.unread(&what, "its value is too long or has a control character");
            continue;
        }
        // The last one counts, as in git.
        let entry = hosts.entry(host).or_default();
        entry.place = place;
        entry.values.insert(name, Zeroizing::new(value.to_owned()));
    }
    for (address, host) in hosts {
        if is_of(tool, &host) {
            match provider(&address, &host, tool, found) {
                Ok(item) => found.items.push(item),
                Err(why) => found.unread(&format!("{}, credential.{address}", host.place), why),
            }
        }
    }
}

/// The host and the name of an OAuth variable: `credential.https://host.oauthclientid`. Git writes the name in
/// lower case.
fn variable(key: &[u8]) -> Option<(String, String)> {
    let key = std::str::from_utf8(key).ok()?;
    let rest = key.strip_prefix("credential.")?;
    let (host, name) = rest.rsplit_once('.').unwrap_or(("", rest));
    let name = name.to_ascii_lowercase();
    (name.starts_with("oauth") && !has_control(host)).then(|| (host.to_owned(), name))
}

/// Whether a host is configured for a tool: by a variable that only it has, or by those of both alone.
fn is_of(tool: Tool, host: &Host) -> bool {
    const MANAGER: [&str; 4] = [
        "oauthauthorizeendpoint",
        "oauthtokenendpoint",
        "oauthdeviceendpoint",
        "oauthredirecturi",
    ];
    const OAUTH: [&str; 4] = [
        "oauthauthurl",
        "oauthtokenurl",
        "oauthdeviceauthurl",
        "oauthredirecturl",
    ];
    let (own, other) = match tool {
        Tool::GitCredentialManager => (MANAGER, OAUTH),
        _ => (OAUTH, MANAGER),
    };
    let has = |names: [&str; 4]| names.iter().any(|name| host.values.contains_key(*name));
    has(own) || !has(other)
}

fn provider(address: &str, host: &Host, tool: Tool, found: &mut Found) -> Result<Item, String> {
    let is_manager = tool == Tool::GitCredentialManager;
    let client_id = host.get(&["oauthclientid"]).ok_or("it has no oauthClientId")?;
    let names: [&[&str]; 3] = match is_manager {
        true => [
            &["oauthauthorizeendpoint"],
            &["oauthtokenendpoint"],
            &["oauthdeviceendpoint"],
        ],
        false => [&["oauthauthurl"], &["oauthtokenurl"], &["oauthdeviceauthurl"]],
    };
    let [authorize, token, device] = names.map(|names| host.get(names));
    let known = known_paths(address).filter(|_| !is_manager);
    let authorize = authorize.or(known.map(|known| known.0));
    let token = token.or(known.map(|known| known.1));
    let (Some(authorize), Some(token)) = (authorize, token) else {
        return Err(match is_manager {
            true => "it has no oauthAuthorizeEndpoint or no oauthTokenEndpoint",
            false => "it has no oauthAuthURL or no oauthTokenURL",
        }
        .to_owned());
    };
    let mut settings = Map::new();
    put(&mut settings, "client_id", client_id);
    put(
        &mut settings,
        "authorization_endpoint",
        &resolved(address, authorize)?,
    );
    put(&mut settings, "token_endpoint", &resolved(address, token)?);
    if let Some(device) = device {
        put(
            &mut settings,
            "device_authorization_endpoint",
            &resolved(address, device)?,
        );
    }
    let scopes: Vec<Value> = host
        .get(&["oauthscopes"])
        .unwrap_or_default()
        .split_whitespace()
        .map(Value::from)
        .collect();
    if !scopes.is_empty() {
        settings.insert("default_scopes".to_owned(), scopes.into());
    }
    let client_secret = host
        .get(&["oauthclientsecret"])
        .map(|secret| Zeroizing::new(secret.to_owned()));
    let in_header = host
        .get(&["oauthuseclientauthheader"])
        .is_none_or(|value| !matches!(value, "false" | "0" | "no" | "off"));
    if client_secret.is_some() && is_manager && in_header {
        put(&mut settings, "token_endpoint_auth_method", "client_secret_basic");
    }
    let redirect = host
        .get(&["oauthredirecturi", "oauthredirecturl"])
        .unwrap_or("http://127.0.0.1");
    if let Err(why) = put_redirect(&mut settings, redirect) {
        found.unread(&format!("{}, credential.{address}", host.place), why);
    }
    let bare = address.split_once("://").map_or(address, |(_, bare)| bare);
    Ok(Item {
        name: bare.to_owned(),
        place: host.place.clone(),
        what: What::Provider {
            settings,
            client_secret,
        },
    })
}

/// The addresses that git-credential-oauth takes for GitLab and GitHub servers, by their names.
fn known_paths(address: &str) -> Option<(&'static str, &'static str)> {
    let host = address.split_once("://").map_or(address, |(_, host)| host);
    match host {
        host if host.starts_with("gitlab.") => Some(("/oauth/authorize", "/oauth/token")),
        host if host.starts_with("github.") => Some(("/login/oauth/authorize", "/login/oauth/access_token")),
        _ => None,
    }
}

/// A whole address as it is; a path at the host.
fn resolved(address: &str, value: &str) -> Result<String, String> {
    if value.starts_with("https://") || value.starts_with("http://") {
        return Ok(value.to_owned());
    }
    let (scheme, rest) = address
        .split_once("://")
        .ok_or("its host has no https:// before it")?;
    let authority = rest.split('/').next().unwrap_or(rest);
    Ok(format!(
        "{scheme}://{authority}/{}",
        value.trim_start_matches('/')
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_it(entries: &[&str], tool: Tool) -> Found {
        let bytes: Vec<u8> = entries
            .iter()
            .flat_map(|entry| format!("file:/home/ada/.gitconfig\0{entry}\0").into_bytes())
            .collect();
        let mut found = Found::default();
        read(&bytes, tool, &mut found);
        found
    }

    fn settings(found: &Found) -> Value {
        match &found.items[0].what {
            What::Provider { settings, .. } => Value::Object(settings.clone()),
            What::Token { .. } => unreachable!(),
        }
    }

    #[test]
    fn the_settings_of_a_host_become_a_provider() {
        let entries = [
            "user.name\nAda",
            "credential.https://gitlab.example.com.oauthclientid\nold",
            "credential.https://gitlab.example.com.oauthclientid\nc1",
            "credential.https://gitlab.example.com.oauthscopes\nread_repository write_repository",
            "credential.https://gitlab.example.com.oauthauthurl\n/oauth/authorize",
            "credential.https://gitlab.example.com.oauthtokenurl\noauth/token",
            "credential.https://gitlab.example.com.oauthdeviceauthurl\nhttps://login.example.com/device",
        ];
        let found = read_it(&entries, Tool::GitCredentialOauth);
        assert_eq!((found.items.len(), found.unread.len()), (1, 0));
        assert_eq!(found.items[0].name, "gitlab.example.com");
        assert_eq!(
            settings(&found),
            json!({
                "client_id": "c1", "authorization_endpoint": "https://gitlab.example.com/oauth/authorize",
                "token_endpoint": "https://gitlab.example.com/oauth/token",
                "device_authorization_endpoint": "https://login.example.com/device",
                "default_scopes": ["read_repository", "write_repository"],
                "loopback_any_port": true, "loopback_host": "127.0.0.1", "redirect_path": "/",
            })
        );
        let entries = [
            "credential.https://example.com.oauthclientid\nc1",
            "credential.https://example.com.oauthclientsecret\ns1",
            "credential.https://example.com.oauthredirecturi\nhttp://localhost:8080",
            "credential.https://example.com.oauthauthorizeendpoint\n/login/oauth/authorize",
            "credential.https://example.com.oauthtokenendpoint\n/login/oauth/token",
        ];
        let found = read_it(&entries, Tool::GitCredentialManager);
        assert_eq!(
            settings(&found)["token_endpoint_auth_method"],
            "client_secret_basic"
        );
        assert_eq!(settings(&found)["loopback_ports"], json!([8080]));
        let mut entries = entries.to_vec();
        entries.push("credential.https://example.com.oauthuseclientauthheader\nfalse");
        let found = read_it(&entries, Tool::GitCredentialManager);
        assert!(settings(&found).get("token_endpoint_auth_method").is_none());
    }

    #[test]
    fn what_cannot_be_used_is_named_without_a_value() {
        let long = format!(
            "credential.https://a.example.oauthclientid\n{}",
            "c4n4ry".repeat(2000)
        );
        for entry in [
            "credential.oauthclientid\nc4n4ry",
            "credential.https://a.example.oauthclientid\nc4n4ry",
            "credential.https://a.example.oauthclientid\nc4n4ry\rx",
            "credential.https://a.example.oauthclientid\nc4n4ry\nx",
            "credential.https://a.example.oauthscopes\nc4n4ry",
            "credential.gitlab.example.oauthclientid\nc4n4ry",
            &long,
        ] {
            let found = read_it(&[entry], Tool::GitCredentialOauth);
            assert!(found.items.is_empty(), "{entry}");
            assert_eq!(found.unread.len(), 1, "{entry}");
            assert!(!found.unread[0].text.contains("c4n4ry"), "{:?}", found.unread);
        }
        for bytes in [
            &b"\0\0\0"[..],
            b"file:x",
            b"file:x\0credential.https://a.oauthclientid",
            b"\xff\0\xff\n\xff\0",
        ] {
            let mut found = Found::default();
            read(bytes, Tool::GitCredentialOauth, &mut found);
            assert!(found.items.is_empty());
        }
    }
}
