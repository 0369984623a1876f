//! Where the functions and globals of a module are found from an instance's context.
//!
//! What an instance defines lies in one allocation with its [`VmCtx`]: first the
//! records of its functions, then its globals. So the module alone says at which offset.
//! What is imported, and all memories and tables, are reached through the arrays of
//! pointers that the context names.

use super::Inner;
use crate::store::vmctx::VmCtx;

/// Where a function's record or a global is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the allocation of the context, at this byte offset.
    Own(u32),
    /// Behind the pointer with this index in the context's array.
    Imported(u32),
}

impl Place {
    /// 0 with the offset, or 1 with the index: tables of handlers are ordered so.
    pub(crate) fn indexed(self) -> (usize, u32) {
        match self {
            Place::Own(offset) => (0, offset),
            Place::Imported(index) => (1, index),
        }
    }
}

impl Inner {
    /// Where the record of a function is.
    pub(crate) fn func_place(&self, func: u32) -> Place {
        match self.defined_func(func) {
            None => Place::Imported(func),
            Some(defined) => Place::Own(self.record_offset(defined)),
        }
    }

    /// Where a global is.
    pub(crate) fn global_place(&self, global: u32) -> Place {
        match global.checked_sub(self.imported_globals) {
            None => Place::Imported(global),
            Some(defined) => Place::Own(self.global_offset(defined)),
        }
    }

    /// The byte offset of the record of a function that the module defines.
    pub(crate) fn record_offset(&self, defined: u32) -> u32 {
        VmCtx::record_offset(defined) as u32
    }

    /// The byte offset of a global that the module defines.
    pub(crate) fn global_offset(&self, defined: u32) -> u32 {
        VmCtx::global_offset(self.bodies.len() as u32, defined) as u32
    }

    /// Which of the functions that the module defines a function is; none if it is
    /// imported.
    pub(crate) fn defined_func(&self, func: u32) -> Option<u32> {
        func.checked_sub(self.imported_funcs)
    }

    /// The index among all functions of one that the module defines.
    pub(crate) fn func_index(&self, defined: u32) -> u32 {
        self.imported_funcs + defined
    }

    /// Whether a memory is the one that instructions reach fastest: the first, with
    /// 32-bit addresses.
    pub(crate) fn is_fast_memory(&self, memory: u32) -> bool {
        memory == 0 && !self.memories[0].is_64()
    }
}
