//! Signs in to the server through the engine, so that its window shows it: the steps of `tokenry provider add` and
//! `tokenry connect`.

use super::turn::Turn;
use crate::engine::{Engine, encoded, path};
use crate::failure::Failure;
use crate::token::{Token, TokenSource};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokenry_contract::{
    AuthorizeAnswer, AuthorizeRequest, CLIENT_METADATA_REDIRECT_PATH, CLIENT_METADATA_URL, Connection,
    ConnectionStatus, DiscoverRequest, Discovered, ErrorCode, Flow, FlowStatus, OAuthProvider,
    PatchConnection, ProviderSettingsPatch, RegisterRequest, RejectedAnswer, ServingConnection, Success,
    profile,
};
use tokio::sync::Mutex;
use tokio::time::sleep;
use uuid::Uuid;

/// How long the engine is asked to wait for the end of a sign-in.
const WAIT_SECONDS: u32 = 30;
/// So many names are tried for a provider.
const MAX_NAMES: usize = 100;

/// What the user says about the client at the server.
#[derive(Default, Debug, PartialEq)]
pub(super) struct ClientOptions {
    /// Settings of the provider, such as `client_id`.
    pub(super) settings: Map<String, Value>,
    /// The resource that tokens are for, instead of the one that the server names.
    pub(super) resource: Option<String>,
}

/// Signs in to one server.
pub(super) struct SignIn {
    engine: Arc<Engine>,
    address: String,
    options: ClientOptions,
    /// How many sign-ins have ended.
    ended: AtomicU64,
    last: Mutex<Result<(), Failure>>,
}

impl SignIn {
    pub(super) fn new(engine: Arc<Engine>, address: &url::Url, options: ClientOptions) -> Self {
        Self {
            engine,
            address: address.to_string(),
            options,
            ended: AtomicU64::new(0),
            last: Mutex::new(Ok(())),
        }
    }

