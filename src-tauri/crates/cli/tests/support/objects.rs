//! What the engine's answers look like.

use serde_json::{Value, json};

pub(crate) const PROVIDER: &str = "01900000-0000-7000-8000-00000000000a";
pub(crate) const CONNECTION: &str = "01900000-0000-7000-8000-00000000000b";
pub(crate) const FLOW: &str = "01900000-0000-7000-8000-00000000000c";

pub(crate) fn provider() -> Value {
    let mut provider = Value::Object(tokenry_contract::ProviderSettings::default().to_map());
    let own = json!({
        "id": PROVIDER, "name": "github", "display_name": "GitHub", "project": "default",
        "grant_type": "authorization_code", "issuer": null, "issuer_aliases": [],
        "authorization_endpoint": "https://github.com/login/oauth/authorize",
        "token_endpoint": "https://github.com/login/oauth/access_token", "refresh_endpoint": null,
        "revocation_endpoint": null, "userinfo_endpoint": null, "client_id": "abc", "has_client_secret": true, "self_registered": false,
        "token_endpoint_auth_method": "client_secret_post", "default_scopes": ["repo"], "scope_separator": " ",
        "use_pkce": true, "authorize_params": {}, "redirect": "loopback",
        "redirect_uris": ["http://127.0.0.1/cb/github"],
        "authorization_response_iss_parameter_supported": false, "rotation": {"kind": "grace", "seconds": 30}, "narrowing": "unknown",
        "preset": null, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"
    });
    for (name, value) in own.as_object().into_iter().flatten() {
        provider[name] = value.clone();
    }
    provider
}

pub(crate) fn machine() -> Value {
    let mut provider = provider();
    provider["name"] = "machine".into();
    provider["grant_type"] = "client_credentials".into();
    provider
}

pub(crate) fn connection() -> Value {
    json!({
        "id": CONNECTION, "name": "github", "provider_id": PROVIDER, "provider_name": "github", "label": null,
        "account": {"display_name": "alice@example.com", "subject": "1", "name": "Alice", "email": "alice@example.com", "picture": null}, "status": "active",
        "reason": null, "trouble": null, "scopes": ["repo"], "requested_scopes": ["repo"], "missing_scopes": [], "captured": [], "bindings": [], "notice": null,
        "expires_at": "9000-01-01T00:00:00Z", "refresh_at": null, "refreshable": true, "sign_in_again_before": null,
        "last_refreshed_at": null, "last_used_at": null, "flow_id": null,
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"
    })
}

pub(crate) fn broken() -> Value {
    let mut connection = connection();
    connection["status"] = "needs_reauth".into();
    connection["reason"] = "revoked".into();
    connection
}

pub(crate) fn token() -> Value {
    json!({"access_token": "gho_abc", "token_type": "Bearer", "expires_at": "2027-01-01T00:00:00Z", "scope": "repo"})
}

pub(crate) fn started(redirect: &str) -> Value {
    json!({
        "authorization_url": "https://as.example/authorize?state=st",
        "browser_url": "http://127.0.0.1:4711/begin/x", "state": "st", "flow_id": FLOW,
        "connection_id": CONNECTION, "redirect": redirect, "redirect_uri": "http://127.0.0.1:4711/cb/github",
        "expires_at": "9000-01-01T00:00:00Z"
    })
}

pub(crate) fn flow(status: &str) -> Value {
    json!({"id": FLOW, "connection_id": CONNECTION, "status": status, "expires_at": "9000-01-01T00:00:00Z"})
}

pub(crate) fn status(state: &str, slots: &[&str]) -> Value {
    json!({"version": "0.1.0", "pid": 42, "window": true, "providers": 1, "connections": {"active": 1},
        "vault": {"state": state, "slots": slots, "read_only": false, "code": null, "message": null}})
}
