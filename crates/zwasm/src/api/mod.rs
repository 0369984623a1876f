//! The embedding API: handles into a store, and how they are used.
//!
//! # Safety
//!
//! A handle is a pointer to something a store owns, with the store's number.
//! Every use names a store; the number is compared, so that the pointer is only
//! followed while the store that owns what it points at is borrowed.

pub(crate) mod exception;
pub(crate) mod externs;
pub(crate) mod func;
pub(crate) mod gc;
pub(crate) mod gc_new;
pub(crate) mod instance;
pub(crate) mod linker;
#[cfg(feature = "threads")]
pub(crate) mod shared;
pub(crate) mod val;

use std::hash::{Hash, Hasher};
use std::ptr::NonNull;

use crate::store::StoreCore;

/// A pointer into the store with this number.
pub(crate) struct Stored<T> {
    store: u64,
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

    /// The pointer, which may be followed while the store is borrowed.
    ///
    /// # Panics
    ///
    /// If the handle is of another store.
    pub(crate) fn get(&self, core: *const StoreCore) -> NonNull<T> {
        // SAFETY: contexts only give out pointers to live stores.
        let id = unsafe { (*core).id };
        assert!(self.store == id, "a handle was used with another store than its own");
        self.pointer
    }

    /// The pointer, if it is of this store.
    pub(crate) fn checked(&self, core: *const StoreCore) -> Option<NonNull<T>> {
        // SAFETY: as above.
        (self.store == unsafe { (*core).id }).then_some(self.pointer)
    }
}
