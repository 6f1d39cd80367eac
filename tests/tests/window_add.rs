//! The window, and a provider that is added by its preset or its address.
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
    screen.click("open-register-url").await;
    let page = screen.text("register-url").await;
    assert_eq!(desktop.opened_address(), page);
    screen.click("back-to-search").await;
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

#[tokio::test]
async fn a_provider_is_looked_up_by_its_address_and_registers_tokenry_or_takes_a_client() {
    let (desktop, sandbox) = (Desktop::trusting(), Sandbox::start());
    let screen = desktop.open_window(&[]).await;
    screen.click("add-provider").await;
    screen.see("add-screen").await;
    screen.fill("preset-search", "http://127.0.0.1:1/").await;
    screen.click("look-up").await;
    screen.reads("search-failed", "127.0.0.1").await;

    // Tokenry registers itself.
    screen.fill("preset-search", sandbox.issuer()).await;
    screen.click("look-up").await;
    screen.see("address-page").await;
    screen.reads("found", "/token").await;
    screen.fill("field-name", "registered").await;
    screen.click("save-provider").await;
    screen.see("provider-registered").await;
    screen.click("connect-registered").await;
    sandbox.agree(&mut Browser::new(), &desktop.opened_address(), "Ada Lovelace");
    screen.see("connected-as").await;
    let token = desktop.profile.tokenry(&["token", "registered"]).success().stdout;
    assert!(sandbox.is_active(token.trim_end()));

    // A client that the user registered, with the redirect URI that was shown before.
    screen.click("add-provider").await;
    screen.fill("preset-search", sandbox.issuer()).await;
    screen.click("look-up").await;
    screen.click("field-client-own").await;
    screen.fill("field-name", "own").await;
    screen.reads("redirect-uri", "/cb/own").await;
    let shown = screen.text("redirect-uri").await;
    screen.fill("field-client_id", CONFIDENTIAL).await;
    screen
        .fill("field-client_secret", sandbox.client_secret(CONFIDENTIAL))
        .await;
    screen.click("save-provider").await;
    screen.see("provider-own").await;
    let added = desktop
        .profile
        .tokenry(&["--json", "provider", "show", "own"])
        .success()
        .json();
    assert_eq!(added["redirect_uris"][0], shown.as_str());
    assert_eq!(added["client_id"], CONFIDENTIAL);
    screen.click("check-own").await;
    screen.reads("check-summary", "No problems found").await;
    screen.close().await;
}
