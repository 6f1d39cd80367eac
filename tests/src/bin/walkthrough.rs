//! The main job through the real desktop app, step by step, as a person does it: add a provider, sign in, use a token,
//! disconnect. Prints every step with its result, leaves pictures in `target/walkthrough`, and fails when a step does.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a step that cannot be done ends the walk, and the terminal is where it reports"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;
use tokenry_e2e::browser::Browser;
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::recovery::new_code;
use tokenry_e2e::sandbox::{CONFIDENTIAL, Sandbox};
use tokenry_e2e::screen::Screen;

const NAME: &str = "Grace Hopper";
const EMAIL: &str = "grace.hopper@example.com";

/// A driver that does not answer would be waited for without end.
const TIMEOUT: Duration = Duration::from_secs(600);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let walked = runtime
        .unwrap()
        .block_on(async { tokio::time::timeout(TIMEOUT, walk()).await });
    assert!(
        walked.is_ok(),
        "it takes more than {TIMEOUT:?}: a part of the desktop does not answer"
    );
    println!("The whole way was walked; the pictures are in target/walkthrough.");
}

/// A step under way. When it ends in any other way than by being done, it says that it failed.
struct Step(&'static str);

impl Step {
    fn done(self) {
        println!("ok   {}", self.0);
        std::mem::forget(self);
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        println!("FAIL {}", self.0);
    }
}

async fn walk() {
    let step = Step("start a desktop with a keyring, and the Sandbox");
    let pictures = pictures();
    let mut desktop = Desktop::start();
    let sandbox = Sandbox::start();
    step.done();

    let step = Step("open the window; the keyring opens the vault by itself");
    let screen = desktop.open_window(&[]).await;
    screen.see("empty").await;
    screen.picture(&pictures.join("1-first-start.png")).await;
    step.done();

    let step = Step("create the recovery code that the window proposes");
    screen.click("recovery-create").await;
    new_code(&screen).await;
    screen.gone("recovery-reminder").await;
    step.done();

    add_the_sandbox(&screen, &sandbox, &pictures).await;
    connect(&screen, &desktop, &sandbox, &pictures).await;
    use_a_token(&screen, &desktop, &sandbox, &pictures).await;
    look_around(&screen, &pictures).await;
    screen.close().await;

    let step = Step("start again in the dark; the connection is still there");
    desktop.set("GTK_THEME", "Adwaita:dark");
    let screen = desktop.open_window(&[]).await;
    screen.reads("connected-as", EMAIL).await;
    let dark = screen
        .script("return matchMedia('(prefers-color-scheme: dark)').matches")
        .await;
    assert_eq!(dark, true, "the window follows the desktop's theme");
    screen.picture(&pictures.join("8-connected-dark.png")).await;
    screen.click("edit-sandbox").await;
    screen.see("provider-form").await;
    screen.picture(&pictures.join("8-form-dark.png")).await;
    screen.click("cancel-form").await;
    step.done();

    disconnect(&screen, &desktop, &sandbox, &pictures).await;
    screen.close().await;
}

/// Where the pictures go, empty.
fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/walkthrough");
    // There may be none yet.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

async fn add_the_sandbox(screen: &Screen, sandbox: &Sandbox, pictures: &Path) {
    let step = Step("add the Sandbox provider by hand");
    screen.click("add-provider").await;
    screen.by_hand().await;
    screen.picture(&pictures.join("2-form-empty.png")).await;
    screen.fill("field-display_name", "Sandbox").await;
    screen.fill_form(&sandbox.form(CONFIDENTIAL)).await;
    screen
        .script("document.querySelector('.scroll').scrollTo(0, 0)")
        .await;
    screen.picture(&pictures.join("2-form-filled.png")).await;
    screen.click("save-provider").await;
    screen.see("provider-sandbox").await;
    screen.picture(&pictures.join("3-provider.png")).await;
    step.done();
}

async fn connect(screen: &Screen, desktop: &Desktop, sandbox: &Sandbox, pictures: &Path) {
    let step = Step("press Connect; the browser opens");
    screen.click("connect-sandbox").await;
    screen.see("waiting").await;
    let address = desktop.opened_address();
    // By way of the app's own listener, which marks the browser as the one that began.
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    screen.picture(&pictures.join("4-waiting.png")).await;
    step.done();

    let step = Step("sign in and agree in the browser");
    let landing = sandbox.agree(&mut Browser::new(), &address, NAME);
    assert!(landing.page().0.as_str().starts_with("http://127.0.0.1:"));
    step.done();

    let step = Step("see \"Connected as grace.hopper@example.com\" in the window");
    let title = screen.reads("connected-as", EMAIL).await;
    assert!(title.starts_with("Connected as "), "{title}");
    screen.picture(&pictures.join("5-connected.png")).await;
    step.done();
}

async fn use_a_token(screen: &Screen, desktop: &Desktop, sandbox: &Sandbox, pictures: &Path) {
    let step = Step("`tokenry status sandbox` says active");
    let status = desktop.profile.tokenry(&["status", "sandbox"]).success().stdout;
    assert!(status.contains("active") && status.contains(EMAIL), "{status}");
    step.done();

    let step = Step("`tokenry token sandbox` asks in a window of its own");
    let asking = desktop.profile.tokenry_running(&["token", "sandbox"]);
    screen.go_to("Permission request - Tokenry").await;
    screen.see("consent").await;
    screen.picture(&pictures.join("6-consent.png")).await;
    step.done();

    let step = Step("allow it; the token that is printed is one that the Sandbox calls active");
    screen.click("allow-once").await;
    let token = asking.wait().success().stdout;
    assert!(sandbox.is_active(token.trim_end()));
    screen.left("Permission request - Tokenry", "Tokenry").await;
    step.done();
}

async fn look_around(screen: &Screen, pictures: &Path) {
    let step = Step("find all of it in the activity log");
    screen.click("nav-activity").await;
    screen.see("event").await;
    screen.picture(&pictures.join("7-activity.png")).await;
    let page = screen.script("return document.body.innerText").await;
    for event in ["Provider added", "Connected", "Token returned"] {
        assert!(page.as_str().unwrap().contains(event), "{event}");
    }
    step.done();
}

async fn disconnect(screen: &Screen, desktop: &Desktop, sandbox: &Sandbox, pictures: &Path) {
    let step = Step("disconnect; the window says that the tokens were revoked");
    let asking = desktop.profile.tokenry_running(&["token", "sandbox"]);
    screen.go_to("Permission request - Tokenry").await;
    screen.see("consent").await;
    screen.picture(&pictures.join("9-consent-dark.png")).await;
    screen.click("allow-once").await;
    let token = asking.wait().success().stdout;
    screen.left("Permission request - Tokenry", "Tokenry").await;
    screen.click("disconnect").await;
    screen.see("disconnect-dialog").await;
    screen.picture(&pictures.join("9-disconnect.png")).await;
    screen.click("confirm-disconnect").await;
    screen.hears("The provider revoked the tokens").await;
    screen.gone("connected-as").await;
    screen.picture(&pictures.join("10-disconnected.png")).await;
    step.done();

    let step = Step("the Sandbox takes the token no more, and there is none to be had");
    assert!(!sandbox.is_active(token.trim_end()));
    let refused = desktop.profile.tokenry(&["token", "sandbox"]);
    assert!(refused.code != 0 && refused.stdout.is_empty());
    step.done();
}
