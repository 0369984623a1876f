//! Waiting for descriptors to become ready, and for time to pass.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::{Errno, ioctl_fionread};

#[cfg(feature = "component")]
use super::Event;
use super::time;
use crate::host::poll::{Direction, Ready};
use crate::host::{Failure, Host, Result};

impl Direction {
    fn flags(self) -> PollFlags {
        match self {
            Direction::Read => PollFlags::IN,
            Direction::Write => PollFlags::OUT,
        }
    }
}

/// A set of descriptors to wait for, and the interruption of the guest.
pub(crate) struct Waiter<'a> {
    fds: Vec<PollFd<'a>>,
    interruptible: bool,
}

impl<'a> Waiter<'a> {
    pub(crate) fn new(host: &'a Host) -> Waiter<'a> {
        let event = host.interrupt.event();
        let interruption =
            event.map(|event| PollFd::from_borrowed_fd(event.as_fd(), PollFlags::IN));
        Waiter { interruptible: event.is_some(), fds: interruption.into_iter().collect() }
    }

    /// Adds a descriptor and returns its number in this set.
    pub(crate) fn add(&mut self, fd: BorrowedFd<'a>, direction: Direction) -> usize {
        self.fds.push(PollFd::from_borrowed_fd(fd, direction.flags()));
        self.fds.len() - 1
    }

    /// Adds an event and returns its number in this set.
    #[cfg(feature = "component")]
    pub(crate) fn add_event(&mut self, event: &'a Event) -> usize {
        self.add(event.as_fd(), Direction::Read)
    }

    /// Waits until a descriptor is ready or `timeout` nanoseconds are over,
    /// for ever without one. A signal ends it early, with nothing ready; an
    /// interruption of the guest ends it unless something is ready.
    pub(crate) fn wait(&mut self, timeout: Option<u64>) -> Result {
        match poll(&mut self.fds, timeout.map(time::timespec).as_ref()) {
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
