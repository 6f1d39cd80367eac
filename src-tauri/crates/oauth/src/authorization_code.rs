//! The authorization code grant with PKCE (RFC 6749 §4.1, RFC 7636, OAuth 2.1 §4.1).

use crate::jose::SigningKey;
use crate::outbound::Network;
use crate::random::fresh;
use crate::request::{capture, captured, client, send};
use crate::signed_claims::{self, Expected};
use crate::{Answer, Error, Failure, Http, answer, authorize_address, redirect};
use oauth2::{
    AuthUrl, AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, TokenUrl,
};
use std::collections::BTreeMap;
use tokenry_core::{Captured, Flow, Provider, Random, Scopes, Secret, is_reserved_parameter, parameter_name};
use url::Url;

/// A flow that has begun: what has to be recorded before the browser opens.
#[derive(Debug, Clone)]
pub struct Started {
    /// Where the browser is sent.
    pub authorization_url: Url,
    /// Ties the answer to this flow: 256 random bits, used once (RFC 6749 §10.12).
    pub state: Secret,
    /// The PKCE verifier (RFC 7636 §4.1); `None` where PKCE is off for the provider.
    pub verifier: Option<Secret>,
    /// Ties the id token to this flow (OpenID Connect Core §3.1.2.1); `None` where `openid` is not asked for.
    pub nonce: Option<Secret>,
    /// The resource that the request names by the provider's settings (RFC 8707 §2.1); the code exchange repeats it.
    pub resource: Option<String>,
}

/// Builds the authorization request (RFC 6749 §4.1.1). The endpoint's own query stays; the provider's
/// `authorize_params` are added, and `extra`, which wins over them.
///
/// # Errors
/// When the endpoint or the redirect URI is missing or unsafe, or a parameter would be set twice or is ours to set.
pub fn begin(
    provider: &Provider,
    redirect_uri: &str,
    scopes: &Scopes,
    extra: &[(String, String)],
    random: &dyn Random,
) -> Result<Started, Error> {
    let endpoint = endpoint(provider)?;
    let redirect = redirect_url(provider, redirect_uri)?;
    let sends_nonce = scopes.contains("openid") || provider.settings.always_send_nonce;
    let nonce = sends_nonce.then(|| fresh(random));
    let mut parameters = parameters(provider, &endpoint, scopes, extra, nonce.as_ref())?;
    if let Some(key) = &provider.dpop_key {
        // Binds the code, too (RFC 9449 §10).
        let key = SigningKey::read(key).map_err(|_| Error::DpopKey)?;
        parameters.insert("dpop_jkt".to_owned(), key.thumbprint());
    }
    let state = fresh(random);
    let verifier = provider.settings.use_pkce.then(|| fresh(random));

    let client = client(provider)
        .set_auth_uri(AuthUrl::from_url(endpoint))
        .set_redirect_uri(redirect);
    let mut request = client.authorize_url(|| CsrfToken::new(state.expose().to_owned()));
    if let Some(verifier) = &verifier {
        let verifier = PkceCodeVerifier::new(verifier.expose().to_owned());
        request = request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    }
    if !scopes.is_empty() {
        request = request.add_extra_param("scope", scopes.join(&provider.settings.scope_separator));
    }
    for (key, value) in parameters {
        request = request.add_extra_param(key, value);
    }
    let resource = resource(provider, extra);
    if let Some(resource) = &resource {
        request = request.add_extra_param("resource", resource.clone());
    }
    let (address, _) = request.url();
    let authorization_url = authorize_address::dressed(provider, &address);
    Ok(Started {
        authorization_url,
        state,
        verifier,
        nonce,
        resource,
    })
}

/// Exchanges a code for tokens (RFC 6749 §4.1.3): one POST, to the token endpoint that the flow recorded and with
/// its redirect URI and verifier. `scope` is left out, since the grant has it.
///
/// `values` are those of the response that the endpoint and the parameters may need.
///
/// A code is redeemed once: the caller has ended the flow before (RFC 6749 §4.1.2).
///
/// # Errors
/// See [`Failure`]; `InvalidGrant` means that the flow has to be started again. An answer with an
/// [`objection`](Answer::objection) has tokens that are not to be used, and are better revoked.
pub async fn exchange(
    http: &Http,
    provider: &Provider,
    flow: &Flow,
    code: &Secret,
    values: &Captured,
) -> Result<Answer, Failure> {
    let endpoint = flow.token_endpoint(&provider.settings.client_id, values);
    let endpoint = endpoint.map_err(|error| Failure::Unusable {
        message: error.to_string(),
    })?;
    let redirect = RedirectUrl::new(flow.redirect_uri.clone()).map_err(|_| Failure::NotSent {
        message: Error::RedirectUri.to_string(),
    })?;
    let client = client(provider)
        .set_token_uri(TokenUrl::from_url(endpoint.clone()))
        .set_redirect_uri(redirect);
    let mut request = client.exchange_code(AuthorizationCode::new(code.expose().to_owned()));
    if let Some(verifier) = &flow.verifier {
        request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
    }
    if let Some(resource) = &flow.resource {
        request = request.add_extra_param("resource", resource.clone());
    }
    let request = captured(request.request(&capture))?;
    let extra = &provider.settings.token_params;
    let response = send(http, provider, &endpoint, request, extra).await?;
    let mut answer = answer::judge_first(&response, provider, flow.nonce.as_ref())?;
    check_id_token(http, provider, flow, &mut answer).await;
    Ok(answer)
}

