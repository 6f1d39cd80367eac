//! What the real window puts on the clipboard, and how long it stays there.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};
use tokenry_e2e::accounts::token;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::display::{ask_to_close, clipboard};
use tokenry_testkit::{Behaviour, Server};

/// Less than the time after which it is taken away in any case.
const SOON: Duration = Duration::from_secs(20);

/// security.md, "Keys": lock, and cached tokens go.
#[tokio::test]
async fn a_copied_token_is_gone_from_the_clipboard_once_the_vault_is_locked_or_the_app_has_ended() {
    let (desktop, server) = (Desktop::trusting(), Server::start(Behaviour::default()));
    let screen = desktop.open_window(&[]).await;
    desktop.connect(&screen, &server, "planted").await;
    let secret = token(&desktop.profile, "planted");
    let copied = || clipboard(&desktop.session).is_some_and(|text| text.contains(&secret));
    screen.click("copy-token").await;
    screen.hears("clipboard").await;
    assert!(copied());

    desktop.profile.tokenry(&["lock"]).success();
    let begun = Instant::now();
    while copied() {
        assert!(begun.elapsed() < SOON, "it is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    screen.see("lock-screen").await;

    desktop.profile.tokenry(&["unlock"]).success();
    screen.see("connection-planted").await;
    screen.click("copy-token").await;
    screen.hears("clipboard").await;
    assert!(copied());
    ask_to_close(&desktop.session, "Tokenry");
    // The first close shows a warning; the second one closes.
    screen.see("closing-dialog").await;
    ask_to_close(&desktop.session, "Tokenry");
    let begun = Instant::now();
    while copied() {
        assert!(begun.elapsed() < SOON, "it is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
