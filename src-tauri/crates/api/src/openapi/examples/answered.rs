//! What is answered.

use super::{
    APP, APP_ADDRESS, AUTHORIZATION_URL, BROWSER_URL, CONNECTION, CREDENTIAL, EVENT, FLOW, GRANT, PROMPT,
    PROVIDER, STATE, at, json, words,
};
use crate::convert;
use serde_json::Value;
use std::collections::BTreeMap;
use tokenry_contract::{
    Account, App, AuthorizeAnswer, CallbackAnswer, CallerKind, Change, Connection, ConnectionStatus,
    CreatedApp, Credential, CredentialType, DisconnectAnswer, EngineStatus, Event, EventKind, EventPage,
    Flow, FlowStatus, Grant, GrantType, InitialiseAnswer, NarrowingMethod, OAuthIntrospection, OAuthProvider,
    OAuthProviderAuthStatus, OAuthScopes, OAuthTokenAnswer, Operation, Outcome, Prompt, RedactedCredential,
    RedactedType, Redirect, Revoked, Rotation, Rule, Settings, SlotKind, StartAnswer, Success, TokenAnswer,
    TokenEndpointAuthMethod, Vault, VaultState,
};
use tokenry_core::ApiScope;

/// The example of a schema, by its name in the document.
pub(super) fn of(schema: &str) -> Option<Value> {
    Some(match schema {
        "App" => json(app()),
        "AuthorizeAnswer" => json(AuthorizeAnswer {
            authorization_url: AUTHORIZATION_URL.to_owned(),
            browser_url: BROWSER_URL.to_owned(),
            state: STATE.to_owned(),
            flow_id: FLOW,
            connection_id: CONNECTION,
            redirect: Redirect::Paste,
            redirect_uri: "http://127.0.0.1/cb/github".to_owned(),
            expires_at: at("2027-01-15T08:10:00Z"),
        }),
        "CallbackAnswer" => json(CallbackAnswer {
            success: true,
            connection_id: CONNECTION,
        }),
        "Change" => json(Change::Credential { id: CONNECTION }),
        "Connection" => json(connection()),
        "CreatedApp" => json(CreatedApp {
            app: App {
                grants: Vec::new(),
                last_used_at: None,
                ..app()
            },
            token: Some("tokenry_app_example".to_owned()),
        }),
        "Credential" => json(credential()),
        "DisconnectAnswer" => json(DisconnectAnswer {
            success: true,
            revoked: Revoked::Yes,
            detail: None,
        }),
        "EngineStatus" => json(EngineStatus {
            version: "0.1.0".to_owned(),
            pid: 4711,
            window: true,
            vault: Vault {
                state: VaultState::Unlocked,
                slots: vec![SlotKind::Keyring],
                read_only: false,
                older: false,
                code: None,
                message: None,
                waiting_for_keyring: false,
            },
            providers: 1,
            connections: BTreeMap::from([(ConnectionStatus::Active, 1)]),
        }),
        "EventPage" => json(EventPage {
            events: vec![event()],
            next: Some(41),
        }),
        "Flow" => json(Flow {
            id: FLOW,
            connection_id: CONNECTION,
            status: FlowStatus::Waiting,
            refusals: 0,
            code: None,
            message: None,
            authorization_url: Some(AUTHORIZATION_URL.to_owned()),
            browser_url: Some(BROWSER_URL.to_owned()),
            expires_at: at("2027-01-15T08:10:00Z"),
        }),
        "Grant" => json(grant()),
        "InitialiseAnswer" => json(InitialiseAnswer {
            url: AUTHORIZATION_URL.to_owned(),
            browser_url: BROWSER_URL.to_owned(),
        }),
        "OAuthIntrospection" => json(OAuthIntrospection {
            active: true,
            scope: Some("connections:read tokens:read".to_owned()),
            client_id: Some(APP),
            token_type: Some("Bearer".to_owned()),
            iat: Some(1_800_000_000),
            exp: Some(1_800_003_600),
        }),
        "OAuthMetadata" => json(crate::oauth::metadata("http://127.0.0.1:24180")),
        "OAuthProvider" => json(provider()),
        "OAuthProviderAuthStatus" => json(OAuthProviderAuthStatus {
            oauth_provider_id: PROVIDER,
            oauth_provider_name: "github".to_owned(),
            authenticated: true,
            expires_at: Some(at("2027-01-15T09:00:00Z")),
            scope: Some("read write".to_owned()),
        }),
        "OAuthScopes" => json(OAuthScopes {
            scopes: [ApiScope::ConnectionsRead, ApiScope::TokensRead]
                .map(convert::scope_words)
                .into(),
        }),
        "OAuthTokenAnswer" => json(OAuthTokenAnswer {
            access_token: "example-access-token".to_owned(),
            token_type: "Bearer".to_owned(),
            expires_in: 3600,
            refresh_token: "example-refresh-token".to_owned(),
            scope: "connections:read tokens:read".to_owned(),
        }),
        "Prompt" => json(prompt()),
        "RedactedCredential" => json(RedactedCredential {
            id: CONNECTION,
            organisation_id: "default".to_owned(),
            name: "github".to_owned(),
            data: BTreeMap::new(),
            kind: RedactedType::OAuth2Refresh,
            redact_fields: Vec::new(),
            expires_at: None,
        }),
        "Settings" => json(Settings {
            loopback: true,
            loopback_port: Some(24180),
            ask_passphrase: false,
        }),
        "StartAnswer" => json(StartAnswer {
            auth_url: AUTHORIZATION_URL.to_owned(),
            browser_url: BROWSER_URL.to_owned(),
        }),
        "Success" => json(Success { success: true }),
        "TokenAnswer" => json(TokenAnswer {
            access_token: "example-access-token".to_owned(),
            token_type: "Bearer".to_owned(),
            expires_at: Some(at("2027-01-15T09:00:00Z")),
            scope: Some("read write".to_owned()),
        }),
        _ => return None,
    })
}

