//! What is sent.

use super::{APP_ADDRESS, BASE64, CODE, CONNECTION, STATE, at, json, words};
use serde_json::Value;
use std::collections::BTreeMap;
use tokenry_contract::{
    AnswerPrompt, AuthorizeRequest, CallbackRequest, ConnectRequest, CreateApp, CreateCredential,
    CreateGrant, CreateProvider, CredentialType, ExchangeRequest, InitialiseCredential, InitialiseRequest,
    OAuthConsentRequest, OAuthDecision, OAuthTokenForm, OAuthTokenRequest, PatchConnection, PromptDecision,
    Redirect, TokenRequest, UnlockRequest, UpdateCredential, UpdateProvider, UpdateSettings,
};

/// The example of a schema, by its name in the document.
pub(super) fn of(schema: &str) -> Option<Value> {
    Some(match schema {
        "AnswerPrompt" => json(AnswerPrompt {
            decision: PromptDecision::Once,
            number: None,
            code: Some("EXAMPLE7".to_owned()),
            passphrase: None,
            connections: Vec::new(),
            credentials: Vec::new(),
            until: None,
        }),
        "AuthorizeRequest" => json(AuthorizeRequest {
            label: Some("work".to_owned()),
            scopes: Some(words(&["read"])),
            redirect: Some(Redirect::Paste),
            connection: None,
            allow_further: false,
            allow_unknown_account: false,
            open_browser: false,
        }),
        "CallbackRequest" => json(CallbackRequest {
            url: "http://127.0.0.1/cb/github?code=example-code&state=example-state".to_owned(),
        }),
        "ConnectRequest" => json(ConnectRequest {
            label: Some("nightly".to_owned()),
        }),
        "CreateApp" => json(CreateApp {
            name: "backup".to_owned(),
            redirect_uris: vec![APP_ADDRESS.to_owned()],
            public: false,
        }),
        "CreateCredential" => json(CreateCredential {
            name: "weather".to_owned(),
            project: None,
            kind: CredentialType::Raw,
            data: BTreeMap::from([("value".to_owned(), BASE64.to_owned())]),
            redact_fields: Vec::new(),
            expires_at: Some("2099-12-31T00:00:00Z".to_owned()),
        }),
        "CreateGrant" => json(CreateGrant {
            app: "backup".to_owned(),
            scopes: words(&["connections:read", "tokens:read"]),
            connections: words(&["github"]),
            credentials: Vec::new(),
            token_scopes: Some(words(&["read"])),
            expires_at: Some(at("2099-12-31T00:00:00Z")),
        }),
        "CreateProvider" => json(CreateProvider {
            name: "gitlab".to_owned(),
            client_id: "tokenry-example".to_owned(),
            client_secret: Some("example-client-secret".to_owned()),
            issuer: Some("https://gitlab.example".to_owned()),
            authorization_endpoint: Some("https://gitlab.example/oauth/authorize".to_owned()),
            token_endpoint: Some("https://gitlab.example/oauth/token".to_owned()),
            default_scopes: Some(words(&["read"])),
            ..CreateProvider::default()
        }),
        "ExchangeRequest" => json(ExchangeRequest {
            code: CODE.to_owned(),
            state: STATE.to_owned(),
            iss: Some("https://github.example".to_owned()),
        }),
        "InitialiseRequest" => json(InitialiseRequest {
            authorize_url: "https://github.example/oauth/authorize".to_owned(),
            client_id: "tokenry-example".to_owned(),
            credential: InitialiseCredential {
                id: "github-secret".to_owned(),
                organisation_id: "default".to_owned(),
            },
            additional_params: Some("access_type=offline".to_owned()),
            disable_offline_access: Some(true),
            prompt: Some("consent".to_owned()),
            scopes: Some(words(&["read"])),
        }),
        "OAuthConsentRequest" => json(OAuthConsentRequest {
            client_id: "backup".to_owned(),
            redirect_uri: APP_ADDRESS.to_owned(),
            scope: "connections:read tokens:read".to_owned(),
            state: Some(STATE.to_owned()),
            code_challenge: "example-challenge-of-forty-three-letters-xx".to_owned(),
            code_challenge_method: "S256".to_owned(),
            decision: OAuthDecision::Approve,
            number: "example-number".to_owned(),
            connections: vec![CONNECTION],
            credentials: Vec::new(),
            until: None,
        }),
        "OAuthTokenForm" => json(OAuthTokenForm {
            token: "example-access-token".to_owned(),
            token_type_hint: None,
            client_id: Some("backup".to_owned()),
            client_secret: Some("tokenry_app_example".to_owned()),
        }),
        "OAuthTokenRequest" => json(OAuthTokenRequest {
            grant_type: "authorization_code".to_owned(),
            code: Some(CODE.to_owned()),
            redirect_uri: Some(APP_ADDRESS.to_owned()),
            code_verifier: Some("example-code-verifier-of-forty-three-letters".to_owned()),
            refresh_token: None,
            scope: None,
            client_id: Some("backup".to_owned()),
            client_secret: Some("tokenry_app_example".to_owned()),
        }),
        "PatchConnection" => json(PatchConnection {
            label: Some("work".to_owned()),
            paused: Some(false),
        }),
        "TokenRequest" => json(TokenRequest {
            min_valid_seconds: Some(300),
            scope: Some("read".to_owned()),
            audience: None,
            resource: None,
            allow_unknown_target: None,
        }),
        "UnlockRequest" => json(UnlockRequest {
            passphrase: Some("an example and no passphrase".to_owned()),
            create: false,
        }),
        "UpdateCredential" => json(UpdateCredential {
            name: None,
            data: BTreeMap::from([("password".to_owned(), Some(BASE64.to_owned()))]),
            redact_fields: Vec::new(),
            expires_at: Some(None),
        }),
        "UpdateProvider" => json(UpdateProvider {
            display_name: Some("GitHub".to_owned()),
            default_scopes: Some(words(&["read", "write"])),
            ..UpdateProvider::default()
        }),
        "UpdateSettings" => json(UpdateSettings {
            loopback: Some(true),
            ask_passphrase: None,
            passphrase: None,
        }),
        _ => return None,
    })
}
