//! The real window: everything is cut off with one button, the vault and the log are checked, and who got what is shown.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::socket::ask;
use tokenry_testkit::{Behaviour, Ended, Server};

#[tokio::test]
async fn one_button_of_the_window_cuts_off_everything_and_the_provider_says_so() {
    let (desktop, server) = (Desktop::trusting(), Server::start(Behaviour::default()));
    let screen = desktop.open_window(&[]).await;
    desktop.connect(&screen, &server, "kit").await;
    let change = json!({"revocation_endpoint": server.revocation_endpoint()});
    let (status, answer) = ask(&desktop.profile, "PUT", "/v1/oauth-providers/kit", &change);
    assert_eq!(status, 200, "{answer}");
    let (status, token) = ask(&desktop.profile, "POST", "/v1/connections/kit/token", &json!({}));
    assert_eq!(status, 200);
    let token = token["access_token"].as_str().unwrap();

    screen.click("nav-activity").await;
    screen.click("show-audit").await;
    screen.reads("audit-entry", "kit").await;
    screen.click("verify-log").await;
    screen.reads("log-whole", "is whole").await;
    screen.click("nav-settings").await;
    screen.click("check-vault").await;
    screen.reads("vault-whole", "as it should be").await;

    screen.click("cut-off-all").await;
    assert!(server.accepts(token), "not before it is confirmed");
    screen.click("confirm-cut-off").await;
    screen.reads("cut-off-result", "Revoked at the provider").await;
    assert_eq!(server.families()[0].ended, Some(Ended::Revoked));
    assert!(!server.accepts(token));
    screen.click("cut-off-close").await;
    screen.click("nav-providers").await;
    screen.reads("reason", "You cut it off").await;
    let (status, refused) = ask(&desktop.profile, "POST", "/v1/connections/kit/token", &json!({}));
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("needs_reauth")));
    screen.close().await;
}