fn provider() -> OAuthProvider {
    OAuthProvider {
        id: PROVIDER,
        name: "github".to_owned(),
        display_name: "GitHub".to_owned(),
        project: "default".to_owned(),
        grant_type: GrantType::AuthorizationCode,
        issuer: Some("https://github.example".to_owned()),
        issuer_aliases: Vec::new(),
        authorization_endpoint: Some("https://github.example/oauth/authorize".to_owned()),
        token_endpoint: Some("https://github.example/oauth/token".to_owned()),
        refresh_endpoint: None,
        revocation_endpoint: Some("https://github.example/oauth/revoke".to_owned()),
        userinfo_endpoint: Some("https://github.example/userinfo".to_owned()),
        client_id: "tokenry-example".to_owned(),
        has_client_secret: true,
        token_endpoint_auth_method: TokenEndpointAuthMethod::ClientSecretPost,
        default_scopes: words(&["read", "write"]),
        scope_separator: " ".to_owned(),
        use_pkce: true,
        authorize_params: BTreeMap::new(),
        redirect: Redirect::Loopback,
        redirect_uris: words(&["http://127.0.0.1/cb/github", "io.github.tokenry:/cb/github"]),
        authorization_response_iss_parameter_supported: true,
        rotation: Rotation::Grace { seconds: 30 },
        narrowing: NarrowingMethod::Unknown,
        created_at: at("2027-01-01T08:00:00Z"),
        updated_at: at("2027-01-01T08:00:00Z"),
    }
}

