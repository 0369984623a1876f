//! What a guest may ask of the machine.
//!
//! One function per operation, in terms of the host (borrowed descriptors,
//! nanoseconds), so that several ABIs can stand on the same layer. Each takes
//! the [`Host`] and begins by naming the capability it needs; there is no other
//! way from an ABI to the machine, and so no other place where permission could
//! be forgotten. What is particular to a system is confined to a module with the same
//! functions for each: [`sys`].

#[cfg(feature = "component")]
pub(crate) mod background;
#[cfg(feature = "component")]
pub(crate) mod budget;
pub(crate) mod clocks;
pub(crate) mod fs;
pub(crate) mod interrupt;
pub(crate) mod net;
#[cfg(feature = "serve")]
pub(crate) mod patience;
pub(crate) mod poll;
pub(crate) mod random;
pub(crate) mod stdio;
#[cfg(unix)]
pub(crate) mod unix;
#[cfg(windows)]
pub(crate) mod windows;

#[cfg(unix)]
pub(crate) use unix as sys;
#[cfg(windows)]
pub(crate) use windows as sys;

use std::io;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};

use crate::Capabilities;
use interrupt::Interrupt;

/// The most things that a guest can have open, whatever the host would let it have.
pub(crate) const MAX_OPEN: usize = 16384;

/// What one guest may do, and how it is stopped from outside.
pub(crate) struct Host {
    caps: Capabilities,
    refused: AtomicU16,
    reached: OnceLock<String>,
    pub(crate) interrupt: Arc<Interrupt>,
    room: fs::room::Room,
    /// Room for what a guest opens, where an ABI has no numbers to count.
    #[cfg(feature = "component")]
    open: fs::room::Room,
    #[cfg(feature = "component")]
    pub(crate) network: net::Network,
    #[cfg(feature = "component")]
    pub(crate) background: background::Background,
    /// What is kept of messages.
    #[cfg(feature = "component")]
    pub(crate) budget: budget::Budget,
    /// Until when the guest may wait, and who hears of it.
    #[cfg(feature = "serve")]
    pub(crate) patience: patience::Patience,
}

/// Why an operation was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The guest has not the capability.
    Refused,
    /// Somebody wants the guest to stop.
    Interrupted,
    /// The system says why.
    System(io::Error),
}

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::System(error)
    }
}

impl From<rustix::io::Errno> for Failure {
    fn from(error: rustix::io::Errno) -> Failure {
        Failure::System(error.into())
    }
}

impl From<io::ErrorKind> for Failure {
    fn from(kind: io::ErrorKind) -> Failure {
        Failure::System(kind.into())
    }
}

impl Host {
    pub(crate) fn new(caps: Capabilities) -> Host {
        Host {
            caps,
            refused: AtomicU16::new(0),
            reached: OnceLock::new(),
            interrupt: Arc::default(),
            room: fs::room::Room::default(),
            #[cfg(feature = "component")]
            open: fs::room::Room::for_places(MAX_OPEN),
            #[cfg(feature = "component")]
            network: net::Network::default(),
            #[cfg(feature = "component")]
            background: background::Background::default(),
            #[cfg(feature = "component")]
            budget: budget::Budget::new(crate::http::BUDGET),
            #[cfg(feature = "serve")]
            patience: patience::Patience::default(),
        }
    }

    /// What the guest may do.
    pub(crate) fn capabilities(&self) -> Capabilities {
        self.caps
    }

    /// Checks that the guest has one of these capabilities, and remembers when
    /// it has not.
    pub(crate) fn require(&self, any: Capabilities) -> Result {
        if self.caps.intersects(any) {
            return Ok(());
        }
        self.refused.fetch_or(any.first().bits(), Ordering::Relaxed);
        Err(Failure::Refused)
    }

    /// Checks that nobody wants the guest to stop.
    pub(crate) fn check_interrupt(&self) -> Result {
        if self.interrupt.requested() { Err(Failure::Interrupted) } else { Ok(()) }
    }

    /// Remembers that the guest was refused more than it may have of something.
    pub(crate) fn reach(&self, what: impl FnOnce() -> String) {
        self.reached.get_or_init(what);
    }

    /// The place for one more thing that the guest opens; none when it has too many open.
    #[cfg(feature = "component")]
    pub(crate) fn place(&self) -> Option<fs::room::Place> {
        let place = self.open.place();
        if place.is_none() {
            self.reach(|| format!("more than {MAX_OPEN} open descriptors"));
        }
        place
    }

    /// Remembers that the system has no more files for it, unless it was a limit of ours,
    /// which is known then.
    pub(crate) fn reach_files(&self) {
        let system = "the system lets this process have (see 'ulimit -n')";
        self.reach(|| format!("more open files than {system}"));
    }

    /// What the guest was refused first because it has as much as it may have.
    pub(crate) fn reached(&self) -> Option<&str> {
        self.reached.get().map(String::as_str)
    }

    /// The capabilities that the guest has been refused something for.
    pub(crate) fn refused(&self) -> Capabilities {
        Capabilities::from_bits(self.refused.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_several_will_do_and_refusals_are_remembered() {
        let host = Host::new(Capabilities::PATH);
        assert!(host.require(Capabilities::READ | Capabilities::PATH).is_ok());
        assert_eq!(host.refused(), Capabilities::NONE);
        let refused = host.require(Capabilities::READ | Capabilities::WRITE);
        assert!(matches!(refused, Err(Failure::Refused)));
        assert!(host.require(Capabilities::CLOCK).is_err());
        assert_eq!(host.refused(), Capabilities::READ | Capabilities::CLOCK);
    }
}
