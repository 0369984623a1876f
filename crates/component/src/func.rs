//! Exported functions.

use std::marker::PhantomData;

use zwasm::{AsContext, AsContextMut, Error, Result};

use crate::abi::call::{LowerArgs, call_export, check_func, lift_vals, lower_vals};
use crate::abi::{AnyStore, TypeContext};
use crate::state::Components;
use crate::task::{host, lift_for_host};
use crate::types::ComponentFunc;
use crate::{Call, ComponentNamedList, Lift, Lower, Val};

/// A function that a component instance exports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Func {
    /// The number of the store's components.
    pub(crate) store: u64,
    pub(crate) index: u32,
}

fn no_components() -> Error {
    Error::msg("the function is of another store")
}

impl Func {
    /// The function's type.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn ty(&self, store: impl AsContext) -> ComponentFunc {
        match self.try_ty(store) {
            Ok(ty) => ty,
            Err(error) => panic!("{error}"),
        }
    }

    /// The function's type.
    ///
    /// # Errors
    ///
    /// If the store is another one than its own.
    pub fn try_ty(&self, store: impl AsContext) -> Result<ComponentFunc> {
        let store = store.as_context();
        let state: &Components = store.attachment().ok_or_else(no_components)?;
        let lifted = &state.func(*self)?.lifted;
        Ok(ComponentFunc::new(&lifted.types, &lifted.resources, lifted.ty))
    }

    /// Calls the function.
    ///
    /// # Errors
    ///
    /// If number or types of the arguments are wrong, and whatever stopped the guest.
    pub fn call(
        &self,
        mut store: impl AsContextMut,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let mut store = store.as_context_mut();
        let export = store.attachment::<Components>().func(*self)?.clone();
        let expected = usize::from(export.lifted.types[export.lifted.ty].result.is_some());
        if expected != results.len() {
            let got = results.len();
            return Err(Error::msg(format!("expected {expected} result(s), got {got}")));
        }
        let lower: LowerArgs<'_> = &mut |cx, ty, at| lower_vals(cx, ty, at, params, "argument");
        if store.attachment::<Components>().is_task(&export) {
            let result = host::call(&mut store, &export, lower, lift_for_host::<Val>)?;
            if let Ok(Val::Tuple(values)) = result.downcast::<Val>().map(|value| *value) {
                for (place, value) in results.iter_mut().zip(values) {
                    *place = value;
                }
            }
            return Ok(());
        }
        call_export(&mut store, &export, lower, &mut |cx, ty, at| {
            for (place, value) in results.iter_mut().zip(lift_vals(cx, ty, at)?) {
                *place = value;
            }
            Ok(())
        })
    }

    /// The function with its types known to the compiler.
    ///
    /// # Errors
    ///
    /// If it has other types.
    pub fn typed<Params, Return>(&self, store: impl AsContext) -> Result<TypedFunc<Params, Return>>
    where
        Params: ComponentNamedList + Lower,
        Return: ComponentNamedList + Lift + 'static,
    {
        let store = store.as_context();
        let state: &Components = store.attachment().ok_or_else(no_components)?;
        let lifted = &state.func(*self)?.lifted;
        let cx = TypeContext { types: &lifted.types, resources: &lifted.resources };
        check_func(lifted.ty, &cx, Params::typecheck, Return::typecheck)?;
        Ok(TypedFunc { func: *self, types: PhantomData })
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

impl<Params, Return> Clone for TypedFunc<Params, Return> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Params, Return> Copy for TypedFunc<Params, Return> {}

impl<Params, Return> TypedFunc<Params, Return>
where
    Params: ComponentNamedList + Lower,
    Return: ComponentNamedList + Lift + 'static,
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
    pub fn call(&self, mut store: impl AsContextMut, params: Params) -> Result<Return> {
        let mut store = store.as_context_mut();
        let export = store.attachment::<Components>().func(self.func)?.clone();
        let store: &mut dyn AnyStore = &mut store;
        let lower: LowerArgs<'_> = &mut |cx, ty, at| params.lower(cx, ty, at);
        if store.state().is_task(&export) {
            let result = host::call(store, &export, lower, lift_for_host::<Return>)?;
            let result = result.downcast::<Return>().map(|value| *value);
            return result.map_err(|_| Error::msg("the function returned something else"));
        }
        let mut result = None;
        call_export(store, &export, lower, &mut |cx, ty, at| {
            result = Some(Return::lift(cx, ty, at)?);
            Ok(())
        })?;
        result.ok_or_else(|| Error::msg("the function returned nothing"))
    }

    /// Begins a call, which goes on beside others while [`poll_until`](crate::poll_until)
    /// runs. If the guest takes no calls now, that is awaited first.
    ///
    /// # Errors
    ///
    /// Whatever stopped a guest.
    pub fn start(&self, mut store: impl AsContextMut, params: Params) -> Result<Call<Return>> {
        let mut store = store.as_context_mut();
        let state = store.attachment::<Components>();
        let (id, export) = (state.id(), state.func(self.func)?.clone());
        let lower: LowerArgs<'_> = &mut |cx, ty, at| params.lower(cx, ty, at);
        let task = host::start(&mut store, &export, lower, lift_for_host::<Return>)?;
        Ok(Call::new(id, task))
    }

    /// Nothing; see [`Func::post_return`].
    ///
    /// # Errors
    ///
    /// None.
    pub fn post_return(&self, _store: impl AsContextMut) -> Result<()> {
        Ok(())
    }
}
