//! An engine with apps, and a person.

use crate::{
    Engine, IssuedTokens, OAuthError, Prompt, PromptAnswer, Proof, Redirect, Unredirectable,
    records::sealed_store::SealedStore,
    tests::common::{NAME, World, until, view},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokenry_core::{ApiScope, App, AppId, Caller, ConnectionId, Grant, GrantId, OsRandom, Secret, Timestamp};
use tokenry_testkit::Behaviour;
use url::{Url, form_urlencoded};

pub(super) const ISSUER: &str = "http://127.0.0.1:4180";
pub(super) const CALLBACK: &str = "http://127.0.0.1:9999/cb";
pub(super) const SECRET: &str = "tokenry_app_secret of s%me app";
/// RFC 7636 appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(super) struct Setup {
    pub(super) world: World,
    pub(super) engine: Engine,
}

impl Setup {
    /// With one connection and two apps: `script` is public, `server` has a secret.
    pub(super) async fn new() -> Self {
        let (world, engine) = World::connected(Behaviour::default()).await;
        let setup = Self { world, engine };
        setup.add("script", None);
        setup.add("server", Some(SECRET));
        setup
    }

    pub(super) fn store(&self) -> Arc<SealedStore> {
        self.engine.store().unwrap()
    }

    pub(super) fn add(&self, name: &str, secret: Option<&str>) -> AppId {
        let store = self.store();
        let hash = secret.map(|secret| store.vault().token_hash(&Secret::new(secret.to_owned())));
        let app = App {
            id: AppId::new(&self.world.clock, &OsRandom),
            name: name.parse().unwrap(),
            redirect_uris: vec![
                "http://127.0.0.1/cb".to_owned(),
                "com.example.app:/cb?x=1".to_owned(),
            ],
            token_hash: hash,
            created_at: self.engine.now(),
            last_used_at: None,
        };
        let put = store.change(self.engine.now(), |transaction| {
            transaction.put(app.id.row(), &app)
        });
        put.unwrap();
        app.id
    }

    pub(super) fn id(&self, name: &str) -> AppId {
        super::super::redirect_uri::app(&self.store().index(), name)
            .unwrap()
            .id
    }

    /// Gives an app a grant, as the window does.
    pub(super) fn grant(&self, app: &str, scopes: &[ApiScope], expires_at: Option<Timestamp>) -> GrantId {
        let now = self.engine.now();
        let grant = Grant {
            id: GrantId::new(&self.world.clock, &OsRandom),
            app: self.id(app),
            scopes: scopes.iter().copied().collect(),
            connections: self.connections(),
            credentials: BTreeSet::new(),
            token_scopes: None,
            while_locked: false,
            expires_at,
            created_at: now,
            last_used_at: None,
        };
        let store = self.store();
        store
            .change(now, |transaction| transaction.put(grant.id.row(), &grant))
            .unwrap();
        grant.id
    }

    pub(super) fn take_away(&self, grant: GrantId) {
        let store = self.store();
        store
            .change(self.engine.now(), |transaction| transaction.delete_grant(grant))
            .unwrap();
    }

    pub(super) fn grants(&self, app: &str) -> Vec<Grant> {
        let id = self.id(app);
        self.store().index().grants_of(id).cloned().collect()
    }

    /// Every connection there is.
    pub(super) fn connections(&self) -> BTreeSet<ConnectionId> {
        self.store().index().connections().map(|c| c.id).collect()
    }

    pub(super) async fn connection(&self) -> ConnectionId {
        view(&self.engine).await.connection.id
    }

    pub(super) async fn go(&self, query: &str) -> Result<Redirect, Unredirectable> {
        self.engine.authorize(None, ISSUER, query).await
    }

    /// Where the browser is sent while the person answers so.
    pub(super) async fn go_and_answer(&self, query: &str, answer: PromptAnswer) -> Answered {
        let (redirect, ()) = tokio::join!(self.go(query), async {
            let prompt = self.question().await;
            self.say(&prompt, answer).await;
        });
        Answered::of(redirect.unwrap().location())
    }

