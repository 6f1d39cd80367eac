//! The device authorization grant (RFC 8628): the user types a short code on a page of the provider, on any device, and
//! Tokenry asks the token endpoint for the tokens until they did.

use crate::authorization_code::{check_id_token, parameters, resource};
use crate::json::Object;
use crate::outbound::Network;
use crate::request::send;
use crate::response::Response;
use crate::{Answer, Failure, Http, answer, client_auth};
use std::collections::BTreeMap;
use std::time::Duration;
use tokenry_core::{Captured, Flow, Provider, Scopes, Secret, read_address};
use url::Url;

/// The grant type of the token request (RFC 8628 §3.4).
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The time between two requests, where the provider does not tell it (RFC 8628 §3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// How much longer it is after each `slow_down` (RFC 8628 §3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// A provider that wants a longer one is asked this often all the same.
const MAX_INTERVAL: Duration = Duration::from_secs(60);

/// How long a code is good, where the provider does not tell it, and at most.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);
const MAX_LIFETIME: Duration = Duration::from_secs(3600);

const MAX_DEVICE_CODE_BYTES: usize = 8 * 1024;
/// A code is typed by hand.
const MAX_USER_CODE_BYTES: usize = 40;

/// What the provider gave for a sign-in on another device (RFC 8628 §3.2).
#[derive(Debug, Clone)]
pub struct Started {
    /// What the provider knows this sign-in by.
    pub device_code: Secret,
    /// What the user types: printable ASCII.
    pub user_code: String,
    /// The page where they type it: https, or http on this machine.
    pub verification_uri: Url,
    /// The same page with the code in its address, where the provider gave one that can be used.
    pub verification_uri_complete: Option<Url>,
    /// How long the code is good.
    pub expires_in: Duration,
    /// How long to wait between two requests for the tokens.
    pub interval: Duration,
    /// The resource that the request named (RFC 8707).
    pub resource: Option<String>,
}

/// Asks for a device code (RFC 8628 §3.1), with the client authentication of the token endpoint and the parameters of an
/// authorization request. `extra` wins over those of the provider's settings.
///
/// # Errors
/// See [`Failure`]. There is no grant here, so what would be `InvalidGrant` is `Rejected`.
pub async fn begin(
    http: &Http,
    provider: &Provider,
    scopes: &Scopes,
    extra: &[(String, String)],
) -> Result<Started, Failure> {
    let Some(endpoint) = provider.device_authorization_endpoint() else {
        return Err(unsent(format!(
            "The provider {} has no device authorization endpoint. Add it, or sign in with the browser.",
            provider.name
        )));
    };
    let request = request_parameters(provider, &endpoint, scopes, extra)?;
    let resource = resource(provider, extra);
    let form = client_auth::form(provider, &request)?;
    // Nothing is bound to a key yet: the token request brings the proof (RFC 9449 §5).
    let client = Provider {
        dpop_key: None,
        ..provider.clone()
    };
    let response = send(http, &client, &endpoint, form, &BTreeMap::new()).await?;
    let members = response
        .members()
        .map_err(|failure| failure.without_a_grant(response.status))?;
    read(provider, &members, &response, resource)
}

/// Whether a request for a device code could be built as things are.
///
/// # Errors
/// What is missing or wrong, in words.
pub fn check(provider: &Provider, scopes: &Scopes, extra: &[(String, String)]) -> Result<(), Failure> {
    let endpoint = provider.device_authorization_endpoint().ok_or_else(|| {
        unsent(format!(
            "The provider {} has no device authorization endpoint, so it offers no sign-in on another device.",
            provider.name
        ))
    })?;
    request_parameters(provider, &endpoint, scopes, extra).map(drop)
}

fn request_parameters(
    provider: &Provider,
    endpoint: &Url,
    scopes: &Scopes,
    extra: &[(String, String)],
) -> Result<Vec<(String, String)>, Failure> {
    let mut all =
        parameters(provider, endpoint, scopes, extra, None).map_err(|wrong| unsent(wrong.to_string()))?;
    // It would tie an id token to a browser, and there is none (OpenID Connect Core §3.1.2.1).
    all.remove("nonce");
    if !scopes.is_empty() {
        all.insert(
            "scope".to_owned(),
            scopes.join(&provider.settings.scope_separator),
        );
    }
    let resource = resource(provider, extra).map(|resource| ("resource".to_owned(), resource));
    Ok(all.into_iter().chain(resource).collect())
}

fn unsent(message: String) -> Failure {
    Failure::NotSent { message }
}

/// Strict, since the code and the address are shown in terminals, and the address is opened in a browser.
fn read(
    provider: &Provider,
    members: &Object,
    response: &Response,
    resource: Option<String>,
) -> Result<Started, Failure> {
    let network = Network::of(provider);
    let page = |text: &str| page(&network, text);
    let unusable = |what: &str| Failure::Unusable {
        message: format!("{} started the sign-in, but {what}.", response.host),
    };
    let text = |name: &str| {
        let found = members.text(name).filter(|_| !members.is_ambiguous(name));
        found.map(Secret::expose)
    };
    let device_code = text("device_code")
        .filter(|code| (1..=MAX_DEVICE_CODE_BYTES).contains(&code.len()))
        .filter(|code| code.bytes().all(|byte| matches!(byte, 0x20..=0x7e)))
        .ok_or_else(|| unusable("it gave no device code that can be used"))?;
    let user_code = text("user_code")
        .filter(|code| is_user_code(code))
        .ok_or_else(|| unusable("it gave no code that a user can type"))?;
    // Google's own name of it.
    let uri = text("verification_uri").or_else(|| text("verification_url"));
    let verification_uri = uri.and_then(page).ok_or_else(|| {
        unusable("the address of its page is missing, or neither https nor on this machine")
    })?;
    let seconds = |name| members.number(name).filter(|_| !members.is_ambiguous(name));
    let expires_in = match seconds("expires_in") {
        None => DEFAULT_LIFETIME,
        Some(seconds) if seconds >= 1.0 => {
            Duration::from_secs(seconds.min(MAX_LIFETIME.as_secs_f64()) as u64)
        }
        Some(_) => return Err(unusable("its code has expired already")),
    };
    let interval = seconds("interval").filter(|seconds| *seconds >= 1.0);
    let interval = interval.map_or(DEFAULT_INTERVAL, |seconds| {
        Duration::from_secs(seconds.min(MAX_INTERVAL.as_secs_f64()) as u64)
    });
    Ok(Started {
        device_code: Secret::new(device_code.to_owned()),
        user_code: user_code.to_owned(),
        verification_uri,
        verification_uri_complete: text("verification_uri_complete").and_then(page),
        expires_in,
        interval,
        resource,
    })
}

fn is_user_code(code: &str) -> bool {
    let is_typed = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    code.trim() == code && (1..=MAX_USER_CODE_BYTES).contains(&code.len()) && code.bytes().all(is_typed)
}

/// An address that may be shown and opened: https, or http to where the provider's own addresses may be. A parsed one is
/// printable ASCII.
fn page(network: &Network, text: &str) -> Option<Url> {
    read_address(text).ok().filter(|url| network.reach(url).is_some())
}

/// What a request for the tokens brought (RFC 8628 §3.5).
#[derive(Debug, Clone)]
pub enum Polled {
    /// The user is not done yet.
    Pending,
    /// The same, and Tokenry asks too often.
    SlowDown,
    /// The user refused. In the provider's words, where it has some.
    Denied(Option<String>),
    /// The code is not good any more.
    Expired,
    /// The tokens.
    Tokens(Box<Answer>),
}

/// Asks for the tokens once (RFC 8628 §3.4), at the token endpoint that the flow recorded.
///
/// # Errors
/// See [`Failure`]. After one that a later request may mend, [`may_mend`], the flow goes on.
pub async fn poll(
    http: &Http,
    provider: &Provider,
    flow: &Flow,
    device_code: &Secret,
) -> Result<Polled, Failure> {
    let endpoint = flow.token_endpoint(&provider.settings.client_id, &Captured::new());
    let endpoint = endpoint.map_err(|error| Failure::Unusable {
        message: error.to_string(),
    })?;
    let mut request = vec![
        ("grant_type".to_owned(), GRANT_TYPE.to_owned()),
        ("device_code".to_owned(), device_code.expose().to_owned()),
    ];
    request.extend(
        flow.resource
            .clone()
            .map(|resource| ("resource".to_owned(), resource)),
    );
    let form = client_auth::form(provider, &request)?;
    let response = send(http, provider, &endpoint, form, &provider.settings.token_params).await?;
    match answer::judge_first(&response, provider, None) {
        Ok(mut answer) => {
            check_id_token(http, provider, flow, &mut answer).await;
            Ok(Polled::Tokens(Box::new(answer)))
        }
        Err(failure) => refused(&response, failure),
    }
}

/// A refusal by its code, whatever its status is: Google answers 428, GitHub 200.
fn refused(response: &Response, failure: Failure) -> Result<Polled, Failure> {
    match response.error_code().unwrap_or_default().as_str() {
        "authorization_pending" => Ok(Polled::Pending),
        "slow_down" => Ok(Polled::SlowDown),
        "expired_token" => Ok(Polled::Expired),
        // The second is Microsoft's.
        "access_denied" | "authorization_declined" => Ok(Polled::Denied(match failure {
            Failure::Rejected { description, .. } => description,
            _ => None,
        })),
        _ => Err(failure.without_a_grant(response.status)),
    }
}

/// What an answer to a made-up code says, as if that had been an authorization code: any word about the code is
/// [`Failure::InvalidGrant`].
///
/// # Errors
/// As [`poll`].
pub fn refusal(polled: Result<Polled, Failure>) -> Result<(), Failure> {
    let invalid = |description| Err(Failure::InvalidGrant { description });
    match polled {
        Ok(Polled::Tokens(_)) => Ok(()),
        Ok(_) => invalid(None),
        Err(Failure::Rejected {
            error, description, ..
        }) if error == "invalid_grant" => invalid(description),
        Err(failure) => Err(failure),
    }
}

/// Whether a later request may succeed: nothing was said about this sign-in.
pub fn may_mend(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::NotSent { .. } | Failure::Unanswered { .. } | Failure::Interfered { .. }
    )
}

