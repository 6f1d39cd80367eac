//! The access token of the connection that serves an address. It is asked of the engine, and kept until it ends.

use crate::engine::{Engine, encoded, path};
use crate::failure::Failure;
use reqwest::header::HeaderValue;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokenry_contract::{
    Challenge, Connection, ErrorCode, RejectedAnswer, RejectedToken, ServingConnection, TokenAnswer,
    TokenRequest,
};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// A token that ends within this time is asked for again: the request needs some of it to arrive.
const MARGIN: Duration = Duration::from_secs(20);
/// The engine is asked at least this often, so that a connection that was cut off is noticed.
const MAX_AGE: Duration = Duration::from_secs(300);

/// An access token.
pub(crate) struct Token {
    /// `Bearer` and the token.
    pub(crate) header: HeaderValue,
    secret: Zeroizing<String>,
    connection: ServingConnection,
    until: Instant,
}

impl Token {
    /// The token itself, to find it in what a server answers.
    pub(crate) fn secret(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.secret == other.secret
    }
}

/// Which connection is meant.
pub(crate) enum Choice {
    /// The one of this name, at the provider of this name, or with this id.
    Named(String),
    /// The only one.
    Only,
}

/// Where the tokens for one address come from.
pub(crate) struct TokenSource {
    engine: Arc<Engine>,
    address: String,
    choice: Choice,
    held: Mutex<Option<Arc<Token>>>,
}

impl TokenSource {
    pub(crate) fn new(engine: Arc<Engine>, address: &url::Url, choice: Choice) -> Self {
        Self {
            engine,
            address: address.to_string(),
            choice,
            held: Mutex::new(None),
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A valid token. Of many callers at once, one asks the engine.
    ///
    /// # Errors
    /// Those of the engine, and when not exactly one connection is meant.
    pub(crate) async fn token(&self) -> Result<Arc<Token>, Failure> {
        let mut held = self.held.lock().await;
        if let Some(token) = held.as_ref().filter(|token| Instant::now() < token.until) {
            return Ok(token.clone());
        }
        *held = None;
        let connection = self.connection().await?;
        let token = Arc::new(self.ask(connection).await?);
        *held = Some(token.clone());
        Ok(token)
    }

    /// Reports a token as rejected, by its fingerprint. The next one is another.
    ///
    /// # Errors
    /// Those of the engine: when the token was reported before, for example.
    pub(crate) async fn rejected(
        &self,
        token: &Token,
        challenge: Option<Challenge>,
    ) -> Result<RejectedAnswer, Failure> {
        let digest = Sha256::digest(token.secret.as_bytes());
        let report = RejectedToken {
            fingerprint: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            challenge,
        };
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|held| held.is_same(token)) {
            *held = None;
        }
        let id = token.connection.connection_id.to_string();
        self.engine
            .post_again(&path(&["v1", "connections", &id, "rejected"]), &report)
            .await
    }

    async fn ask(&self, connection: ServingConnection) -> Result<Token, Failure> {
        let id = connection.connection_id.to_string();
        let target = path(&["v1", "connections", &id, "token"]);
        let answer: TokenAnswer = self.engine.post_again(&target, &TokenRequest::default()).await?;
        let name = connection.connection_name.clone();
        let secret = Zeroizing::new(answer.access_token);
        if answer.token_type.eq_ignore_ascii_case("DPoP") {
            return Err(Failure::new(
                ErrorCode::ValidationError,
                format!("The token of {name} is bound to a key, so each request with it needs a proof."),
                format!("Use `tokenry token {name}`, and `tokenry dpop {name} METHOD URL` for each request."),
            ));
        }
        let value = Zeroizing::new(format!("Bearer {}", secret.as_str()));
        let mut header = HeaderValue::from_str(&value)
            .map_err(|_| Failure::invalid_response("the token holds a control character"))?;
        header.set_sensitive(true);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = answer.expires_at.map_or(MAX_AGE, |end| {
            let end = Duration::from_secs(end.as_second().try_into().unwrap_or(0));
            end.saturating_sub(now).saturating_sub(MARGIN)
        });
        Ok(Token {
            header,
            secret,
            connection,
            until: Instant::now() + left.min(MAX_AGE),
        })
    }

    /// The connection that is meant. The engine says whether it serves the address.
    async fn connection(&self) -> Result<ServingConnection, Failure> {
        let target = format!("/v1/resolve?url={}", encoded(&self.address));
        let found: Vec<ServingConnection> = self.engine.get(&target).await?;
        let meant = one(found, &self.choice, &self.address);
        if let (Err(failure), Choice::Named(name)) = (&meant, &self.choice)
            && failure.code() == Some(ErrorCode::NotFound)
        {
            // A name that is mistyped serves nothing either.
            self.engine
                .get::<Connection>(&path(&["v1", "connections", name]))
                .await?;
        }
        meant
    }
}

/// What the bridge uses an address for.
const KINDS: [&str; 2] = ["api", "mcp"];

fn one(
    mut found: Vec<ServingConnection>,
    choice: &Choice,
    address: &str,
) -> Result<ServingConnection, Failure> {
    found.retain(|one| one.is_for(&KINDS));
    let Choice::Named(name) = choice else {
        return only(found, address);
    };
    let is_exact =
        |one: &ServingConnection| one.connection_name == *name || one.connection_id.to_string() == *name;
    if let Some(exact) = found.iter().find(|one| is_exact(one)) {
        return Ok(exact.clone());
    }
    found.retain(|one| one.provider_name == *name);
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (Some(last), _) => Err(Failure::new(
            ErrorCode::Conflict,
            format!("Several connections of {name} serve {address}."),
            format!("Name one of them, such as {}.", last.connection_name),
        )),
        (None, _) => Err(Failure::new(
            ErrorCode::NotFound,
            format!("{name} does not serve {address}."),
            format!("If its tokens may go there: `tokenry bind {address} --connection {name}`."),
        )),
    }
}

