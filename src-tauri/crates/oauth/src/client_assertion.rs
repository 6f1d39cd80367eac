//! Client authentication by a signed JWT: `private_key_jwt` and `client_secret_jwt` (RFC 7523 §2.2, OpenID Connect
//! Core §9).

use crate::jose::{self, SigningKey};
use crate::{Failure, Http, random};
use serde_json::json;
use tokenry_core::{Provider, TokenEndpointAuthMethod};
use url::Url;

/// The type of the assertion (RFC 7523 §2.2).
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long an assertion lives, in seconds.
const LIFETIME: i64 = 60;

/// The parameters that prove who the client is in a request to `endpoint`; none where it authenticates in another way.
/// Each call makes a new assertion, since servers take each `jti` once (RFC 7523 §3).
pub(crate) fn parameters(
    http: &Http,
    provider: &Provider,
    endpoint: &Url,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let method = provider.auth_method();
    if !matches!(
        method,
        TokenEndpointAuthMethod::PrivateKeyJwt | TokenEndpointAuthMethod::ClientSecretJwt
    ) {
        return Ok(Vec::new());
    }
    let settings = &provider.settings;
    let now = http.servers().now_at(endpoint).as_second();
    // One audience: with the issuer no other server can use the assertion (OAuth 2.1 §2.4).
    let audience = settings.issuer.as_ref().or(settings.token_endpoint.as_ref());
    let claims = json!({
        "iss": settings.client_id,
        "sub": settings.client_id,
        "aud": audience,
        "jti": random::fresh(http.servers().random()).expose(),
        "iat": now,
        "exp": now + LIFETIME,
    });
    let missing = |what: &str| Failure::NotSent {
        message: format!("{} {what}", provider.name),
    };
    let assertion = if method == TokenEndpointAuthMethod::PrivateKeyJwt {
        let stored = provider.client_key.as_ref().ok_or_else(|| {
            missing("has no key for private_key_jwt yet. Run `tokenry provider jwks`, and register what it prints.")
        })?;
        let key = SigningKey::read(stored)?;
        key.sign(json!({"typ": "JWT", "kid": key.thumbprint()}), &claims)?
    } else {
        let secret = provider.client_secret.as_ref();
        let secret =
            secret.ok_or_else(|| missing("has no client secret, which client_secret_jwt needs. Add it."))?;
        jose::sign_hs256(secret, &claims)
    };
    Ok(vec![
        ("client_assertion_type", TYPE.to_owned()),
        ("client_assertion", assertion),
    ])
}
