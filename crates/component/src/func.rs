//! Exported functions.

use std::marker::PhantomData;

use zwasm::{AsContext, AsContextMut, Result};

use crate::types::ComponentFunc;
use crate::{ComponentNamedList, Lift, Lower, Val};

/// A function that a component instance exports.
#[derive(Clone, Copy, Debug)]
pub struct Func {
    pub(crate) instance: u32,
    pub(crate) export: u32,
}

impl Func {
    /// The function's type.
    pub fn ty(&self, store: impl AsContext) -> ComponentFunc {
        let _ = (store, self.instance, self.export);
        todo!()
    }

    /// Calls the function.
    ///
    /// # Errors
    ///
    /// If number or types of the arguments are wrong, and whatever stopped the guest.
    pub fn call(
        &self,
        store: impl AsContextMut,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let _ = (store, params, results);
        todo!()
    }

    /// The function with its types known to the compiler.
    ///
    /// # Errors
    ///
    /// If it has other types.
    pub fn typed<Params, Return>(&self, store: impl AsContext) -> Result<TypedFunc<Params, Return>>
    where
        Params: ComponentNamedList + Lower,
        Return: ComponentNamedList + Lift,
    {
        let _ = store;
        todo!()
    }

    /// Nothing: what the guest does after its results were read is done within the call.
    ///
    /// # Errors
    ///
    /// None.
    pub fn post_return(&self, _store: impl AsContextMut) -> Result<()> {
        Ok(())
    }
}

/// A function whose types the compiler knows.
pub struct TypedFunc<Params, Return> {
    func: Func,
    types: PhantomData<fn(Params) -> Return>,
}

impl<Params, Return> TypedFunc<Params, Return>
where
    Params: ComponentNamedList + Lower,
    Return: ComponentNamedList + Lift,
{
    /// A function of which it is known that it has these types.
    pub(crate) fn unchecked(func: Func) -> TypedFunc<Params, Return> {
        TypedFunc { func, types: PhantomData }
    }

    /// The function without its types.
    pub fn func(&self) -> &Func {
        &self.func
    }

    /// Calls the function.
    ///
    /// # Errors
    ///
    /// Whatever stopped the guest.
    pub fn call(&self, store: impl AsContextMut, params: Params) -> Result<Return> {
        let _ = (store, params, self.types);
        todo!()
    }
}