fn only(mut found: Vec<ServingConnection>, address: &str) -> Result<ServingConnection, Failure> {
    let names: Vec<_> = found.iter().map(|one| one.connection_name.clone()).collect();
    match (found.pop(), names.as_slice()) {
        (Some(only), [_]) => Ok(only),
        (_, [first, ..]) => Err(Failure::new(
            ErrorCode::Conflict,
            format!("Several connections serve {address}: {}.", names.join(", ")),
            format!("Choose one: `tokenry bind {address} --connection {first}`."),
        )),
        _ => Err(Failure::new(
            ErrorCode::NotFound,
            format!("No connection serves {address}."),
            format!("Add it: `tokenry provider add {address}`."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serving(name: &str, named_by: &str, kinds: &[&str]) -> ServingConnection {
        serde_json::from_value(serde_json::json!({
            "connection_id": "0197a000-0000-7000-8000-000000000001",
            "connection_name": name,
            "provider_name": name.split('/').next(),
            "named_by": named_by,
            "address": "https://a.example",
            "kinds": kinds,
        }))
        .unwrap()
    }

    #[test]
    fn the_connection_of_a_name_is_meant_or_the_only_one_of_its_provider() {
        let of = |found: &[ServingConnection], name: &str| {
            let found = one(
                found.to_vec(),
                &Choice::Named(name.to_owned()),
                "https://a.example",
            );
            found
                .map(|one| one.connection_name)
                .map_err(|failure| failure.to_string())
        };
        let two = [serving("a", "binding", &[]), serving("a/work", "resource", &[])];
        assert_eq!(of(&two, "a").unwrap(), "a");
        assert_eq!(of(&two, "a/work").unwrap(), "a/work");
        assert!(of(&two, "b").unwrap_err().contains("tokenry bind"));
        assert_eq!(of(&two[1..], "a").unwrap(), "a/work");
        let ambiguous = [serving("a/x", "binding", &[]), serving("a/y", "binding", &[])];
        assert!(of(&ambiguous, "a").unwrap_err().contains("Several"));
        let only = |found: &[ServingConnection]| {
            one(found.to_vec(), &Choice::Only, "https://a.example").map(|one| one.connection_name)
        };
        assert_eq!(only(&two[..1]).unwrap(), "a");
        assert_eq!(only(&two).unwrap_err().code(), Some(ErrorCode::Conflict));
        assert_eq!(only(&[]).unwrap_err().code(), Some(ErrorCode::NotFound));
        let preset = [serving("a", "preset", &["git"])];
        assert!(of(&preset, "a").is_err(), "git only");
        assert!(of(&[serving("a", "preset", &["git", "api"])], "a").is_ok());
    }
}
