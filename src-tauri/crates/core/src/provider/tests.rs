//! Tests of `provider.rs`.

use super::*;
use crate::{OsRandom, SystemClock};

fn provider(authorization: &str, token: &str) -> Provider {
    Provider {
        id: ProviderId::new(&SystemClock, &OsRandom),
        project: crate::DEFAULT_PROJECT.parse().unwrap(),
        name: "example".parse().unwrap(),
        display_name: "Example".into(),
        grant_type: GrantType::AuthorizationCode,
        issuer: None,
        issuer_aliases: Vec::new(),
        authorization_endpoint: Some(authorization.parse().unwrap()),
        token_endpoint: Some(token.parse().unwrap()),
        refresh_endpoint: None,
        revocation_endpoint: None,
        userinfo_endpoint: None,
        client_id: "id".into(),
        client_secret: None,
        token_endpoint_auth_method: TokenEndpointAuthMethod::None,
        default_scopes: Scopes::default(),
        scope_separator: " ".into(),
        use_pkce: true,
        authorize_params: BTreeMap::new(),
        redirect: RedirectPreference::Loopback,
        authorization_response_iss_parameter_supported: false,
        rotation: Rotation::Unknown,
        narrowing: NarrowingMethod::Unknown,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn https_everywhere_or_loopback_everywhere() {
    assert!(
        provider("https://a.example/auth", "https://a.example/token")
            .problems()
            .is_empty()
    );
    assert!(
        provider("http://127.0.0.1:1/auth", "http://[::1]:1/token")
            .problems()
            .is_empty()
    );
    let mixed = provider("https://a.example/auth", "http://127.0.0.1:1/token").problems();
    assert_eq!(mixed.keys().collect::<Vec<_>>(), [&"token_endpoint"]);
    assert!(
        provider("http://a.example/auth", "https://a.example/token")
            .problems()
            .contains_key("authorization_endpoint")
    );
    for hostile in [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://u:p@a.example/",
        "https://a.example/#f",
    ] {
        assert!(
            provider(hostile, "https://a.example/token")
                .problems()
                .contains_key("authorization_endpoint"),
            "{hostile}"
        );
    }
}

#[test]
fn a_provider_that_no_path_would_find_by_its_name_is_refused() {
    let mut p = provider("https://a.example/auth", "https://a.example/token");
    p.name = "exchange".parse().unwrap();
    assert_eq!(p.problems().into_keys().collect::<Vec<_>>(), ["name"]);
}

#[test]
fn our_own_parameters_cannot_be_set_by_an_endpoint_or_by_authorize_params() {
    let p = provider("https://a.example/auth?state=1", "https://a.example/token");
    assert!(p.problems().contains_key("authorization_endpoint"));
    let mut p = provider("https://a.example/auth?tenant=1", "https://a.example/token");
    assert!(p.problems().is_empty());
    p.authorize_params
        .insert("redirect_uri".into(), "https://evil.example".into());
    assert!(p.problems().contains_key("authorize_params"));
}

#[test]
fn a_partial_change_keeps_the_rest_and_some_none_clears() {
    let mut p = provider("https://a.example/auth", "https://a.example/token");
    p.client_secret = Some(Secret::new("s".into()));
    p.apply(
        ProviderChange {
            display_name: Some("New".into()),
            ..Default::default()
        },
        Timestamp::UNIX_EPOCH,
    );
    assert!(p.display_name == "New" && p.client_secret.is_some());
    p.apply(
        ProviderChange {
            client_secret: Some(None),
            ..Default::default()
        },
        Timestamp::UNIX_EPOCH,
    );
    assert!(p.client_secret.is_none());
}
