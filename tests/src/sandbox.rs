//! The Sandbox: a real oidc-provider on the loopback interface, and a person who signs in at it.

use crate::browser::{Browser, Landing};
use crate::process::Running;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokenry_testkit::http;
use url::Url;

/// The public client, registered with PKCE and without a secret.
pub const PUBLIC: &str = "tokenry-sandbox";
/// The same with a secret, sent in the body.
pub const CONFIDENTIAL: &str = "tokenry-sandbox-confidential";
/// For client credentials; its secret goes by HTTP Basic.
pub const SERVICE: &str = "tokenry-sandbox-service";

/// A client that signs in on another device and has no page for a browser (RFC 8628); it is there where that is offered.
pub const DEVICE: &str = "tokenry-sandbox-device";

/// The one resource that a token can be for (RFC 8707).
pub const RESOURCE: &str = "https://api.sandbox.example/";

/// A running Sandbox; it ends when this is dropped.
pub struct Sandbox {
    description: Value,
    process: Running,
}

/// How long Node may take to load the server.
const LOADING: std::time::Duration = std::time::Duration::from_secs(20);

impl Sandbox {
    /// Starts one whose access tokens live five minutes.
    pub fn start() -> Self {
        Self::with_access_token_ttl(300)
    }

    /// Starts one whose access tokens live this many seconds.
    pub fn with_access_token_ttl(seconds: u32) -> Self {
        Self::with(&["--access-token-ttl", &seconds.to_string()])
    }

    /// Starts one that knows these clients, too: their metadata as RFC 7591 writes it.
    pub fn with_clients(clients: &Value, more: &[&str]) -> Self {
        Self::with(&[&["--clients", &clients.to_string()], more].concat())
    }

    /// Starts one where users sign in on another device, with codes that live this many seconds.
    pub fn with_device_codes(seconds: u32, more: &[&str]) -> Self {
        let client = serde_json::json!([{
            "client_id": DEVICE, "client_name": "Tokenry", "token_endpoint_auth_method": "none",
            "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
            "redirect_uris": [], "response_types": [],
        }]);
        Self::with_clients(&client, &[&["--device", &seconds.to_string()], more].concat())
    }

    /// Starts one that speaks https on `localhost`, with the certificate and the key of this file.
    pub fn with_tls(pem: &Path) -> Self {
        Self::with(&["--tls", pem.to_str().unwrap()])
    }

    fn with(options: &[&str]) -> Self {
        let folder = support();
        assert!(
            folder.join("node_modules/oidc-provider").exists(),
            "the Sandbox needs its packages: run `npm ci` in tests/support"
        );
        let start = || {
            let mut command = Command::new("node");
            command
                .current_dir(&folder)
                .arg("sandbox.mjs")
                .args(["--port", "0", "--stdin-lifeline"]);
            command.args(options);
            Running::start(command)
        };
        // Once in several hundred starts Node 20, for which the server's own words are "unsupported runtime", never
        // comes out of loading it. That says nothing of Tokenry: it gets a second chance, and only to start.
        let mut process = start();
        let line = process.line_within(LOADING).unwrap_or_else(|| {
            process = start();
            process.line()
        });
        let description = serde_json::from_str(&line).unwrap();
        Self { description, process }
    }

    /// Closes its lifeline, and says with which code it ended.
    pub fn stop(self) -> i32 {
        self.process.wait().code
    }

    /// Its issuer identifier.
    pub fn issuer(&self) -> &str {
        self.text("issuer")
    }

    /// One of its addresses: `authorization_endpoint`, `token_endpoint`, `userinfo_endpoint`,
    /// `revocation_endpoint`, `introspection_endpoint`.
    pub fn endpoint(&self, name: &str) -> Url {
        Url::parse(self.text(name)).unwrap()
    }

