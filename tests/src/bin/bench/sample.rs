use std::time::{Duration, Instant};

/// Measured times, sorted when they are asked about.
#[derive(Default, Clone)]
pub(crate) struct Sample(Vec<Duration>);

impl Sample {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Does it once, and keeps how long it took.
    pub(crate) fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = work();
        self.push(began.elapsed());
        result
    }

    /// The middle one, in milliseconds.
    pub(crate) fn median(&self) -> f64 {
        self.at(0.5)
    }

    /// What so large a part of them, from 0 to 1, stayed below, in milliseconds.
    pub(crate) fn at(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort();
        let last = sorted.len().checked_sub(1).expect("something was measured");
        sorted[(last as f64 * part).round() as usize].as_secs_f64() * 1e3
    }

    pub(crate) fn slowest(&self) -> f64 {
        self.at(1.0)
    }
}

impl FromIterator<Duration> for Sample {
    fn from_iter<T: IntoIterator<Item = Duration>>(times: T) -> Self {
        Self(times.into_iter().collect())
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
