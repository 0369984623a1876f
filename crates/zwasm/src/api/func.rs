//! Functions: calling them, and making them from closures.

use std::marker::PhantomData;

use super::boundary::{self, host_code};
use super::exception::ExnRef;
use super::externs::Extern;
use super::gc::ExternRef;
use super::store::{AsContext, AsContextMut, StoreContext, StoreContextMut, expect};
use super::val::Val;
use crate::error::{Error, ErrorKind, Result};
use crate::stack::activation::HostCall;
use crate::store::stored::Stored;
use crate::store::vmctx::{FuncRecord, VmCtx};
use crate::store::{HostCode, StoreCore};
use crate::types::{FuncType, ValType};

/// A function of a store.
///
/// ```
/// use zwasm::{Engine, Func, Store, Val};
/// let mut store = Store::new(&Engine::default(), ());
/// let add = Func::wrap(&mut store, |a: i32, b: i32| a + b);
/// let mut results = [Val::I32(0)];
/// add.call(&mut store, &[Val::I32(2), Val::I32(3)], &mut results)?;
/// assert_eq!(results[0].i32(), Some(5));
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Func(pub(crate) Stored<FuncRecord>);

/// Slots that fit on the stack of a call from the host.
const INLINE_SLOTS: usize = 32;

/// Runs `work` with this many zeroed slots.
fn with_slots<R>(count: usize, work: impl FnOnce(&mut [u64]) -> R) -> R {
    if count <= INLINE_SLOTS {
        let mut slots = [0; INLINE_SLOTS];
        work(&mut slots[..count])
    } else {
        work(&mut vec![0; count])
    }
}

fn slots_of(types: &[ValType]) -> usize {
    types.iter().map(|ty| ty.kind().slots() as usize).sum()
}

