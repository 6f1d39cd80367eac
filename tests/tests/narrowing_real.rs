//! A request for less must never cost the whole: what a token with fewer scopes, or for one resource, leaves of the
//! grant at real authorization servers.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::accounts::{PASSPHRASE, add, connection, token};
use tokenry_e2e::crash::Party;
use tokenry_e2e::django::{Django, Rotation};
use tokenry_e2e::process::{Finished, Running};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::Sandbox;

const WHOLE: [&str; 5] = ["email", "openid", "profile", "read", "write"];

struct Stage<P> {
    profile: Profile,
    server: P,
    _engine: Running,
}

fn stage<P>(server: P, provider: &Value) -> Stage<P> {
    let profile = Profile::headless();
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    add(&profile, provider).success();
    Stage {
        profile,
        server,
        _engine: engine,
    }
}

impl Stage<Django> {
    /// Connected, with a provider whose rotation is set to this.
    fn at_django(rotation: Rotation, told: &Value) -> Self {
        let django = Django::with(rotation, 300);
        let provider = django.provider(told);
        let stage = stage(django, &provider);
        stage.server.connect(&stage.profile, &["django"], "ada").success();
        stage
    }

    /// The connection's own token can do everything, now and after a refresh: the server says so.
    #[track_caller]
    fn is_whole(&self) {
        for _ in 0..2 {
            let scopes = self.server.scopes(&token(&self.profile, "django"));
            assert_eq!(scopes, Some(WHOLE.map(str::to_owned).into()));
            self.profile.tokenry(&["refresh", "django"]).success();
        }
        assert_eq!(connection(&self.profile, "django")["status"], "active");
    }
}

/// What was handed out can do no more than this, or nothing was handed out and the words say why.
#[track_caller]
fn is_less_or_refused(django: &Django, answer: &Finished) {
    if answer.code == 0 {
        let scopes = django.scopes(answer.stdout.trim_end()).unwrap();
        assert!(scopes.contains("read"), "{scopes:?}");
    } else {
        assert_eq!(answer.stdout, "");
        assert!(answer.stderr.contains("fewer scopes"), "{answer:?}");
    }
}

/// Each way in which the server replaces refresh tokens, once as the provider says it and once with nothing said.
fn everywhere(ask: impl Fn(&Stage<Django>)) {
    for rotation in [Rotation::Plain, Rotation::Strict, Rotation::Grace] {
        for told in [rotation.told(), Value::Null] {
            let stage = Stage::at_django(rotation, &told);
            ask(&stage);
            stage.is_whole();
            // By now the engine has seen what the server does with a token that is used.
            ask(&stage);
            stage.is_whole();
        }
    }
}

#[test]
fn a_token_with_fewer_scopes_leaves_the_connection_whole() {
    everywhere(|stage| {
        let answer = stage.profile.tokenry(&["token", "django", "--scope", "read"]);
        is_less_or_refused(&stage.server, &answer);
    });
}

#[test]
fn an_app_whose_grant_allows_fewer_scopes_leaves_the_connection_whole() {
    let stage = Stage::at_django(Rotation::Plain, &Value::Null);
    let app = stage.profile.tokenry(&["app", "add", "backup"]).success().stdout;
    let file = stage.profile.scratch().join("backup.token");
    std::fs::write(&file, app).unwrap();
    let restrict = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&file, restrict).unwrap();
    let grant = "app grant backup --scope tokens:read --connection django --token-scope read";
    stage
        .profile
        .tokenry(&grant.split(' ').collect::<Vec<_>>())
        .success();
    let file = file.to_str().unwrap();
    for _ in 0..2 {
        let answer = stage
            .profile
            .tokenry(&["--app-token-file", file, "token", "django"]);
        if answer.code == 0 {
            // The limit of a grant is hard.
            let scopes = stage.server.scopes(answer.stdout.trim_end());
            assert_eq!(scopes, Some(["read".to_owned()].into()));
        } else {
            assert_eq!((answer.code, answer.stdout.as_str()), (12, ""), "{answer:?}");
        }
        stage.is_whole();
    }
}

/// oidc-provider uses the refresh token up before it looks at the resource, and gives nothing in its place.
#[test]
fn a_mistyped_resource_does_not_cost_the_grant_at_oidc_provider() {
    let sandbox = Sandbox::start();
    let provider = sandbox.provider();
    let stage = stage(sandbox, &provider);
    stage.server.connect(&stage.profile, &["sandbox"]).success();
    for resource in ["https://api.exmaple.com/", "urn:example:nowhere"] {
        let refused = stage
            .profile
            .tokenry(&["token", "sandbox", "--resource", resource]);
        assert_ne!(refused.code, 0, "{refused:?}");
        assert_eq!(refused.stdout, "");
        assert_ne!(refused.code, 17, "the grant did not end: {refused:?}");
        stage.profile.tokenry(&["refresh", "sandbox"]).success();
        let now = token(&stage.profile, "sandbox");
        assert!(stage.server.is_active(&now));
        assert_eq!(connection(&stage.profile, "sandbox")["status"], "active");
    }
}

/// A resource that the sign-in had is one that may be asked for.
#[test]
fn a_resource_of_the_sign_in_gives_a_token_for_it_and_leaves_the_grant_whole() {
    let sandbox = Sandbox::start();
    let mut provider = sandbox.provider();
    provider["authorize_params"] = json!({"prompt": "consent", "resource": tokenry_e2e::sandbox::RESOURCE});
    provider["default_scopes"] = json!(["openid", "email", "offline_access", "read", "write"]);
    let stage = stage(sandbox, &provider);
    stage.server.connect(&stage.profile, &["sandbox"]).success();
    let arguments = ["token", "sandbox", "--resource", tokenry_e2e::sandbox::RESOURCE];
    let there = stage.profile.tokenry(&arguments).success().stdout;
    assert_eq!(
        stage.server.audience(there.trim_end()),
        Some(tokenry_e2e::sandbox::RESOURCE.to_owned())
    );
    let refused = stage
        .profile
        .tokenry(&["token", "sandbox", "--resource", "https://api.sandbox.exmaple/"]);
    assert_ne!(refused.code, 0, "{refused:?}");
    stage.profile.tokenry(&["refresh", "sandbox"]).success();
    assert!(stage.server.is_active(&token(&stage.profile, "sandbox")));
}
