//! Access tokens for apps while the vault is locked.

use crate::tests::common::{NAME, World, token, ui, until};
use crate::{ConnectionChange, Engine, NewGrant, SettingsChange, TokenRequest};
use std::time::Duration;
use tokenry_core::{ApiScope, Caller, Code, EventKind, Rule, Scopes, Secret};
use tokenry_testkit::Behaviour;

/// A connected account, and an app with a grant for it.
struct Scene {
    world: World,
    engine: Engine,
    app: Secret,
}

fn grant() -> NewGrant {
    NewGrant {
        app: "backup".to_owned(),
        scopes: [ApiScope::TokensRead].into(),
        connections: vec![NAME.to_owned()],
        while_locked: true,
        ..NewGrant::default()
    }
}

impl Scene {
    async fn new(allowed: bool, grant: NewGrant) -> Self {
        let (world, engine) = World::connected(Behaviour::default()).await;
        let (_, app) = engine
            .register_app(&ui(), "backup", Vec::new(), false)
            .await
            .unwrap();
        engine.give_grant(&ui(), grant).await.unwrap();
        let change = SettingsChange {
            tokens_while_locked: Some(allowed),
            ..SettingsChange::default()
        };
        engine.change_settings(&ui(), change).await.unwrap();
        Self {
            world,
            engine,
            app: app.unwrap(),
        }
    }

    async fn locked(allowed: bool, grant: NewGrant) -> Self {
        let scene = Self::new(allowed, grant).await;
        scene.engine.lock(&ui()).await.unwrap();
        scene
    }

    async fn token(&self) -> Result<String, Code> {
        let caller = self
            .engine
            .authenticate(&self.app, None)
            .await
            .map_err(|error| error.code())?;
        let got = self.engine.token(&caller, NAME, Duration::ZERO).await;
        got.map(|got| got.access_token.expose().to_owned())
            .map_err(|error| error.code())
    }

    fn kept(&self) -> usize {
        self.engine.inner.kept.count()
    }
}

#[tokio::test]
async fn an_app_gets_the_living_token_while_locked_and_the_log_tells_of_it_after_the_unlock() {
    let scene = Scene::new(true, grant()).await;
    let before = token(&scene.engine, 0).await.unwrap().access_token;
    scene.engine.lock(&ui()).await.unwrap();
    assert_eq!(scene.token().await.as_deref(), Ok(before.expose()));
    assert_eq!(
        scene.world.server.refreshes(),
        0,
        "nothing is refreshed while locked"
    );
    scene.engine.unlock(&ui(), None, false).await.unwrap();
    assert_eq!(scene.kept(), 0);
    let line = until("the hand-out is in the log", async || {
        let (events, _) = scene.engine.events(&ui(), None, 100).await.unwrap();
        let is_it =
            |event: &tokenry_core::Event| event.detail.as_deref() == Some("while the vault was locked");
        events.into_iter().find(is_it)
    })
    .await;
    assert_eq!(line.kind, EventKind::TokenHandedOut);
    assert!(matches!(line.rule, Some(Rule::Grant(_))) && line.caller.app().is_some());
}

#[tokio::test]
async fn nothing_is_kept_while_the_setting_is_off() {
    let scene = Scene::locked(false, grant()).await;
    assert_eq!((scene.kept(), scene.token().await), (0, Err(Code::VaultLocked)));
}

#[tokio::test]
async fn nothing_is_kept_for_a_grant_that_does_not_say_so() {
    let other = NewGrant {
        while_locked: false,
        ..grant()
    };
    let scene = Scene::locked(true, other).await;
    assert_eq!((scene.kept(), scene.token().await), (0, Err(Code::VaultLocked)));
}

