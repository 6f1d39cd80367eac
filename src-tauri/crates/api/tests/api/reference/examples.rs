//! What stands in the five documents.

/// vertesia-oauth-providers, "Create OAuth Provider".
pub(super) const CREATE: &str = r#"curl --location --request POST 'https://api.vertesia.io/api/v1/oauth-providers' \
--header 'Authorization: Bearer <YOUR_JWT_TOKEN>' \
--header 'Content-Type: application/json' \
--data-raw '{
  "name": "salesforce",
  "display_name": "Salesforce",
  "grant_type": "authorization_code",
  "authorization_endpoint": "https://login.salesforce.com/services/oauth2/authorize",
  "token_endpoint": "https://login.salesforce.com/services/oauth2/token",
  "client_id": "3MVG9...",
  "client_secret": "my-secret-value",
  "default_scopes": ["api", "refresh_token"],
  "use_pkce": true
}'"#;
/// "Example Request".
pub(super) const CREATE_BODY: &str = r#"{
  "name": "salesforce",
  "display_name": "Salesforce",
  "grant_type": "authorization_code",
  "authorization_endpoint": "https://login.salesforce.com/services/oauth2/authorize",
  "token_endpoint": "https://login.salesforce.com/services/oauth2/token",
  "client_id": "3MVG9...",
  "client_secret": "my-secret-value",
  "default_scopes": ["api", "refresh_token"],
  "use_pkce": true,
  "revocation_endpoint": "https://login.salesforce.com/services/oauth2/revoke"
}"#;
/// "List OAuth Providers".
pub(super) const LIST: &str = r"curl --location --request GET 'https://api.vertesia.io/api/v1/oauth-providers' \
--header 'Authorization: Bearer <YOUR_JWT_TOKEN>'";
/// Its "Example Response".
pub(super) const PROVIDER: &str = r#"{
    "id": "6650a1b2c3d4e5f678901234",
    "name": "salesforce",
    "display_name": "Salesforce",
    "project": "6650a1b2c3d4e5f678905678",
    "grant_type": "authorization_code",
    "authorization_endpoint": "https://login.salesforce.com/services/oauth2/authorize",
    "token_endpoint": "https://login.salesforce.com/services/oauth2/token",
    "client_id": "3MVG9...",
    "has_client_secret": true,
    "default_scopes": ["api", "refresh_token"],
    "use_pkce": true,
    "revocation_endpoint": "https://login.salesforce.com/services/oauth2/revoke",
    "created_at": "2024-06-01T12:00:00.000Z",
    "updated_at": "2024-06-01T12:00:00.000Z"
  }"#;
pub(super) const RETRIEVE: &str = r"curl --location --request GET 'https://api.vertesia.io/api/v1/oauth-providers/<OAUTH_PROVIDER_ID>' \
--header 'Authorization: Bearer <YOUR_JWT_TOKEN>'";
pub(super) const UPDATE: &str = r#"curl --location --request PUT 'https://api.vertesia.io/api/v1/oauth-providers/<OAUTH_PROVIDER_ID>' \
--header 'Authorization: Bearer <YOUR_JWT_TOKEN>' \
--header 'Content-Type: application/json' \
--data-raw '{
  "display_name": "Salesforce Production",
  "default_scopes": ["api", "refresh_token", "full"]
}'"#;
pub(super) const AUTHORIZE: &str = r"curl --location --request GET 'https://api.vertesia.io/api/v1/oauth-providers/<OAUTH_PROVIDER_ID>/authorize' \
--header 'Authorization: Bearer <YOUR_JWT_TOKEN>'";
/// The parameters of the address in its "Example Response".
pub(super) const AUTHORIZE_PARAMETERS: [&str; 7] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
    "scope",
];
pub(super) const EXCHANGE: &str = r#"curl --location --request POST 'https://api.vertesia.io/api/v1/oauth-providers/exchange' \
--header 'Authorization: Bearer <YOUR_JWT_TOKEN>' \
--header 'Content-Type: application/json' \
--data-raw '{
  "code": "auth_code_from_provider",
  "state": "abc123"
}'"#;
pub(super) const STATUS: &str = r"curl --location --request GET 'https://api.vertesia.io/api/v1/oauth-providers/<OAUTH_PROVIDER_ID>/status' \
--header 'Authorization: Bearer <YOUR_JWT_TOKEN>'";
pub(super) const STATUS_ANSWER: &str = r#"{
  "oauth_provider_id": "6650a1b2c3d4e5f678901234",
  "oauth_provider_name": "salesforce",
  "authenticated": true,
  "expires_at": "2024-06-01T13:00:00.000Z",
  "scope": "api refresh_token"
}"#;
pub(super) const CONNECT: &str = r"curl --location --request POST 'https://api.vertesia.io/api/v1/oauth-providers/<OAUTH_PROVIDER_ID>/connect' \
--header 'Authorization: Bearer <YOUR_JWT_TOKEN>' \
--header 'Content-Type: application/json' \
--data-raw '{}'";
pub(super) const TOKEN: &str = r"curl --location --request POST 'https://api.vertesia.io/api/v1/oauth-providers/<OAUTH_PROVIDER_ID>/token' \
--header 'Authorization: Bearer <YOUR_JWT_TOKEN>' \
--header 'Content-Type: application/json' \
--data-raw '{}'";
pub(super) const DISCONNECT: &str = r"curl --location --request DELETE 'https://api.vertesia.io/api/v1/oauth-providers/<OAUTH_PROVIDER_ID>/disconnect' \
--header 'Authorization: Bearer <YOUR_JWT_TOKEN>'";
pub(super) const DELETE: &str = r"curl --location --request DELETE 'https://api.vertesia.io/api/v1/oauth-providers/<OAUTH_PROVIDER_ID>' \
--header 'Authorization: Bearer <YOUR_JWT_TOKEN>'";
/// evershell-oauth-start.
pub(super) const START: &str = r"curl --request POST \ --url https://your-org.evershell.ai/v1/credentials/example/oauth/start \ --header 'Authorization: Bearer <token>'";
pub(super) const START_ERROR: &str = r#"{ "error": { "code": "permission_denied", "message": "caller lacks required scope", "request_id": "7f3a9c2e" }}"#;
/// versori-oauth2-initialise.
pub(super) const INITIALISE: &str = "/embed/{hub_id}/connector/{connector_id}/oauth2/initialise";
/// versori-oauth2-callback.
pub(super) const CALLBACK: &str = r"curl --request GET \
  --url https://api.switchboard.svc.versori.io/v1alpha1/connections/oauth2/callback \
  --header 'Authorization: Bearer <token>'";
/// Without what is optional and a connection does not have.
pub(super) const CALLBACK_ANSWER: &str = r#"{
  "id": "<string>",
  "organisationID": "<any>",
  "name": "<string>",
  "data": {},
  "type": "<string>",
  "redactFields": []
}"#;
