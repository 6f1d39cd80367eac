//! A grant that has ended stays ended when the wall clock is set back.
//!
//! Whether something has ended is judged by the latest time that was seen, which the manifest keeps. What had ended by
//! then is deleted once a clock that was set back is noticed; then the clock counts again, so that one which showed a
//! far year for a moment does not end what is given afterwards.

use crate::{
    Engine, Error, authorization_server, credentials, engine::blocking, records::sealed_store::SealedStore,
};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use tokenry_core::{Caller, EventKind, Outcome, Timestamp};

/// By how much a clock may go back without a word: clocks are adjusted all the time. Milliseconds.
const ADJUSTED: i64 = 60_000;

/// The latest time that the wall clock has shown, in milliseconds.
#[derive(Default)]
pub(crate) struct LatestTime(AtomicI64);

impl LatestTime {
    pub(crate) fn at(millis: i64) -> Self {
        Self(AtomicI64::new(millis))
    }

    /// The clock shows `now`: gives the later of that and of what was seen before.
    pub(crate) fn seen(&self, now: Timestamp) -> Timestamp {
        let millis = now.as_millisecond();
        let before = self.0.fetch_max(millis, Ordering::AcqRel);
        Timestamp::from_millisecond(before.max(millis)).unwrap_or(now)
    }

    /// Whether the clock was set back.
    pub(crate) fn is_ahead_of(&self, now: Timestamp) -> bool {
        self.0
            .load(Ordering::Acquire)
            .saturating_sub(now.as_millisecond())
            > ADJUSTED
    }

    /// The clock was set back, and counts again from this time on.
    pub(crate) fn forget(&self, millis: i64) {
        self.0.store(millis, Ordering::Release);
    }
}

impl Engine {
    /// The time by which it is judged whether something has ended.
    pub(crate) fn latest(&self) -> Timestamp {
        let now = self.now();
        self.store().map_or(now, |store| store.latest.seen(now))
    }

    /// Writes the latest time down when something has ended since it was written last.
    pub(super) async fn keep_latest(&self, store: &Arc<SealedStore>) {
        let now = self.latest_of(store);
        let kept = Timestamp::from_millisecond(store.kept_latest()).unwrap_or(now);
        let is_needed = store.read_only().is_none()
            && store
                .index()
                .grants()
                .any(|grant| grant.is_alive(kept) && !grant.is_alive(now));
        if !is_needed {
            return;
        }
        let (store, at) = (store.clone(), self.now());
        if let Err(error) = blocking(move || store.change(at, |_| Ok(()))).await {
            tracing::warn!("the latest time could not be written down: {error}");
        }
    }

    fn latest_of(&self, store: &SealedStore) -> Timestamp {
        store.latest.seen(self.now())
    }

    /// Deletes what had ended by the latest time that was seen, if the clock was set back since. Blocks.
    pub(crate) fn end_what_had_ended(&self, store: &SealedStore, now: Timestamp) -> Result<(), Error> {
        if !store.latest.is_ahead_of(now) {
            return Ok(());
        }
        let latest = store.latest.seen(now);
        authorization_server::clean(store, latest)?;
        credentials::expired_at_opening(self, store, latest)?;
        let ended: Vec<_> = {
            let index = store.index();
            index
                .grants()
                .filter(|grant| !grant.is_alive(latest))
                .cloned()
                .collect()
        };
        tracing::warn!("the clock was set back from {latest} to {now}; what had ended by then stays ended");
        store.change(now, |transaction| {
            for grant in &ended {
                let detail = Some("it had ended when the clock was set back");
                let event = self
                    .event(&Caller::Engine, EventKind::GrantRemoved, Outcome::Done)
                    .with_detail_if(detail)
                    .with_app(grant.app);
                transaction.delete_grant(grant.id)?;
                transaction.event(&event)?;
            }
            transaction.manifest.latest = now.as_millisecond();
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_bring_a_time_back() {
        let latest = LatestTime::default();
        assert_eq!(latest.seen(at(1000)), at(1000));
        assert_eq!(latest.seen(at(400)), at(1000));
        assert!(latest.is_ahead_of(at(400)) && !latest.is_ahead_of(at(990)));
        assert_eq!(latest.seen(at(1001)), at(1001));
        latest.forget(at(400).as_millisecond());
        assert_eq!(latest.seen(at(401)), at(401));
    }
}
