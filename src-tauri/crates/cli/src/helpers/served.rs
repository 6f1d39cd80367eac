//! The connection that serves an address, and its token.

use crate::commands::token;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::{Method, Request, encoded, path};
use tokenry_contract::{
    Connection, ErrorCode, NamedBy, RejectedOutcome, ServingConnection, TokenAnswer, TokenRequest,
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

/// The connection whose token a program needs that uses an address for this kind of thing (`git`, `registry`, `api`), if
/// one serves the address at all. A preset names an address for one kind only: the API on the same host is another matter.
///
/// # Errors
/// When several serve it, and the user name does not tell which one is meant.
pub(crate) fn one_serving(
    address: &str,
    kind: &str,
    user: Option<&str>,
    engine: &Engine,
) -> Result<Option<ServingConnection>, Failure> {
    serving_one_of(address, &[kind], user, engine)
}

/// The same for a program that has use for several kinds of things.
///
/// # Errors
/// As [`one_serving`].
pub(crate) fn serving_one_of(
    address: &str,
    kinds: &[&str],
    user: Option<&str>,
    engine: &Engine,
) -> Result<Option<ServingConnection>, Failure> {
    let mut found = match serving(address, engine) {
        // No token goes to such an address, as to http on another machine: its program gets on without one.
        Err(failure) if failure.code() == Some(ErrorCode::ValidationError) => return Ok(None),
        found => found?,
    };
    let is_of_kind = |one: &ServingConnection| one.kinds.iter().any(|known| kinds.contains(&known.as_str()));
    found.retain(|one| one.named_by != NamedBy::Preset || is_of_kind(one));
    if let (Some(user), true) = (user, found.len() > 1) {
        found = of_user(found, user, engine)?;
    }
    if found.len() < 2 {
        return Ok(found.pop());
    }
    let names: Vec<_> = found.iter().map(|one| one.connection_name.as_str()).collect();
    Err(Failure::new(
        ErrorCode::Conflict,
        format!("Several connections serve {address}: {}.", names.join(", ")),
        format!("Choose one: tokenry bind {address} --connection {}", names[0]),
    ))
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

/// Its token.
///
/// # Errors
/// Those of a token request, and when the token cannot be told in a line, or needs a proof beside it.
pub(crate) fn token_of(serving: &ServingConnection, engine: &Engine) -> Result<TokenAnswer, Failure> {
    bearer(
        &serving.connection_id.to_string(),
        &TokenRequest::default(),
        engine,
    )
}

/// A token of a connection, by its name or id, that needs no proof beside it and fits into a line.
///
/// # Errors
/// As [`token_of`].
pub(crate) fn bearer(name: &str, request: &TokenRequest, engine: &Engine) -> Result<TokenAnswer, Failure> {
    let answer: TokenAnswer = token::ask(name, request, engine)?;
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
