//! A form request with the client's authentication, for the endpoints that `oauth2` builds no request for.

use crate::Failure;
use base64::{Engine, engine::general_purpose::STANDARD};
use oauth2::HttpRequest;
use oauth2::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use oauth2::http::{HeaderValue, Method, Request};
use tokenry_core::{Provider, Secret, TokenEndpointAuthMethod};
use url::form_urlencoded::{self, byte_serialize};
use zeroize::Zeroizing;

/// A POST of these parameters as a form, with the client id and the same client authentication as at the token endpoint
/// (RFC 6749 §2.3).
pub(crate) fn form(provider: &Provider, parameters: &[(String, String)]) -> Result<HttpRequest, Failure> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    let has_id = parameters.iter().any(|(name, _)| name == "client_id");
    form.extend_pairs(parameters);
    if !has_id {
        form.append_pair("client_id", &provider.settings.client_id);
    }
    let secret = provider.client_secret.as_ref().map_or("", Secret::expose);
    let basic = match provider.auth_method() {
        TokenEndpointAuthMethod::ClientSecretPost => {
            if provider.client_secret.is_some() {
                form.append_pair("client_secret", secret);
            }
            None
        }
        TokenEndpointAuthMethod::ClientSecretBasic => {
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let id = encoded(&provider.settings.client_id);
            Some(Zeroizing::new(format!("{id}:{}", encoded(secret))))
        }
        // The header of a secret as user name, and assertions, are added when it is sent.
        TokenEndpointAuthMethod::SecretAsUserName
        | TokenEndpointAuthMethod::Automatic
        | TokenEndpointAuthMethod::None
        | TokenEndpointAuthMethod::ClientSecretJwt
        | TokenEndpointAuthMethod::PrivateKeyJwt => None,
    };
    let mut request = Request::new(form.finish().into_bytes());
    *request.method_mut() = Method::POST;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    if let Some(credentials) = basic {
        let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(credentials.as_bytes())));
        let value = HeaderValue::from_str(&value).map_err(|_| Failure::NotSent {
            message: "The client id and secret fit in no header.".to_owned(),
        })?;
        headers.insert(AUTHORIZATION, value);
    }
    Ok(request)
}