fn connection() -> Connection {
    Connection {
        id: CONNECTION,
        name: "github".to_owned(),
        provider_id: PROVIDER,
        provider_name: "github".to_owned(),
        label: None,
        account: Some(Account {
            subject: "1815".to_owned(),
            name: Some("Ada".to_owned()),
            email: Some("ada@example.com".to_owned()),
        }),
        status: ConnectionStatus::Active,
        reason: None,
        trouble: None,
        scopes: words(&["read", "write"]),
        missing_scopes: Vec::new(),
        notice: None,
        expires_at: Some(at("2027-01-15T09:00:00Z")),
        refresh_at: Some(at("2027-01-15T08:52:00Z")),
        refreshable: true,
        last_refreshed_at: Some(at("2027-01-15T08:00:00Z")),
        last_used_at: Some(at("2027-01-15T08:03:00Z")),
        flow_id: None,
        created_at: at("2027-01-01T08:01:00Z"),
        updated_at: at("2027-01-15T08:00:00Z"),
    }
}

fn credential() -> Credential {
    Credential {
        id: CREDENTIAL,
        project: "default".to_owned(),
        name: "mail".to_owned(),
        kind: CredentialType::BasicAuth,
        fields: words(&["password", "username"]),
        data: BTreeMap::new(),
        redact_fields: Vec::new(),
        expires_at: None,
        status: ConnectionStatus::Active,
        created_at: at("2027-01-01T08:02:00Z"),
        updated_at: at("2027-01-01T08:02:00Z"),
        last_used_at: None,
    }
}

fn app() -> App {
    App {
        id: APP,
        name: "backup".to_owned(),
        redirect_uris: vec![APP_ADDRESS.to_owned()],
        public: false,
        grants: vec![grant()],
        created_at: at("2027-01-01T08:03:00Z"),
        last_used_at: Some(at("2027-01-15T08:03:00Z")),
    }
}

fn grant() -> Grant {
    Grant {
        id: GRANT,
        app_id: APP,
        app_name: "backup".to_owned(),
        scopes: words(&["connections:read", "tokens:read"]),
        connections: vec![CONNECTION],
        credentials: Vec::new(),
        token_scopes: Some(words(&["read"])),
        expires_at: None,
        created_at: at("2027-01-01T08:04:00Z"),
        last_used_at: Some(at("2027-01-15T08:03:00Z")),
    }
}

fn event() -> Event {
    Event {
        id: EVENT,
        at: at("2027-01-15T08:03:00Z"),
        kind: EventKind::TokenHandedOut,
        caller: CallerKind::App,
        program: Some("/usr/bin/backup".to_owned()),
        pid: Some(4712),
        provider_id: Some(PROVIDER),
        connection_id: Some(CONNECTION),
        credential_id: None,
        app_id: Some(APP),
        outcome: Outcome::Done,
        rule: Some(Rule::Grant),
        grant_id: Some(GRANT),
        detail: None,
        request_id: None,
        count: 1,
        first_at: None,
    }
}

fn prompt() -> Prompt {
    Prompt {
        id: PROMPT,
        number: None,
        operation: Operation::Token,
        pid: Some(4713),
        program: Some("/usr/bin/curl".to_owned()),
        arguments: Some("curl https://api.github.example/user".to_owned()),
        parent: Some("/usr/bin/bash".to_owned()),
        terminal: Some("/dev/pts/3".to_owned()),
        app: None,
        app_proved: false,
        provider: Some("github".to_owned()),
        connection: Some("github".to_owned()),
        account: Some("ada@example.com".to_owned()),
        credential: None,
        requested_scopes: Vec::new(),
        token_scopes: words(&["read", "write"]),
        notes: Vec::new(),
        changes: Vec::new(),
        api_scopes: Vec::new(),
        choices: Vec::new(),
        credential_choices: Vec::new(),
        redirect_uri: None,
        for_session: true,
        needs_passphrase: false,
        asked_at: at("2027-01-15T08:05:00Z"),
        is_shown: true,
        ends_at: at("2027-01-15T08:06:00Z"),
        disconnects: 0,
        disconnecting: Vec::new(),
        ahead: 0,
        waiting: 0,
    }
}