/// How long Tokenry waits before each request for the tokens (RFC 8628 §3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollInterval {
    interval: Duration,
    /// How often in a row nothing was said about this sign-in.
    failures: u32,
}

impl PollInterval {
    /// The interval that the provider asks for.
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            failures: 0,
        }
    }

    /// The time between two requests, as far as the provider has a say.
    pub fn interval(self) -> Duration {
        self.interval
    }

    /// The provider was reached, and the user is not done.
    pub fn pending(&mut self) {
        self.failures = 0;
    }

    /// It asks for a slower interval, which stays.
    pub fn slow_down(&mut self) {
        self.failures = 0;
        self.interval += SLOW_DOWN;
    }

    /// Nothing was said about this sign-in: each time the wait doubles.
    pub fn failed(&mut self) {
        self.failures += 1;
    }

    /// How long to wait before the next request.
    pub fn wait(self) -> Duration {
        let doubled = self.interval.saturating_mul(1 << self.failures.min(8));
        doubled.min(MAX_INTERVAL.max(self.interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checklist A7.1 and A7.2.
    #[test]
    fn slow_down_stays_and_failures_double_the_wait_until_an_answer_comes() {
        let mut interval = PollInterval::new(Duration::from_secs(5));
        let wait = |interval: PollInterval| interval.wait().as_secs();
        assert_eq!(wait(interval), 5);
        for expected in [10, 20, 40, 60, 60] {
            interval.failed();
            assert_eq!(wait(interval), expected);
        }
        interval.pending();
        assert_eq!(wait(interval), 5);
        for expected in [10, 15] {
            interval.slow_down();
            assert_eq!(wait(interval), expected);
        }
        interval.pending();
        assert_eq!(wait(interval), 15);
        interval.failed();
        assert_eq!(wait(interval), 30);
        for _ in 0..40 {
            interval.failed();
            interval.slow_down();
        }
        assert_eq!(wait(interval), interval.interval().as_secs());
    }
}
