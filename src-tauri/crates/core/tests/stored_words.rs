//! The words of the enums that stand in records. A vault of an older version is read by them, so none may change.
#![allow(clippy::unwrap_used)]

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::fmt::Debug;
use tokenry_core::{
    ApiScope, AppCaller, AppId, Caller, ConnectionStatus, CredentialType, EventKind, GrantId, GrantType,
    NarrowingMethod, Outcome, ReauthReason, Redirect, Rotation, Rule, TokenEndpointAuthMethod,
};

/// Checks that this value is written so, and that the written form is read back as this value.
fn is_stored_as<T: Debug + PartialEq + Serialize + DeserializeOwned>(value: T, written: Value) {
    assert_eq!(serde_json::to_value(&value).unwrap(), written);
    assert_eq!(serde_json::from_value::<T>(written).unwrap(), value);
}

/// A test for an enum without data. A variant that is not listed does not compile.
macro_rules! words {
    ($test:ident, $enum:ident { $($variant:ident = $word:literal,)* }) => {
        #[test]
        fn $test() {
            let every = |value: $enum| match value { $($enum::$variant => (),)* };
            $(
                every($enum::$variant);
                is_stored_as($enum::$variant, json!($word));
            )*
        }
    };
}

words!(the_words_of_event_kinds_are_frozen, EventKind {
    ProviderAdded = "provider_added",
    ProviderChanged = "provider_changed",
    ProviderRemoved = "provider_removed",
    FlowStarted = "flow_started",
    FlowEnded = "flow_ended",
    Connected = "connected",
    TokenHandedOut = "token_handed_out",
    TokenRejected = "token_rejected",
    Refreshed = "refreshed",
    RefreshFailed = "refresh_failed",
    ScopesLost = "scopes_lost",
    ConnectionChanged = "connection_changed",
    Disconnected = "disconnected",
    Revoked = "revoked",
    Locked = "locked",
    Unlocked = "unlocked",
    OlderAccepted = "older_accepted",
    UnlockingChanged = "unlocking_changed",
    RedirectRefused = "redirect_refused",
    ConsentAsked = "consent_asked",
    ConsentDecided = "consent_decided",
    AppAdded = "app_added",
    AppRemoved = "app_removed",
    AppAuthorized = "app_authorized",
    GrantGiven = "grant_given",
    GrantRemoved = "grant_removed",
    CredentialAdded = "credential_added",
    CredentialChanged = "credential_changed",
    CredentialRemoved = "credential_removed",
    CredentialHandedOut = "credential_handed_out",
    SettingsChanged = "settings_changed",
    AppRefused = "app_refused",
    LogDamaged = "log_damaged",
    HandedOver = "handed_over",
    BackedUp = "backed_up",
    Restored = "restored",
    CutOff = "cut_off",
    VaultChecked = "vault_checked",
    Salvaged = "salvaged",
});

words!(the_words_of_outcomes_are_frozen, Outcome {
    Done = "done",
    Refused = "refused",
    Failed = "failed",
});

words!(the_words_of_reasons_to_connect_again_are_frozen, ReauthReason {
    Revoked = "revoked",
    Expired = "expired",
    LostResponse = "lost_response",
    ScopeMissing = "scope_missing",
    ClientRejected = "client_rejected",
    Refused = "refused",
    OtherAccount = "other_account",
    Restored = "restored",
    CutOff = "cut_off",
});

words!(the_words_of_credential_types_are_frozen, CredentialType {
    Default = "default",
    Raw = "raw",
    BasicAuth = "basic_auth",
    OAuth2Refresh = "oauth2_refresh",
});

words!(the_words_of_scopes_are_frozen, ApiScope {
    ProvidersRead = "providers:read",
    ProvidersWrite = "providers:write",
    AuthWrite = "auth:write",
    AuthWriteOwn = "auth:write:own",
    ConnectionsRead = "connections:read",
    ConnectionsWrite = "connections:write",
    TokensRead = "tokens:read",
    CredentialsRead = "credentials:read",
    CredentialsWrite = "credentials:write",
    ActivityRead = "activity:read",
});

words!(the_words_of_grant_types_are_frozen, GrantType {
    AuthorizationCode = "authorization_code",
    ClientCredentials = "client_credentials",
});

words!(the_words_of_client_authentication_are_frozen, TokenEndpointAuthMethod {
    Automatic = "automatic",
    ClientSecretBasic = "client_secret_basic",
    ClientSecretPost = "client_secret_post",
    None = "none",
    ClientSecretJwt = "client_secret_jwt",
    PrivateKeyJwt = "private_key_jwt",
    SecretAsUserName = "secret_as_user_name",
});

