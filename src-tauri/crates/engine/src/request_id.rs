//! The id of the request that is being answered: an error names it, and so do the lines of the log and of the
//! activity log that are about that error.
//!
//! Most requests end well and need no id, so it is made when it is first needed.

use std::sync::{Arc, OnceLock};
use tokenry_core::{OsRandom, RequestId, SystemClock};

tokio::task_local! {
    static REQUEST: Arc<OnceLock<RequestId>>;
}

/// Does the work of one request.
pub async fn in_request<F: Future>(work: F) -> F::Output {
    REQUEST.scope(Arc::default(), work).await
}

/// The id of the request that is being answered. `None` outside of one.
pub fn request_id() -> Option<RequestId> {
    REQUEST
        .try_with(|id| *id.get_or_init(|| RequestId::new(&SystemClock, &OsRandom)))
        .ok()
}

/// Work for a task of its own that still belongs to the request under way, if there is one.
pub(crate) fn same_request<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let request = REQUEST.try_with(Arc::clone).ok();
    async move {
        match request {
            Some(id) => REQUEST.scope(id, work).await,
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
        let (first, second) = (in_request(twice()).await, in_request(twice()).await);
        assert!(first.0.is_some() && first.0 == first.1 && first.0 != second.0);
        assert_eq!(twice().await, (None, None));
    }
}