impl Func {
    /// A host function from a closure over typed values.
    pub fn wrap<T: 'static, P, R>(
        mut store: impl AsContextMut<Data = T>,
        func: impl IntoFunc<T, P, R>,
    ) -> Func {
        let (ty, code) = func.into_func();
        // SAFETY: the closure is for stores with this data.
        unsafe { Func::from_code(store.as_context_mut().core(), &ty, code) }
    }

    /// A host function from a closure over values of a type known at run time.
    ///
    /// # Panics
    ///
    /// If the type names one of another engine.
    #[track_caller]
    pub fn new<T: 'static>(
        store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        match Func::try_new(store, ty, func) {
            Ok(func) => func,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`Func::new`].
    ///
    /// # Errors
    ///
    /// If the type names one of another engine.
    pub fn try_new<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Func> {
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive, and the closure is for stores with its data.
        unsafe {
            (*core).engine.types().check(ty.all())?;
            // What the closure gives is checked against what the guest takes it for.
            let ty = (*core).engine.types().define_func(ty);
            let code = dynamic_code(ty.clone(), func);
            Ok(Func::from_code(core, &ty, code))
        }
    }

    /// A host function over raw slots: the arguments' 64-bit slots come in and the
    /// results' are left in their place, from index 0. The cheapest form, for numbers
    /// only.
    ///
    /// # Errors
    ///
    /// If the type has references or vectors in it.
    pub fn from_slots<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &mut [u64]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Func> {
        if !is_scalar(&ty) {
            return Err(Error::msg(format!("a {ty} is not over numbers only")));
        }
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive, and the closure is for stores with its data.
        unsafe {
            let ty = (*core).engine.types().define_func(ty);
            let code = slots_code(&ty, func);
            Ok(Func::from_code(core, &ty, code))
        }
    }

    /// The function as one that is called over raw slots.
    ///
    /// # Errors
    ///
    /// If the function is not over numbers only, has more than 64 parameters, or is of
    /// another store.
    pub fn slots(&self, store: impl AsContext) -> Result<SlotFunc> {
        let context = store.as_context();
        let ty = context.engine().types().func_type(self.0.of(&context)?.ty);
        let (params, results) = (ty.params().len(), ty.results().len());
        if !is_scalar(&ty) || params > u64::BITS as usize {
            return Err(Error::msg(format!("a {ty} cannot be called over slots")));
        }
        let narrow = |ty| matches!(ty, ValType::I32 | ValType::F32);
        let narrow = ty.params().enumerate().map(|(at, ty)| u64::from(narrow(ty)) << at).sum();
        Ok(SlotFunc { func: *self, count: params.max(results), params, narrow })
    }

    /// # Safety
    ///
    /// `core` is valid, and `code` is for stores with its data.
    pub(crate) unsafe fn from_code(core: *mut StoreCore, ty: &FuncType, code: HostCode) -> Func {
        // SAFETY: by the contract.
        unsafe { Func(Stored::new(core, StoreCore::add_host_func(core, ty, code))) }
    }

    /// The reference as slots hold it; that to a function of another store is none.
    pub(crate) fn to_slot(func: Option<Func>, core: *const StoreCore) -> u64 {
        let record = func.and_then(|func| func.0.checked(core));
        // SAFETY: records live as long as the store.
        record.map_or(0, |record| u64::from(unsafe { record.as_ref() }.number))
    }

    /// # Safety
    ///
    /// `core` is valid.
    pub(crate) unsafe fn from_slot(core: *const StoreCore, slot: u64) -> Option<Func> {
        // SAFETY: by the contract.
        unsafe { (*core).functions.get(slot).map(|record| Func(Stored::new(core, record))) }
    }

    /// The function's type.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn ty(&self, store: impl AsContext) -> FuncType {
        let context = store.as_context();
        let ty = expect(self.0.of(&context)).ty;
        context.engine().types().func_type(ty)
    }

    /// Whether calls of the function run machine code. A function that is still
    /// interpreted may become compiled; none is ever interpreted again.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn is_compiled(&self, store: impl AsContext) -> bool {
        let context = store.as_context();
        let record = expect(self.0.of(&context));
        #[cfg(optimizer)]
        if context.core_ref().code_at(record.code.cast()).is_some() {
            return true;
        }
        let code = context.core_ref().code_at(record.body);
        code.is_some_and(|(code, _)| code.is_machine_code())
    }

    /// Whether calls of the function run optimised code.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[doc(hidden)]
    #[track_caller]
    pub fn is_optimized(&self, store: impl AsContext) -> bool {
        let context = store.as_context();
        let record = expect(self.0.of(&context));
        #[cfg(optimizer)]
        return context.core_ref().code_at(record.code.cast()).is_some();
        #[cfg(not(optimizer))]
        {
            let _ = record;
            false
        }
    }

    /// Calls the function.
    ///
    /// # Errors
    ///
    /// If number or types of the arguments are wrong or the function is of another
    /// store, or whatever stopped the function: a trap or a host function's error.
    pub fn call(
        &self,
        mut store: impl AsContextMut,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let context = store.as_context_mut();
        let core = context.core();
        let record = self.0.find(core)?;
        let ty = self.0.of(&context.as_context())?.ty;
        let ty = context.engine().types().func_type(ty);
        count("arguments", ty.params().len(), params.len())?;
        count("results", ty.results().len(), results.len())?;
        for (value, ty) in params.iter().zip(ty.params()) {
            value.check(core, ty)?;
        }
        let slots = slots_of(ty.params_slice()).max(slots_of(ty.results_slice()));
        with_slots(slots, |slots| {
            Val::write_all(core, params, ty.params_slice(), slots);
            // SAFETY: the context is exclusive, and the arguments have been checked.
            unsafe {
                boundary::call(core, record.as_ref().vmctx, record.as_ptr(), slots)?;
                Val::read_all(core, results, ty.results_slice(), slots);
                results.iter().for_each(|value| value.keep(core));
            }
            Ok(())
        })
    }

    /// The function with its types known to the compiler.
    ///
    /// # Errors
    ///
    /// If the function has other types or is of another store.
    pub fn typed<P: WasmParams, R: WasmResults>(
        &self,
        store: impl AsContext,
    ) -> Result<TypedFunc<P, R>> {
        let context = store.as_context();
        let ty = context.engine().types().func_type(self.0.of(&context)?.ty);
        let want = FuncType::new(P::types(), R::types());
        if ty != want {
            return Err(Error::of_kind(
                ErrorKind::Host,
                format!("type mismatch: the function is a {ty}, not a {want}"),
            ));
        }
        Ok(TypedFunc { func: *self, types: PhantomData })
    }
}