    /// A code for an app, which the person allows with every connection.
    pub(super) async fn code(&self, app: &str) -> String {
        let answered = self.go_and_answer(&query(app), self.yes(None)).await;
        answered.get("code").to_owned()
    }

    pub(super) fn yes(&self, until: Option<Timestamp>) -> PromptAnswer {
        PromptAnswer::App {
            connections: self.connections(),
            credentials: BTreeSet::new(),
            until,
        }
    }

    pub(super) async fn question(&self) -> Prompt {
        until("a question is asked", async || {
            self.engine.prompts(&Caller::Consent).unwrap().into_iter().next()
        })
        .await
    }

    pub(super) async fn say(&self, prompt: &Prompt, answer: PromptAnswer) {
        let proof = Proof::Number(prompt.number.clone());
        self.engine
            .answer(&Caller::Consent, prompt.id, &proof, answer)
            .await
            .unwrap();
    }

    pub(super) fn nothing_is_asked(&self) -> bool {
        self.engine.prompts(&Caller::Consent).unwrap().is_empty()
    }

    pub(super) async fn post(&self, form: &[(&str, &str)]) -> Result<IssuedTokens, OAuthError> {
        self.engine.issue_tokens(None, encoded(form).as_bytes()).await
    }

    /// Exchanges a code as `script` or `server` would.
    pub(super) async fn exchange(&self, app: &str, code: &str) -> Result<IssuedTokens, OAuthError> {
        self.post(&exchange_form(app, code)).await
    }

    pub(super) async fn refresh(&self, app: &str, token: &Secret) -> Result<IssuedTokens, OAuthError> {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token.expose())];
        form.extend(proof(app));
        self.post(&form).await
    }

    pub(super) async fn tokens(&self, app: &str) -> IssuedTokens {
        let code = self.code(app).await;
        self.exchange(app, &code).await.unwrap()
    }

    pub(super) async fn caller(&self, token: &Secret) -> Option<Caller> {
        self.engine.caller_of_issued(token, None).await.unwrap()
    }

    /// Whether the connection's token can be had with this access token.
    pub(super) async fn opens(&self, token: &Secret) -> bool {
        match self.caller(token).await {
            None => false,
            Some(caller) => self
                .engine
                .token(&caller, NAME, std::time::Duration::ZERO)
                .await
                .is_ok(),
        }
    }
}

/// A good request of an app for `tokens:read`.
pub(super) fn query(app: &str) -> String {
    encoded(&request(app))
}

pub(super) fn request(app: &str) -> Vec<(&str, &str)> {
    vec![
        ("response_type", "code"),
        ("client_id", app),
        ("redirect_uri", CALLBACK),
        ("scope", "tokens:read"),
        ("state", "st&te 1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

/// The same with one parameter changed.
pub(super) fn query_with(app: &str, name: &str, value: &str) -> String {
    let mut request = request(app);
    request.retain(|(key, _)| *key != name);
    request.push((name, value));
    encoded(&request)
}

pub(super) fn exchange_form<'a>(app: &'a str, code: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    form.extend(proof(app));
    form
}

pub(super) fn proof(app: &str) -> Vec<(&str, &str)> {
    match app {
        "server" => vec![("client_id", app), ("client_secret", SECRET)],
        _ => vec![("client_id", app)],
    }
}

pub(super) fn encoded(form: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
}

/// What the app finds behind its redirect URI.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) location: String,
    parameters: BTreeMap<String, String>,
}

impl Answered {
    pub(super) fn of(location: &str) -> Self {
        let pairs = Url::parse(location).unwrap();
        Self {
            location: location.to_owned(),
            parameters: pairs.query_pairs().into_owned().collect(),
        }
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.parameters.get(name).map(String::as_str).unwrap_or_default()
    }
}