/// An id token that is not what it has to be speaks against the whole sign-in.
pub(crate) async fn check_id_token(http: &Http, provider: &Provider, flow: &Flow, answer: &mut Answer) {
    let Some(token) = answer.id_token.take().filter(|_| answer.objection.is_none()) else {
        return;
    };
    let expected = Expected {
        nonce: flow.nonce.as_ref(),
        access_token: answer.access_token.as_ref(),
        before: None,
        date: answer.date,
    };
    match signed_claims::checked(http, provider, &token, expected).await {
        Ok(Some(checked)) => {
            answer.account = checked.account.clone();
            answer.id_token = Some(checked.token);
        }
        Ok(None) => {}
        // Without the provider's keys one that names no account was always passed over.
        Err(_) if provider.settings.jwks_uri.is_none() => {}
        Err(failure) => {
            answer.account = None;
            answer.objection = Some(failure);
        }
    }
}

/// The provider's resource, unless the caller names one of its own.
pub(crate) fn resource(provider: &Provider, extra: &[(String, String)]) -> Option<String> {
    let names_one = extra.iter().any(|(key, _)| parameter_name(key) == "resource");
    provider.settings.resource.clone().filter(|_| !names_one)
}

/// Without `prompt=consent` a server ignores this scope (OpenID Connect Core §11).
const OFFLINE_ACCESS: &str = "offline_access";

/// Whether a parameter says what the user is asked: by its standard name, or by the one that Google had before.
fn is_prompt(key: &str) -> bool {
    matches!(parameter_name(key).as_str(), "prompt" | "approval_prompt")
}

/// The authorization endpoint, when a browser may be sent there.
fn endpoint(provider: &Provider) -> Result<Url, Error> {
    let name = || provider.name.to_string();
    let endpoint = provider
        .authorization_endpoint()
        .ok_or_else(|| Error::NoAuthorizationEndpoint(name()))?;
    let is_permitted = Network::of(provider).reach(&endpoint).is_some();
    if is_permitted && endpoint.fragment().is_none() {
        Ok(endpoint)
    } else {
        Err(Error::UnsafeAuthorizationEndpoint(name()))
    }
}

fn redirect_url(provider: &Provider, redirect_uri: &str) -> Result<RedirectUrl, Error> {
    if !provider.settings.use_pkce && redirect_uri.starts_with(redirect::SCHEME) {
        return Err(Error::DeepLinkWithoutPkce(provider.name.to_string()));
    }
    if redirect_uri.contains('#') {
        return Err(Error::RedirectUri);
    }
    RedirectUrl::new(redirect_uri.to_owned()).map_err(|_| Error::RedirectUri)
}

/// What is sent beside our own parameters, each once (RFC 6749 §3.1). A `nonce` of the provider's settings gives way
/// to ours, which is another one each time.
pub(crate) fn parameters(
    provider: &Provider,
    endpoint: &Url,
    scopes: &Scopes,
    extra: &[(String, String)],
    nonce: Option<&Secret>,
) -> Result<BTreeMap<String, String>, Error> {
    let mut parameters = BTreeMap::new();
    for (key, value) in extra {
        if parameters.insert(key.clone(), value.clone()).is_some() {
            return Err(Error::RepeatedParameter(tokenry_core::clean(key)));
        }
    }
    if nonce.is_some() && parameters.contains_key("nonce") {
        return Err(Error::ReservedParameter("nonce".to_owned()));
    }
    for (key, value) in &provider.settings.authorize_params {
        parameters.entry(key.clone()).or_insert_with(|| value.clone());
    }
    if let Some(nonce) = nonce {
        parameters.insert("nonce".to_owned(), nonce.expose().to_owned());
    }
    let mut given = parameters.keys().cloned();
    let asks = given.any(|key| is_prompt(&key)) || endpoint.query_pairs().any(|(key, _)| is_prompt(&key));
    let needs_consent =
        provider.settings.prompt_consent_for_offline_access && scopes.contains(OFFLINE_ACCESS);
    if needs_consent && !asks {
        parameters.insert("prompt".to_owned(), "consent".to_owned());
    }
    let mut seen: Vec<String> = parameters.keys().cloned().collect();
    for (key, _) in endpoint.query_pairs() {
        if seen.iter().any(|other| *other == key) {
            return Err(Error::RepeatedParameter(tokenry_core::clean(&key)));
        }
        seen.push(key.into_owned());
    }
    let is_ours = |key: &String| is_reserved_parameter(key) || provider.is_renamed_to(key);
    match seen.into_iter().find(is_ours) {
        Some(key) => Err(Error::ReservedParameter(tokenry_core::clean(&key))),
        None => Ok(parameters),
    }
}
