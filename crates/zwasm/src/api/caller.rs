//! What the guest calls: the code of host functions, and what it is given.

use super::boundary::{Visits, host_code};
use super::externs::Extern;
use super::func::slots_of;
use super::module::ModuleExport;
use super::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use super::val::Val;
use crate::error::{Context, Result};
use crate::stack::activation::HostCall;
use crate::store::HostCode;
use crate::store::gc::full::GcHeapOutOfMemory;
use crate::types::{FuncType, ValType};
use std::mem::MaybeUninit;

/// What a host function can use of the guest that called it: the store, and the
/// exports of the calling instance.
///
/// ```
/// use zwasm::{Caller, Engine, Linker};
/// let mut linker = Linker::<u32>::new(&Engine::default());
/// linker.func_wrap("env", "count", |mut caller: Caller<'_, u32>| *caller.data_mut() += 1)?;
/// # Ok::<(), zwasm::Error>(())
/// ```
pub struct Caller<'a, T: 'static> {
    store: StoreContextMut<'a, T>,
    call: HostCall,
}

// SAFETY: it borrows the store as `&mut Store` does, and the guest waits for whoever has it;
// the guest is not called on another stack than its own.
unsafe impl<T: Send> Send for Caller<'_, T> {}
// SAFETY: a shared one gives out shared references.
unsafe impl<T: Sync> Sync for Caller<'_, T> {}

impl<'a, T: 'static> Caller<'a, T> {
    /// # Safety
    ///
    /// The call is in progress in a store with data of type `T`.
    pub(super) unsafe fn new(call: HostCall) -> Caller<'a, T> {
        // SAFETY: by the contract.
        Caller { store: unsafe { StoreContextMut::from_core(call.store) }, call }
    }

    /// The user's data.
    pub fn data(&self) -> &T {
        self.store.data()
    }

    /// The user's data, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        self.store.data_mut()
    }

    /// As [`Store::gc`](crate::Store::gc).
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn gc(&mut self, why: Option<&GcHeapOutOfMemory<()>>) -> Result<()> {
        self.store.gc(why)
    }

    /// As [`Store::gc_heap_capacity`](crate::Store::gc_heap_capacity).
    pub fn gc_heap_capacity(&self) -> usize {
        self.store.gc_heap_capacity()
    }

    /// The engine.
    pub fn engine(&self) -> &crate::Engine {
        self.store.engine()
    }

    #[cfg(feature = "async")]
    pub(super) fn core(&self) -> *mut crate::store::StoreCore {
        self.call.store
    }

    fn instance(&self) -> Option<&crate::store::instance::InstanceData> {
        // SAFETY: the caller's context is live while it waits for this call.
        unsafe { (*self.call.caller()).instance.as_ref() }
    }

    /// What the calling instance exports under a name; nothing if the host
    /// itself called.
    pub fn get_export(&mut self, name: &str) -> Option<Extern> {
        let item = self.instance()?.export(name)?;
        // SAFETY: the item is of this store.
        Some(unsafe { Extern::from_item(self.store.core(), item) })
    }

    /// The same by number: of the calling instance's module, else nothing.
    pub fn get_module_export(&mut self, export: &ModuleExport) -> Option<Extern> {
        let instance = self.instance()?;
        let item = instance.item(export.of(&instance.module)?)?;
        // SAFETY: the item is of this store.
        Some(unsafe { Extern::from_item(self.store.core(), item) })
    }

    /// The contents of the calling instance's exported memory `memory`, beside
    /// the user's data. None for a shared memory: see `guest_shared_memory`.
    pub fn guest_memory(&mut self) -> Option<(&mut [u8], &mut T)> {
        let memory = self.instance()?.guest_memory?;
        // SAFETY: memories live as long as the store.
        if unsafe { memory.as_ref() }.ty.is_shared() {
            return None;
        }
        // SAFETY: memory and data are apart, the store is borrowed through `self`,
        // and the guest waits for this call.
        unsafe { Some(((*memory.as_ptr()).bytes_mut(), self.store.data_mut())) }
    }

    /// The calling instance's exported memory `memory`, if it is shared, beside the
    /// user's data.
    #[cfg(feature = "threads")]
    pub fn guest_shared_memory(&mut self) -> Option<(crate::SharedMemory, &mut T)> {
        let memory = self.instance()?.guest_memory?;
        // SAFETY: memories live as long as the store.
        let shared = unsafe { memory.as_ref() }.as_shared()?;
        let shared = crate::SharedMemory::from_core(shared, self.store.engine());
        Some((shared, self.store.data_mut()))
    }
}

