//! Functions: calling them, and making them from closures.

use std::marker::PhantomData;

use super::boundary;
use super::caller::{Caller, dynamic_code, slots_code};
use super::store::{AsContext, AsContextMut, expect};
use super::types::{FuncType, ValType};
use super::val::Val;
use super::wasm_ty::{IntoFunc, WasmParams, WasmResults};
use crate::engine::Engine;
use crate::error::{Context, Error, Result};
use crate::store::stored::Stored;
use crate::store::vmctx::FuncRecord;
use crate::store::{HostCode, StoreCore};
use crate::types::{self, HeapType};

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

pub(super) fn slots_of(types: &[types::ValType]) -> usize {
    types.iter().map(|ty| ty.kind().slots() as usize).sum()
}

impl Func {
    /// A host function from a closure over typed values.
    pub fn wrap<T: 'static, P, R>(
        mut store: impl AsContextMut<Data = T>,
        func: impl IntoFunc<T, P, R>,
    ) -> Func {
        let context = store.as_context_mut();
        let (ty, code) = func.into_func(context.engine());
        // SAFETY: the closure is for stores with this data.
        unsafe { Func::from_code(context.core(), ty.inner(), code) }
    }

    /// As [`Func::wrap`].
    ///
    /// # Errors
    ///
    /// None; where others have some.
    pub fn try_wrap<T: 'static, P, R>(
        store: impl AsContextMut<Data = T>,
        func: impl IntoFunc<T, P, R>,
    ) -> Result<Func> {
        Ok(Func::wrap(store, func))
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
        let context = store.as_context_mut();
        same_engine(&ty, context.engine())?;
        // What the closure gives is checked against what the guest takes it for.
        let code = dynamic_code(ty.inner().clone(), func);
        // SAFETY: the context is exclusive, and the closure is for stores with its data.
        unsafe { Ok(Func::from_code(context.core(), ty.inner(), code)) }
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
        let context = store.as_context_mut();
        same_engine(&ty, context.engine())?;
        if !is_scalar(ty.inner()) {
            return Err(Error::msg(format!("a {ty} is not over numbers only")));
        }
        let code = slots_code(ty.inner(), func);
        // SAFETY: the context is exclusive, and the closure is for stores with its data.
        unsafe { Ok(Func::from_code(context.core(), ty.inner(), code)) }
    }

    /// The function as one that is called over raw slots.
    ///
    /// # Errors
    ///
    /// If the function is not over numbers only, has more than 64 parameters, or is of
    /// another store.
    pub fn slots(&self, store: impl AsContext) -> Result<SlotFunc> {
        let context = store.as_context();
        let (id, types) = (self.0.of(&context)?.ty, context.engine().types().read());
        match types.func_type(id) {
            Some(ty) => SlotFunc::over(*self, ty),
            None => SlotFunc::over(*self, &types::FuncType::new([], [])),
        }
    }

    /// # Safety
    ///
    /// `core` is valid, and `code` is for stores with its data.
    pub(crate) unsafe fn from_code(
        core: *mut StoreCore,
        ty: &types::FuncType,
        code: HostCode,
    ) -> Func {
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
        FuncType::of(context.engine(), context.engine().types().func_type(ty))
    }

    /// Whether the function can be used as one of a type.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn matches_ty(&self, store: impl AsContext, func_ty: &FuncType) -> bool {
        self.ty(store).matches(func_ty)
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
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive. The slots hold values of the results' types.
        unsafe {
            self.call_in(core, params, results.len(), |ty, slots| {
                Val::read_all(core, results, ty.results_slice(), slots);
            })
        }
    }

    /// The same with as many results as are `wanted`, of which `read` is given the slots.
    ///
    /// # Errors
    ///
    /// As [`Func::call`].
    ///
    /// # Safety
    ///
    /// `core` is valid and ours alone; `read` does not run the guest.
    #[inline]
    pub(super) unsafe fn call_in<R>(
        &self,
        core: *mut StoreCore,
        params: &[Val],
        wanted: usize,
        read: impl FnOnce(&types::FuncType, &[u64]) -> R,
    ) -> Result<R> {
        let record = self.0.find(core)?;
        // SAFETY: by the contract.
        let ty = unsafe { &*StoreCore::called_type(core, record.as_ref().ty) };
        count("arguments", ty.params().len(), params.len())?;
        count("results", ty.results().len(), wanted)?;
        for (value, ty) in params.iter().zip(ty.params()) {
            value.check(core, ty).context("argument type mismatch")?;
        }
        let count = slots_of(ty.params_slice()).max(slots_of(ty.results_slice()));
        // SAFETY: by the contract, and the arguments have been checked. As many slots are the
        // call's.
        unsafe {
            let slots = boundary::slots(core, count)?;
            let all = || std::slice::from_raw_parts_mut(slots, count);
            Val::write_all(core, params, ty.params_slice(), all());
            boundary::call(core, record.as_ref().vmctx, record.as_ptr(), slots, count, || {
                read(ty, all())
            })
        }
    }

    /// The results of a call in its slots.
    ///
    /// # Errors
    ///
    /// If the function is of another store.
    ///
    /// # Safety
    ///
    /// `core` is valid and ours alone, and the slots hold as many values of the results'
    /// types.
    #[cfg(feature = "async")]
    pub(super) unsafe fn read_results(
        &self,
        core: *mut StoreCore,
        slots: &[u64],
        results: &mut [Val],
    ) -> Result<()> {
        let record = self.0.find(core)?;
        // SAFETY: by the contract.
        unsafe {
            let ty = &*StoreCore::called_type(core, record.as_ref().ty);
            Val::read_all(core, results, ty.results_slice(), slots);
        }
        Ok(())
    }

    /// The function with its types known to the compiler. Its parameters take all values of
    /// the Rust types, its results give no others; a parameter of a defined type takes what
    /// is of it, which each call finds out.
    ///
    /// # Errors
    ///
    /// If the function has other types or is of another store.
    pub fn typed<P: WasmParams, R: WasmResults>(
        &self,
        store: impl AsContext,
    ) -> Result<TypedFunc<P, R>> {
        let context = store.as_context();
        let ty = self.0.of(&context)?.ty;
        let checked = check_types::<P, R>(context.engine(), ty)?;
        Ok(TypedFunc { func: *self, checked, types: PhantomData })
    }
}

