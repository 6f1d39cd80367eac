//! What a person sees and does in the window. Parts are found by their `data-testid`; the list of them stands at the
//! top of `ui/src/App.svelte`.

use crate::display::{Eye, Picture};
use crate::process::TIMEOUT;
use crate::webdriver::Window;
use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use serde_json::Value;
use std::cell::RefCell;
use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

/// Keeps what the window says in passing: a slow machine would miss some of it.
const LISTEN: &str = "
    window.said = new Set();
    new MutationObserver(() => {
        for (const toast of document.querySelectorAll('[data-testid=toast]')) window.said.add(toast.textContent);
    }).observe(document.documentElement, { childList: true, subtree: true, characterData: true });";

/// How often it is seen whether the window has come to rest, and how many times: some of it never does.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
const LOOKS: usize = 6;

/// The window under a driver.
pub struct Screen {
    window: Window,
    eye: Eye,
}

impl Screen {
    pub(crate) async fn new(window: Window, eye: Eye) -> Self {
        let screen = Self { window, eye };
        screen.script(LISTEN).await;
        screen
    }

    /// The driver's client, for what is not here.
    pub fn client(&self) -> &Client {
        &self.window.client
    }

    /// The part with this id, as soon as it can be seen.
    pub async fn see(&self, id: &str) -> Element {
        let find = || async move {
            let element = self.find(id).await?;
            element.is_displayed().await.unwrap_or(false).then_some(element)
        };
        self.until(&format!("{id} on the screen"), find).await
    }

    /// Waits until there is no such part.
    pub async fn gone(&self, id: &str) {
        let absent = || async move { self.find(id).await.is_none().then_some(()) };
        self.until(&format!("the end of {id}"), absent).await;
    }

    /// The text of a part; waits for the part.
    pub async fn text(&self, id: &str) -> String {
        let read = || async move {
            let text = self.find(id).await?.text().await.ok()?;
            (!text.is_empty()).then_some(text)
        };
        self.until(&format!("a text in {id}"), read).await
    }

    /// Waits until a part's text has this in it, and gives the whole text.
    pub async fn reads(&self, id: &str, wanted: &str) -> String {
        let end = Instant::now() + TIMEOUT;
        loop {
            let text = match self.find(id).await {
                Some(element) => element.text().await.unwrap_or_default(),
                None => "nothing".to_owned(),
            };
            if text.contains(wanted) {
                return text;
            }
            assert!(
                Instant::now() < end,
                "{id} does not read {wanted:?}, but {text:?}"
            );
            pause().await;
        }
    }

    /// Waits until the window has said this in passing, now or earlier.
    pub async fn hears(&self, wanted: &str) {
        let end = Instant::now() + TIMEOUT;
        loop {
            let said = self.script("return [...window.said].join(' | ')").await;
            if said.as_str().is_some_and(|said| said.contains(wanted)) {
                return;
            }
            assert!(
                Instant::now() < end,
                "the window does not say {wanted:?}, but {said}"
            );
            pause().await;
        }
    }

    /// Clicks a part as soon as it can be clicked.
    pub async fn click(&self, id: &str) {
        let enabled = || async move {
            let element = self.find(id).await?;
            element.is_enabled().await.ok()?.then_some(element)
        };
        self.press(id, enabled).await;
    }

    /// Ticks that one of several boxes with this id whose label has this text in it.
    pub async fn tick(&self, id: &str, label: &str) {
        let path = format!("//label[input[@data-testid='{id}']][contains(., '{label}')]");
        let found = || async { self.client().find(Locator::XPath(&path)).await.ok() };
        self.press(label, found).await;
    }

    /// Clicks what is found as soon as it is on the screen and the driver takes the click.
    async fn press<F: Future<Output = Option<Element>>>(&self, what: &str, find: impl Fn() -> F) {
        let refused = RefCell::new(None);
        let click = || async {
            let element = find().await?;
            element.is_displayed().await.ok()?.then_some(())?;
            // The driver brings in what is out of sight, but refuses to click what is half cut off.
            let scroll = "arguments[0].scrollIntoView({ block: 'nearest' })";
            let arguments = vec![serde_json::to_value(&element).unwrap()];
            self.client().execute(scroll, arguments).await.ok()?;
            match element.click().await {
                Ok(()) => Some(()),
                // The click closed its own window before the driver had answered.
                Err(error) if error.is_no_such_window() => Some(()),
                Err(error) => {
                    refused.replace(Some(error));
                    None
                }
            }
        };
        self.until_or(
            || format!("a click on {what} (refused: {:?})", refused.borrow()),
            click,
        )
        .await;
    }

