//! How requests get to an instance that a thread is with, and how a thread that waits
//! there learns of them, and of time that is over.
//!
//! A thread listens while it waits for something on behalf of its guest's tasks. What
//! computes comes to look for requests later, which is as good as it gets when no other
//! thread may compute.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use zwasm::InterruptHandle;

use crate::ctx::State;
use crate::host::clocks::Clock;
use crate::host::patience::Bystander;
use crate::host::poll::Need;
use crate::host::sys::{self, Event};
use crate::http::server::Later;
use crate::p2::io::poll::{Interest, Source};

/// How often somebody is told that time is over before what computes is interrupted. The
/// server does so every few milliseconds.
const WARNINGS: u32 = 20;

/// A mailbox.
pub(super) struct Mailbox {
    inner: Mutex<Inner>,
    /// Set when there is something new.
    event: Option<Arc<Event>>,
    interrupt: InterruptHandle,
}

#[derive(Default)]
struct Inner {
    requests: VecDeque<Later>,
    /// How many more may be put into it.
    room: u32,
    /// Whether a thread waits for what is put into it.
    listening: bool,
    /// Whether the event is set.
    set: bool,
    /// Until when the thread waits at most.
    until: u64,
    waker: Option<Waker>,
    warnings: u32,
}

impl Mailbox {
    /// The mailbox of an instance that can be interrupted.
    pub(super) fn new(interrupt: InterruptHandle) -> Mailbox {
        // Without one nobody is told of anything new, so that nothing is put into it.
        let event = Event::new().ok().map(Arc::new);
        Mailbox { inner: Mutex::default(), event, interrupt }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request that is put into it is begun at once.
    pub(super) fn listens(&self) -> bool {
        let inner = self.lock();
        inner.listening && inner.room > 0 && self.event.is_some()
    }

    /// Whether a request may be put into it at all.
    pub(super) fn is_open(&self) -> bool {
        self.lock().room > 0 && self.event.is_some()
    }

    /// Puts a request into it.
    pub(super) fn put(&self, request: Later) {
        let mut inner = self.lock();
        inner.room = inner.room.saturating_sub(1);
        inner.requests.push_back(request);
        self.wake(inner);
    }

    /// Wakes the thread.
    fn wake(&self, mut inner: MutexGuard<'_, Inner>) {
        let first = !std::mem::replace(&mut inner.set, true);
        let waker = inner.waker.clone();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
        if let Some(event) = self.event.as_ref().filter(|_| first) {
            event.set();
        }
    }

    /// Says that the time of a request is over. At first the thread is only told, as the
    /// instance may have others; if it does not come, what computes is interrupted.
    pub(super) fn warn(&self) {
        let mut inner = self.lock();
        inner.warnings += 1;
        if inner.warnings > WARNINGS {
            drop(inner);
            self.interrupt.interrupt();
        } else {
            self.wake(inner);
        }
    }

    /// Takes what was put into it; `room` is how much more there is then.
    pub(super) fn take(&self, room: u32, waker: &Waker) -> VecDeque<Later> {
        let mut inner = self.lock();
        inner.listening = false;
        inner.waker = Some(waker.clone());
        if std::mem::take(&mut inner.set)
            && let Some(event) = &self.event
        {
            event.clear();
        }
        let requests = std::mem::take(&mut inner.requests);
        inner.room = room.saturating_sub(requests.len() as u32);
        requests
    }

    /// Says how much more may be put into it, and until when the thread waits.
    pub(super) fn listen(&self, room: u32, until: u64) {
        let mut inner = self.lock();
        inner.room = room.saturating_sub(inner.requests.len() as u32);
        inner.until = until;
    }

    /// Closes it, and takes what is in it. Tells whether nobody had to be warned.
    pub(super) fn close(&self) -> (VecDeque<Later>, bool) {
        let mut inner = self.lock();
        inner.listening = false;
        inner.room = 0;
        inner.waker = None;
        let calm = inner.warnings == 0;
        (std::mem::take(&mut inner.requests), calm)
    }
}

impl Source for Mailbox {
    fn interest<'a>(&'a self, _: &'a State) -> Interest<'a> {
        let mut inner = self.lock();
        if inner.set || !inner.requests.is_empty() || sys::now(Clock::Monotonic) >= inner.until {
            return Interest::Ready;
        }
        // It is asked for this when the thread is about to wait.
        inner.listening = true;
        let mut needs = vec![Need::Until(inner.until)];
        needs.extend(self.event.clone().map(Need::Event));
        Interest::Any(needs)
    }
}

/// Has nobody put anything into a mailbox when its thread goes on.
pub(super) struct Listener {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) inner: Arc<dyn Bystander>,
}

impl Bystander for Listener {
    fn waits(&self) {
        self.inner.waits();
    }

    fn goes_on(&self) {
        self.mailbox.lock().listening = false;
        self.inner.goes_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WasiCtx;
    use zwasm::{Engine, Store};

    struct Nobody;

    impl Bystander for Nobody {
        fn waits(&self) {}
        fn goes_on(&self) {}
    }

    fn mailbox() -> (Store<()>, Arc<Mailbox>) {
        let store = Store::new(&Engine::default(), ());
        let mailbox = Arc::new(Mailbox::new(store.interrupt_handle()));
        (store, mailbox)
    }

    #[test]
    fn nothing_is_put_into_it_but_while_its_thread_waits() {
        let (_store, mailbox) = mailbox();
        let context = WasiCtx::builder().build();
        let listener = Listener { mailbox: mailbox.clone(), inner: Arc::new(Nobody) };
        let waits = || matches!(mailbox.interest(&context.0), Interest::Any(_));
        mailbox.listen(1, u64::MAX);
        assert!(!mailbox.listens());
        assert!(waits() && mailbox.listens());
        listener.goes_on();
        assert!(!mailbox.listens());
        // Nor without room, or when it is over.
        mailbox.listen(0, u64::MAX);
        assert!(waits() && !mailbox.listens() && !mailbox.is_open());
        mailbox.listen(1, u64::MAX);
        assert!(mailbox.listens() && mailbox.is_open());
        let (left, is_calm) = mailbox.close();
        assert!(left.is_empty() && is_calm && !mailbox.listens());
    }

    #[test]
    fn a_thread_learns_that_time_is_over() {
        let (_store, mailbox) = mailbox();
        let context = WasiCtx::builder().build();
        let is_ready = || matches!(mailbox.interest(&context.0), Interest::Ready);
        mailbox.listen(1, sys::now(Clock::Monotonic));
        assert!(is_ready());
        mailbox.listen(1, u64::MAX);
        assert!(!is_ready());
        mailbox.warn();
        assert!(is_ready());
        assert!(mailbox.take(1, Waker::noop()).is_empty());
        assert!(!is_ready());
        assert!(!mailbox.close().1);
    }
}
