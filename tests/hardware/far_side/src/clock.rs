//! One clock for both ends of a cable.
//!
//! Room: tests, in the guest.

use rustix::time::{ClockId, clock_gettime};

/// Returns microseconds since the guest began: the same for every process in it.
pub fn now_us() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
}