/// Makes sure that a type is of an engine.
pub(super) fn same_engine(ty: &FuncType, engine: &Engine) -> Result<()> {
    match Engine::same(ty.engine(), engine) {
        true => Ok(()),
        false => Err(Error::msg("the function's type is of the wrong engine, another one")),
    }
}

/// Makes sure that a function can be called with and as these types; whether arguments
/// have to be looked at in each call.
fn check_types<P: WasmParams, R: WasmResults>(engine: &Engine, id: u32) -> Result<bool> {
    let ty = engine.types().func_type(id);
    let mut checked = false;
    let mut param = |ours: types::ValType, theirs: types::ValType| {
        let types = engine.types().read();
        if let (types::ValType::Ref(ours), types::ValType::Ref(theirs)) = (ours, theirs)
            && let HeapType::Concrete(_) = theirs.heap_type()
            && !types.ref_matches(ours, theirs)
        {
            checked = true;
            return types.heap_matches(top(&types, ours), top(&types, theirs));
        }
        types.val_matches(ours, theirs)
    };
    compare(engine, &P::types(), ty.params_slice(), &mut param)
        .context("type mismatch with parameters")?;
    let mut result = |ours, theirs| engine.types().read().val_matches(theirs, ours);
    compare(engine, &R::types(), ty.results_slice(), &mut result)
        .context("type mismatch with results")?;
    Ok(checked)
}

/// The type that all related to a reference's have in common.
fn top(types: &types::Types, ty: types::RefType) -> HeapType {
    let tops = [HeapType::Func, HeapType::Extern, HeapType::Exn];
    let found = tops.into_iter().find(|top| types.heap_matches(ty.heap_type(), *top));
    found.unwrap_or(HeapType::Any)
}

fn compare(
    engine: &Engine,
    ours: &[ValType],
    theirs: &[types::ValType],
    fits: &mut dyn FnMut(types::ValType, types::ValType) -> bool,
) -> Result<()> {
    if ours.len() != theirs.len() {
        let (want, got) = (ours.len(), theirs.len());
        return Err(Error::msg(format!("expected {want} types, found {got}")));
    }
    for (ours, &theirs) in ours.iter().zip(theirs) {
        if !fits(ours.inner(), theirs) {
            let theirs = ValType::of(engine, theirs);
            return Err(Error::msg(format!("type mismatch: expected {ours}, found {theirs}")));
        }
    }
    Ok(())
}

pub(super) fn count(what: &str, want: usize, got: usize) -> Result<()> {
    if want == got {
        return Ok(());
    }
    Err(Error::msg(format!("expected {want} {what}, got {got}")))
}

