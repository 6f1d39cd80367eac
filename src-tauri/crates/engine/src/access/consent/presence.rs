//! Whether the user is there to see a question, and how long a caller waits for them.

use super::permit::AccessRequest;
use super::queue::{Answered, is_asked_of_damaged_vaults};
use crate::{Engine, Error, request_context::wait_for_the_user};
use std::sync::atomic::Ordering;
use tokenry_core::Caller;

impl Engine {
    /// Asks the person, and waits: until the answer, a minute of silence after it was shown, a lock, or until who
    /// asked is gone or has become another program. Others are shown before it; it waits four minutes for them.
    ///
    /// # Errors
    /// On anything but a yes.
    pub(crate) async fn ask(&self, caller: &Caller, wanted: &AccessRequest) -> Result<Answered, Error> {
        let store = self.store_to_ask(wanted.operation)?;
        if let Some(why) = store.as_ref().and_then(|store| store.read_only())
            && !is_asked_of_damaged_vaults(wanted.operation)
        {
            // No decision could be written down, so none would count. The one that ends this state is written down
            // with what it does.
            return Err(Error::ReadOnly(why));
        }

        let wait = wait_for_the_user();
        if wait.is_none() && !self.can_be_answered(caller) {
            return Err(Error::UserAbsent);
        }
        let answered = self.shown_and_answered(caller, wanted, store);
        match wait {
            Some(wait) => tokio::time::timeout(wait, answered)
                .await
                .unwrap_or(Err(Error::UserAbsent)),
            None => answered.await,
        }
    }

    /// Whether there is a window, a terminal of the caller, or a terminal in which questions are answered. Only a program
    /// that runs a helper is refused without: it waits for nothing else, often where its user does not look.
    fn can_be_answered(&self, caller: &Caller) -> bool {
        let Some(peer) = caller.peer().filter(|peer| peer.helper.is_some()) else {
            return true;
        };
        let now = self.inner.clock.boottime().as_secs();
        self.inner.window
            || self.inner.prompts.watched_until.load(Ordering::Acquire) > now
            || tokenry_peer::surroundings(peer).terminal.is_some()
    }

    /// A program that looks at the questions and waits for more of them shows them to the user: `tokenry approve --wait`.
    pub(super) fn prompts_are_watched(&self) {
        if let Some(wait) = wait_for_the_user() {
            let until = self.inner.clock.boottime().saturating_add(wait).as_secs();
            self.inner.prompts.watched_until.store(until, Ordering::Release);
        }
    }
}
