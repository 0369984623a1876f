//! Calls across the boundary, whichever way.

use std::sync::Arc;

use zwasm::{AsContextMut, Func, Result, StoreContextMut};

use super::{Access, ComponentNamedList, Lift, Lower};
use crate::state::{Lifted, Options};
use crate::types::{ComponentFunc, FuncIndex, Types};
use crate::{ResourceType, Val};

/// A host function for the guest, the one form that all have inside.
pub(crate) type HostFunc<T> =
    Arc<dyn Fn(StoreContextMut<'_, T>, &mut RawCall<'_>) -> Result<()> + Send + Sync>;

/// A host function as a core function of an instance.
///
/// # Errors
///
/// If the function cannot be made.
pub(crate) fn lower_host<T: 'static>(
    store: impl AsContextMut<Data = T>,
    func: HostFunc<T>,
    types: &Arc<Types>,
    ty: FuncIndex,
    resources: &Arc<[ResourceType]>,
    options: Options,
) -> Result<Func> {
    let _ = (store, func, types, ty, resources, options);
    todo!()
}

/// A function of one instance as a core function of another. Types and resources are the
/// caller's.
///
/// # Errors
///
/// If the function cannot be made.
pub(crate) fn lower_guest<T: 'static>(
    store: impl AsContextMut<Data = T>,
    callee: Lifted,
    types: &Arc<Types>,
    ty: FuncIndex,
    resources: &Arc<[ResourceType]>,
    options: Options,
) -> Result<Func> {
    let _ = (store, callee, types, ty, resources, options);
    todo!()
}

/// A call that the guest makes of a host function: its arguments, and where its result
/// goes. It knows nothing of the store's data, so that tables of host functions are code
/// once for all of them.
pub struct RawCall<'a> {
    slots: &'a mut [u64],
}

impl RawCall<'_> {
    /// The arguments. To be called once, before anything else.
    ///
    /// # Errors
    ///
    /// If they are no values of their types.
    pub fn args<A: ComponentNamedList + Lift>(&mut self, store: &mut dyn Access) -> Result<A> {
        let _ = (&self.slots, store);
        todo!()
    }

    /// Gives the guest the result. To be called once, after all else.
    ///
    /// # Errors
    ///
    /// If it cannot be lowered.
    pub fn finish<R: ComponentNamedList + Lower>(
        &mut self,
        store: &mut dyn Access,
        result: &R,
    ) -> Result<()> {
        let _ = (store, result);
        todo!()
    }

    /// The type of the function.
    pub fn ty(&self) -> ComponentFunc {
        todo!()
    }

    /// As [`RawCall::args`], for types known at run time.
    ///
    /// # Errors
    ///
    /// If they are no values of their types.
    pub fn vals(&mut self, store: &mut dyn Access) -> Result<Vec<Val>> {
        let _ = store;
        todo!()
    }

    /// As [`RawCall::finish`], for types known at run time.
    ///
    /// # Errors
    ///
    /// If number or types of the results are wrong, or they cannot be lowered.
    pub fn finish_vals(&mut self, store: &mut dyn Access, results: &[Val]) -> Result<()> {
        let _ = (store, results);
        todo!()
    }
}
