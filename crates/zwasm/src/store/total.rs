//! The bytes that a store holds in all.
//!
//! Memories, tables and instances live as long as the store, so that a sum suffices
//! for them. The heap of objects and the exceptions count with what they have been
//! allowed, which they ask for in steps: objects and throws pay nothing for being
//! counted. A table that has to move counts twice while it grows.

use super::{MemoryInst, StoreCore};
use crate::error::{Error, ErrorKind, Result};

impl StoreCore {
    /// Counts bytes that the store holds from now on.
    pub(super) fn hold(&mut self, bytes: usize) {
        self.held = self.held.saturating_add(bytes);
    }

    /// Counts what a memory of the store has grown by since it was counted last; of
    /// a shared one that can be the work of another thread.
    pub(super) fn count_memory(&mut self, memory: &mut MemoryInst) {
        self.hold(memory.len.saturating_sub(memory.counted));
        memory.counted = memory.len;
    }

    /// The bytes that the store holds.
    fn total(&self) -> usize {
        let functions = self.functions.bytes();
        let objects = self.gc.bytes().saturating_add(self.exceptions.granted());
        self.held.saturating_add(functions).saturating_add(objects)
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
    pub(super) unsafe fn check_total(this: *mut StoreCore, what: &str, bytes: usize) -> Result<()> {
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
            (limit != usize::MAX && (*this).total().saturating_add(bytes) > limit).then_some(limit)
        }
    }
}

/// The error for something that has no room in the limit of all.
#[cold]
pub(super) fn beyond(what: &str, bytes: usize, limit: usize) -> Error {
    let message =
        format!("no room for {what} of {bytes} bytes (the limit is {limit} bytes in all)");
    Error::new(ErrorKind::Limit, message)
}
