//! The fixture of all tests here.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use tokenry_core::{ApiScope, AppCaller, AppId, Caller, Peer};
use tokenry_engine::{ConsentMode, Engine, Host, HostError, Options, SchemeState};
use tokenry_testkit::{Behaviour, Server, http};
use tokenry_vault::MemoryKeyring;
use tower::ServiceExt;
use url::Url;

/// A secret that must not appear in a response.
pub(crate) const CLIENT_SECRET: &str = "testkit-secret";

/// An engine with its router, a testkit server as the provider, and a temporary folder.
pub(crate) struct Fixture {
    pub(crate) engine: Engine,
    pub(crate) router: Router,
    pub(crate) server: Server,
    pub(crate) host: Arc<TestHost>,
    pub(crate) folder: TempDir,
}

/// A host that opens no browser and records the URLs.
#[derive(Default)]
pub(crate) struct TestHost {
    pub(crate) opened: Mutex<Vec<Url>>,
}

impl Host for TestHost {
    fn open_browser(&self, url: &Url) -> Result<(), HostError> {
        self.opened.lock().unwrap().push(url.clone());
        Ok(())
    }

    fn scheme_is_ours(&self) -> SchemeState {
        SchemeState::Ours
    }

    fn show_window(&self) -> Result<(), HostError> {
        Err(HostError("there is no window in a test".to_owned()))
    }
}

/// A response.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    /// The code of the envelope.
    pub(crate) fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    /// The problem of this field.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.json["error"]["details"]["fields"][name]
            .as_str()
            .unwrap_or_default()
    }
}

impl Fixture {
    /// With every prompt allowed, as with `tokenry serve --approve all`.
    pub(crate) async fn new() -> Self {
        Self::asking(ConsentMode::AllowAll).await
    }

    pub(crate) async fn asking(asking: ConsentMode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = Arc::new(TestHost::default());
        let mut options = Options::for_this_machine(folder.path().join("p"), host.clone(), false).unwrap();
        options.keyring = Arc::new(MemoryKeyring::new());
        options.asking = asking;
        let engine = Engine::start(options).await.unwrap();
        let (router, server) = (
            tokenry_api::router(engine.clone()),
            Server::start(Behaviour::default()),
        );
        Self {
            engine,
            router,
            server,
            host,
            folder,
        }
    }

    /// With the provider `sandbox` and one connection.
    pub(crate) async fn connected() -> Self {
        let fixture = Self::new().await;
        fixture.add("sandbox").await;
        fixture.connect("sandbox", None).await;
        fixture
    }

    /// A path for a socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("p").join("engine.sock")
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: impl Into<Option<Value>>) -> Answer {
        self.ask_as(program(), method, path, body.into()).await
    }

    pub(crate) async fn ask_as(
        &self,
        caller: Caller,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let mut request = request
            .body(body.map_or_else(Body::empty, |b| Body::from(b.to_string())))
            .unwrap();
        request.extensions_mut().insert(caller);
        self.send(request).await
    }

    /// Sends a request unchanged, with the caller of its extensions, if any. An endless stream is closed.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, mut body) = response.into_parts();
        if is_stream(&parts.headers) {
            body = Body::empty();
        }
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text,
            json,
        }
    }

    /// Adds a provider at the server, with a client secret.
    pub(crate) async fn add(&self, name: &str) -> Value {
        let answer = self.ask("POST", "/v1/oauth-providers", self.provider(name)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json
    }

    pub(crate) fn provider(&self, name: &str) -> Value {
        json!({
            "name": name,
            "client_id": "tokenry-confidential",
            "client_secret": CLIENT_SECRET,
            "issuer": self.server.issuer(),
            "authorization_endpoint": self.server.authorization_endpoint(),
            "token_endpoint": self.server.token_endpoint(),
            "revocation_endpoint": self.server.revocation_endpoint(),
            "userinfo_endpoint": self.server.userinfo_endpoint(),
            "default_scopes": ["read", "write"],
        })
    }

    /// Connects by pasting the redirect URL; returns the connection's id.
    pub(crate) async fn connect(&self, provider: &str, label: Option<&str>) -> String {
        let (started, url) = self.signed_in(provider, label).await;
        let answer = self.ask("POST", "/v1/callback", json!({ "url": url })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json["connection_id"], started["connection_id"]);
        started["connection_id"].as_str().unwrap().to_owned()
    }

    /// Starts a sign-in and completes it in a browser; returns the start and the redirect URL.
    pub(crate) async fn signed_in(&self, provider: &str, label: Option<&str>) -> (Value, String) {
        let path = format!("/v1/oauth-providers/{provider}/authorize");
        let answer = self
            .ask("POST", &path, json!({ "redirect": "paste", "label": label }))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let url = answer.json["authorization_url"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let location = http::get(&url, &[]).unwrap().location().unwrap().to_owned();
        (answer.json, location)
    }

    /// A provider for client credentials.
    pub(crate) async fn add_machine(&self, name: &str) {
        let mut body = self.provider(name);
        body["grant_type"] = "client_credentials".into();
        let answer = self.ask("POST", "/v1/oauth-providers", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
}

fn is_stream(headers: &HeaderMap) -> bool {
    headers
        .get("content-type")
        .is_some_and(|kind| kind == "text/event-stream")
}

pub(crate) fn program() -> Caller {
    Caller::Program(Peer {
        uid: 1,
        pid: 2,
        started: 3,
        program: Some("/usr/bin/thing".to_owned()),
        session: None,
        helper: None,
        remote: None,
    })
}

/// An app, by a token of these scopes.
pub(crate) fn app_caller<'a>(app: AppId, scopes: impl IntoIterator<Item = &'a ApiScope>) -> Caller {
    Caller::App(AppCaller {
        app,
        grant: None,
        scopes: Some(scopes.into_iter().copied().collect()),
        token: None,
        peer: None,
    })
}
