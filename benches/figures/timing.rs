//! Times as a noisy machine allows them to be compared: percentiles of interleaved rounds.
//!
//! Room: benches. May touch: the steady clock.

use std::time::{Duration, Instant};

/// Times of one thing done many times, in seconds.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<f64>);

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64());
    }

    /// Times `deed` and returns what it gave.
    pub fn of<T>(&mut self, deed: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let given = deed();
        self.add(start.elapsed());
        given
    }

    /// Returns the time that `percent` of all stay within; NaN when there are none.
    pub fn percentile(&self, percent: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
        let place = last as f64 * percent / 100.0;
        let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        low + (high - low) * place.fract()
    }

    pub fn p50(&self) -> f64 {
        self.percentile(50.0)
    }

    pub fn p99(&self) -> f64 {
        self.percentile(99.0)
    }

    /// `p50 0.41 p99 1.32 ms`, for a figure's note.
    pub fn words(&self) -> String {
        format!("p50 {:.3} p99 {:.2} ms", self.p50() * 1e3, self.p99() * 1e3)
    }
}
