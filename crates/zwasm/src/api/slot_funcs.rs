//! Host functions that are made once and given to many stores.
//!
//! A function made of a closure takes an allocation or two, and a look at its type. Hosts
//! that make a store for each request make the same functions for each: here one closure
//! does the work of all of them, and is told which one is called, and what the store is
//! that has it by a context, which the store keeps.

use std::marker::PhantomData;
use std::sync::Arc;

use super::boundary::{Shared, shared_code};
use super::caller::Caller;
use super::func::{Func, SlotFunc, is_scalar, same_engine};
use super::store::AsContextMut;
use super::types::FuncType;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::stored::Stored;
use crate::store::{HostCode, HostType, StoreCore};
use crate::types;

/// Host functions over raw slots, as [`Func::from_slots`] makes them, for many stores.
///
/// ```
/// use std::sync::Arc;
/// use zwasm::{Engine, Error, FuncType, SlotFuncs, Store, ValType};
/// let engine = Engine::default();
/// let ty = FuncType::new(&engine, [ValType::I32], [ValType::I32]);
/// // The second function multiplies, by what the context says.
/// let funcs = SlotFuncs::new(&engine, [ty.clone(), ty], |_, by: &u64, number, slots| {
///     slots[0] = if number == 0 { slots[0] + by } else { slots[0] * by };
///     Ok(())
/// })?;
/// let mut store = Store::new(&engine, ());
/// let times = funcs.func(&mut store, &Arc::new(7), 1)?;
/// let times = times.typed::<u32, u32>(&store)?;
/// assert_eq!(times.call(&mut store, 6)?, 42);
/// # Ok::<(), Error>(())
/// ```
pub struct SlotFuncs<T: 'static, C> {
    engine: Engine,
    types: Arc<[types::FuncType]>,
    prepared: Box<[HostType]>,
    code: HostCode,
    _data: Exactly<T>,
    _context: Exactly<C>,
}

/// A type and no sub- or supertype of it: the closure may write what it is given.
type Exactly<A> = PhantomData<fn(A) -> A>;

impl<T: 'static, C: Send + Sync + 'static> SlotFuncs<T, C> {
    /// Functions of these types. The closure is given the context, the number of the
    /// function that is called, and slots as [`Func::from_slots`] says.
    ///
    /// # Errors
    ///
    /// If a type has references or vectors in it, or is of another engine.
    pub fn new(
        engine: &Engine,
        types: impl IntoIterator<Item = FuncType>,
        func: impl Fn(Caller<'_, T>, &C, usize, &mut [u64]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<SlotFuncs<T, C>> {
        let types: Vec<_> = types.into_iter().collect();
        for ty in &types {
            same_engine(ty, engine)?;
            if !is_scalar(ty.inner()) {
                return Err(Error::msg(format!("a {ty} is not over numbers only")));
            }
        }
        let types: Arc<[_]> = types.iter().map(|ty| ty.inner().clone()).collect();
        let prepared = types.iter().map(|ty| HostType::new(engine.types(), ty)).collect();
        let code = shared_code::<T, C, _>(Shared { types: types.clone(), func });
        Ok(SlotFuncs {
            engine: engine.clone(),
            types,
            prepared,
            code,
            _data: PhantomData,
            _context: PhantomData,
        })
    }

    /// The function with this number, in a store that keeps the context.
    ///
    /// # Errors
    ///
    /// If there is no such function, or the store is of another engine.
    pub fn func(
        &self,
        mut store: impl AsContextMut<Data = T>,
        context: &Arc<C>,
        number: usize,
    ) -> Result<Func> {
        let store = store.as_context_mut();
        if !Engine::same(&self.engine, store.engine()) {
            return Err(Error::msg("the functions are of another engine than the store"));
        }
        let ty = self.prepared.get(number);
        let ty = ty.ok_or_else(|| Error::msg(format!("there is no function {number}")))?;
        let core = store.core();
        // SAFETY: the context is exclusive. The code is for closures of this type, for stores
        // with this data and contexts of this type, and the store keeps both.
        unsafe {
            let context = (*core).keep_context(&self.code, context);
            Ok(Func(Stored::new(
                core,
                StoreCore::share_host_func(core, ty, &self.code, context, number as u32),
            )))
        }
    }

    /// The same as one that is called over slots: what [`Func::slots`] makes of it, sooner.
    ///
    /// # Errors
    ///
    /// As [`SlotFuncs::func`] and [`Func::slots`].
    pub fn slot_func(
        &self,
        store: impl AsContextMut<Data = T>,
        context: &Arc<C>,
        number: usize,
    ) -> Result<SlotFunc> {
        let func = self.func(store, context, number)?;
        SlotFunc::over(func, &self.types[number])
    }
}
