//! The four clocks of WASI, in nanoseconds.

use super::{Host, Result, sys};
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

/// The clock's time now.
pub(crate) fn now(host: &Host, clock: Clock) -> Result<u64> {
    host.require(Capabilities::CLOCK)?;
    Ok(sys::now(clock))
}

/// The smallest step the clock makes; at least 1.
pub(crate) fn resolution(host: &Host, clock: Clock) -> Result<u64> {
    host.require(Capabilities::CLOCK)?;
    Ok(sys::resolution(clock).max(1))
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
}
