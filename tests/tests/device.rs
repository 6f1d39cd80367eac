//! Signing in on another device (RFC 8628), at the Sandbox: a user types the code on its real pages. Checklist A7.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::path::Path;
use tokenry_e2e::accounts::{PASSPHRASE, add, connection, token};
use tokenry_e2e::browser::Browser;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::process::Running;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::{DEVICE, Sandbox};
use tokenry_e2e::terminal::Terminal;

const CONSENT_DENIED: i32 = 13;
const FLOW_EXPIRED: i32 = 18;
const INTERRUPTED: i32 = 130;

/// A provider without any page for our browser.
fn provider(sandbox: &Sandbox) -> Value {
    json!({
        "name": "sandbox",
        "client_id": DEVICE,
        "issuer": sandbox.issuer(),
        "device_authorization_endpoint": sandbox.endpoint("device_authorization_endpoint"),
        "token_endpoint": sandbox.endpoint("token_endpoint"),
        "userinfo_endpoint": sandbox.endpoint("userinfo_endpoint"),
        "revocation_endpoint": sandbox.endpoint("revocation_endpoint"),
        "jwks_uri": sandbox.endpoint("jwks_uri"),
        "default_scopes": ["openid", "profile", "email", "offline_access"],
    })
}

struct Stage {
    sandbox: Sandbox,
    profile: Profile,
    _engine: Running,
}

impl Stage {
    fn new(sandbox: Sandbox, settings: &Value) -> Self {
        let profile = Profile::headless();
        let engine = profile.serve_with_passphrase(PASSPHRASE);
        let mut provider = provider(&sandbox);
        for (name, value) in settings.as_object().unwrap() {
            provider[name] = value.clone();
        }
        add(&profile, &provider).success();
        Self {
            sandbox,
            profile,
            _engine: engine,
        }
    }

    /// Starts a sign-in; gives the page and the code, too.
    fn connecting(&self, arguments: &[&str]) -> (Running, String, String) {
        let mut running = self.profile.tokenry_running(&[&["connect"], arguments].concat());
        let (page, code) = (running.line(), running.line());
        (running, page.trim_end().to_owned(), code.trim_end().to_owned())
    }
}

#[test]
fn a_user_signs_in_on_another_device_and_again_later() {
    let stage = Stage::new(Sandbox::with_device_codes(600, &[]), &json!({}));
    let check = ["provider", "check", "sandbox", "--json"];
    let report = stage.profile.tokenry(&check).success().json();
    let items = report["checks"].as_array().unwrap();
    let named = |name: &str| items.iter().find(|item| item["name"] == name);
    assert_eq!(
        named("client_authentication").unwrap()["result"],
        "ok",
        "{report}"
    );
    assert_eq!(
        named("device_authorization_endpoint").unwrap()["result"],
        "ok",
        "{report}"
    );
    assert!(
        named("redirect_uri").is_none() && named("pkce").is_none(),
        "{report}"
    );
    // It is the only way at this provider, so that the command needs no option.
    let (connect, page, code) = stage.connecting(&["sandbox"]);
    let phone = &mut Browser::new();
    let done = stage.sandbox.agree_with_code(phone, &page, &code, "Grace Hopper");
    assert!(done.page().1.contains("You are signed in"), "{done:?}");
    let connected = connect.wait().success();
    assert!(
        connected.stderr.contains("Connected sandbox as "),
        "{}",
        connected.stderr
    );
    let first = token(&stage.profile, "sandbox");
    assert!(stage.sandbox.is_active(&first));
    let id_token = ["token", "sandbox", "--id-token"];
    let id_token = stage.profile.tokenry(&id_token).success().stdout;
    assert_eq!(id_token.split('.').count(), 3);
    stage.profile.tokenry(&["refresh", "sandbox"]).success();

    let account = connection(&stage.profile, "sandbox")["account"]["subject"].clone();
    for (who, is_renewed) in [("Grace Hopper", true), ("Ada Lovelace", false)] {
        let (connect, page, code) = stage.connecting(&["sandbox", "--device"]);
        stage
            .sandbox
            .agree_with_code(&mut Browser::new(), &page, &code, who);
        let ended = connect.wait();
        assert_eq!(ended.code, 0, "{who}: {}", ended.stderr);
        assert_eq!(
            ended.stderr.contains("Connected sandbox as"),
            is_renewed,
            "{}",
            ended.stderr
        );
    }
    assert_eq!(
        connection(&stage.profile, "sandbox")["account"]["subject"],
        account
    );
}

