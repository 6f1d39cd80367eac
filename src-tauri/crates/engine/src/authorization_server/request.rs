//! Parsing and validation of an authorization request.

use super::{
    error::{
        OAuthError,
        OAuthErrorCode::{
            InvalidRequest, InvalidScope, RequestNotSupported, RequestUriNotSupported,
            UnsupportedResponseType,
        },
    },
    parameters::Parameters,
};
use crate::access::consent::AuthorizationRequest;
use std::collections::BTreeSet;
use tokenry_core::{ApiScope, AppId, Scopes};

/// Judges everything but the app and its address. What is wrong goes back to that address.
pub(super) fn read(
    app: AppId,
    redirect_uri: &str,
    parameters: &Parameters,
) -> Result<AuthorizationRequest, OAuthError> {
    if parameters.has_repeated() {
        return Err(InvalidRequest.because("a parameter is given twice"));
    }
    if parameters.get("state").is_some_and(|state| !is_visible(state)) {
        return Err(InvalidRequest.because("state may hold printable ASCII only"));
    }
    // auth-api-authorize-consent-token has no response_type: without one it is the only one there is.
    match parameters.get("response_type") {
        None | Some("code") => {}
        Some(_) => return Err(UnsupportedResponseType.because("only response_type=code is supported")),
    }
    if parameters
        .get("response_mode")
        .is_some_and(|mode| mode != "query")
    {
        return Err(InvalidRequest.because("only response_mode=query is supported"));
    }
    if parameters.get("request").is_some() {
        return Err(RequestNotSupported.because("request objects are not supported"));
    }
    if parameters.get("request_uri").is_some() {
        return Err(RequestUriNotSupported.because("request objects are not supported"));
    }
    Ok(AuthorizationRequest {
        app,
        redirect_uri: redirect_uri.to_owned(),
        scopes: scopes(parameters.get("scope"))?,
        state: parameters.get("state").map(str::to_owned),
        code_challenge: challenge(parameters)?,
    })
}

/// The scopes of a request: at least one, each of them known.
pub(super) fn scopes(asked: Option<&str>) -> Result<BTreeSet<ApiScope>, OAuthError> {
    let known: Result<BTreeSet<_>, _> = asked
        .unwrap_or_default()
        .split(' ')
        .filter(|token| !token.is_empty())
        .map(|token| token.parse().map_err(|_| unknown(token)))
        .collect();
    match known? {
        none if none.is_empty() => {
            Err(InvalidScope.because("scope is missing; GET /oauth/scopes lists what can be asked for"))
        }
        scopes => Ok(scopes),
    }
}

fn unknown(token: &str) -> OAuthError {
    let name = if Scopes::is_token(token) && token.len() <= 64 {
        token
    } else {
        "one of them"
    };
    InvalidScope.because(format!(
        "{name} is no scope of Tokenry; GET /oauth/scopes lists them"
    ))
}

/// PKCE with S256, and nothing less: a challenge without a method would be `plain` (RFC 7636 §4.3).
fn challenge(parameters: &Parameters) -> Result<String, OAuthError> {
    let Some(challenge) = parameters.get("code_challenge") else {
        return Err(InvalidRequest.because("PKCE is required: code_challenge is missing"));
    };
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(InvalidRequest.because("code_challenge_method must be S256"));
    }
    if !tokenry_oauth::pkce::is_challenge(challenge) {
        return Err(InvalidRequest.because("code_challenge must be a SHA-256 in base64url, 43 characters"));
    }
    Ok(challenge.to_owned())
}

/// RFC 6749 appendix A.5.
pub(super) fn is_visible(state: &str) -> bool {
    state.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization_server::error::OAuthErrorCode;
    use tokenry_core::{OsRandom, SystemClock};

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn judged(query: &str) -> Result<AuthorizationRequest, OAuthErrorCode> {
        let app = AppId::new(&SystemClock, &OsRandom);
        let parameters = Parameters::parse(query).unwrap();
        read(app, "https://app.example/cb", &parameters).map_err(|error| error.code)
    }

    fn good() -> String {
        format!(
            "response_type=code&scope=tokens:read+connections:read&state=a%20b&code_challenge={CHALLENGE}&code_challenge_method=S256"
        )
    }

    #[test]
    fn a_good_request_is_read_and_unknown_parameters_are_ignored() {
        let request = judged(&format!("{}&nonce=1&prompt=login", good())).unwrap();
        assert_eq!(
            request.scopes,
            [ApiScope::TokensRead, ApiScope::ConnectionsRead].into()
        );
        assert_eq!(request.state.as_deref(), Some("a b"));
        assert_eq!(request.code_challenge, CHALLENGE);
    }

    #[test]
    fn without_a_response_type_it_is_code() {
        for without in ["", "response_type=&"] {
            let query = good().replace("response_type=code&", without);
            assert!(judged(&query).is_ok(), "{query}");
        }
    }

    /// A13.2 and A13.9: S256 only; unknown response types, repeated and empty parameters.
    #[test]
    fn whatever_is_not_code_with_s256_is_refused() {
        let swapped = |from: &str, to: &str| good().replace(from, to);
        for (query, code) in [
            (
                swapped("response_type=code", "response_type=token"),
                UnsupportedResponseType,
            ),
            (
                swapped("response_type=code", "response_type=code+token"),
                UnsupportedResponseType,
            ),
            (
                swapped("response_type=code", "response_type=CODE"),
                UnsupportedResponseType,
            ),
            (format!("{}&response_type=code", good()), InvalidRequest),
            (swapped("=S256", "=plain"), InvalidRequest),
            (swapped("=S256", "=s256"), InvalidRequest),
            (swapped("=S256", "="), InvalidRequest),
            (swapped("&code_challenge_method=S256", ""), InvalidRequest),
            (swapped(CHALLENGE, ""), InvalidRequest),
            (swapped(CHALLENGE, &CHALLENGE[1..]), InvalidRequest),
            (
                swapped(CHALLENGE, "%2B9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
                InvalidRequest,
            ),
            (swapped("tokens:read+connections:read", ""), InvalidScope),
            (swapped("tokens:read+connections:read", "+"), InvalidScope),
            (swapped("tokens:read+", "tokens:read,"), InvalidScope),
            (swapped("tokens:read", "tokens:all"), InvalidScope),
            (swapped("tokens:read", "TOKENS:READ"), InvalidScope),
            (format!("{}&scope=tokens:read", good()), InvalidRequest),
            (format!("{}&x=1&x=2", good()), InvalidRequest),
            (format!("{}&response_mode=fragment", good()), InvalidRequest),
            (format!("{}&request=eyJ", good()), RequestNotSupported),
            (
                format!("{}&request_uri=https://evil.example", good()),
                RequestUriNotSupported,
            ),
            (swapped("a%20b", "%C3%A4"), InvalidRequest),
        ] {
            assert_eq!(judged(&query).unwrap_err(), code, "{query}");
        }
    }
}
