//! What code sees of an instance: the `vmctx` and function records.
//!
//! # Safety
//!
//! A `VmCtx` is allocated once per instance, never moves and lives as long as
//! its store; so do the memories, tables, globals and records it points at.
//! Exclusive use of the store (or running inside it) is what makes dereferencing
//! these pointers sound.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use super::instance::InstanceData;
use super::limits::Limits;
use super::{GlobalInst, MemoryInst, StoreCore, TableInst};
use crate::module::Module;
use crate::types::TypeId;

/// A function of an instance: what a function reference leads to.
#[repr(C)]
pub(crate) struct FuncRecord {
    /// The function's code: the size of its frames, then what is jumped through.
    pub(crate) body: *const u64,
    /// What is called with arguments in registers: the function's optimized code, or what
    /// leads to its body.
    #[cfg(optimizer)]
    pub(crate) code: *const u8,
    /// The instance the function runs in.
    pub(crate) vmctx: *mut VmCtx,
    /// The canonical number of its type.
    pub(crate) ty: TypeId,
    /// Its index in the module.
    pub(crate) index: u32,
    /// What a reference to it is: its number in the store.
    pub(crate) number: u32,
    /// How much it may still run in the interpreter before it is compiled.
    pub(crate) hot: i32,
    /// How much it may still run in baseline code before it is optimized.
    #[cfg(optimizer)]
    pub(crate) patience: i64,
}

/// The part of an instance that code addresses. Records of the defined
/// functions and the defined globals follow it in the same allocation.
#[repr(C, align(16))]
pub(crate) struct VmCtx {
    pub(crate) store: *mut StoreCore,
    /// Where guest frames must end; the store's, kept here for calls.
    pub(crate) stack_limit: *mut u64,
    /// The same for calls by compiled code, but 0 while baseline code is to say where it is.
    #[cfg(optimizer)]
    pub(crate) call_limit: AtomicU64,
    /// What is entered instead of a callee whose frame ends beyond.
    #[cfg(compiler)]
    pub(crate) beyond: *const u64,
    /// The address of offset 0 of the collected heap.
    pub(crate) heap: *mut u8,
    /// Null for the context of host functions.
    pub(crate) instance: *mut InstanceData,
    /// Memory 0, or one of size zero.
    pub(crate) memory0: *mut MemoryInst,
    pub(crate) memories: *const *mut MemoryInst,
    pub(crate) tables: *const *mut TableInst,
    /// The store's functions by their numbers; no function has those that are null.
    pub(crate) functions: *const *const FuncRecord,
    /// How many numbers there are.
    pub(crate) function_count: u32,
    /// All globals, imported ones first.
    pub(crate) globals: *const *mut GlobalInst,
    /// The records of the imported functions.
    pub(crate) imported_funcs: *const *const FuncRecord,
    /// The store's fuel and deadline.
    pub(crate) limits: *const Limits,
    /// The engine's epoch, to be compared with the deadline.
    pub(crate) epoch: *const AtomicU64,
    /// The cells of call sites in baseline code.
    #[cfg(optimizer)]
    pub(crate) feedback: *mut u64,
    /// The context of the function that has replaced its frame by a call into this one.
    /// Read for host functions only, which their frame does not tell it.
    pub(crate) tail_caller: *mut VmCtx,
}

impl VmCtx {
    /// The byte offset of a defined function's record.
    pub(crate) const fn record_offset(defined: u32) -> usize {
        size_of::<VmCtx>() + defined as usize * size_of::<FuncRecord>()
    }

    /// The byte offset of a defined global in a module with `funcs` defined functions.
    pub(crate) const fn global_offset(funcs: u32, defined: u32) -> usize {
        VmCtx::record_offset(funcs).next_multiple_of(16)
            + defined as usize * size_of::<GlobalInst>()
    }

    /// Allocates a zeroed context for this many functions and globals; none if the
    /// system has no memory.
    pub(crate) fn allocate(funcs: u32, globals: u32) -> Option<(NonNull<VmCtx>, Layout)> {
        let size = VmCtx::global_offset(funcs, globals);
        let layout = Layout::from_size_align(size, align_of::<VmCtx>()).ok()?;
        // SAFETY: the layout is not empty.
        let pointer = unsafe { alloc_zeroed(layout) };
        Some((NonNull::new(pointer.cast())?, layout))
    }

    /// Frees a context.
    ///
    /// # Safety
    ///
    /// It was allocated with this layout, and nothing refers to it any more.
    pub(crate) unsafe fn free(vmctx: NonNull<VmCtx>, layout: Layout) {
        // SAFETY: by the contract.
        unsafe { dealloc(vmctx.as_ptr().cast(), layout) }
    }

    /// The record of a defined function.
    ///
    /// # Safety
    ///
    /// `vmctx` is valid and has such a function.
    pub(crate) unsafe fn record(vmctx: *mut VmCtx, defined: u32) -> *mut FuncRecord {
        // SAFETY: the record lies in the same allocation.
        unsafe { vmctx.byte_add(VmCtx::record_offset(defined)).cast() }
    }

    /// The module of the instance; none for host functions.
    ///
    /// # Safety
    ///
    /// `self` is the context of a live instance.
    pub(crate) unsafe fn module(&self) -> Option<&Module> {
        // SAFETY: the instance's data lives as long as its context.
        unsafe { self.instance.as_ref().map(|instance| &instance.module) }
    }
}