fn count(what: &str, want: usize, got: usize) -> Result<()> {
    if want == got {
        return Ok(());
    }
    Err(Error::of_kind(ErrorKind::Host, format!("expected {want} {what}, got {got}")))
}

/// Whether all parameters and results are numbers that fill a slot each.
pub(super) fn is_scalar(ty: &FuncType) -> bool {
    let scalar = |ty: ValType| ty.is_numeric() && ty != ValType::V128;
    ty.params().chain(ty.results()).all(scalar)
}

/// A function over numbers that is called over raw slots; see [`Func::slots`].
///
/// ```
/// use zwasm::{Engine, Func, Store};
/// let mut store = Store::new(&Engine::default(), ());
/// let add = Func::wrap(&mut store, |a: i32, b: i32| a + b).slots(&store)?;
/// let mut slots = [2, 3];
/// add.call(&mut store, &mut slots)?;
/// assert_eq!(slots[0], 5);
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct SlotFunc {
    func: Func,
    /// Parameters or results, whichever are more.
    count: usize,
    params: usize,
    /// Which parameters fill half of their slot, a bit each.
    narrow: u64,
}

impl SlotFunc {
    /// The function itself.
    pub fn func(&self) -> Func {
        self.func
    }

    /// Calls the function. The first slots are the arguments, then they are the results;
    /// of a 32-bit argument the upper half does not count.
    ///
    /// # Errors
    ///
    /// As [`Func::call`], and if there are fewer slots than parameters or results.
    pub fn call(&self, mut store: impl AsContextMut, slots: &mut [u64]) -> Result<()> {
        let core = store.as_context_mut().core();
        let record = self.func.0.find(core)?;
        if slots.len() < self.count {
            return count("slots", self.count, slots.len());
        }
        for (at, slot) in slots[..self.params].iter_mut().enumerate() {
            // Code relies on it that the upper half of a narrow slot is zero.
            if self.narrow >> at & 1 == 1 {
                *slot &= u64::from(u32::MAX);
            }
        }
        let slots = &mut slots[..self.count];
        // SAFETY: the context is exclusive, and as many slots as the function has hold
        // numbers.
        unsafe { boundary::call(core, record.as_ref().vmctx, record.as_ptr(), slots) }
    }
}

/// A function whose types the compiler knows.
///
/// ```
/// use zwasm::{Engine, Func, Store};
/// let mut store = Store::new(&Engine::default(), ());
/// let func = Func::wrap(&mut store, |a: i64, b: f64| (b, a));
/// let typed = func.typed::<(i64, f64), (f64, i64)>(&store)?;
/// assert_eq!(typed.call(&mut store, (1, 2.5))?, (2.5, 1));
/// # Ok::<(), zwasm::Error>(())
/// ```
pub struct TypedFunc<P, R> {
    func: Func,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> Copy for TypedFunc<P, R> {}

impl<P: WasmParams, R: WasmResults> TypedFunc<P, R> {
    /// The function without its types.
    pub fn func(&self) -> &Func {
        &self.func
    }

    /// Calls the function.
    ///
    /// # Errors
    ///
    /// As [`Func::call`].
    pub fn call(&self, mut store: impl AsContextMut, params: P) -> Result<R> {
        let core = store.as_context_mut().core();
        let record = self.func.0.find(core)?;
        with_slots(P::COUNT.max(R::COUNT), |slots| {
            // SAFETY: the context is exclusive, and the types were compared.
            unsafe {
                params.store(core, slots)?;
                boundary::call(core, record.as_ref().vmctx, record.as_ptr(), slots)?;
                Ok(R::load(core, slots))
            }
        })
    }
}

/// What a host function can use of the guest that called it: the store, and the
/// exports of the calling instance.
///
/// ```
/// use zwasm::{Caller, Engine, Linker};
/// let mut linker = Linker::<u32>::new(&Engine::default());
/// linker.func_wrap("env", "count", |mut caller: Caller<'_, u32>| *caller.data_mut() += 1)?;
/// # Ok::<(), zwasm::Error>(())
/// ```
pub struct Caller<'a, T> {
    store: StoreContextMut<'a, T>,
    vm: *mut VmCtx,
}

