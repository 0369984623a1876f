//! The host's functions in a store.
//!
//! # Safety
//!
//! A function, its closure and what that is given live as long as the store, and stay where
//! they are: the guest's code has their addresses.

use std::alloc::{Layout, handle_alloc_error};
use std::any::Any;
use std::ptr::{self, NonNull};
use std::sync::Arc;
#[cfg(optimizer)]
use std::sync::atomic::Ordering;

use super::StoreCore;
use super::vmctx::FuncRecord;
use crate::interp;
use crate::stack::activation::Thunk;
#[cfg(optimizer)]
use crate::tier;
use crate::types::{FuncType, Held, TypeId, TypeRegistry, ValType};
use zwasm_regir::inst::HEADER_SLOTS;

/// The code of a host function: what is called on its behalf, and what that finds its
/// closure by.
#[derive(Clone)]
pub struct HostCode {
    thunk: Thunk,
    closure: Arc<dyn Any + Send + Sync>,
}

impl HostCode {
    /// # Safety
    ///
    /// The thunk is for closures of this type.
    pub(crate) unsafe fn new(thunk: Thunk, closure: Arc<dyn Any + Send + Sync>) -> HostCode {
        HostCode { thunk, closure }
    }
}

/// A host function of a store.
#[repr(C)]
pub(crate) struct HostFunc {
    pub(crate) record: FuncRecord,
    /// Calls the closure.
    pub(crate) thunk: Thunk,
    /// The closure, of the type that the thunk is for.
    pub(crate) closure: *const (),
    /// What a closure that does the work of many functions is given: what the store has for
    /// it, and which of them this is.
    pub(crate) context: *const (),
    pub(crate) number: u32,
    pub(crate) store: *mut StoreCore,
    /// Slots of arguments or results, whichever are more, and of the header that follows.
    pub(crate) frame_slots: usize,
    /// The threaded code that calls the thunk.
    stub: [u64; 3],
    /// Keeps the closure, unless the store does.
    _owner: Option<Arc<dyn Any + Send + Sync>>,
}

/// A host function's type, looked up in its engine, and how many slots it takes.
pub(crate) struct HostType {
    held: Held,
    id: TypeId,
    /// Whether it has no supertypes.
    is_root: bool,
    /// Arguments or results, whichever are more.
    slots: u32,
}

impl HostType {
    pub(crate) fn new(types: &TypeRegistry, ty: &FuncType) -> HostType {
        let slots = |types: &[ValType]| -> u32 { types.iter().map(|ty| ty.kind().slots()).sum() };
        let slots = slots(ty.params_slice()).max(slots(ty.results_slice()));
        let (held, id) = types.intern_func(ty.clone());
        let is_root = types.read().depth(id) == 0;
        HostType { held, id, is_root, slots }
    }
}

/// A closure that does the work of many functions, and what a store has for it.
pub(super) type Shared = [Arc<dyn Any + Send + Sync>; 2];

/// How many functions the first piece of memory for them has room for, and each at most.
const FEWEST: usize = 4;
const MOST: usize = 64;

/// All of them, in pieces that do not move. Stores of servers have dozens and do not live
/// long.
#[derive(Default)]
pub(super) struct HostFuncs {
    pieces: Vec<Vec<HostFunc>>,
    count: usize,
}

impl HostFuncs {
    fn add(&mut self, func: HostFunc) -> NonNull<HostFunc> {
        if self.pieces.last().is_none_or(|piece| piece.len() == piece.capacity()) {
            self.pieces.push(Vec::with_capacity(self.count.clamp(FEWEST, MOST)));
        }
        let piece = self.pieces.last_mut().expect("one was just made");
        piece.push(func);
        self.count += 1;
        // SAFETY: it has just got its place.
        unsafe { NonNull::new_unchecked(piece.as_mut_ptr().add(piece.len() - 1)) }
    }
}

impl StoreCore {
    /// Adds a host function to the store that `this` points at.
    ///
    /// # Safety
    ///
    /// `this` is valid and stays where it is. The code is for stores with its data.
    pub(crate) unsafe fn add_host_func(
        this: *mut StoreCore,
        ty: &FuncType,
        code: HostCode,
    ) -> NonNull<FuncRecord> {
        // SAFETY: by the contract; the function keeps its closure.
        unsafe {
            let ty = HostType::new((*this).engine.types(), ty);
            let (closure, thunk) = (Arc::as_ptr(&code.closure).cast(), code.thunk);
            StoreCore::add_host(this, &ty, thunk, closure, (ptr::null(), 0), Some(code.closure))
        }
    }