impl<'a, T: 'static> From<Caller<'a, T>> for StoreContextMut<'a, T> {
    fn from(caller: Caller<'a, T>) -> Self {
        caller.store
    }
}

impl<T: 'static> AsContext for Caller<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        self.store.as_context()
    }
}

impl<T: 'static> AsContextMut for Caller<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        self.store.as_context_mut()
    }
}

/// The code of a host function over dynamically typed values.
pub(crate) fn dynamic_code<T: 'static>(
    ty: FuncType,
    func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
) -> HostCode {
    let count = slots_of(ty.params_slice()).max(slots_of(ty.results_slice()));
    host_code::<Visits, _>(move |call| {
        let (params, results) = (ty.params_slice(), ty.results_slice());
        with_copies(params.len() + results.len(), Val::I32(0), |values| {
            let (args, out) = values.split_at_mut(params.len());
            // A value of another type, so that a result that is not written is an error.
            for (value, ty) in out.iter_mut().zip(results) {
                if *ty == ValType::I32 {
                    *value = Val::FuncRef(None);
                }
            }
            // SAFETY: the frame of the call has these slots, and its arguments have the
            // function's types; the closure is for stores with this data.
            unsafe {
                let slots = std::slice::from_raw_parts(call.slots, count);
                Val::read_all(call.store, args, params, slots);
                func(Caller::new(call), args, out)?;
                for (value, ty) in out.iter().zip(results) {
                    let incompatible = "function attempted to return an incompatible value";
                    value.check(call.store, *ty).context(incompatible)?;
                }
                // Not borrowed meanwhile: collections look through all frames.
                let slots = std::slice::from_raw_parts_mut(call.slots, count);
                Val::write_all(call.store, out, results, slots);
            }
            Ok(())
        })
    })
}

/// Values that are on the native stack while a host function runs, not on the heap.
const INLINE: usize = 16;

/// Runs `work` with so many copies of a value.
#[inline(always)]
pub(super) fn with_copies<V: Copy, R>(
    count: usize,
    value: V,
    work: impl FnOnce(&mut [V]) -> R,
) -> R {
    let mut inline = [const { MaybeUninit::<V>::uninit() }; INLINE];
    let mut heap;
    let values = match inline.get_mut(..count) {
        Some(inline) => {
            for place in &mut *inline {
                // Lest the loop become a library call, which takes longer.
                // SAFETY: the place is ours.
                unsafe { place.as_mut_ptr().write_volatile(value) };
            }
            // SAFETY: all have just been written.
            unsafe { &mut *(std::ptr::from_mut(inline) as *mut [V]) }
        }
        None => {
            heap = vec![value; count];
            &mut heap[..]
        }
    };
    work(values)
}

/// The code of a host function over raw slots; numeric types only.
pub(crate) fn slots_code<T: 'static>(
    ty: &FuncType,
    func: impl Fn(Caller<'_, T>, &mut [u64]) -> Result<()> + Send + Sync + 'static,
) -> HostCode {
    let ty = ty.clone();
    host_code::<Visits, _>(move |call| {
        // SAFETY: the closure is for stores with this data, and functions of this type.
        unsafe { over_slots(call, &ty, &func) }
    })
}

/// Does what a host function over raw slots has to do, on a copy of its slots.
///
/// # Safety
///
/// The call is one of a function of this type, in a store with data of type `T`.
#[inline(always)]
pub(super) unsafe fn over_slots<T: 'static>(
    call: HostCall,
    ty: &FuncType,
    func: impl FnOnce(Caller<'_, T>, &mut [u64]) -> Result<()>,
) -> Result<()> {
    let params = ty.params_slice().len();
    // A copy, for collections look through all frames while the function runs. What
    // lies behind the arguments is none of its business.
    with_copies(params.max(ty.results_slice().len()), 0, |slots: &mut [u64]| {
        // SAFETY: the frame of the call has these slots, and the store has this data.
        unsafe {
            for (at, slot) in slots[..params].iter_mut().enumerate() {
                *slot = call.slots.add(at).read_volatile();
            }
            func(Caller::new(call), slots)?;
            for (at, (slot, ty)) in slots.iter().zip(ty.results_slice()).enumerate() {
                // Code relies on it that the upper half of a narrow slot is zero.
                let slot = match ty {
                    ValType::I32 | ValType::F32 => slot & u64::from(u32::MAX),
                    ValType::I64 | ValType::F64 | ValType::V128 | ValType::Ref(_) => *slot,
                };
                call.slots.add(at).write(slot);
            }
        }
        Ok(())
    })
}