#[tokio::test]
async fn no_other_caller_gets_a_token_while_locked() {
    let scene = Scene::locked(true, grant()).await;
    let wrong = Secret::new("tokenry_app_of_another".to_owned());
    let refused = scene.engine.authenticate(&wrong, None).await.unwrap_err();
    assert_eq!(refused.code(), Code::VaultLocked);
    let uid = rustix::process::getuid().as_raw();
    let program = Caller::Program(tokenry_peer::of_process(uid, std::process::id()));
    for caller in [program, Caller::Ui, Caller::Engine] {
        let got = scene.engine.token(&caller, NAME, Duration::ZERO).await;
        assert_eq!(got.unwrap_err().code(), Code::VaultLocked);
    }
    let app = scene.engine.authenticate(&scene.app, None).await.unwrap();
    let other = scene.engine.token(&app, "another", Duration::ZERO).await;
    assert_eq!(other.unwrap_err().code(), Code::VaultLocked);
    let narrowed = TokenRequest {
        scopes: Some(Scopes::parse("read")),
        ..TokenRequest::default()
    };
    let narrowed = scene.engine.token(&app, NAME, narrowed).await;
    assert_eq!(narrowed.unwrap_err().code(), Code::VaultLocked);
    assert!(
        scene.engine.connections(&app).await.is_err(),
        "a list needs the vault"
    );
}

#[tokio::test]
async fn a_kept_token_is_gone_at_its_end_also_when_the_clock_is_set_back() {
    let scene = Scene::locked(true, grant()).await;
    assert_eq!(scene.kept(), 1);
    let before = scene.world.clock_now();
    scene.world.pass(3000);
    scene.world.clock.set(before);
    assert!(scene.token().await.is_ok());
    scene.world.pass(3000);
    scene.world.clock.set(before);
    assert_eq!(scene.token().await, Err(Code::VaultLocked));
    assert_eq!(scene.kept(), 0);
}

#[tokio::test]
async fn a_kept_token_is_gone_when_its_grant_ends() {
    let ending = NewGrant {
        expires_at: Some("2999-01-01T00:00:00Z".parse().unwrap()),
        ..grant()
    };
    let scene = Scene::new(true, ending).await;
    let end = scene.world.clock_now() + Duration::from_secs(60);
    let soon = NewGrant {
        app: "soon".to_owned(),
        expires_at: Some(end),
        ..grant()
    };
    let (_, app) = scene
        .engine
        .register_app(&ui(), "soon", Vec::new(), false)
        .await
        .unwrap();
    scene.engine.give_grant(&ui(), soon).await.unwrap();
    scene.engine.lock(&ui()).await.unwrap();
    assert_eq!(scene.kept(), 2);
    scene.world.pass(60);
    let caller = scene.engine.authenticate(&app.unwrap(), None).await;
    if let Ok(caller) = caller {
        assert!(scene.engine.token(&caller, NAME, Duration::ZERO).await.is_err());
    }
    assert!(scene.token().await.is_ok(), "the other grant holds");
    assert_eq!(scene.kept(), 1);
}

#[tokio::test]
async fn a_limit_of_the_grant_and_a_pause_hold_while_locked_too() {
    let limited = NewGrant {
        token_scopes: Some(Scopes::parse("read")),
        ..grant()
    };
    assert_eq!(
        Scene::locked(true, limited).await.kept(),
        0,
        "the token can do more than that"
    );
    let scene = Scene::new(true, grant()).await;
    let paused = ConnectionChange {
        paused: Some(true),
        ..ConnectionChange::default()
    };
    scene.engine.change_connection(&ui(), NAME, paused).await.unwrap();
    scene.engine.lock(&ui()).await.unwrap();
    assert_eq!(scene.kept(), 0);
}

#[tokio::test]
async fn a_grant_for_while_locked_needs_the_scope_for_tokens() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    engine
        .register_app(&ui(), "backup", Vec::new(), false)
        .await
        .unwrap();
    let wrong = NewGrant {
        scopes: [ApiScope::ConnectionsRead].into(),
        ..grant()
    };
    let error = engine.give_grant(&ui(), wrong).await.unwrap_err();
    assert!(error.fields().unwrap().contains_key("while_locked"), "{error}");
}