impl<'a, T> Caller<'a, T> {
    /// # Safety
    ///
    /// The call is in progress in a store with data of type `T`.
    unsafe fn new(call: &HostCall) -> Caller<'a, T> {
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

impl<T> AsContext for Caller<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        self.store.as_context()
    }
}

impl<T> AsContextMut for Caller<'_, T> {
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
                value.check(call.store, *ty)?;
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

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that stands for a WebAssembly type.
///
/// # Safety
///
/// Slots get and hold values of exactly the types that are named; only this crate
/// implements it.
pub unsafe trait WasmTy: sealed::Sealed + Sized {
    #[doc(hidden)]
    fn val_type() -> ValType;
    #[doc(hidden)]
    /// # Safety
    ///
    /// `core` is a store's, and nothing else uses it meanwhile.
    unsafe fn into_slot(self, core: *mut StoreCore) -> Result<u64>;
    #[doc(hidden)]
    /// # Safety
    ///
    /// The slot holds a value of this type in the store.
    unsafe fn from_slot(core: *mut StoreCore, slot: u64) -> Self;
}

macro_rules! wasm_ty {
    ($($rust:ty, $ty:ident, $value:ident => $into:expr, $slot:ident => $from:expr;)*) => {$(
        impl sealed::Sealed for $rust {}
        // SAFETY: each value is written and read as the type that is named.
        unsafe impl WasmTy for $rust {
            fn val_type() -> ValType {
                ValType::$ty
            }
            unsafe fn into_slot(self, _: *mut StoreCore) -> Result<u64> {
                let $value = self;
                Ok($into)
            }
            unsafe fn from_slot(_: *mut StoreCore, $slot: u64) -> Self {
                $from
            }
        }
    )*};
}

wasm_ty! {
    i32, I32, value => u64::from(value as u32), slot => slot as i32;
    u32, I32, value => u64::from(value), slot => slot as u32;
    i64, I64, value => value as u64, slot => slot as i64;
    u64, I64, value => value, slot => slot;
    f32, F32, value => u64::from(value.to_bits()), slot => f32::from_bits(slot as u32);
    f64, F64, value => value.to_bits(), slot => f64::from_bits(slot);
}

impl sealed::Sealed for Option<Func> {}
// SAFETY: each value is written and read as the type that is named.
unsafe impl WasmTy for Option<Func> {
    fn val_type() -> ValType {
        ValType::FUNCREF
    }
    unsafe fn into_slot(self, core: *mut StoreCore) -> Result<u64> {
        Val::FuncRef(self).check(core, ValType::FUNCREF)?;
        Ok(Func::to_slot(self, core))
    }
    unsafe fn from_slot(core: *mut StoreCore, slot: u64) -> Self {
        // SAFETY: by the contract.
        unsafe { Func::from_slot(core, slot) }
    }
}

impl sealed::Sealed for Option<ExternRef> {}
// SAFETY: each value is written and read as the type that is named.
unsafe impl WasmTy for Option<ExternRef> {
    fn val_type() -> ValType {
        ValType::EXTERNREF
    }
    unsafe fn into_slot(self, core: *mut StoreCore) -> Result<u64> {
        ExternRef::to_slot(self, core)
    }
    unsafe fn from_slot(core: *mut StoreCore, slot: u64) -> Self {
        // SAFETY: by the contract.
        unsafe { ExternRef::from_slot(core, slot) }
    }
}

impl sealed::Sealed for Option<ExnRef> {}
// SAFETY: each value is written and read as the type that is named.
unsafe impl WasmTy for Option<ExnRef> {
    fn val_type() -> ValType {
        ValType::EXNREF
    }
    unsafe fn into_slot(self, core: *mut StoreCore) -> Result<u64> {
        Val::ExnRef(self).check(core, ValType::EXNREF)?;
        Ok(self.map_or(0, |exn| exn.reference()))
    }
    unsafe fn from_slot(core: *mut StoreCore, slot: u64) -> Self {
        // SAFETY: by the contract.
        unsafe {
            let exn = ExnRef::from_slot(core, slot);
            Val::ExnRef(exn).keep(core);
            exn
        }
    }
}

