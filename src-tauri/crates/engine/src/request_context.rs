//! What is known of the request that is being answered: its id, which its error and the lines of both logs about that
//! error name, and how long the caller wants to wait for the user.
//!
//! Most requests end well and need no id, so it is made when it is first needed.

use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokenry_core::{OsRandom, RequestId, SystemClock};

/// The longest that a caller can have the user be waited for.
const MAX_WAIT: Duration = Duration::from_secs(300);

tokio::task_local! {
    static REQUEST: Arc<Context>;
}

#[derive(Default)]
struct Context {
    id: OnceLock<RequestId>,
    wait: Option<Duration>,
}

/// Does the work of one request, whose caller wants to wait so long for the user; `None` where it does not say.
pub async fn in_request<F: Future>(wait: Option<Duration>, work: F) -> F::Output {
    let context = Context {
        wait: wait.map(|wait| wait.min(MAX_WAIT)),
        ..Context::default()
    };
    REQUEST.scope(Arc::new(context), work).await
}

/// The id of the request that is being answered. `None` outside of one.
pub fn request_id() -> Option<RequestId> {
    REQUEST
        .try_with(|request| *request.id.get_or_init(|| RequestId::new(&SystemClock, &OsRandom)))
        .ok()
}

/// How long the caller wants to wait for the user, where it says so.
pub(crate) fn wait_for_the_user() -> Option<Duration> {
    REQUEST.try_with(|request| request.wait).ok().flatten()
}

/// Work for a task of its own that still belongs to the request under way, if there is one.
pub(crate) fn same_request<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let request = REQUEST.try_with(Arc::clone).ok();
    async move {
        match request {
            Some(request) => REQUEST.scope(request, work).await,
            None => work.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_request_has_one_id_in_all_its_tasks_and_another_has_another() {
        let twice = || async {
            let other = tokio::spawn(same_request(async { request_id() })).await.unwrap();
            (request_id(), other)
        };
        let (first, second) = (in_request(None, twice()).await, in_request(None, twice()).await);
        assert!(first.0.is_some() && first.0 == first.1 && first.0 != second.0);
        assert_eq!(twice().await, (None, None));
    }
}
