//! Finding out what runs long in baseline code.
//!
//! Compiled code compares the end of a callee's frame with a word of the `vmctx`, the limit of
//! calls, and baseline code also its own frame at loop headers: an instruction and a branch that
//! is never taken, where counting would read, change and write. The engine's background thread
//! sets the words of a store to zero every now and then, where no frame is below. The function
//! that notices first is charged with the time since that happened last, and the limit is put
//! back. A store that has not noticed since the last time does not run such code: it is asked no
//! more, and whoever notices the words then has it asked again.
//!
//! # Safety
//!
//! The words belong to instances, which live as long as their store. The store forgets them
//! here before it frees those, and while they are in this list they are only written with it
//! locked.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::StoreCore;
use super::vmctx::VmCtx;
use crate::tier::Strategy;
use crate::{sys, tuning};

/// Asks a store's baseline code where it is.
#[derive(Default)]
pub(crate) struct Asked(Mutex<State>);

#[derive(Default)]
struct State {
    words: Vec<Word>,
    /// What the words are when nothing is asked.
    limit: u64,
    /// Whether they are zero.
    asks: bool,
    /// Whether nobody has noticed yet.
    is_open: bool,
    /// Whether the background thread asks.
    is_sampled: bool,
}

struct Word(NonNull<AtomicU64>);

// SAFETY: the word is atomic, and there as long as it is in the list.
unsafe impl Send for Word {}

impl State {
    fn set(&mut self, asks: bool) {
        self.asks = asks;
        for Word(word) in &self.words {
            // SAFETY: the word is there as long as it is in the list.
            unsafe { word.as_ref() }.store(self.value(), Ordering::Relaxed);
        }
    }

    /// What the words are.
    fn value(&self) -> u64 {
        if self.asks { 0 } else { self.limit }
    }
}

impl Asked {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here leaves it half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks. False if nobody has noticed since the last time: then it is asked no more.
    pub(crate) fn ask(&self) -> bool {
        let mut state = self.state();
        if state.is_open {
            state.is_sampled = false;
            return false;
        }
        state.is_open = true;
        state.set(true);
        true
    }

    /// Somebody has noticed. Whether it is asked again.
    fn notice(&self) -> bool {
        let mut state = self.state();
        state.is_open = false;
        state.set(false);
        std::mem::replace(&mut state.is_sampled, true)
    }

    /// An instance is to notice as well, whose word this is.
    ///
    /// # Safety
    ///
    /// The word is there until the list is cleared, and in no list.
    unsafe fn add(&self, word: NonNull<AtomicU64>) {
        let mut state = self.state();
        // SAFETY: by the contract.
        unsafe { word.as_ref() }.store(state.value(), Ordering::Relaxed);
        state.words.push(Word(word));
    }

    /// Frames end somewhere else from now on.
    pub(crate) fn move_limit(&self, limit: *mut u64) {
        let mut state = self.state();
        state.limit = limit.addr() as u64;
        let asks = state.asks;
        state.set(asks);
    }
}

/// The store's own thread's part.
#[derive(Default)]
pub(crate) struct Samples {
    /// The time of this thread when somebody noticed last, in nanoseconds.
    last: u64,
    /// How often the words are left as they are, because some frame is waited for.
    expected: u32,
    /// How often somebody has noticed since it counted last, with [`Strategy::Asked`].
    noticed: u32,
}

impl StoreCore {
    /// An instance's baseline code is to be asked where it is from now on.
    ///
    /// # Safety
    ///
    /// The instance is live and of this store.
    pub(crate) unsafe fn begin_samples(&mut self, vm: *mut VmCtx) {
        // SAFETY: by the contract; the store clears its list before it frees instances.
        unsafe {
            let instance = (*vm).instance;
            if !std::mem::replace(&mut (*instance).is_asked, true) {
                self.limits.samples.add(NonNull::from(&(*vm).call_limit));
            }
        }
        self.note();
    }

    fn note(&mut self) {
        if let Strategy::Asked(_) = self.engine.config().strategy {
            self.limits.samples.state().set(true);
        } else if !self.limits.samples.notice() {
            self.engine.background().sample(&self.limits);
        }
    }

    /// Baseline code has noticed that it is asked: nanoseconds that it has run since the last
    /// time, less if something else has. None if that is nothing to go by.
    pub(crate) fn spent(&mut self) -> Option<i64> {
        if self.samples.expected > 0 {
            self.samples.expected -= 1;
            return Some(0);
        }
        self.note();
        if let Strategy::Asked(every) = self.engine.config().strategy {
            self.samples.noticed = (self.samples.noticed + 1) % every.max(1);
            return (self.samples.noticed == 0).then_some(1);
        }
        let now = sys::thread_time();
        let last = std::mem::replace(&mut self.samples.last, now);
        // Of another thread, the time may be less.
        Some(now.saturating_sub(last).min(2 * tuning::TICK.as_nanos() as u64) as i64)
    }

    /// Has baseline code ask so many times, wherever it gets to.
    pub(crate) fn expect(&mut self, times: u32) {
        self.samples.expected = times;
        if times > 0 {
            self.limits.samples.state().set(true);
        }
    }

    /// Whether it asks more often than it is asked.
    pub(crate) fn expects(&self) -> bool {
        self.samples.expected > 0
    }

    /// The store is dropped.
    pub(super) fn end_samples(&mut self) {
        self.limits.samples.state().words.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_asked_for_as_long_as_it_notices() {
        let asked = Asked::default();
        let words = [const { AtomicU64::new(7) }; 2];
        asked.move_limit(std::ptr::without_provenance_mut(8));
        for word in &words {
            // SAFETY: the words are there until the end of the test.
            unsafe { asked.add(NonNull::from(word)) };
        }
        let are = |value| words.iter().all(|word| word.load(Ordering::Relaxed) == value);
        // Nobody asks yet.
        assert!(!asked.notice() && are(8));
        for _ in 0..3 {
            assert!(asked.ask() && are(0));
            assert!(asked.notice() && are(8));
        }
        // It does something else, and its words wait.
        assert!(asked.ask() && !asked.ask() && !asked.ask() && are(0));
        assert!(!asked.notice() && are(8));
        assert!(asked.ask() && asked.notice());
    }

    #[test]
    fn a_limit_that_moves_leaves_the_question_open() {
        let asked = Asked::default();
        let words = [const { AtomicU64::new(7) }; 2];
        // SAFETY: the words are there until the end of the test.
        unsafe { asked.add(NonNull::from(&words[0])) };
        asked.notice();
        assert!(asked.ask());
        asked.move_limit(std::ptr::without_provenance_mut(16));
        // SAFETY: as above.
        unsafe { asked.add(NonNull::from(&words[1])) };
        let are = |value| words.iter().all(|word| word.load(Ordering::Relaxed) == value);
        assert!(are(0) && asked.notice() && are(16));
        asked.move_limit(std::ptr::without_provenance_mut(24));
        assert!(are(24));
    }
}
