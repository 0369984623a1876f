//! The embedding API: handles into a store, and how they are used.
//!
//! # Safety
//!
//! A handle is a pointer to something a store owns, with the store's number.
//! Every use names a store; the number is compared, so that the pointer is only
//! followed while the store that owns what it points at is borrowed.
//!
//! Who implements [`AsContext`](crate::AsContext) may answer with another store each
//! time. So every function asks once and works with the answer.

mod boundary;
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
use std::num::NonZeroU64;
use std::ptr::NonNull;

use crate::error::{Error, Result};
use crate::store::StoreCore;

/// What is said of a handle that is used with a store that does not own it.
const OTHER_STORE: &str = "a handle was used with another store than its own";

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

    /// The pointer, which may be followed while the store is borrowed: where nothing
    /// can be returned instead.
    ///
    /// # Panics
    ///
    /// If the handle is of another store.
    #[track_caller]
    pub(crate) fn get(&self, core: *const StoreCore) -> NonNull<T> {
        match self.checked(core) {
            Some(pointer) => pointer,
            None => panic!("{OTHER_STORE}"),
        }
    }

    /// The same where an error can be.
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
