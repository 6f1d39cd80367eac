//! Measured numbers and their quantiles.

use std::time::{Duration, Instant};

/// Measured numbers, sorted when they are asked about: times in milliseconds, or what a row says.
#[derive(Default, Clone)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    pub(crate) fn push(&mut self, time: Duration) {
        self.push_number(time.as_secs_f64() * 1e3);
    }

    pub(crate) fn push_number(&mut self, number: f64) {
        self.0.push(number);
    }

    /// Does it once, and keeps how long it took.
    pub(crate) fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = work();
        self.push(began.elapsed());
        result
    }

    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        self.at(0.5)
    }

    /// What so large a part of them, from 0 to 1, stayed below.
    pub(crate) fn at(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1).expect("something was measured");
        sorted[(last as f64 * part).round() as usize]
    }

    pub(crate) fn slowest(&self) -> f64 {
        self.at(1.0)
    }
}

impl FromIterator<Duration> for Sample {
    fn from_iter<T: IntoIterator<Item = Duration>>(times: T) -> Self {
        let mut sample = Self::default();
        times.into_iter().for_each(|time| sample.push(time));
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_does_not_mind_the_order_nor_one_that_was_disturbed() {
        let sample: Sample = [3, 900, 1, 2, 4].map(Duration::from_millis).into_iter().collect();
        assert_eq!((sample.median(), sample.slowest()), (3.0, 900.0));
    }
}
