//! The messages of the client that are under way, and those that wait: the memory of this program has a limit.

use super::Bridge;
use super::message::Message;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::OwnedRwLockWriteGuard;
use tokio::task::JoinSet;

/// So many requests are under way at once: each has a connection to the server, which takes about 45 KiB.
const MAX_UNDER_WAY: usize = 256;
/// So many more requests wait. Then the client is read no further.
const MAX_WAITING: usize = 4096;

/// Answers and notifications of the client never wait: a request that is under way may need them.
#[derive(Default)]
pub(super) struct Requests {
    /// Each says whether it is a request.
    tasks: JoinSet<bool>,
    under_way: usize,
    waiting: VecDeque<Message>,
}

impl Requests {
    pub(super) fn takes_more(&self) -> bool {
        self.waiting.len() < MAX_WAITING
    }

    /// Passes a message on, in a task: at once, or when another request has ended.
    pub(super) async fn add(&mut self, message: Message, bridge: &Arc<Bridge>) {
        if let Some(id) = message.cancels() {
            let before = self.waiting.len();
            self.waiting.retain(|waiting| waiting.requests != [id.clone()]);
            if self.waiting.len() < before {
                // The server has never heard of it.
                return;
            }
        }
        // What follows the first messages has to find them done.
        if message.is_initialize() || message.is_initialized() {
            let turn = bridge.turns.clone().write_owned().await;
            self.start(message, bridge.clone(), Some(turn));
        } else if !message.requests.is_empty() && self.under_way >= MAX_UNDER_WAY {
            self.waiting.push_back(message);
        } else {
            self.start(message, bridge.clone(), None);
        }
    }

    fn start(&mut self, message: Message, bridge: Arc<Bridge>, turn: Option<OwnedRwLockWriteGuard<()>>) {
        let is_request = !message.requests.is_empty();
        self.under_way += usize::from(is_request);
        self.tasks.spawn(async move {
            if turn.is_none() {
                drop(bridge.turns.read().await);
            }
            bridge.handle(message).await;
            drop(turn);
            is_request
        });
    }

    /// Waits until one has ended, and passes on what waited for that. Returns `false` when all have ended. Nothing is lost
    /// when it is not waited for to the end.
    pub(super) async fn ended(&mut self, bridge: &Arc<Bridge>) -> bool {
        let Some(ended) = self.tasks.join_next().await else {
            return false;
        };
        // A task that panicked counts as a request: it is a defect, and nothing may wait for it forever.
        self.under_way = self.under_way.saturating_sub(usize::from(ended.unwrap_or(true)));
        if self.under_way < MAX_UNDER_WAY
            && let Some(next) = self.waiting.pop_front()
        {
            self.start(next, bridge.clone(), None);
        }
        true
    }

    pub(super) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }
}
