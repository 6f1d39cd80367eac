//! Requests to the server with the token of the connection that serves it, which is signed in to where that is needed.

use super::challenge;
use super::sign_in::SignIn;
use crate::failure::Failure;
use crate::token::{Token, TokenSource};
use crate::upstream;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, Request, Response, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokenry_contract::ErrorCode;
use tokio::time::sleep;
use url::Url;

const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
/// How many redirects of a request are followed.
const MAX_MOVES: usize = 3;
/// How often one request leads to another sign-in with more scopes.
const MAX_STEP_UPS: usize = 3;
/// A server that restarts listens again within the sum of these.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// The server, and how to get access to it.
pub(super) struct Access {
    client: Client,
    tokens: TokenSource,
    sign_in: SignIn,
    /// The user's own headers.
    headers: HeaderMap,
    /// The server has answered a request without a token.
    is_open: AtomicBool,
}

impl Access {
    pub(super) fn new(client: Client, tokens: TokenSource, sign_in: SignIn, headers: HeaderMap) -> Self {
        Self {
            client,
            tokens,
            sign_in,
            headers,
            is_open: AtomicBool::new(false),
        }
    }

    /// Sends a request with a token, if the server wants one. A token that it rejects is renewed once, and the user is asked
    /// to sign in where that helps.
    ///
    /// # Errors
    /// When the server cannot be reached, or there is no token for it.
    pub(super) async fn send(&self, request: impl Fn() -> Request) -> Result<Response, Failure> {
        if self.headers.contains_key(AUTHORIZATION) {
            let response = self.sent(&request, None).await?;
            return match response.status() {
                StatusCode::UNAUTHORIZED => Err(own_header_refused(self.tokens.address())),
                _ => Ok(response),
            };
        }
        let (mut is_renewed, mut is_signed_in, mut step_ups) = (false, false, 0);
        loop {
            let seen = self.sign_in.generation();
            let token = match self.token().await {
                Err(failure) if failure.code() == Some(ErrorCode::NeedsReauth) && !is_signed_in => {
                    is_signed_in = true;
                    self.sign_in.run(seen, &self.tokens, None).await?;
                    continue;
                }
                token => token?,
            };
            let response = self.sent(&request, token.as_deref()).await?;
            match (response.status(), token) {
                (StatusCode::UNAUTHORIZED, None) if !is_signed_in => {
                    self.is_open.store(false, Ordering::Relaxed);
                    is_signed_in = true;
                    self.sign_in.run(seen, &self.tokens, None).await?;
                }
                (StatusCode::UNAUTHORIZED, Some(token)) if !is_renewed => {
                    is_renewed = true;
                    match self.tokens.rejected(&token, None).await {
                        Ok(_) => {}
                        Err(failure) if failure.code() == Some(ErrorCode::NeedsReauth) && !is_signed_in => {
                            is_signed_in = true;
                            self.sign_in.run(seen, &self.tokens, Some(&token)).await?;
                        }
                        Err(failure) => return Err(failure),
                    }
                }
                (StatusCode::FORBIDDEN, Some(token)) if step_ups < MAX_STEP_UPS => {
                    let Some(wants) = challenge::of(response.headers(), self.tokens.address()) else {
                        return Ok(response);
                    };
                    step_ups += 1;
                    let answer = self.tokens.rejected(&token, Some(wants)).await?;
                    self.sign_in.follow(&answer).await?;
                }
                (status, token) => {
                    if token.is_none() && status.is_success() {
                        self.is_open.store(true, Ordering::Relaxed);
                    }
                    return Ok(response);
                }
            }
        }
    }

