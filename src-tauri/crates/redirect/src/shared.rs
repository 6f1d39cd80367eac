//! What the connections of one flow have in common.

use super::{BoxFuture, Page, Receiver};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use std::time::{Duration, Instant};
use tokenry_core::{Random, Secret, same_secret};
use tokio::sync::watch;
use url::Url;

/// Where the browser is sent.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The provider's address.
    pub url: Url,
    /// When the provider forgets what this address refers to, if it does (RFC 9126 §2.2).
    pub until: Option<Instant>,
}

impl Destination {
    /// Whether the provider still knows it.
    pub(super) fn is_known(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

/// What the connections of one flow have in common.
pub(super) struct Shared {
    port: u16,
    pub(super) destination: Destination,
    /// Who takes the responses. `None` where they come back elsewhere.
    pub(super) receiver: Option<Box<dyn Receiver>>,
    /// The last part of `/begin/{once}`: only the browser that we opened was told.
    pub(super) once: Secret,
    /// What the flow's cookie holds.
    pub(super) cookie: Secret,
    /// Tells its cookie from those of the other flows of this port.
    tag: Secret,
    /// Whether a browser was given the cookie: from then on every answer has to bring it.
    is_bound: AtomicBool,
    /// One answer at a time; and the one that ended the flow.
    answered: tokio::sync::Mutex<Option<Answered>>,
    /// The page that the browser is about to fetch.
    result: Mutex<Option<Page>>,
    progress: watch::Sender<Progress>,
    open: watch::Receiver<()>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

/// The answer that ended the flow, and the page it led to.
struct Answered {
    target: Secret,
    page: Page,
}

/// What a closing listener waits for.
#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    delivering: usize,
    delivered: bool,
    unshown: bool,
}

impl Shared {
    pub(super) fn new(
        port: u16,
        destination: Destination,
        random: &dyn Random,
        receiver: Option<Box<dyn Receiver>>,
        open: watch::Receiver<()>,
    ) -> Self {
        Self {
            port,
            destination,
            receiver,
            once: token(random),
            cookie: token(random),
            tag: hex::<4>(random),
            is_bound: AtomicBool::new(false),
            answered: tokio::sync::Mutex::new(None),
            result: Mutex::new(None),
            progress: watch::Sender::new(Progress::default()),
            open,
        }
    }

    pub(super) fn begin_path(&self) -> String {
        format!("/begin/{}", self.once.expose())
    }

    /// Cookies do not know about ports, and flows that run side by side need names of their own.
    pub(super) fn cookie_name(&self) -> String {
        format!("tokenry-{}-{}", self.port, self.tag.expose())
    }

    /// The receiver, where this path is that of its redirect URI.
    pub(super) fn receiver_at(&self, path: &str) -> Option<&dyn Receiver> {
        self.receiver
            .as_deref()
            .filter(|receiver| receiver.path() == path)
    }

    /// Notes that a browser was given the cookie.
    pub(super) fn bind(&self) {
        self.is_bound.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_bound(&self) -> bool {
        self.is_bound.load(Ordering::SeqCst)
    }

    /// Whether the flow still waits for an answer.
    pub(super) fn is_open(&self) -> bool {
        self.open.has_changed().is_ok()
    }

    /// Until the flow is over.
    pub(super) async fn closed(&self) {
        let mut open = self.open.clone();
        while open.changed().await.is_ok() {}
    }

    /// Until no answer is under way, the last page was fetched or its time is up, and it was not fetched again.
    pub(super) async fn settled(&self, linger: Duration, repeat: Duration) {
        let mut progress = self.progress.subscribe();
        let _ = progress.wait_for(|p| p.delivering == 0).await;
        if !progress.borrow().delivered {
            return;
        }
        let _ = tokio::time::timeout(linger, progress.wait_for(|p| !p.unshown)).await;
        tokio::time::sleep(repeat).await;
    }

    /// Hands an answer over and keeps the page for `/done`. The answer that ended the flow is not handed over again:
    /// its page is shown once more. `false` for another one that comes after it. It runs to its end even when the
    /// browser goes away.
    pub(super) async fn deliver(
        self: &Arc<Self>,
        target: Secret,
        response: BoxFuture<'static, Page>,
    ) -> bool {
        let under_way = UnderWay::begin(Arc::clone(self));
        let delivering = tokio::spawn(async move {
            let shared = &under_way.0;
            let mut answered = shared.answered.lock().await;
            if let Some(answered) = &*answered {
                let is_same = same_secret(&answered.target, &target);
                if is_same {
                    shared.keep(answered.page.clone());
                }
                return is_same;
            }
            if !shared.is_open() {
                return false;
            }
            let page = response.await;
            if page.ok || !shared.is_open() {
                let page = page.clone();
                *answered = Some(Answered { target, page });
            }
            shared.keep(page);
            true
        });
        delivering.await.unwrap_or(false)
    }

    fn keep(&self, page: Page) {
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(page);
        self.progress.send_modify(|progress| {
            progress.delivered = true;
            progress.unshown = true;
        });
    }

    /// The page with the result, once.
    pub(super) fn take_result(&self) -> Option<Page> {
        let page = self.result.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.progress.send_modify(|progress| progress.unshown = false);
        page
    }
}

/// Counts an answer that is under way, however it ends.
struct UnderWay(Arc<Shared>);

impl UnderWay {
    fn begin(shared: Arc<Shared>) -> Self {
        shared.progress.send_modify(|progress| progress.delivering += 1);
        Self(shared)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.progress.send_modify(|progress| progress.delivering -= 1);
    }
}

/// 256 random bits.
fn token(random: &dyn Random) -> Secret {
    hex::<32>(random)
}

fn hex<const BYTES: usize>(random: &dyn Random) -> Secret {
    let mut bytes = [0; BYTES];
    random.fill(&mut bytes);
    Secret::hex(&bytes)
}
