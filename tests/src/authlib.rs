//! A third real authorization server, of Authlib, on the loopback interface. It compares redirect URIs exactly.

use crate::browser::{Browser, Landing};
use crate::process::Running;
use crate::{python, sandbox};
use serde_json::Value;
use tokenry_testkit::http;
use url::Url;

/// A running server; it ends when this is dropped.
pub struct Authlib {
    description: Value,
    process: Running,
}

impl Authlib {
    /// Starts one whose client has no redirect URI yet.
    pub fn start() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut command = python::command("python", &[("PATH".to_owned(), path)].into());
        command
            .arg("-B")
            .arg(sandbox::support().join("authlib/server.py"));
        let mut process = Running::start(command);
        let description = serde_json::from_str(&process.line()).unwrap();
        Self { description, process }
    }

    /// Its issuer identifier.
    pub fn issuer(&self) -> &str {
        self.text("issuer")
    }

    /// The id of its only client.
    pub fn client_id(&self) -> &str {
        self.text("client_id")
    }

    /// The secret of its only client.
    pub fn client_secret(&self) -> &str {
        self.text("client_secret")
    }

    /// An administrator adds a redirect URI to the client.
    pub fn register(&mut self, redirect_uri: &str) {
        self.process.write(&format!("{redirect_uri}\n"));
        assert_eq!(self.process.line(), "registered");
    }

    /// The user follows the authorization URL and allows the access, if the server asks at all.
    pub fn agree(&self, address: &str) -> Landing {
        let mut browser = Browser::new();
        let landing = browser.open(address);
        match &landing {
            Landing::Page { status: 200, url, .. } => browser.submit(url, "", &[]),
            _ => landing,
        }
    }

    /// Whether its resource takes this access token.
    pub fn accepts(&self, access_token: &str) -> bool {
        let resource = Url::parse(self.text("resource")).unwrap();
        let bearer = format!("Bearer {access_token}");
        let reply = http::get(&resource, &[("authorization", &bearer)]).unwrap();
        reply.status == 200
    }

    fn text(&self, name: &str) -> &str {
        self.description[name].as_str().unwrap()
    }
}
