//! The functions of a store, by number.
//!
//! A function reference is a number, wherever the guest can have one: in slots,
//! globals, tables, objects and exceptions. Whoever follows it looks it up here, and
//! whoever calls it compares the type of what was found with the expected one. So a
//! number that is no reference, should one ever be taken for it, still leads to a
//! function of the store and never to an address. A number costs a load more than an
//! address would.
//!
//! # Safety
//!
//! Every entry is null or the record of a function that lives as long as the store.
//! Each context of an instance knows where the entries are, and how many.

use std::ptr::{self, NonNull};

use super::StoreCore;
use super::vmctx::FuncRecord;

/// The fewest entries, once there are any.
const FEWEST: usize = 16;

/// The table of functions. The entry of number 0, which is the null reference, and
/// those behind the last function are null.
#[derive(Default)]
pub(crate) struct Functions {
    entries: Vec<*const FuncRecord>,
    /// The number of the next function.
    next: usize,
}

impl Functions {
    /// Where code looks, and how many entries it finds.
    pub(super) fn entries(&self) -> (*const *const FuncRecord, u32) {
        (self.entries.as_ptr(), self.entries.len() as u32)
    }

    /// Bytes of the table.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.entries)
    }

    /// The function that a reference leads to; none for null.
    pub(crate) fn get(&self, reference: u64) -> Option<NonNull<FuncRecord>> {
        NonNull::new(self.entries.get(reference as u32 as usize)?.cast_mut())
    }
}

impl StoreCore {
    /// Makes room for `count` more functions; the first one's number, or none if the
    /// system has no memory.
    ///
    /// # Safety
    ///
    /// `this` is valid and not borrowed. Each function gets its entry before code
    /// can have its number.
    pub(super) unsafe fn number_functions(this: *mut StoreCore, count: usize) -> Option<u32> {
        // SAFETY: by the contract; instances live as long as the store.
        unsafe {
            let functions = &mut (*this).functions;
            let first = functions.next.max(1);
            let next = first.saturating_add(count);
            if next > functions.entries.len() {
                let room = next.checked_next_power_of_two().unwrap_or(next).max(FEWEST);
                let old = functions.entries.len();
                if room > 1 << 31 {
                    return None;
                }
                functions.entries.try_reserve_exact(room - old).ok()?;
                functions.entries.resize(room, ptr::null());
                let (entries, count) = functions.entries();
                for instance in &(*this).instances {
                    let vmctx = (*instance.as_ptr()).vmctx.as_ptr();
                    (*vmctx).functions = entries;
                    (*vmctx).function_count = count;
                }
            }
            (*this).functions.next = next;
            Some(first as u32)
        }
    }

    /// Fills the entry of a numbered function.
    pub(super) fn set_function(&mut self, record: NonNull<FuncRecord>) {
        // SAFETY: records live as long as the store.
        let number = unsafe { record.as_ref() }.number;
        self.functions.entries[number as usize] = record.as_ptr();
    }
}
