//! Notices to the main window: about itself, and about rejected deep links. They hold no secret.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};
use tauri::{AppHandle, Manager, async_runtime, async_runtime::JoinHandle};
use tokenry_contract::{Change, WindowNotice};
use tokenry_engine::Engine;
use tokio::sync::{Notify, broadcast::error::RecvError};

/// How many notices are kept for a window that is not open yet.
const MAX_WAITING: usize = 8;

/// The notices that were not sent yet, and the task that sends them.
#[derive(Default)]
pub(crate) struct Notices {
    waiting: Mutex<VecDeque<Change>>,
    more: Notify,
    /// A reloaded page subscribes again, which ends the task of the page before it.
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl Notices {
    /// Sends a notice to the window, as soon as it is open.
    pub(crate) fn send(&self, notice: Change) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.contains(&notice) {
            return;
        }
        waiting.push_back(notice);
        let surplus = waiting.len().saturating_sub(MAX_WAITING);
        waiting.drain(..surplus);
        drop(waiting);
        self.more.notify_one();
    }

    /// Waits for the next notice.
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

    /// Replaces the task that sends the notices.
    pub(crate) fn listen(&self, listener: JoinHandle<()>) {
        let mut current = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = current.replace(listener) {
            before.abort();
        }
    }

    /// Stops sending, because the page has ended.
    pub(crate) fn stop_listening(&self) {
        let mut current = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = current.take() {
            before.abort();
        }
    }

    /// Whether a page is subscribed.
    pub(crate) fn has_listener(&self) -> bool {
        let current = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().is_some_and(|task| !task.inner().is_finished())
    }
}

/// [`Notices::send`], about the window itself.
pub(crate) fn about_the_window(app: &AppHandle, notice: WindowNotice) {
    app.state::<Notices>().send(Change::Window { notice });
}

/// Keeps the notices about links until the window is open: the app may have been started with the link.
pub(crate) fn watch(app: &AppHandle, engine: &Engine) {
    let (app, mut changes) = (app.clone(), engine.changes());
    async_runtime::spawn(async move {
        loop {
            match changes.recv().await {
                Ok(change @ tokenry_engine::Change::LinkRefused(..)) => {
                    app.state::<Notices>().send(tokenry_api::change(change));
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
    async fn a_notice_waits_for_the_window_and_is_sent_once() {
        let notices = Notices::default();
        notices.send(notice(1));
        notices.send(notice(1));
        notices.send(notice(2));
        assert_eq!(notices.next().await, notice(1));
        assert_eq!(notices.next().await, notice(2));
        let more = tokio::time::timeout(std::time::Duration::from_millis(20), notices.next());
        assert!(more.await.is_err());
        assert!(!notices.has_listener());
    }

    #[tokio::test]
    async fn only_the_newest_notices_are_kept() {
        let notices = Notices::default();
        (0..100).for_each(|number| notices.send(notice(number)));
        for number in 100 - MAX_WAITING..100 {
            assert_eq!(notices.next().await, notice(number));
        }
    }
}