words!(the_words_of_redirects_are_frozen, Redirect {
    Loopback = "loopback",
    DeepLink = "deep_link",
    Paste = "paste",
});

words!(the_words_of_narrowing_are_frozen, NarrowingMethod {
    Refresh = "refresh",
    Exchange = "exchange",
    None = "none",
    Unknown = "unknown",
});

#[test]
fn the_words_of_rotation_are_frozen() {
    let every = |value: &Rotation| match value {
        Rotation::None | Rotation::Grace { .. } | Rotation::Strict | Rotation::Unknown => (),
    };
    for (value, written) in [
        (Rotation::None, json!({"kind": "none"})),
        (
            Rotation::Grace { seconds: 30 },
            json!({"kind": "grace", "seconds": 30}),
        ),
        (Rotation::Strict, json!({"kind": "strict"})),
        (Rotation::Unknown, json!({"kind": "unknown"})),
    ] {
        every(&value);
        is_stored_as(value, written);
    }
}

#[test]
fn the_words_of_connection_statuses_are_frozen() {
    use ConnectionStatus as S;
    let every = |value: S| match value {
        S::Pending | S::Active | S::Refreshing | S::Expiring | S::NeedsReauth(_) => (),
        S::Paused | S::Disconnecting => (),
    };
    for (value, written) in [
        (S::Pending, json!({"status": "pending"})),
        (S::Active, json!({"status": "active"})),
        (S::Refreshing, json!({"status": "refreshing"})),
        (S::Expiring, json!({"status": "expiring"})),
        (
            S::NeedsReauth(ReauthReason::Expired),
            json!({"status": "needs_reauth", "reason": "expired"}),
        ),
        (S::Paused, json!({"status": "paused"})),
        (S::Disconnecting, json!({"status": "disconnecting"})),
    ] {
        every(value);
        // The API's word is the stored word.
        assert_eq!(serde_json::to_value(value.word()).unwrap(), written["status"]);
        is_stored_as(value, written);
    }
}

#[test]
fn the_words_of_rules_are_frozen() {
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let grant: GrantId = id.parse().unwrap();
    let every = |value: Rule| match value {
        Rule::Window
        | Rule::Engine
        | Rule::SameUser
        | Rule::Grant(_)
        | Rule::Session
        | Rule::Once
        | Rule::ApproveAll
        | Rule::Denied
        | Rule::DeniedBefore
        | Rule::Unanswered
        | Rule::CannotAsk
        | Rule::NoGrant
        | Rule::NotForThisCaller => (),
    };
    for (value, written) in [
        (Rule::Window, json!({"rule": "window"})),
        (Rule::Engine, json!({"rule": "engine"})),
        (Rule::SameUser, json!({"rule": "same_user"})),
        (Rule::Grant(grant), json!({"rule": "grant", "grant": id})),
        (Rule::Session, json!({"rule": "session"})),
        (Rule::Once, json!({"rule": "once"})),
        (Rule::ApproveAll, json!({"rule": "approve_all"})),
        (Rule::Denied, json!({"rule": "denied"})),
        (Rule::DeniedBefore, json!({"rule": "denied_before"})),
        (Rule::Unanswered, json!({"rule": "unanswered"})),
        (Rule::CannotAsk, json!({"rule": "cannot_ask"})),
        (Rule::NoGrant, json!({"rule": "no_grant"})),
        (Rule::NotForThisCaller, json!({"rule": "not_for_this_caller"})),
    ] {
        every(value);
        assert_eq!(serde_json::to_value(value.word()).unwrap(), written["rule"]);
        is_stored_as(value, written);
    }
}

#[test]
fn the_words_of_callers_are_frozen() {
    let peer = json!({"uid": 1, "pid": 2, "started": 3, "program": null, "session": null});
    let mut program = peer.clone();
    program["kind"] = json!("program");
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let app = Caller::App(AppCaller {
        app: id.parse::<AppId>().unwrap(),
        grant: None,
        scopes: None,
        token: None,
        peer: None,
    });
    let every = |value: &Caller| match value {
        Caller::Ui | Caller::Program(_) | Caller::Consent | Caller::App(_) | Caller::Engine => (),
    };
    for (value, written) in [
        (Caller::Ui, json!({"kind": "ui"})),
        (Caller::Program(serde_json::from_value(peer).unwrap()), program),
        (Caller::Consent, json!({"kind": "consent"})),
        (
            app,
            json!({"kind": "app", "app": id, "grant": null, "peer": null}),
        ),
        (Caller::Engine, json!({"kind": "engine"})),
    ] {
        every(&value);
        assert_eq!(serde_json::to_value(value.kind()).unwrap(), written["kind"]);
        is_stored_as(value, written);
    }
}