    /// A token, if a connection serves the address.
    async fn token(&self) -> Result<Option<Arc<Token>>, Failure> {
        if self.is_open.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match self.tokens.token().await {
            Ok(token) => Ok(Some(token)),
            Err(failure) if failure.code() == Some(ErrorCode::NotFound) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Sends it, and again while the server cannot be connected to: nothing has been sent then.
    async fn sent(&self, request: &impl Fn() -> Request, token: Option<&Token>) -> Result<Response, Failure> {
        let mut pauses = PAUSES.iter();
        let mut moves: Vec<Url> = Vec::new();
        loop {
            let mut request = request();
            if let Some(url) = moves.last() {
                *request.url_mut() = url.clone();
            }
            request.headers_mut().insert(ACCEPT_ENCODING, IDENTITY);
            let url = request.url().clone();
            for (name, value) in &self.headers {
                request.headers_mut().insert(name, value.clone());
            }
            if let Some(token) = token {
                request.headers_mut().insert(AUTHORIZATION, token.header.clone());
            }
            let error = match self.client.execute(request).await {
                Ok(response) => match moved(&url, &response).filter(|_| moves.len() < MAX_MOVES) {
                    Some(url) => {
                        moves.push(url);
                        continue;
                    }
                    None => return plain(response, self.tokens.address()),
                },
                Err(error) => error,
            };
            match pauses.next().filter(|_| error.is_connect()) {
                Some(pause) => sleep(*pause).await,
                None => {
                    let why = upstream::cause(&error);
                    return Err(unreachable(self.tokens.address(), &why));
                }
            }
        }
    }
}

/// Where a redirect leads that keeps the method and the body, if the token may go there: below the same address, as from
/// `/mcp` to `/mcp/`, which many servers do.
fn moved(from: &Url, response: &Response) -> Option<Url> {
    let keeps_all = [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT];
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    keeps_all.contains(&response.status()).then_some(())?;
    below(from, location)
}

fn below(from: &Url, location: &str) -> Option<Url> {
    let mut to = from.join(location).ok()?;
    to.set_fragment(None);
    let rest = to.path().strip_prefix(from.path().trim_end_matches('/'))?;
    let is_below = rest.is_empty() || rest.starts_with('/');
    let is_same = to.origin() == from.origin() && to.username() == "" && to.password().is_none();
    (is_below && is_same).then_some(to)
}

/// An answer as it is: a client cannot read another coding, which the server was not asked for either (RFC 9110, 12.5.3).
fn plain(response: Response, address: &str) -> Result<Response, Failure> {
    let coding = response.headers().get(CONTENT_ENCODING);
    if coding.is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(response);
    }
    Err(Failure::new(
        ErrorCode::ProviderError,
        format!("{address} answered in a coding that it was not asked for, such as gzip."),
        "Its operator should know of it.",
    ))
}

fn own_header_refused(address: &str) -> Failure {
    Failure::new(
        ErrorCode::ProviderError,
        format!("{address} refuses the Authorization header that --header gives."),
        "Correct it, or leave it out: Tokenry then signs in.",
    )
}

/// The failure when the server cannot be reached.
pub(super) fn unreachable(address: &str, why: &str) -> Failure {
    Failure::new(
        ErrorCode::ProviderUnreachable,
        format!("Could not reach {address}: {why}."),
        "Check the network and the address.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_followed_below_the_same_address_only() {
        let from: Url = "https://mcp.example.com/mcp".parse().unwrap();
        let to = |location: &str| below(&from, location).map(|url| url.to_string());
        for (location, url) in [
            ("/mcp/", "https://mcp.example.com/mcp/"),
            ("https://mcp.example.com/mcp/", "https://mcp.example.com/mcp/"),
            ("/mcp/v2?a=1#b", "https://mcp.example.com/mcp/v2?a=1"),
            ("/mcp", "https://mcp.example.com/mcp"),
        ] {
            assert_eq!(to(location).as_deref(), Some(url), "{location}");
        }
        for other in [
            "/",
            "/mcpx",
            "/mcp/../admin",
            "/mcp/%2e%2e/admin",
            "//evil.example/mcp/",
            "https://evil.example/mcp/",
            "http://mcp.example.com/mcp/",
            "https://mcp.example.com:8443/mcp/",
            "https://me:secret@mcp.example.com/mcp/",
            "javascript:alert(1)",
        ] {
            assert_eq!(to(other), None, "{other}");
        }
        let slash: Url = "https://mcp.example.com/mcp/".parse().unwrap();
        assert!(below(&slash, "/mcp").is_some(), "and the other way round");
    }
}
