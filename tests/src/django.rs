//! A second real authorization server, django-oauth-toolkit, on the loopback interface, and a user who signs in at it.

use crate::accounts::connecting;
use crate::browser::{Browser, Landing};
use crate::process::{Finished, Running};
use crate::profile::Profile;
use crate::{python, sandbox};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokenry_testkit::http::{self, Response};
use url::Url;

/// The public client, which needs PKCE. Its redirect URIs are those of a provider called `django`.
pub const PUBLIC: &str = "tokenry-django";
/// A client with a secret and the same redirect URIs.
pub const CONFIDENTIAL: &str = "tokenry-django-confidential";
/// The client for client credentials.
pub const SERVICE: &str = "tokenry-django-service";

/// What the server does with a refresh token that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// It stays; the access token before it is replaced.
    None,
    /// It is replaced, and refused when it comes again: what the server does unless it is configured.
    Plain,
    /// It is replaced, and for ten minutes a repetition gets the same answer again.
    Grace,
    /// It is replaced, and a repetition ends the whole grant.
    Strict,
}

impl Rotation {
    fn option(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Plain => "plain",
            Self::Grace => "grace",
            Self::Strict => "strict",
        }
    }

    /// The `rotation` of a provider whose administrator told the user; `Null` is "unknown".
    pub fn told(self) -> Value {
        match self {
            Self::None => json!({"kind": "none"}),
            Self::Plain => Value::Null,
            Self::Grace => json!({"kind": "grace", "seconds": 600}),
            Self::Strict => json!({"kind": "strict"}),
        }
    }
}

/// A running server; it ends when this is dropped.
pub struct Django {
    description: Value,
    process: Running,
}

impl Django {
    /// Starts one that rotates refresh tokens, with access tokens of five minutes.
    pub fn start() -> Self {
        Self::with(Rotation::Plain, 300)
    }

