//! The connection that serves an address, and its token.

use crate::commands::token;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::{Method, Request, encoded, path};
use tokenry_contract::{
    AddressToken, AddressTokenRequest, Connection, ErrorCode, RejectedOutcome, ServingConnection,
    TokenAnswer, TokenRequest,
};

/// A user name for servers that look at the token alone.
pub(crate) const ANY_USER_NAME: &str = "oauth2";

/// The connections that serve an address.
pub(crate) fn serving(address: &str, engine: &Engine) -> Result<Vec<ServingConnection>, Failure> {
    let target = format!("{}?url={}", path(&["v1", "resolve"]), encoded(address));
    // A request for the token follows.
    engine.ask(&Request {
        is_first: true,
        ..Request::new(Method::Get, target)
    })
}

/// An address that a program uses.
pub(crate) struct Use<'a> {
    pub(crate) address: &'a str,
    /// What for: one of these.
    pub(crate) kinds: &'a [&'a str],
    /// The user name that the program has for it.
    pub(crate) user: Option<&'a str>,
}

impl<'a> Use<'a> {
    pub(crate) fn new(address: &'a str, kinds: &'a [&'a str]) -> Self {
        Self {
            address,
            kinds,
            user: None,
        }
    }

    /// The connection whose token the program needs, and the token, if a connection serves the address at all.
    ///
    /// # Errors
    /// Those of a token request, when several connections serve the address and the user name does not tell which one is
    /// meant, and when the token cannot be told in a line, or needs a proof beside it.
    pub(crate) fn token(&self, engine: &Engine) -> Result<Option<(ServingConnection, TokenAnswer)>, Failure> {
        let request = AddressTokenRequest {
            url: self.address.to_owned(),
            kinds: self.kinds.iter().map(|&kind| kind.to_owned()).collect(),
        };
        let answered: Result<AddressToken, Failure> =
            engine.retrying(|| engine.send_body(Method::Post, &["v1", "resolve"], &request));
        let AddressToken { connections, token } = match answered {
            Err(failure) if is_for_no_token(&failure) => return Ok(None),
            answered => answered?,
        };
        let Some(serving) = self.only(connections, engine)? else {
            return Ok(None);
        };
        let answer = match token {
            Some(token) => plain_bearer(&serving.connection_name, token)?,
            None => bearer(
                &serving.connection_id.to_string(),
                &TokenRequest::default(),
                engine,
            )?,
        };
        Ok(Some((serving, answer)))
    }

    /// The connection alone.
    ///
    /// # Errors
    /// When several serve the address, and the user name does not tell which one is meant.
    pub(crate) fn connection(&self, engine: &Engine) -> Result<Option<ServingConnection>, Failure> {
        self.only(self.connections(engine)?, engine)
    }

    /// All connections that serve the address, whatever the user name.
    ///
    /// # Errors
    /// Those of the engine.
    pub(crate) fn connections(&self, engine: &Engine) -> Result<Vec<ServingConnection>, Failure> {
        let mut found = match serving(self.address, engine) {
            Err(failure) if is_for_no_token(&failure) => Vec::new(),
            found => found?,
        };
        found.retain(|one| one.is_for(self.kinds));
        Ok(found)
    }

    fn only(
        &self,
        mut found: Vec<ServingConnection>,
        engine: &Engine,
    ) -> Result<Option<ServingConnection>, Failure> {
        if let (Some(user), true) = (self.user, found.len() > 1) {
            found = of_user(found, user, engine)?;
        }
        if found.len() < 2 {
            return Ok(found.pop());
        }
        let address = self.address;
        let names: Vec<_> = found.iter().map(|one| one.connection_name.as_str()).collect();
        Err(Failure::new(
            ErrorCode::Conflict,
            format!("Several connections serve {address}: {}.", names.join(", ")),
            format!("Choose one: tokenry bind {address} --connection {}", names[0]),
        ))
    }
}

/// No token goes to such an address, as to http on another machine: its program gets on without one.
fn is_for_no_token(failure: &Failure) -> bool {
    failure.code() == Some(ErrorCode::ValidationError)
}

/// Those whose account has this name, where there are any.
fn of_user(
    found: Vec<ServingConnection>,
    user: &str,
    engine: &Engine,
) -> Result<Vec<ServingConnection>, Failure> {
    let connections: Vec<Connection> = engine.get(&["v1", "connections"])?;
    let is_users = |one: &ServingConnection| {
        let connection = connections
            .iter()
            .find(|connection| connection.id == one.connection_id);
        let account = connection.and_then(|connection| connection.account.as_ref());
        account.is_some_and(|account| {
            let names = [
                account.name.as_deref(),
                account.email.as_deref(),
                Some(account.subject.as_str()),
            ];
            names.contains(&Some(user))
        })
    };
    let matching: Vec<_> = found.iter().filter(|one| is_users(one)).cloned().collect();
    Ok(if matching.is_empty() { found } else { matching })
}

/// A token of a connection, by its name or id, that needs no proof beside it and fits into a line.
///
/// # Errors
/// As [`Use::token`].
pub(crate) fn bearer(name: &str, request: &TokenRequest, engine: &Engine) -> Result<TokenAnswer, Failure> {
    plain_bearer(name, token::ask(name, request, engine)?)
}

fn plain_bearer(name: &str, answer: TokenAnswer) -> Result<TokenAnswer, Failure> {
    if answer.access_token.contains(|c: char| c.is_control()) {
        return Err(Failure::invalid_response("the token holds a control character"));
    }
    if answer.token_type.eq_ignore_ascii_case("DPoP") {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            format!("the token of {name} is bound to a key, so each request with it needs a proof"),
            format!("Use `tokenry token {name}`, and `tokenry dpop {name} METHOD URL` for each request."),
        ));
    }
    Ok(answer)
}

/// Reports a token as rejected, which makes the next request bring a new one. Of a token that is not the connection's
/// the fingerprint says nothing, and nothing is done.
pub(crate) fn rejected(
    serving: &ServingConnection,
    token: &str,
    engine: &Engine,
) -> Result<RejectedOutcome, Failure> {
    token::rejected(&serving.connection_id.to_string(), token, engine)
}
