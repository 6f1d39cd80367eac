//! The window, and a provider that is added by its preset.
#![allow(clippy::unwrap_used)]

use tokenry_e2e::browser::Browser;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::sandbox::{CONFIDENTIAL, Sandbox};

const NAME: &str = "oidc-provider";

#[tokio::test]
async fn a_provider_is_found_by_its_preset_checked_and_connected() {
    let (desktop, sandbox) = (Desktop::trusting(), Sandbox::start());
    let screen = desktop.open_window(&[]).await;
    screen.click("add-provider").await;
    screen.see("add-screen").await;
    screen.fill("preset-search", "git").await;
    screen.see("preset-github").await;
    screen.gone("preset-slack").await;
    screen.click("preset-github").await;
    screen.see("redirect-uri").await;
    screen.click("back-to-search").await;
    screen.fill("preset-search", "https://mcp.example.com/mcp").await;
    screen
        .reads("no-preset", "tokenry provider add https://mcp.example.com/mcp")
        .await;
    screen.fill("preset-search", NAME).await;
    screen.click("preset-oidc-provider").await;

    screen.fill("field-issuer", "http://elsewhere.example").await;
    screen.reads("error-issuer", "does not look like").await;
    screen.fill("field-issuer", sandbox.issuer()).await;
    screen.gone("error-issuer").await;
    screen.fill("field-client_id", CONFIDENTIAL).await;
    screen
        .fill("field-client_secret", sandbox.client_secret(CONFIDENTIAL))
        .await;
    let shown = screen.text("redirect-uri").await;
    screen.click("save-provider").await;
    screen.see("provider-oidc-provider").await;
    let added = desktop
        .profile
        .tokenry(&["--json", "provider", "show", NAME])
        .success()
        .json();
    assert_eq!(added["redirect_uris"][0], shown.as_str());
    assert_eq!(added["preset"]["name"], NAME);

    screen.click("check-oidc-provider").await;
    screen.reads("check-summary", "No problems found").await;
    screen.click("close-check").await;
    screen.click("connect-oidc-provider").await;
    sandbox.agree(&mut Browser::new(), &desktop.opened_address(), "Grace Hopper");
    screen.see("connected-as").await;
    let token = desktop.profile.tokenry(&["token", NAME]).success().stdout;
    assert!(sandbox.is_active(token.trim_end()));
    screen.close().await;
}
