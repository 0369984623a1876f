//! Clocks, and times as the system tells them.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::host::clocks::Clock;

/// 1970, in the system's steps of 100 nanoseconds since 1601.
const EPOCH: u64 = 116_444_736_000_000_000;

/// The nanoseconds of one of the system's steps.
const STEP: u64 = 100;

/// The clock's time now.
pub(crate) fn now(clock: Clock) -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    match clock {
        Clock::Realtime => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
        // Never 0, which programs take for "never".
        Clock::Monotonic => START.elapsed().as_nanos() as u64 + STEP,
        Clock::ProcessCpu => zwasm_win32::process_time(),
        Clock::ThreadCpu => zwasm_win32::thread_time(),
    }
}

/// The smallest step the clock makes.
pub(crate) fn resolution(_: Clock) -> u64 {
    STEP
}

/// A file's time as WASI counts it. What that cannot express is clamped.
pub(super) fn nanoseconds(time: u64) -> u64 {
    time.saturating_sub(EPOCH).saturating_mul(STEP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_1970() {
        assert_eq!(nanoseconds(0), 0);
        assert_eq!(nanoseconds(EPOCH), 0);
        assert_eq!(nanoseconds(EPOCH + 5), 500);
        assert_eq!(nanoseconds(u64::MAX), u64::MAX);
    }
}