    /// Names the sign-ins that have ended, for [`Self::run`].
    pub(super) fn generation(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    /// Signs in, unless there is a token by now that is not the one that was refused. Requests that were sent before the
    /// last sign-in ended share what came of it.
    ///
    /// # Errors
    /// Those of the engine, and when the sign-in ends without a connection.
    pub(super) async fn run(
        &self,
        seen: u64,
        tokens: &TokenSource,
        refused: Option<&Token>,
    ) -> Result<(), Failure> {
        let mut last = self.last.lock().await;
        if self.generation() != seen {
            return last.clone();
        }
        let done = self.in_turn(tokens, refused).await;
        *last = done.clone();
        self.ended.fetch_add(1, Ordering::Release);
        done
    }

    async fn in_turn(&self, tokens: &TokenSource, refused: Option<&Token>) -> Result<(), Failure> {
        let folder = profile::folder().map_err(|error| Failure::internal(error.to_string()))?;
        let turn = Turn::wait(&folder, &self.address).await?;
        // Another process may have signed in meanwhile.
        let done = match tokens.token().await {
            Ok(token) if refused.is_none_or(|refused| !refused.is_same(&token)) => Ok(()),
            Ok(_) => self.sign_in().await,
            Err(failure) => match failure.code() {
                Some(ErrorCode::NotFound | ErrorCode::NeedsReauth) => self.sign_in().await,
                _ => Err(failure),
            },
        };
        turn.end(&done);
        done
    }

    async fn sign_in(&self) -> Result<(), Failure> {
        let serving = self.serving().await?;
        let connections: Vec<Connection> = self.engine.get("/v1/connections").await?;
        if let Some(serving) = serving.first() {
            let connection = connections.iter().find(|one| one.id == serving.connection_id);
            let renewed = connection.map(|one| (one.provider_id, Some(one.id)));
            let missing = || Failure::internal("The connection has ended.");
            let (provider, connection) = renewed.ok_or_else(missing)?;
            crate::say(&format!(
                "tokenry mcp: signing in to {} again.",
                serving.connection_name
            ));
            return self.authorize(provider, connection).await.map(drop);
        }
        let providers: Vec<OAuthProvider> = self.engine.get("/v1/oauth-providers").await?;
        let known = providers.iter().find(|provider| self.is_for_this(provider));
        let provider = match known {
            Some(provider) => provider.clone(),
            None => self.add(&providers).await?,
        };
        let pending = connections
            .iter()
            .find(|one| one.provider_id == provider.id && one.status == ConnectionStatus::Pending);
        let started = match pending.and_then(|pending| pending.flow_id) {
            // A process that ended has started it.
            Some(flow) => self.followed(flow, false).await.ok(),
            None => None,
        };
        let connection = match started {
            Some(connection) => connection,
            None => self.authorize(provider.id, None).await?,
        };
        self.serve(connection).await
    }

    /// The resource of the command line may be elsewhere, or no address at all: then the server's address is bound to the
    /// connection.
    async fn serve(&self, connection: Uuid) -> Result<(), Failure> {
        if self.options.resource.is_none() || !self.serving().await?.is_empty() {
            return Ok(());
        }
        let target = path(&["v1", "connections", &connection.to_string()]);
        let mut bindings = self.engine.get::<Connection>(&target).await?.bindings;
        bindings.push(self.address.clone());
        let change = PatchConnection {
            bindings: Some(bindings),
            ..PatchConnection::default()
        };
        self.engine.patch::<Connection>(&target, &change).await.map(drop)
    }

    async fn serving(&self) -> Result<Vec<ServingConnection>, Failure> {
        let target = format!("/v1/resolve?url={}", encoded(&self.address));
        self.engine.get(&target).await
    }

    fn resource(&self) -> &str {
        self.options.resource.as_deref().unwrap_or(&self.address)
    }

    /// Whether a provider was added for this server.
    fn is_for_this(&self, provider: &OAuthProvider) -> bool {
        let same = |resource: &str| resource.trim_end_matches('/') == self.resource().trim_end_matches('/');
        provider.settings.resource.as_deref().is_some_and(same)
    }

    /// Looks the server up, registers Tokenry there, and adds it.
    async fn add(&self, providers: &[OAuthProvider]) -> Result<OAuthProvider, Failure> {
        let look_up = DiscoverRequest {
            address: self.address.clone(),
            accept_parent_resource: true,
            ..DiscoverRequest::default()
        };
        let found: Discovered = self.engine.post("/v1/discovery", &look_up).await?;
        let mut settings = found.settings.0.clone();
        if let Some(resource) = &self.options.resource {
            settings.insert("resource".to_owned(), resource.as_str().into());
        }
        let resource = settings
            .get("resource")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let covering = providers.iter().find(|provider| {
            let own = provider.settings.resource.as_deref();
            !resource.is_empty() && own == Some(resource)
        });
        if let Some(provider) = covering {
            return Ok(provider.clone());
        }
        let name = free_name(&found.name, providers)?;
        crate::say(&format!(
            "tokenry mcp: adding {} as the provider {name}.",
            self.address
        ));
        let mut own = self.options.settings.clone();
        let takes_documents = found.offered.client_id_metadata_documents;
        let document = own.get("client_id").and_then(Value::as_str);
        if !takes_documents && document.is_some_and(tokenry_contract::is_client_metadata_url) {
            crate::say("tokenry mcp: the server takes no address of a document as a client ID.");
            own.remove("client_id");
        }
        let has_client = own.contains_key("client_id");
        if found.registration.is_some() && !has_client {
            settings.append(&mut own);
            let request = RegisterRequest {
                look_up,
                name,
                project: None,
                settings: ProviderSettingsPatch(settings),
                initial_access_token: None,
            };
            return self.engine.post("/v1/registrations", &request).await;
        }
        if !has_client {
            if !takes_documents {
                return Err(no_client(&self.address));
            }
            own.insert("client_id".to_owned(), CLIENT_METADATA_URL.into());
        }
        let id = own.get("client_id").and_then(Value::as_str).unwrap_or_default();
        if tokenry_contract::is_client_metadata_url(id) {
            settings.insert("token_endpoint_auth_method".to_owned(), "none".into());
            settings.insert("redirect_path".to_owned(), CLIENT_METADATA_REDIRECT_PATH.into());
            settings.insert("loopback_any_port".to_owned(), true.into());
        } else if !own.contains_key("client_secret") {
            settings.remove("token_endpoint_auth_method");
        }
        settings.append(&mut own);
        settings.insert("name".to_owned(), name.into());
        self.engine.post("/v1/oauth-providers", &settings).await
    }

    async fn authorize(&self, provider: Uuid, renewed: Option<Uuid>) -> Result<Uuid, Failure> {
        let request = AuthorizeRequest {
            connection: renewed.map(|id| id.to_string()),
            ..AuthorizeRequest::default()
        };
        let target = path(&["v1", "oauth-providers", &provider.to_string(), "authorize"]);
        let answer: AuthorizeAnswer = self.engine.post(&target, &request).await?;
        self.followed(answer.flow_id, false).await
    }

    /// Waits for the sign-in that a step-up led to, if it did.
    ///
    /// # Errors
    /// When it ends without a connection.
    pub(super) async fn follow(&self, answer: &RejectedAnswer) -> Result<(), Failure> {
        match answer.flow_id {
            Some(flow) => self.followed(flow, answer.browser_opened).await.map(drop),
            None => Ok(()),
        }
    }

    /// Opens the browser, and waits until the sign-in ends. The connection that it made.
    async fn followed(&self, flow: Uuid, is_open: bool) -> Result<Uuid, Failure> {
        let target = path(&["v1", "flows", &flow.to_string()]);
        if !is_open {
            self.open(&target).await?;
        }
        crate::say("tokenry mcp: waiting for you to sign in, in the browser.");
        loop {
            let asked = tokio::time::Instant::now();
            let state: Flow = self
                .engine
                .get(&format!("{target}?wait_seconds={WAIT_SECONDS}"))
                .await?;
            if state.status != FlowStatus::Waiting {
                return ended(state);
            }
            sleep(Duration::from_secs(1).saturating_sub(asked.elapsed())).await;
        }
    }

    async fn open(&self, flow: &str) -> Result<(), Failure> {
        let opened: Result<Success, Failure> = self.engine.post(&format!("{flow}/open"), &json!({})).await;
        if let Err(failure) = opened {
            let state: Flow = self.engine.get(flow).await?;
            crate::say(&format!("tokenry mcp: {}", failure.line()));
            if let Some(url) = state.browser_url {
                crate::say(&format!("tokenry mcp: open this URL in a browser: {url}"));
            }
        }
        Ok(())
    }
}

fn ended(flow: Flow) -> Result<Uuid, Failure> {
    let (code, message) = match flow.status {
        FlowStatus::Connected | FlowStatus::Waiting => return Ok(flow.connection_id),
        FlowStatus::Failed => (ErrorCode::ProviderError, "The sign-in failed at the provider."),
        FlowStatus::Cancelled => (ErrorCode::ConsentDenied, "The sign-in was cancelled."),
        FlowStatus::Expired => (ErrorCode::FlowExpired, "The sign-in expired."),
    };
    let message = flow.message.unwrap_or_else(|| message.to_owned());
    let code = flow.code.unwrap_or(code);
    Err(Failure::new(code, message, code.next_step()))
}

fn free_name(found: &str, providers: &[OAuthProvider]) -> Result<String, Failure> {
    let numbered = (2..MAX_NAMES).map(|number| format!("{found}-{number}"));
    let mut names = std::iter::once(found.to_owned()).chain(numbered);
    let is_free = |name: &String| providers.iter().all(|provider| provider.name != *name);
    names.find(is_free).ok_or_else(|| {
        Failure::new(
            ErrorCode::Conflict,
            format!("There are {MAX_NAMES} providers with names like {found}."),
            "Remove some of them: `tokenry provider list`.",
        )
    })
}

fn no_client(address: &str) -> Failure {
    Failure::new(
        ErrorCode::ValidationError,
        format!("{address} has no registration for programs, so it needs a client ID."),
        "Register a client there, and add --static-oauth-client-info @FILE with its client_id and client_secret; or run \
         `tokenry provider add ADDRESS --client-id ID`.",
    )
}
