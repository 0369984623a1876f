//! Waiting for descriptors to become ready, and for time to pass.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::BorrowedFd;
use rustix::io::{Errno, ioctl_fionread};

use super::{Failure, Host, Result, clocks};

/// What to wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    Read,
    Write,
}

impl Direction {
    fn flags(self) -> PollFlags {
        match self {
            Direction::Read => PollFlags::IN,
            Direction::Write => PollFlags::OUT,
        }
    }
}

/// What is known of a descriptor that is ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ready {
    /// How much can be read, where the host can tell.
    pub bytes: u64,
    /// The other side is gone.
    pub hangup: bool,
}

/// A set of descriptors to wait for, and the interruption of the guest.
pub(crate) struct Waiter<'a> {
    fds: Vec<PollFd<'a>>,
    interruptible: bool,
}

impl<'a> Waiter<'a> {
    pub(crate) fn new(host: &'a Host) -> Waiter<'a> {
        let event = host.interrupt.event();
        let interruption = event.map(|event| PollFd::from_borrowed_fd(event, PollFlags::IN));
        Waiter { interruptible: event.is_some(), fds: interruption.into_iter().collect() }
    }

    /// Adds a descriptor and returns its number in this set.
    pub(crate) fn add(&mut self, fd: BorrowedFd<'a>, direction: Direction) -> usize {
        self.fds.push(PollFd::from_borrowed_fd(fd, direction.flags()));
        self.fds.len() - 1
    }

    /// Waits until a descriptor is ready or `timeout` nanoseconds are over,
    /// for ever without one. A signal ends it early, with nothing ready; an
    /// interruption of the guest ends it unless something is ready.
    pub(crate) fn wait(&mut self, timeout: Option<u64>) -> Result {
        match poll(&mut self.fds, timeout.map(clocks::timespec).as_ref()) {
            Err(Errno::INTR) => self.fds.iter_mut().for_each(PollFd::clear_revents),
            result => {
                result?;
            }
        }
        // What is ready is not waited for: so output can be written out at the end.
        let happened = |fd: &PollFd<'_>| !fd.revents().is_empty();
        if self.interruptible && happened(&self.fds[0]) && !self.fds[1..].iter().any(happened) {
            return Err(Failure::Interrupted);
        }
        Ok(())
    }

    /// How descriptor `index` stood at the end of the last wait.
    pub(crate) fn ready(&self, index: usize) -> Option<Ready> {
        let fd = &self.fds[index];
        let events = fd.revents();
        if events.is_empty() {
            return None;
        }
        let bytes = match events.contains(PollFlags::IN) {
            true => ioctl_fionread(fd).unwrap_or(0),
            false => 0,
        };
        // Errors come with the operation the guest was waiting to do.
        let hangup = events.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
        Some(Ready { bytes, hangup })
    }
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
    use rustix::fd::AsFd;
    use std::io::pipe;
    use std::time::Duration;

    #[test]
    fn waiting_ends_with_an_interruption_and_can_be_resumed() {
        let host = Host::new(Capabilities::ALL);
        let handle = host.interrupt.arm().unwrap();
        let (reader, writer) = pipe().unwrap();
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
