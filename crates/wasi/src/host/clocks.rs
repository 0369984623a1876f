//! The four clocks of WASI, in nanoseconds.

use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

use super::{Host, Result};
use crate::Capabilities;

/// A clock a guest can read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Clock {
    /// Time since 1970 (UTC).
    Realtime,
    /// Never goes back; its zero is the host's choice.
    Monotonic,
    /// Processor time of the whole host process.
    ProcessCpu,
    /// Processor time of the calling thread.
    ThreadCpu,
}

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
pub(crate) fn now(host: &Host, clock: Clock) -> Result<u64> {
    host.require(Capabilities::CLOCK)?;
    Ok(nanoseconds(clock_gettime(clock.id())))
}

/// The smallest step the clock makes; at least 1.
pub(crate) fn resolution(host: &Host, clock: Clock) -> Result<u64> {
    host.require(Capabilities::CLOCK)?;
    Ok(nanoseconds(clock_getres(clock.id())).max(1))
}

/// A host time as WASI counts it. What that cannot express is clamped: times
/// before 1970 are 0.
pub(crate) fn nanoseconds(time: Timespec) -> u64 {
    u64::try_from(time.tv_sec)
        .map_or(0, |secs| secs.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64))
}

/// The inverse of [`nanoseconds`].
pub(crate) fn timespec(nanoseconds: u64) -> Timespec {
    Timespec {
        tv_sec: (nanoseconds / 1_000_000_000) as i64,
        tv_nsec: (nanoseconds % 1_000_000_000) as _,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_advance_and_have_a_resolution() {
        let host = Host::new(Capabilities::CLOCK);
        for clock in [Clock::Realtime, Clock::Monotonic, Clock::ProcessCpu, Clock::ThreadCpu] {
            assert!(resolution(&host, clock).unwrap() >= 1);
            let before = now(&host, clock).unwrap();
            assert!(now(&host, clock).unwrap() >= before);
        }
        assert!(now(&Host::new(Capabilities::NONE), Clock::Realtime).is_err());
    }

    #[test]
    fn times_survive_the_way_there_and_back() {
        for time in [0, 1, 999_999_999, 1_000_000_000, u64::MAX] {
            assert_eq!(nanoseconds(timespec(time)), time);
        }
        assert_eq!(nanoseconds(Timespec { tv_sec: -1, tv_nsec: 5 }), 0);
    }
}