/// The tokens are bound to a key, of which the device authorization request knows nothing (RFC 9449 §5).
#[test]
fn tokens_for_another_device_are_bound_to_a_key_where_the_provider_binds_them() {
    let sandbox = Sandbox::with_device_codes(600, &["--dpop-nonce"]);
    let stage = Stage::new(sandbox, &json!({"dpop": true}));
    let (connect, page, code) = stage.connecting(&["sandbox"]);
    let phone = &mut Browser::new();
    stage.sandbox.agree_with_code(phone, &page, &code, "Grace Hopper");
    connect.wait().success();
    let token = stage
        .profile
        .tokenry(&["token", "sandbox", "--json"])
        .success()
        .json();
    assert_eq!(token["token_type"], "DPoP");
    stage.profile.tokenry(&["refresh", "sandbox"]).success();
}

/// Checklist A7.1 and A7.3.
#[test]
fn a_denial_and_an_expiry_end_the_command_with_their_codes() {
    let stage = Stage::new(Sandbox::with_device_codes(600, &[]), &json!({}));
    let (connect, page, code) = stage.connecting(&["sandbox"]);
    let phone = &mut Browser::new();
    stage.sandbox.deny_with_code(phone, &page, &code, "Grace Hopper");
    let denied = connect.wait();
    assert_eq!(denied.code, CONSENT_DENIED, "{}", denied.stderr);

    let short = Stage::new(Sandbox::with_device_codes(6, &[]), &json!({}));
    let (connect, _, _) = short.connecting(&["sandbox"]);
    let expired = connect.wait();
    assert_eq!(expired.code, FLOW_EXPIRED, "{}", expired.stderr);
    for stage in [stage, short] {
        let left = stage.profile.tokenry(&["list", "--json"]).success().json();
        assert_eq!(left, json!([]));
    }
}

#[test]
fn a_terminal_shows_a_qr_code_and_ctrl_c_withdraws_the_sign_in() {
    let stage = Stage::new(Sandbox::with_device_codes(600, &[]), &json!({}));
    let connect = stage.profile.command("tokenry", &["connect", "sandbox"]);
    let mut connect = Terminal::start(&connect);
    let shown = connect.shows("Ctrl-C cancels the sign-in.");
    assert!(shown.contains("On any device, open this page:"), "{shown}");
    assert!(shown.contains("must show the same code"), "{shown}");
    assert!(shown.matches('█').count() > 100, "{shown}");
    connect.interrupts();
    let (code, shown) = connect.ends();
    assert_eq!(code, INTERRUPTED, "{shown}");
    assert!(shown.contains("Cancelled. Nothing was connected."), "{shown}");
    let left = stage.profile.tokenry(&["list", "--json"]).success().json();
    assert_eq!(left, json!([]));
}

#[tokio::test]
async fn the_window_shows_the_code_and_is_told_when_the_user_has_signed_in() {
    let (desktop, sandbox) = (Desktop::trusting(), Sandbox::with_device_codes(600, &[]));
    let screen = desktop.open_window(&[]).await;
    let mut provider = provider(&sandbox);
    provider["authorization_endpoint"] = sandbox.endpoint("authorization_endpoint").as_str().into();
    add(&desktop.profile, &provider).success();
    screen.click("connect-device-sandbox").await;
    let page = screen.text("device-page").await;
    let code = screen.text("device-code").await;
    screen.see("qr").await;
    if let Some(folder) = std::env::var_os("TOKENRY_PICTURES") {
        screen.picture(&Path::new(&folder).join("device.png")).await;
    }
    screen.click("cancel-flow").await;
    screen.gone("waiting").await;

    screen.click("connect-device-sandbox").await;
    let next = screen.text("device-code").await;
    assert_ne!(next, code, "the cancelled one is gone");
    sandbox.agree_with_code(&mut Browser::new(), &page, &next, "Grace Hopper");
    screen.see("connected-as").await;
    assert!(sandbox.is_active(&token(&desktop.profile, "sandbox")));
    screen.close().await;
}
