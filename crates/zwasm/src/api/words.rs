//! Handles as plain words, for embedders that are not Rust: they keep handles in structures
//! of their own. What the words mean is this crate's business.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::externs::{Global, Memory, Tag};
use super::func::Func;
use super::gc::rooted::{GcRef, Handle, OwnedRooted};
use super::instance::Instance;
use super::store::{AsContext, StoreContextMut};
use super::table::Table;
use crate::store::gc::Root;
use crate::store::stored::Stored;

impl<T: 'static> StoreContextMut<'_, T> {
    /// The number that is the first word of all handles into the store; never 0.
    #[doc(hidden)]
    pub fn id(&self) -> u64 {
        self.as_context().core_ref().id.get()
    }
}

macro_rules! words {
    ($($handle:ident)*) => {$(
        impl $handle {
            /// The number of the store, and a word that is only of use with it.
            #[doc(hidden)]
            pub fn to_words(self) -> (u64, usize) {
                self.0.words()
            }

            /// The handle that `to_words` took apart; nothing if a word is 0.
            ///
            /// # Safety
            ///
            /// The words are those of such a handle, or the first is 0.
            #[doc(hidden)]
            pub unsafe fn from_words(store: u64, word: usize) -> Option<$handle> {
                // SAFETY: by the contract.
                unsafe { Stored::from_words(store, word).map($handle) }
            }
        }
    )*};
}
words!(Func Global Instance Memory Table Tag);

impl<T: GcRef> OwnedRooted<T> {
    /// The number of the store, one of the reference, and what keeps it.
    #[doc(hidden)]
    pub fn into_words(self) -> (u64, u64, *const u64) {
        let handle = self.handle();
        (handle.store.get(), handle.root.number(), Arc::into_raw(self.token))
    }

    /// The reference that `into_words` took apart; nothing if the first word is 0.
    ///
    /// # Safety
    ///
    /// The words are those of such a reference to a `T`, of which this takes the place, or
    /// the first is 0.
    #[doc(hidden)]
    pub unsafe fn from_words(store: u64, number: u64, token: *const u64) -> Option<Self> {
        let handle = Handle { store: NonZeroU64::new(store)?, root: Root::owned(number) };
        // SAFETY: by the contract.
        Some(OwnedRooted::of(handle, unsafe { Arc::from_raw(token) }))
    }
}
