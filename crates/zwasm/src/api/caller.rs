//! What the guest calls: the code of host functions, and what it is given.

use super::boundary::host_code;
use super::externs::Extern;
use super::func::{slots_of, with_slots};
use super::module::ModuleExport;
use super::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use super::val::Val;
use crate::error::{Context, Result};
use crate::stack::activation::HostCall;
use crate::store::HostCode;
use crate::store::gc::full::GcHeapOutOfMemory;
use crate::store::vmctx::VmCtx;
use crate::types::{FuncType, ValType};

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
    vm: *mut VmCtx,
}

impl<'a, T: 'static> Caller<'a, T> {
    /// # Safety
    ///
    /// The call is in progress in a store with data of type `T`.
    pub(super) unsafe fn new(call: &HostCall) -> Caller<'a, T> {
        // SAFETY: by the contract.
        Caller { store: unsafe { StoreContextMut::from_core(call.store) }, vm: call.caller }
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

    fn instance(&self) -> Option<&crate::store::instance::InstanceData> {
        // SAFETY: the caller's context is live while it waits for this call.
        unsafe { (*self.vm).instance.as_ref() }
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
    host_code(move |call| {
        let (params, results) = (ty.params_slice(), ty.results_slice());
        let count = slots_of(params).max(slots_of(results));
        let mut args = vec![Val::I32(0); params.len()];
        // A value of another type, so that a result that is not written is an error.
        let mut out: Vec<Val> = results
            .iter()
            .map(|ty| match ty {
                ValType::I32 => Val::FuncRef(None),
                _ => Val::I32(0),
            })
            .collect();
        // SAFETY: the frame of the call has these slots, and its arguments have the
        // function's types; the closure is for stores with this data.
        unsafe {
            let slots = std::slice::from_raw_parts(call.slots, count);
            Val::read_all(call.store, &mut args, params, slots);
            func(Caller::new(&call), &args, &mut out)?;
            for (value, ty) in out.iter().zip(results) {
                let incompatible = "function attempted to return an incompatible value";
                value.check(call.store, *ty).context(incompatible)?;
            }
            // Not borrowed meanwhile: collections look through all frames.
            let slots = std::slice::from_raw_parts_mut(call.slots, count);
            Val::write_all(call.store, &out, results, slots);
        }
        Ok(())
    })
}

/// The code of a host function over raw slots; numeric types only.
pub(crate) fn slots_code<T: 'static>(
    ty: &FuncType,
    func: impl Fn(Caller<'_, T>, &mut [u64]) -> Result<()> + Send + Sync + 'static,
) -> HostCode {
    let params = ty.params().len();
    let count = params.max(ty.results().len());
    // Code relies on it that the upper half of a narrow slot is zero.
    let masks: Box<[u64]> = ty
        .results_slice()
        .iter()
        .map(|ty| match ty {
            ValType::I32 | ValType::F32 => u64::from(u32::MAX),
            _ => u64::MAX,
        })
        .collect();
    host_code(move |call| {
        // A copy, for collections look through all frames while the function runs. What
        // lies behind the arguments is none of its business.
        with_slots(count, |slots| {
            // SAFETY: the frame of the call has these slots; the closure is for stores
            // with this data.
            unsafe {
                call.slots.copy_to_nonoverlapping(slots.as_mut_ptr(), params);
                func(Caller::new(&call), slots)?;
                for (at, (slot, mask)) in slots.iter().zip(&masks).enumerate() {
                    call.slots.add(at).write(slot & mask);
                }
            }
            Ok(())
        })
    })
}