/// Parameters of a [`TypedFunc`]: one type, or a tuple of them.
///
/// # Safety
///
/// Slots get and hold values of exactly the types that are named; only this crate
/// implements it.
pub unsafe trait WasmParams: Sized {
    #[doc(hidden)]
    const COUNT: usize;
    #[doc(hidden)]
    fn types() -> Vec<ValType>;
    #[doc(hidden)]
    /// # Safety
    ///
    /// As for [`WasmTy::into_slot`].
    unsafe fn store(self, core: *mut StoreCore, slots: &mut [u64]) -> Result<()>;
}

/// Results of a [`TypedFunc`]: one type, or a tuple of them.
///
/// # Safety
///
/// Slots get and hold values of exactly the types that are named; only this crate
/// implements it.
pub unsafe trait WasmResults: Sized {
    #[doc(hidden)]
    const COUNT: usize;
    #[doc(hidden)]
    fn types() -> Vec<ValType>;
    #[doc(hidden)]
    /// # Safety
    ///
    /// The slots hold values of these types in the store.
    unsafe fn load(core: *mut StoreCore, slots: &[u64]) -> Self;
}

/// What a host function's closure may return: results, or a `Result` of them.
///
/// # Safety
///
/// Slots get and hold values of exactly the types that are named; only this crate
/// implements it.
pub unsafe trait WasmRet {
    #[doc(hidden)]
    const COUNT: usize;
    #[doc(hidden)]
    fn types() -> Vec<ValType>;
    #[doc(hidden)]
    /// # Safety
    ///
    /// As for [`WasmTy::into_slot`].
    unsafe fn store(self, core: *mut StoreCore, slots: &mut [u64]) -> Result<()>;
}

// SAFETY: each value is written and read as the type that is named.
unsafe impl<T: WasmTy> WasmParams for T {
    const COUNT: usize = 1;
    fn types() -> Vec<ValType> {
        vec![T::val_type()]
    }
    unsafe fn store(self, core: *mut StoreCore, slots: &mut [u64]) -> Result<()> {
        // SAFETY: by the contract.
        slots[0] = unsafe { self.into_slot(core)? };
        Ok(())
    }
}

// SAFETY: each value is written and read as the type that is named.
unsafe impl<T: WasmTy> WasmResults for T {
    const COUNT: usize = 1;
    fn types() -> Vec<ValType> {
        vec![T::val_type()]
    }
    unsafe fn load(core: *mut StoreCore, slots: &[u64]) -> Self {
        // SAFETY: by the contract.
        unsafe { T::from_slot(core, slots[0]) }
    }
}

// SAFETY: each value is written and read as the type that is named.
unsafe impl<T: WasmTy> WasmRet for T {
    const COUNT: usize = 1;
    fn types() -> Vec<ValType> {
        vec![T::val_type()]
    }
    unsafe fn store(self, core: *mut StoreCore, slots: &mut [u64]) -> Result<()> {
        // SAFETY: by the contract.
        unsafe { WasmParams::store(self, core, slots) }
    }
}

// SAFETY: each value is written and read as the type that is named.
unsafe impl<R: WasmRet> WasmRet for Result<R> {
    const COUNT: usize = R::COUNT;
    fn types() -> Vec<ValType> {
        R::types()
    }
    unsafe fn store(self, core: *mut StoreCore, slots: &mut [u64]) -> Result<()> {
        // SAFETY: by the contract.
        unsafe { self?.store(core, slots) }
    }
}

/// A closure that can be a host function: up to 16 parameters, with or without a
/// [`Caller`] before them.
///
/// # Safety
///
/// Slots get and hold values of exactly the types that are named; only this crate
/// implements it.
pub unsafe trait IntoFunc<T, P, R>: Send + Sync + 'static {
    #[doc(hidden)]
    fn into_func(self) -> (FuncType, HostCode);
}