/// Whether all parameters and results are numbers that fill a slot each.
pub(super) fn is_scalar(ty: &types::FuncType) -> bool {
    let scalar = |ty: types::ValType| ty.is_numeric() && ty != types::ValType::V128;
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
    /// A function of this type; see [`Func::slots`].
    pub(super) fn over(func: Func, ty: &types::FuncType) -> Result<SlotFunc> {
        let (params, results) = (ty.params().len(), ty.results().len());
        if !is_scalar(ty) || params > u64::BITS as usize {
            return Err(Error::msg(format!("a {ty} cannot be called over slots")));
        }
        let narrow = |ty| matches!(ty, types::ValType::I32 | types::ValType::F32);
        let narrow = ty.params().enumerate().map(|(at, ty)| u64::from(narrow(ty)) << at).sum();
        Ok(SlotFunc { func, count: params.max(results), params, narrow })
    }

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
        // SAFETY: the context is exclusive, and as many slots as the function has hold
        // numbers.
        unsafe {
            let own = boundary::slots(core, self.count)?;
            for (at, slot) in slots[..self.params].iter().enumerate() {
                // Code relies on it that the upper half of a narrow slot is zero.
                let narrow = self.narrow >> at & 1 == 1;
                own.add(at).write(if narrow { *slot & u64::from(u32::MAX) } else { *slot });
            }
            boundary::call(core, record.as_ref().vmctx, record.as_ptr(), own, self.count, || {
                for (at, slot) in slots[..self.count].iter_mut().enumerate() {
                    // Lest the loop become a library call, which takes longer.
                    *slot = own.add(at).read_volatile();
                }
            })
        }
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
    /// Whether the types of arguments have to be looked at in each call.
    checked: bool,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> Copy for TypedFunc<P, R> {}

impl<P: WasmParams, R: WasmResults> TypedFunc<P, R> {
    /// A function as one of these types without a look at its own.
    ///
    /// # Safety
    ///
    /// [`Func::typed`] would give it with these types.
    pub unsafe fn new_unchecked(store: impl AsContext, func: Func) -> TypedFunc<P, R> {
        let context = store.as_context();
        let ty = expect(func.0.of(&context)).ty;
        let checked = check_types::<P, R>(context.engine(), ty).unwrap_or(true);
        TypedFunc { func, checked, types: PhantomData }
    }

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
        // SAFETY: the context is exclusive. The slots hold values of the results' types.
        unsafe { self.call_in(core, params, |core, slots| R::load(core, slots.as_ptr())) }
    }

    /// The same, where `read` is given the slots of the results.
    ///
    /// # Errors
    ///
    /// Likewise.
    ///
    /// # Safety
    ///
    /// `core` is valid and ours alone; `read` does not run the guest.
    #[inline]
    pub(super) unsafe fn call_in<O>(
        &self,
        core: *mut StoreCore,
        params: P,
        read: impl FnOnce(*mut StoreCore, &[u64]) -> O,
    ) -> Result<O> {
        let record = self.func.0.find(core)?;
        let count = P::COUNT.max(R::COUNT);
        // SAFETY: by the contract, and the types were compared. As many slots are the call's.
        unsafe {
            let slots = boundary::slots(core, count)?;
            params.store(core, slots)?;
            if self.checked {
                let slots = std::slice::from_raw_parts(slots, count);
                check_arguments(core, record.as_ref(), slots)?;
            }
            boundary::call(core, record.as_ref().vmctx, record.as_ptr(), slots, count, || {
                read(core, std::slice::from_raw_parts(slots, count))
            })
        }
    }
}

/// Makes sure that arguments are of the types of a function's parameters.
///
/// # Safety
///
/// `core` is valid and ours alone, and the slots hold values of the parameters' kinds.
#[cold]
unsafe fn check_arguments(core: *mut StoreCore, record: &FuncRecord, slots: &[u64]) -> Result<()> {
    // SAFETY: by the contract; the handles that are looked at end here.
    unsafe {
        let ty = (*core).engine.types().func_type(record.ty);
        let mut values = vec![Val::I32(0); ty.params_slice().len()];
        let scope = (*core).gc.open_scope();
        Val::read_all(core, &mut values, ty.params_slice(), slots);
        let mut values = values.iter().zip(ty.params());
        let fits = values.try_for_each(|(value, ty)| value.check(core, ty));
        (*core).gc.close_scope(scope);
        fits.context("argument type mismatch")
    }
}