    /// Types a text into a field in place of what stands there.
    pub async fn fill(&self, id: &str, text: &str) {
        let field = self.see(id).await;
        // The driver refuses a field that is half cut off.
        self.client()
            .execute(
                "arguments[0].scrollIntoView({ block: 'center' })",
                vec![serde_json::to_value(&field).unwrap()],
            )
            .await
            .unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Chooses the option with this text.
    pub async fn choose(&self, id: &str, text: &str) {
        let field = self.see(id).await;
        field.select_by_label(text).await.unwrap();
    }

    /// Fills fields of the provider form, with all of it unfolded.
    pub async fn fill_form(&self, fields: &[(&str, String)]) {
        self.see("provider-form").await;
        self.script("document.querySelector('[data-testid=advanced]').open = true")
            .await;
        for (name, text) in fields {
            self.fill(&format!("field-{name}"), text).await;
        }
    }

    /// Opens the empty form, from the list of presets. The list moves what is below it when it comes.
    pub async fn by_hand(&self) {
        let option = || async { self.client().find(Locator::Css("[role=option]")).await.ok() };
        self.until("the presets", option).await;
        self.click("by-hand").await;
    }

    /// Adds a provider by hand; its name is the first of the fields.
    pub async fn add_provider(&self, fields: &[(&str, String)]) {
        self.click("add-provider").await;
        self.by_hand().await;
        self.fill_form(fields).await;
        self.click("save-provider").await;
        self.see(&format!("provider-{}", fields[0].1)).await;
    }

    /// Whether such a part is there now.
    pub async fn has(&self, id: &str) -> bool {
        self.find(id).await.is_some()
    }

    /// Runs a script in the page; `return` gives its result.
    pub async fn script(&self, script: &str) -> Value {
        self.client().execute(script, Vec::new()).await.unwrap()
    }

    /// Runs a script that hands its result to `done(…)`, later.
    pub async fn script_later(&self, script: &str) -> Value {
        let whole = format!("const done = arguments[arguments.length - 1]; {script}");
        self.client().execute_async(&whole, Vec::new()).await.unwrap()
    }

    /// One operation of the API as the window calls it: `{status, body}`.
    pub async fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        let ask = serde_json::json!({"method": method, "path": path, "body": body});
        self.invoke("request", &ask).await
    }

    /// One command of the shell, as a script of the page would use it: what it gives, or `{refused}`.
    pub async fn invoke(&self, command: &str, arguments: &Value) -> Value {
        self.script_later(&format!(
            "window.__TAURI_INTERNALS__.invoke('{command}', {arguments}).then(done, (e) => done({{refused: e}}))"
        ))
        .await
    }

    /// Goes to the window whose page has this title, as soon as there is one. A driver begins at the first window.
    pub async fn go_to(&self, title: &str) {
        self.until(&format!("the window {title:?}"), || self.switch(title))
            .await;
    }

    /// Waits until no window has this title, and goes to the one that has the other.
    pub async fn left(&self, title: &str, other: &str) {
        let gone = || async move { self.switch(title).await.is_none().then_some(()) };
        self.go_to(other).await;
        self.until(&format!("the end of the window {title:?}"), gone)
            .await;
        self.go_to(other).await;
    }

    async fn switch(&self, title: &str) -> Option<()> {
        for window in self.client().windows().await.ok()? {
            // One that closes just now is not the one.
            let there = self.client().switch_to_window(window).await.is_ok();
            if there && self.client().title().await.is_ok_and(|its| its == title) {
                return Some(());
            }
        }
        None
    }

    /// Writes what is to be seen to a PNG file, at rest if it comes to rest soon. The display is asked, and not the
    /// driver: a web engine that draws without the graphics card never answers it.
    pub async fn picture(&self, file: &Path) {
        let title = self.client().title().await.unwrap();
        let look = || async { self.eye.picture(&title).filter(Picture::is_painted) };
        let mut seen = self.until(&format!("picture of {title:?}"), look).await;
        for _ in 0..LOOKS {
            tokio::time::sleep(POLL_INTERVAL).await;
            let before = seen;
            seen = self.until(&format!("picture of {title:?}"), look).await;
            if seen == before {
                break;
            }
        }
        seen.write_png(file);
    }

    /// Closes the window.
    pub async fn close(self) {
        self.window.close().await;
    }

    async fn find(&self, id: &str) -> Option<Element> {
        let selector = format!("[data-testid=\"{id}\"]");
        self.client().find(Locator::Css(&selector)).await.ok()
    }

    async fn until<T, F: Future<Output = Option<T>>>(&self, what: &str, ready: impl Fn() -> F) -> T {
        self.until_or(|| what.to_owned(), ready).await
    }

    /// The same, where it is only known at the end what is missed.
    async fn until_or<T, F: Future<Output = Option<T>>>(
        &self,
        what: impl Fn() -> String,
        ready: impl Fn() -> F,
    ) -> T {
        let end = Instant::now() + TIMEOUT;
        loop {
            if let Some(found) = ready().await {
                return found;
            }
            if Instant::now() > end {
                let script = "return document.body.innerText";
                let page = self.client().execute(script, Vec::new()).await;
                panic!("no {} within {TIMEOUT:?} in {page:?}", what());
            }
            pause().await;
        }
    }
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}
