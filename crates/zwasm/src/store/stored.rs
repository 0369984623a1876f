//! Handles into a store.
//!
//! # Safety
//!
//! A handle is a pointer to something a store owns, with the store's number.
//! Every use names a store; the number is compared, so that the pointer is only
//! followed while the store that owns what it points at is borrowed.

use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;
use std::ptr::{self, NonNull};

use super::StoreCore;
use crate::error::{Error, Result};

/// What is said of a handle that is used with a store that does not own it.
pub(crate) const OTHER_STORE: &str =
    "cross-`Store` use is not supported: a handle was used with another store than its own";

/// A pointer into the store with this number.
pub(crate) struct Stored<T> {
    store: NonZeroU64,
    pointer: NonNull<T>,
}

impl<T> Clone for Stored<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Stored<T> {}

impl<T> PartialEq for Stored<T> {
    fn eq(&self, other: &Self) -> bool {
        self.store == other.store && self.pointer == other.pointer
    }
}

impl<T> Eq for Stored<T> {}

impl<T> Hash for Stored<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.store.hash(state);
        self.pointer.hash(state);
    }
}

// SAFETY: the pointer is only followed with access to the store.
unsafe impl<T> Send for Stored<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Stored<T> {}

impl<T> Stored<T> {
    /// # Safety
    ///
    /// `core` is valid and owns what `pointer` points at.
    pub(crate) unsafe fn new(core: *const StoreCore, pointer: NonNull<T>) -> Stored<T> {
        // SAFETY: by the contract.
        Stored { store: unsafe { (*core).id }, pointer }
    }

    /// The number of the store and the pointer as a word.
    pub(crate) fn words(self) -> (u64, usize) {
        (self.store.get(), self.pointer.as_ptr().expose_provenance())
    }

    /// What [`Stored::words`] took apart; nothing for words that are 0.
    ///
    /// # Safety
    ///
    /// The words are such ones, or the first is 0.
    pub(crate) unsafe fn from_words(store: u64, pointer: usize) -> Option<Stored<T>> {
        let pointer = NonNull::new(ptr::with_exposed_provenance_mut(pointer));
        Some(Stored { store: NonZeroU64::new(store)?, pointer: pointer? })
    }

    /// The pointer, which may be followed while the store is borrowed.
    ///
    /// # Errors
    ///
    /// If the handle is of another store.
    pub(crate) fn find(&self, core: *const StoreCore) -> Result<NonNull<T>> {
        self.checked(core).ok_or_else(|| Error::msg(OTHER_STORE))
    }

    /// The pointer, if it is of this store.
    pub(crate) fn checked(&self, core: *const StoreCore) -> Option<NonNull<T>> {
        // SAFETY: contexts only give out pointers to live stores.
        (self.store == unsafe { (*core).id }).then_some(self.pointer)
    }
}

impl<T> std::fmt::Debug for Stored<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}", self.store)
    }
}
