//! Over `epoll`, which tells each change once.

use std::io;
use std::sync::Arc;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

use super::{Happened, WAKE};
use crate::host::sys::{AsFd, OwnedFd};

/// Sockets that are waited for.
pub(crate) struct Poller {
    epoll: OwnedFd,
    /// What is always set, and wakes all threads while it is waited for.
    wake: OwnedFd,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Poller> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let wake = eventfd(1, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Poller { epoll, wake })
    }

    /// Waits for a socket from now on.
    pub(crate) fn add(&self, socket: &Arc<OwnedFd>, token: u64) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(&self.epoll, socket.as_fd(), EventData::new_u64(token), flags)?)
    }

    /// Waits for it again after something has happened: it does so anyway.
    pub(crate) fn resume(&self, _: u64, _: bool) {}

    /// Waits for a socket no longer.
    pub(crate) fn remove(&self, socket: &Arc<OwnedFd>, _: u64) {
        let _ = epoll::delete(&self.epoll, socket.as_fd());
    }

    /// Waits until something happens.
    pub(crate) fn wait(&self) -> io::Result<Happened> {
        let mut events = [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }];
        loop {
            match epoll::wait(&self.epoll, &mut events, None) {
                Ok(1) => {}
                Ok(_) | Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            return Ok(Happened { token: events[0].data.u64() });
        }
    }

    /// Wakes all threads that wait, and that will, with the token [`WAKE`].
    pub(crate) fn wake(&self) {
        let _ = epoll::add(&self.epoll, &self.wake, EventData::new_u64(WAKE), EventFlags::IN);
    }

    /// Wakes them no longer.
    pub(crate) fn sleep(&self) {
        let _ = epoll::delete(&self.epoll, &self.wake);
    }
}