macro_rules! tuples {
    ($count:literal $($name:ident)*) => {
        #[allow(
            non_snake_case,
            unused_variables,
            unused_mut,
            unused_assignments,
            clippy::unused_unit,
            reason = "one macro for all arities, 0 included"
        )]
        // SAFETY: each value is written and read as the type that is named.
        unsafe impl<$($name: WasmTy),*> WasmParams for ($($name,)*) {
            const COUNT: usize = $count;
            fn types() -> Vec<ValType> {
                vec![$($name::val_type()),*]
            }
            unsafe fn store(self, core: *mut StoreCore, slots: &mut [u64]) -> Result<()> {
                let ($($name,)*) = self;
                let mut at = 0;
                // SAFETY: by the contract.
                $(slots[at] = unsafe { $name.into_slot(core)? }; at += 1;)*
                Ok(())
            }
        }

        #[allow(
            non_snake_case,
            unused_variables,
            unused_mut,
            unused_assignments,
            clippy::unused_unit,
            reason = "one macro for all arities, 0 included"
        )]
        // SAFETY: each value is written and read as the type that is named.
        unsafe impl<$($name: WasmTy),*> WasmResults for ($($name,)*) {
            const COUNT: usize = $count;
            fn types() -> Vec<ValType> {
                vec![$($name::val_type()),*]
            }
            unsafe fn load(core: *mut StoreCore, slots: &[u64]) -> Self {
                let mut at = 0;
                // SAFETY: by the contract.
                $(let $name = unsafe { $name::from_slot(core, slots[at]) }; at += 1;)*
                ($($name,)*)
            }
        }

        // SAFETY: each value is written and read as the type that is named.
        unsafe impl<$($name: WasmTy),*> WasmRet for ($($name,)*) {
            const COUNT: usize = $count;
            fn types() -> Vec<ValType> {
                vec![$($name::val_type()),*]
            }
            unsafe fn store(self, core: *mut StoreCore, slots: &mut [u64]) -> Result<()> {
                // SAFETY: by the contract.
                unsafe { WasmParams::store(self, core, slots) }
            }
        }

        #[allow(non_snake_case, reason = "type names serve as variables")]
        // SAFETY: each value is written and read as the type that is named.
        unsafe impl<T: 'static, Fun, Ret: WasmRet, $($name: WasmTy + 'static),*> IntoFunc<T, ($($name,)*), Ret> for Fun
        where
            Fun: Fn($($name),*) -> Ret + Send + Sync + 'static,
        {
            fn into_func(self) -> (FuncType, HostCode) {
                let func = move |_: Caller<'_, T>, $($name: $name),*| self($($name),*);
                IntoFunc::<T, (Caller<'_, T>, $($name,)*), Ret>::into_func(func)
            }
        }

        #[allow(
            non_snake_case,
            unused_variables,
            unused_mut,
            unused_assignments,
            clippy::unused_unit,
            reason = "one macro for all arities, 0 included"
        )]
        // SAFETY: each value is written and read as the type that is named.
        unsafe impl<T: 'static, Fun, Ret: WasmRet, $($name: WasmTy + 'static),*> IntoFunc<T, (Caller<'_, T>, $($name,)*), Ret> for Fun
        where
            Fun: Fn(Caller<'_, T>, $($name),*) -> Ret + Send + Sync + 'static,
        {
            fn into_func(self) -> (FuncType, HostCode) {
                let ty = FuncType::new([$($name::val_type()),*], Ret::types());
                let count = const { if Ret::COUNT > $count { Ret::COUNT } else { $count } };
                let code = move |call: HostCall| {
                    // SAFETY: the frame of the call has these slots, and its arguments
                    // have the function's types.
                    unsafe {
                        let mut at = 0;
                        $(let $name = $name::from_slot(call.store, *call.slots.add(at)); at += 1;)*
                        let result = self(Caller::new(&call), $($name),*);
                        let slots = std::slice::from_raw_parts_mut(call.slots, count);
                        result.store(call.store, slots)
                    }
                };
                (ty, host_code(code))
            }
        }
    };
}

tuples!(0);
tuples!(1 A1);
tuples!(2 A1 A2);
tuples!(3 A1 A2 A3);
tuples!(4 A1 A2 A3 A4);
tuples!(5 A1 A2 A3 A4 A5);
tuples!(6 A1 A2 A3 A4 A5 A6);
tuples!(7 A1 A2 A3 A4 A5 A6 A7);
tuples!(8 A1 A2 A3 A4 A5 A6 A7 A8);
tuples!(9 A1 A2 A3 A4 A5 A6 A7 A8 A9);
tuples!(10 A1 A2 A3 A4 A5 A6 A7 A8 A9 A10);
tuples!(11 A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11);
tuples!(12 A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12);
tuples!(13 A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13);
tuples!(14 A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14);
tuples!(15 A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15);
tuples!(16 A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16);
