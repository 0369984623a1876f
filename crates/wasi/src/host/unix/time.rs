//! Clocks, and times as the system tells them.

use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

use crate::host::clocks::Clock;

impl Clock {
    fn id(self) -> ClockId {
        match self {
            Clock::Realtime => ClockId::Realtime,
            Clock::Monotonic => ClockId::Monotonic,
            Clock::ProcessCpu => ClockId::ProcessCPUTime,
            Clock::ThreadCpu => ClockId::ThreadCPUTime,
        }
    }
}

/// The clock's time now.
pub(crate) fn now(clock: Clock) -> u64 {
    nanoseconds(clock_gettime(clock.id()))
}

/// The smallest step the clock makes.
pub(crate) fn resolution(clock: Clock) -> u64 {
    nanoseconds(clock_getres(clock.id()))
}

/// A host time as WASI counts it. What that cannot express is clamped: times
/// before 1970 are 0.
pub(super) fn nanoseconds(time: Timespec) -> u64 {
    u64::try_from(time.tv_sec)
        .map_or(0, |secs| secs.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64))
}

/// The inverse of [`nanoseconds`].
pub(super) fn timespec(nanoseconds: u64) -> Timespec {
    Timespec {
        tv_sec: (nanoseconds / 1_000_000_000) as i64,
        tv_nsec: (nanoseconds % 1_000_000_000) as _,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_the_way_there_and_back() {
        for time in [0, 1, 999_999_999, 1_000_000_000, u64::MAX] {
            assert_eq!(nanoseconds(timespec(time)), time);
        }
        assert_eq!(nanoseconds(Timespec { tv_sec: -1, tv_nsec: 5 }), 0);
    }
}
