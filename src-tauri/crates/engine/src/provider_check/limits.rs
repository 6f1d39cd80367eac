//! How often providers may be checked: a wrong secret that is sent too often may block the client.

use crate::{Error, locks};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokenry_core::ProviderId;

/// The checks of one provider, and of all, in [`SPAN`].
const MAX_OF_ONE: usize = 6;
const MAX_OF_ALL: usize = 30;
const SPAN: Duration = Duration::from_secs(60);

/// The checks of the last minute.
#[derive(Default)]
pub(crate) struct CheckLimits(Mutex<Vec<(Instant, ProviderId)>>);

impl CheckLimits {
    /// Counts one more check.
    pub(crate) fn take(&self, provider: ProviderId) -> Result<(), Error> {
        self.take_at(provider, Instant::now())
    }

    fn take_at(&self, provider: ProviderId, now: Instant) -> Result<(), Error> {
        let mut taken = locks::lock(&self.0);
        taken.retain(|(at, _)| now.duration_since(*at) < SPAN);
        let mut of_one = taken.iter().filter(|(_, of)| *of == provider).map(|(at, _)| *at);
        let oldest = match (of_one.next(), of_one.count() + 1 >= MAX_OF_ONE) {
            (Some(oldest), true) => oldest,
            _ if taken.len() >= MAX_OF_ALL => taken.first().map_or(now, |(at, _)| *at),
            _ => {
                taken.push((now, provider));
                return Ok(());
            }
        };
        let wait = SPAN.saturating_sub(now.duration_since(oldest));
        let message = format!(
            "providers were checked too often in the last minute; try again in {} s",
            wait.as_secs() + 1
        );
        Err(Error::Busy(message, Some(wait)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_core::{OsRandom, SystemClock};

    #[test]
    fn a_provider_is_checked_six_times_a_minute_and_all_together_thirty_times() {
        let id = || ProviderId::new(&SystemClock, &OsRandom);
        let (limits, start, one) = (CheckLimits::default(), Instant::now(), id());
        for _ in 0..MAX_OF_ONE {
            limits.take_at(one, start).unwrap();
        }
        let refused = limits.take_at(one, start + Duration::from_secs(20)).unwrap_err();
        assert!(matches!(refused, Error::Busy(_, Some(wait)) if wait == Duration::from_secs(40)));
        for _ in MAX_OF_ONE..MAX_OF_ALL {
            limits.take_at(id(), start).unwrap();
        }
        assert!(limits.take_at(id(), start).is_err());
        limits.take_at(one, start + SPAN).unwrap();
    }
}