    /// Starts one with these rules and a lifetime of access tokens in seconds.
    pub fn with(rotation: Rotation, access_token_ttl: u32) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut command = python::command("python", &[("PATH".to_owned(), path)].into());
        command
            .arg("-B")
            .arg(sandbox::support().join("django/server.py"))
            .args(["--stdin-lifeline", "--rotation", rotation.option()])
            .args(["--access-token-ttl", &access_token_ttl.to_string()]);
        let mut process = Running::start(command);
        let description = serde_json::from_str(&process.line()).unwrap();
        Self { description, process }
    }

    /// Closes its standard input, and gives its exit code.
    pub fn stop(self) -> i32 {
        self.process.wait().code
    }

    /// Its issuer identifier.
    pub fn issuer(&self) -> &str {
        self.description["issuer"].as_str().unwrap()
    }

    /// One of its addresses: `authorization_endpoint`, `token_endpoint`, `userinfo_endpoint`,
    /// `revocation_endpoint`, `introspection_endpoint`.
    pub fn endpoint(&self, name: &str) -> Url {
        Url::parse(self.description[name].as_str().unwrap()).unwrap()
    }

    /// The secret of a client; empty for the public one.
    pub fn client_secret(&self, client_id: &str) -> &str {
        self.find("clients", "client_id", client_id, "client_secret")
    }

    /// The password of a user, `ada` or `grace`.
    pub fn password(&self, user: &str) -> &str {
        self.find("users", "name", user, "password")
    }

    #[track_caller]
    fn find(&self, list: &str, key: &str, value: &str, wanted: &str) -> &str {
        let all = self.description[list].as_array().unwrap();
        let found = all.iter().find(|one| one[key] == value);
        found
            .and_then(|one| one[wanted].as_str())
            .unwrap_or_else(|| panic!("no {value} in {all:?}"))
    }

    /// The server as a provider with the public client. `offline_access` is no scope of it: every sign-in gives a
    /// refresh token.
    pub fn provider(&self, rotation: &Value) -> Value {
        let mut provider = json!({
            "name": "django",
            "client_id": PUBLIC,
            "issuer": self.issuer(),
            "default_scopes": ["openid", "profile", "email", "read", "write"],
        });
        for name in [
            "authorization_endpoint",
            "token_endpoint",
            "userinfo_endpoint",
            "revocation_endpoint",
        ] {
            provider[name] = self.description[name].clone();
        }
        if !rotation.is_null() {
            provider["rotation"] = rotation.clone();
        }
        provider
    }

    /// The server as a provider of client credentials, called `service`.
    pub fn service(&self) -> Value {
        json!({
            "name": "service",
            "grant_type": "client_credentials",
            "client_id": SERVICE,
            "client_secret": self.client_secret(SERVICE),
            "token_endpoint_auth_method": "client_secret_basic",
            "token_endpoint": self.description["token_endpoint"],
            "revocation_endpoint": self.description["revocation_endpoint"],
            "default_scopes": ["read"],
        })
    }

    /// A user follows the authorization URL, logs in and authorizes.
    pub fn agree(&self, browser: &mut Browser, address: &str, user: &str) -> Landing {
        let (page, mut fields) = self.log_in(browser, address, user);
        fields.push(("allow".to_owned(), "Authorize".to_owned()));
        submit(browser, &page, "", &fields)
    }

    /// A user follows the authorization URL, logs in and cancels.
    pub fn deny(&self, browser: &mut Browser, address: &str, user: &str) -> Landing {
        let (page, fields) = self.log_in(browser, address, user);
        submit(browser, &page, "", &fields)
    }

    /// Up to the page that asks, with the hidden fields of its form.
    fn log_in(&self, browser: &mut Browser, address: &str, user: &str) -> (Url, Vec<(String, String)>) {
        let login = browser.open(address);
        let (page, body) = login.page();
        let mut fields = hidden_fields(body);
        fields.push(("username".to_owned(), user.to_owned()));
        fields.push(("password".to_owned(), self.password(user).to_owned()));
        let asks = submit(browser, page, "/accounts/login/", &fields);
        let (page, body) = asks.page();
        assert!(body.contains("Authorize Tokenry?"), "{body}");
        (page.clone(), hidden_fields(body))
    }

    /// Connects an account by the command line: `tokenry connect` of these arguments, and a user in a browser.
    pub fn connect(&self, profile: &Profile, arguments: &[&str], user: &str) -> Finished {
        let (connect, address) = connecting(profile, arguments);
        let landing = self.agree(&mut Browser::new(), &address, user);
        assert!(
            matches!(landing, Landing::Page { status: 200, .. }),
            "{landing:?}"
        );
        connect.wait()
    }

    /// The scopes of an access token that the server takes, `None` when it does not (RFC 7662).
    pub fn scopes(&self, access_token: &str) -> Option<BTreeSet<String>> {
        let reply = http::post(
            &self.endpoint("introspection_endpoint"),
            &[("authorization", &self.basic(SERVICE))],
            &[("token", access_token)],
        );
        let reply = reply.unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        let answer = reply.json();
        let scopes = answer["scope"].as_str().unwrap_or_default();
        let scopes = scopes.split_whitespace().map(str::to_owned).collect();
        (answer["active"] == true).then_some(scopes)
    }

    /// Whether the server takes this access token.
    pub fn accepts(&self, access_token: &str) -> bool {
        self.scopes(access_token).is_some()
    }

    /// A form sent to the token endpoint.
    pub fn token(&self, form: &[(&str, &str)]) -> Response {
        http::post(&self.endpoint("token_endpoint"), &[], form).unwrap()
    }

    /// `Authorization: Basic …` for a client.
    pub fn basic(&self, client_id: &str) -> String {
        let pair = format!("{client_id}:{}", self.client_secret(client_id));
        format!("Basic {}", STANDARD.encode(pair))
    }
}

fn submit(browser: &mut Browser, page: &Url, action: &str, fields: &[(String, String)]) -> Landing {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    browser.submit(page, action, &fields)
}

/// The hidden fields of a page that Django wrote, in its order.
fn hidden_fields(body: &str) -> Vec<(String, String)> {
    let inputs = body
        .split("<input")
        .skip(1)
        .filter_map(|rest| rest.split('>').next());
    let attribute = |input: &str, name: &str| {
        let rest = input.split_once(&format!(" {name}=\""))?.1;
        rest.split_once('"').map(|(value, _)| unescape(value))
    };
    let hidden = inputs.filter(|input| input.contains("type=\"hidden\""));
    hidden
        .filter_map(|input| {
            Some((
                attribute(input, "name")?,
                attribute(input, "value").unwrap_or_default(),
            ))
        })
        .collect()
}

/// What Django's templates escape, read back.
fn unescape(text: &str) -> String {
    let pairs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&amp;", "&"),
    ];
    pairs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_fields_are_read_as_a_browser_reads_them() {
        let page = r#"<input type="text" name="user" value="no"> <input type="hidden" name="next"
            value="/o/?a=1&amp;b=&quot;&#x27;2&amp;lt;"><input name="empty" type="hidden"/>"#;
        let found = hidden_fields(&page.replace('\n', " "));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(found, [pair("next", "/o/?a=1&b=\"'2&lt;"), pair("empty", "")]);
    }
}
