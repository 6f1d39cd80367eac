//! What the main window is told that is the answer to no request: about itself, and about links that led nowhere. No
//! secret is in it.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};
use tauri::{AppHandle, Manager, async_runtime, async_runtime::JoinHandle};
use tokenry_contract::{Change, WindowNotice};
use tokenry_engine::Engine;
use tokio::sync::{Notify, broadcast::error::RecvError};

/// How many are kept for a window that is not there yet.
const KEPT: usize = 8;

/// Those that no window has heard yet, and who listens.
#[derive(Default)]
pub(crate) struct Notices {
    waiting: Mutex<VecDeque<Change>>,
    more: Notify,
    /// A page that was loaded anew asks again, and the one before it hears nothing any more.
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl Notices {
    /// Tells the window, as soon as there is one.
    pub(crate) fn say(&self, notice: Change) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.contains(&notice) {
            return;
        }
        waiting.push_back(notice);
        let surplus = waiting.len().saturating_sub(KEPT);
        waiting.drain(..surplus);
        drop(waiting);
        self.more.notify_one();
    }

    /// The next one, when there is one.
    pub(crate) async fn next(&self) -> Change {
        loop {
            let next = self.take();
            match next {
                Some(notice) => return notice,
                None => self.more.notified().await,
            }
        }
    }

    fn take(&self) -> Option<Change> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.pop_front()
    }

    /// From now on this task tells the page what is new, and no other.
    pub(crate) fn listen(&self, listener: JoinHandle<()>) {
        let mut current = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = current.replace(listener) {
            before.abort();
        }
    }

    /// The page is gone: what it was sent from now on would be lost.
    pub(crate) fn no_one_listens(&self) {
        let mut current = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = current.take() {
            before.abort();
        }
    }

    /// Whether a page listens.
    pub(crate) fn are_heard(&self) -> bool {
        let current = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().is_some_and(|task| !task.inner().is_finished())
    }
}

/// [`Notices::say`], about the window itself.
pub(crate) fn about_the_window(app: &AppHandle, notice: WindowNotice) {
    app.state::<Notices>().say(Change::Window { notice });
}

/// Keeps what the engine says of links until a window hears it: the link may be what the app was started with.
pub(crate) fn watch(app: &AppHandle, engine: &Engine) {
    let (app, mut changes) = (app.clone(), engine.changes());
    async_runtime::spawn(async move {
        loop {
            match changes.recv().await {
                Ok(change @ tokenry_engine::Change::LinkRefused(..)) => {
                    app.state::<Notices>().say(tokenry_api::change(change));
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(number: usize) -> Change {
        Change::LinkRefused {
            code: tokenry_contract::ErrorCode::FlowExpired,
            message: number.to_string(),
        }
    }

    #[tokio::test]
    async fn a_notice_waits_for_the_window_and_is_told_once() {
        let notices = Notices::default();
        notices.say(notice(1));
        notices.say(notice(1));
        notices.say(notice(2));
        assert_eq!(notices.next().await, notice(1));
        assert_eq!(notices.next().await, notice(2));
        let more = tokio::time::timeout(std::time::Duration::from_millis(20), notices.next());
        assert!(more.await.is_err());
        assert!(!notices.are_heard());
    }

    #[tokio::test]
    async fn a_flood_of_notices_leaves_the_newest() {
        let notices = Notices::default();
        (0..100).for_each(|number| notices.say(notice(number)));
        for number in 100 - KEPT..100 {
            assert_eq!(notices.next().await, notice(number));
        }
    }
}
