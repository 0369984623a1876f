//! Waiting for descriptors to become ready, and for time to pass.

#[cfg(feature = "component")]
use std::sync::Arc;

#[cfg(feature = "component")]
use super::net::{lookup::Lookup, socket::Socket};
use super::sys::BorrowedFd;
use super::{Host, Result};

pub(crate) use super::sys::Waiter;

/// What to wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// What something waits for that others share.
#[cfg(feature = "component")]
pub(crate) enum Need {
    /// Until a socket can be read or written.
    Socket(Arc<Socket>, Direction),
    /// Until a name is looked up.
    Lookup(Lookup),
    /// Until the monotonic clock shows this.
    Until(u64),
    /// Until a connection of the embedder's can be read or written.
    #[cfg(feature = "serve")]
    Stream(Arc<super::sys::OwnedFd>, Direction),
    /// Until an event is set.
    #[cfg(feature = "serve")]
    Event(Arc<super::sys::Event>),
}

/// What is known of a descriptor that is ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ready {
    /// How much can be read, where the host can tell.
    pub bytes: u64,
    /// The other side is gone.
    pub hangup: bool,
}

/// Whether the descriptor is ready now.
pub(crate) fn is_ready(host: &Host, fd: BorrowedFd<'_>, direction: Direction) -> Result<bool> {
    let mut waiter = Waiter::new(host);
    let index = waiter.add(fd, direction);
    waiter.wait(Some(0))?;
    Ok(waiter.ready(index).is_some())
}

/// Waits until the descriptor is ready.
pub(crate) fn wait_ready(host: &Host, fd: BorrowedFd<'_>, direction: Direction) -> Result {
    let mut waiter = Waiter::new(host);
    let index = waiter.add(fd, direction);
    while waiter.ready(index).is_none() {
        waiter.wait(None)?;
    }
    Ok(())
}

/// Before something that would wait where no interruption reaches: waits here
/// instead, when the guest can be interrupted at all.
pub(crate) fn wait_if_interruptible(
    host: &Host,
    fd: BorrowedFd<'_>,
    direction: Direction,
) -> Result {
    match host.interrupt.event() {
        Some(_) => wait_ready(host, fd, direction),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capabilities;
    use crate::host::Failure;
    use crate::host::sys::{self, AsFd};
    use std::io::pipe;
    use std::time::Duration;

    #[test]
    fn waiting_ends_with_an_interruption_and_can_be_resumed() {
        let host = Host::new(Capabilities::ALL);
        let handle = host.interrupt.arm().unwrap();
        let (reader, writer) = pipe().unwrap();
        let reader = sys::opened(reader.into());
        let writer = sys::opened(writer.into());
        let outcome = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| wait_ready(&host, reader.as_fd(), Direction::Read));
            std::thread::sleep(Duration::from_millis(20));
            handle.interrupt();
            waiting.join().unwrap()
        });
        assert!(matches!(outcome, Err(Failure::Interrupted)));
        let again = is_ready(&host, reader.as_fd(), Direction::Read);
        assert!(matches!(again, Err(Failure::Interrupted)) && host.interrupt.requested());
        handle.clear();
        assert!(!is_ready(&host, reader.as_fd(), Direction::Read).unwrap());
        assert!(is_ready(&host, writer.as_fd(), Direction::Write).unwrap());
        assert!(!host.interrupt.requested());
    }
}