    /// Keeps a closure that does the work of many functions, and what the store has for it;
    /// where that is.
    pub(crate) fn keep_context<C: Send + Sync + 'static>(
        &mut self,
        code: &HostCode,
        context: &Arc<C>,
    ) -> *const () {
        let place: *const () = Arc::as_ptr(context).cast();
        let same = |[closure, last]: &Shared| {
            Arc::ptr_eq(closure, &code.closure) && ptr::eq(Arc::as_ptr(last).cast(), place)
        };
        // Functions are made one after the other.
        if !self.shared.last().is_some_and(same) {
            self.shared.push([code.closure.clone(), context.clone()]);
        }
        place
    }

    /// Adds the host function with a number among those of a closure.
    ///
    /// # Safety
    ///
    /// As [`StoreCore::add_host_func`]. The type is the function's, and the context is kept
    /// and what the closure takes.
    pub(crate) unsafe fn share_host_func(
        this: *mut StoreCore,
        ty: &HostType,
        code: &HostCode,
        context: *const (),
        number: u32,
    ) -> NonNull<FuncRecord> {
        let closure = Arc::as_ptr(&code.closure).cast();
        // SAFETY: by the contract; the closure is kept with the context.
        unsafe { StoreCore::add_host(this, ty, code.thunk, closure, (context, number), None) }
    }

    /// # Safety
    ///
    /// As [`StoreCore::add_host_func`]. The closure is kept by its owner, or the store.
    unsafe fn add_host(
        this: *mut StoreCore,
        ty: &HostType,
        thunk: Thunk,
        closure: *const (),
        (context, number_of_closure): (*const (), u32),
        owner: Option<Arc<dyn Any + Send + Sync>>,
    ) -> NonNull<FuncRecord> {
        let (header, id) = (ty.slots, ty.id);
        let frame = u64::from(header + HEADER_SLOTS) * 8;
        // SAFETY: valid by the contract; the function stays where it is, so that pointers to
        // its stub and record stay good until the store frees it.
        unsafe {
            // Its supertypes are those of the module that it was taken from.
            let layouts = &(*this).gc.layouts;
            let is_known = layouts.knows(id) || (ty.is_root && layouts.has_met(id));
            if !is_known || !(*this).types.contains_key(&ty.held.ids()[0]) {
                (*this).hold_type(ty.held.clone());
                if (*this).gc.layouts.add(&(*this).engine.types().read(), &[id]).is_err() {
                    handle_alloc_error(Layout::new::<HostFunc>());
                }
            }
            let number = StoreCore::number_functions(this, 1)
                .unwrap_or_else(|| handle_alloc_error(Layout::new::<HostFunc>()));
            let func = (*this).host_funcs.add(HostFunc {
                record: FuncRecord {
                    body: ptr::null(),
                    #[cfg(optimizer)]
                    code: tier::resolver(),
                    vmctx: (*this).host_vmctx.as_ptr(),
                    ty: id,
                    index: (*this).host_funcs.count as u32,
                    number,
                    hot: 0,
                    #[cfg(optimizer)]
                    patience: 0,
                },
                thunk,
                closure,
                context,
                number: number_of_closure,
                store: this,
                frame_slots: (header + HEADER_SLOTS) as usize,
                stub: [frame, interp::host_call_word(), u64::from(header)],
                _owner: owner,
            });
            (*func.as_ptr()).record.body = (&raw const (*func.as_ptr()).stub).cast();
            let host_vmctx = (*this).host_vmctx.as_ptr();
            (*host_vmctx).store = this;
            // Host functions have no frames of their own size to check.
            (*host_vmctx).stack_limit = ptr::without_provenance_mut(usize::MAX);
            #[cfg(optimizer)]
            (*host_vmctx).call_limit.store(u64::MAX, Ordering::Relaxed);
            (*host_vmctx).memory0 = (*this).no_memory.as_ptr();
            (*host_vmctx).limits = Arc::as_ptr(&(*this).limits);
            (*this).set_function(func.cast());
            func.cast()
        }
    }
}
