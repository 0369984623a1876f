//! Waiting for handles and sockets to become ready, and for time to pass.
//!
//! Sockets can be waited for, together. For pipes and the console the system offers no
//! such thing, nor for events of our own with sockets, so they are looked at again and again, with naps between that grow to
//! [`NAP`]; what has to be written to them counts as ready, for nothing tells. Files and
//! devices are always ready. An interruption ends a nap at once, and a wait for sockets
//! at its next turn.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::{Duration, Instant};

use super::{BorrowedFd, Event};
use crate::host::poll::{Direction, Ready};
use crate::host::{Failure, Host, Result};

/// The longest time between two looks.
const NAP: Duration = Duration::from_millis(10);
/// The time before the second look.
const FIRST_NAP: Duration = Duration::from_millis(1);
/// The time in one turn of waiting for nothing but an interruption.
const LONG: Duration = Duration::from_secs(3600);

/// A set of descriptors to wait for, and the interruption of the guest.
pub(crate) struct Waiter<'a> {
    host: &'a Host,
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    source: Source<'a>,
    ready: Option<Ready>,
}

enum Source<'a> {
    Descriptor(BorrowedFd<'a>, Direction),
    Event(&'a Event),
}

impl Source<'_> {
    fn is_socket(&self) -> bool {
        matches!(self, Source::Descriptor(fd, _) if fd.as_socket().is_some())
    }
}

impl<'a> Waiter<'a> {
    pub(crate) fn new(host: &'a Host) -> Waiter<'a> {
        Waiter { host, entries: Vec::new() }
    }

    /// Adds a descriptor and returns its number in this set.
    pub(crate) fn add(&mut self, fd: BorrowedFd<'a>, direction: Direction) -> usize {
        self.push(Source::Descriptor(fd, direction))
    }

    /// Adds an event and returns its number in this set.
    #[cfg(feature = "component")]
    pub(crate) fn add_event(&mut self, event: &'a Event) -> usize {
        self.push(Source::Event(event))
    }

    fn push(&mut self, source: Source<'a>) -> usize {
        self.entries.push(Entry { source, ready: None });
        self.entries.len() - 1
    }

    /// Waits until a descriptor is ready or `timeout` nanoseconds are over, for ever
    /// without one. An interruption of the guest ends it unless something is ready.
    pub(crate) fn wait(&mut self, timeout: Option<u64>) -> Result {
        // A time beyond what the clock can tell never comes.
        let end = timeout.and_then(|time| Instant::now().checked_add(Duration::from_nanos(time)));
        let only_sockets = self.entries.iter().all(|entry| entry.source.is_socket());
        let mut nap = if only_sockets { NAP } else { FIRST_NAP };
        let mut patience = Duration::ZERO;
        loop {
            self.look(if only_sockets { patience } else { Duration::ZERO })?;
            if self.entries.iter().any(|entry| entry.ready.is_some()) {
                return Ok(());
            }
            let event = self.host.interrupt.event();
            if event.is_some_and(|event| event.wait(Duration::ZERO)) {
                return Err(Failure::Interrupted);
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(());
            }
            let left = left.unwrap_or(LONG);
            match event {
                // Nothing else ends it, or sockets do.
                None if self.entries.is_empty() => std::thread::sleep(left),
                None if only_sockets => patience = left,
                _ if only_sockets && !self.entries.is_empty() => patience = left.min(nap),
                None => std::thread::sleep(left.min(nap)),
                Some(event) if self.entries.is_empty() => {
                    event.wait(left);
                }
                Some(event) => {
                    event.wait(left.min(nap));
                }
            }
            nap = NAP.min(nap * 2);
        }
    }

    /// Finds out how all of them stand; waits that long for sockets to change.
    fn look(&mut self, patience: Duration) -> Result {
        let mut sockets = Vec::new();
        let mut at = Vec::new();
        for (index, entry) in self.entries.iter_mut().enumerate() {
            let (fd, direction) = match entry.source {
                Source::Descriptor(fd, direction) => (fd, direction),
                Source::Event(event) => {
                    let ready = Ready { bytes: 1, hangup: false };
                    entry.ready = event.wait(Duration::ZERO).then_some(ready);
                    continue;
                }
            };
            let Some(socket) = fd.as_socket() else {
                entry.ready = fd.ready(direction);
                continue;
            };
            let flags = match direction {
                Direction::Read => PollFlags::RDNORM,
                Direction::Write => PollFlags::WRNORM,
            };
            sockets.push(PollFd::from_borrowed_fd(socket, flags));
            at.push(index);
        }
        if sockets.is_empty() {
            return Ok(());
        }
        // Rounded up, so that no time is left that would not be waited for.
        let millis = patience.as_nanos().div_ceil(1_000_000);
        let patience = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        let timeout =
            Timespec { tv_sec: patience.as_secs() as _, tv_nsec: patience.subsec_nanos() as _ };
        poll(&mut sockets, Some(&timeout)).map_err(std::io::Error::from)?;
        for (socket, index) in sockets.iter().zip(at) {
            let events = socket.revents();
            let entry = &mut self.entries[index];
            entry.ready = (!events.is_empty()).then(|| Ready {
                bytes: match entry.source {
                    Source::Descriptor(fd, Direction::Read) => fd.available(),
                    Source::Descriptor(_, Direction::Write) | Source::Event(_) => 0,
                },
                hangup: events.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL),
            });
        }
        Ok(())
    }

    /// How descriptor `index` stood at the end of the last wait.
    pub(crate) fn ready(&self, index: usize) -> Option<Ready> {
        self.entries[index].ready
    }
}
