//! The bytes that stores hold in all.
//!
//! Memories, tables and instances live as long as the store, so that a sum suffices
//! for them. The heap of objects and the exceptions count with what they have been
//! allowed, which they ask for in steps: objects and throws pay nothing for being
//! counted. A table that has to move counts twice while it grows.
//!
//! Stores made beside each other have one [`Total`]. Each keeps in it what it holds
//! itself, brought up to date whenever that changes or it asks for more; what it asks
//! for is added at once, so that two that ask at the same time are not both given the
//! last bytes. A shared memory counts once for all of them.

#[cfg(feature = "threads")]
use std::sync::Weak;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(feature = "threads")]
use super::shared::SharedCore;
use super::{MemoryInst, StoreCore};
use crate::error::{Error, ErrorKind, Result};

/// What all stores beside each other hold.
#[derive(Default)]
pub(crate) struct Total {
    bytes: AtomicUsize,
    /// The shared memories that are counted, and with how many bytes.
    #[cfg(feature = "threads")]
    memories: Mutex<Vec<(Weak<SharedCore>, usize)>>,
    /// The first growth that a limit did not allow.
    refused: Mutex<Option<String>>,
}

impl Total {
    /// Counts a shared memory with its size of now.
    #[cfg(feature = "threads")]
    fn count_shared(&self, core: &Arc<SharedCore>) {
        self.forget_gone();
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let len = core.len();
        match memories.iter_mut().find(|(known, _)| known.as_ptr() == Arc::as_ptr(core)) {
            Some((_, counted)) => {
                // A memory never shrinks.
                self.bytes.fetch_add(len - *counted, Ordering::Relaxed);
                *counted = len;
            }
            None => {
                self.bytes.fetch_add(len, Ordering::Relaxed);
                memories.push((Arc::downgrade(core), len));
            }
        }
    }

    /// The first growth that was refused by a limit, as a message.
    pub(crate) fn refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts the shared memories no longer that are gone.
    #[cfg(feature = "threads")]
    fn forget_gone(&self) {
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        memories.retain(|(known, counted)| {
            let lives = known.strong_count() > 0;
            self.bytes.fetch_sub(if lives { 0 } else { *counted }, Ordering::Relaxed);
            lives
        });
    }

    /// Remembers the first growth that is refused by a limit.
    pub(super) fn refuse(&self, why: &Error) {
        if why.kind() != ErrorKind::Limit {
            return;
        }
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get_or_insert_with(|| why.to_string());
    }
}

impl StoreCore {
    /// What this store and those beside it hold.
    pub(crate) fn total(&self) -> &Arc<Total> {
        &self.total
    }

    /// Has the store, which is new, count with those that have this total.
    pub(crate) fn count_with(&mut self, total: Arc<Total>) {
        (self.total, self.beside) = (total, true);
    }

    /// Whether the store was made beside another.
    pub(crate) fn is_beside(&self) -> bool {
        self.beside
    }

    /// Counts bytes that the store holds from now on.
    pub(crate) fn hold(&mut self, bytes: usize) {
        self.held = self.held.saturating_add(bytes);
        self.settle();
    }

    /// Counts bytes no longer that the store held.
    pub(crate) fn release(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
        self.settle();
    }

    /// Counts as many bytes as the store once held.
    pub(super) fn go_back(&mut self, bytes: usize) {
        self.held = bytes;
        #[cfg(feature = "threads")]
        self.total.forget_gone();
        self.settle();
    }

    /// Counts what a memory of the store has grown by since it was counted last; of
    /// a shared one that can be the work of another thread.
    pub(super) fn count_memory(&mut self, memory: &mut MemoryInst) {
        #[cfg(feature = "threads")]
        if let Some(core) = memory.as_shared() {
            self.total.count_shared(core);
            self.settle();
            return;
        }
        self.hold(memory.len.saturating_sub(memory.counted));
        memory.counted = memory.len;
    }

    /// How many bytes of a memory are counted.
    pub(super) fn counted(&self, memory: &MemoryInst) -> usize {
        #[cfg(feature = "threads")]
        if let Some(core) = memory.as_shared() {
            self.total.count_shared(core);
            return memory.len;
        }
        memory.counted
    }

    /// The bytes that the store holds, without shared memories.
    fn own(&self) -> usize {
        let functions = self.functions.bytes();
        let objects = self.gc.bytes().saturating_add(self.exceptions.granted());
        self.held.saturating_add(functions).saturating_add(objects)
    }

    /// Has the total say what the store holds now.
    fn settle(&mut self) {
        self.publish(self.own());
    }

    /// Puts `bytes` in place of what the total has for this store.
    pub(super) fn publish(&mut self, bytes: usize) {
        let before = std::mem::replace(&mut self.published, bytes);
        // What wraps around here does so again in the sum.
        self.total.bytes.fetch_add(bytes.wrapping_sub(before), Ordering::Relaxed);
    }

    /// Makes sure that something of `bytes` more bytes may be made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`].
    ///
    /// # Safety
    ///
    /// `this` is valid, and the user's data is not borrowed.
    pub(crate) unsafe fn check_total(this: *mut StoreCore, what: &str, bytes: usize) -> Result<()> {
        // SAFETY: by the contract.
        unsafe {
            match StoreCore::beyond_total(this, bytes) {
                Some(limit) => Err(beyond(what, bytes, limit)),
                None => Ok(()),
            }
        }
    }

    /// The limit that keeps the store from holding `bytes` more.
    ///
    /// # Safety
    ///
    /// As [`StoreCore::check_total`].
    pub(super) unsafe fn beyond_total(this: *mut StoreCore, bytes: usize) -> Option<usize> {
        // SAFETY: by the contract.
        unsafe {
            let asked = StoreCore::ask(this, |limiter| limiter.total_size()).unwrap_or(usize::MAX);
            let configured = (*this).engine.config().max_total;
            let limit = asked.min(usize::try_from(configured).unwrap_or(usize::MAX));
            if limit == usize::MAX {
                return None;
            }
            let core = &mut *this;
            core.settle();
            let within = |all: usize| all.checked_add(bytes).filter(|sum| *sum <= limit);
            let (relaxed, total) = (Ordering::Relaxed, &core.total.bytes);
            if total.fetch_update(relaxed, relaxed, within).is_err() {
                return Some(limit);
            }
            core.published = core.published.wrapping_add(bytes);
            None
        }
    }
}

/// The error for something that has no room in the limit of all.
#[cold]
pub(super) fn beyond(what: &str, bytes: usize, limit: usize) -> Error {
    let message =
        format!("no room for {what} of {bytes} bytes (the limit is {limit} bytes in all)");
    Error::of_kind(ErrorKind::Limit, message)
}