    fn text(&self, name: &str) -> &str {
        self.description[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {}", self.description))
    }

    /// The secret of a client.
    pub fn client_secret(&self, client_id: &str) -> &str {
        let clients = self.description["clients"].as_array().unwrap();
        let client = clients
            .iter()
            .find(|client| client["client_id"] == client_id)
            .unwrap();
        client["client_secret"].as_str().unwrap()
    }

    /// A person follows the authorization URL, signs in under this name and agrees.
    pub fn agree(&self, browser: &mut Browser, authorization_url: &str, name: &str) -> Landing {
        let (page, action) = self.sign_in(browser, authorization_url, name, "/agree");
        browser.submit(&page, &action, &[])
    }

    /// A person follows the authorization URL, signs in under this name and says no.
    pub fn deny(&self, browser: &mut Browser, authorization_url: &str, name: &str) -> Landing {
        let (page, action) = self.sign_in(browser, authorization_url, name, "/deny");
        browser.submit(&page, &action, &[])
    }

    /// Up to the consent page: its address, and the form whose action ends like this.
    fn sign_in(&self, browser: &mut Browser, address: &str, name: &str, ending: &str) -> (Url, String) {
        let login = browser.open(address);
        self.signed_in(browser, &login, name, ending)
    }

    fn signed_in(&self, browser: &mut Browser, login: &Landing, name: &str, ending: &str) -> (Url, String) {
        let (page, body) = login.page();
        let consent = browser.submit(page, &action(body, "/login"), &[("login", name)]);
        let (page, body) = consent.page();
        assert!(body.contains(name), "the consent page names the account: {body}");
        (page.clone(), action(body, ending))
    }

    /// A person opens the page on another device, types the code, compares it, signs in under this name and agrees.
    pub fn agree_with_code(&self, browser: &mut Browser, page: &str, code: &str, name: &str) -> Landing {
        self.with_code(browser, page, code, name, "/agree")
    }

    /// The same, and says no at the end.
    pub fn deny_with_code(&self, browser: &mut Browser, page: &str, code: &str, name: &str) -> Landing {
        self.with_code(browser, page, code, name, "/deny")
    }

    fn with_code(
        &self,
        browser: &mut Browser,
        address: &str,
        code: &str,
        name: &str,
        ending: &str,
    ) -> Landing {
        let input = browser.open(address);
        let (page, body) = input.page();
        let (xsrf, target) = (hidden(body, "xsrf"), action(body, "/device"));
        let confirm = browser.submit(page, &target, &[("xsrf", &xsrf), ("user_code", code)]);
        let (page, body) = confirm.page();
        assert!(body.contains(code), "the page shows the code to compare: {body}");
        let fields = [("xsrf", xsrf.as_str()), ("user_code", code), ("confirm", "yes")];
        let login = browser.submit(page, &target, &fields);
        let (page, action) = self.signed_in(browser, &login, name, ending);
        browser.submit(&page, &action, &[])
    }

    /// Whether the server would still take this token, access or refresh: its own word (RFC 7662).
    pub fn is_active(&self, token: &str) -> bool {
        self.introspect(token)["active"].as_bool().unwrap()
    }

    /// The resource that an access token is for, by the server's own word.
    pub fn audience(&self, token: &str) -> Option<String> {
        self.introspect(token)["aud"].as_str().map(str::to_owned)
    }

    fn introspect(&self, token: &str) -> Value {
        let form = [
            ("token", token),
            ("client_id", CONFIDENTIAL),
            ("client_secret", self.client_secret(CONFIDENTIAL)),
        ];
        let reply = http::post(&self.endpoint("introspection_endpoint"), &[], &form).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    /// What a person types into the provider form for a client that has a secret; the name is `sandbox`.
    pub fn form(&self, client_id: &str) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("name", "sandbox".to_owned()),
            ("client_id", client_id.to_owned()),
            ("client_secret", self.client_secret(client_id).to_owned()),
            ("default_scopes", "openid profile email offline_access".to_owned()),
            // Without it the server leaves offline_access out.
            ("authorize_params", "prompt=consent".to_owned()),
        ];
        for name in [
            "authorization_endpoint",
            "token_endpoint",
            "userinfo_endpoint",
            "revocation_endpoint",
        ] {
            fields.push((name, self.endpoint(name).into()));
        }
        fields
    }

    /// `Authorization: Basic …` for a client.
    pub fn basic(&self, client_id: &str) -> String {
        format!(
            "Basic {}",
            STANDARD.encode(format!("{client_id}:{}", self.client_secret(client_id)))
        )
    }
}

/// The action of the form that ends like this.
#[track_caller]
fn action(body: &str, ending: &str) -> String {
    let actions = body
        .split("action=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let mut matching = actions.filter(|action| action.ends_with(ending));
    matching
        .next()
        .unwrap_or_else(|| panic!("no form for {ending} in {body}"))
        .to_owned()
}

/// The value of a hidden field.
#[track_caller]
fn hidden(body: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let (_, rest) = body
        .split_once(&field)
        .unwrap_or_else(|| panic!("no field {name} in {body}"));
    rest.split('"').next().unwrap().to_owned()
}

/// The folder with the Node part of the tests.
pub fn support() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("support")
}
