//! References to values of the host.

use std::any::Any;

use super::anyref::{AnyRef, numbers};
use super::rooted::{Handle, Rooted, gc_ref};
use crate::api::store::{AsContextMut, StoreContext, StoreContextMut};
use crate::error::{Error, Result};
use crate::store::StoreCore;
use crate::store::gc::full::GcHeapOutOfMemory;
use zwasm_regir::object::is_i31;

gc_ref! {
    /// A value of the host, which lives while the guest can reach it or a reference to it is
    /// rooted.
    ///
    /// ```
    /// use zwasm::{Engine, ExternRef, Store};
    /// let mut store = Store::new(&Engine::default(), ());
    /// let reference = ExternRef::new(&mut store, "hello")?;
    /// let value = reference.data(&store)?;
    /// assert_eq!(value.and_then(|value| value.downcast_ref()), Some(&"hello"));
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    ExternRef Extern
}

impl ExternRef {
    /// Gives a value to the store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the heap is full, with the value in
    /// a [`GcHeapOutOfMemory`].
    pub fn new<T: Any + Send + Sync>(
        mut store: impl AsContextMut,
        value: T,
    ) -> Result<Rooted<ExternRef>> {
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive.
        unsafe {
            match StoreCore::add_extern(core, value) {
                Ok(reference) => Ok(Rooted::of(Handle::new(core, reference))),
                Err((inner, error)) => {
                    let message = error.to_string();
                    Err(Error::converted(error.kind(), GcHeapOutOfMemory { inner, message }))
                }
            }
        }
    }

    /// The value; none if this was converted from a value of the guest.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store; likewise below.
    pub fn data<'a, T: 'static>(
        &self,
        store: impl Into<StoreContext<'a, T>>,
    ) -> Result<Option<&'a (dyn Any + Send + Sync)>> {
        let core = store.into().core();
        let reference = self.0.get(core)?;
        // SAFETY: the context borrows the store for `'a`, and values are removed
        // only by a collection, which needs it exclusively.
        Ok(unsafe { (*core).gc.get_extern(reference) })
    }

    /// The value, to be changed.
    pub fn data_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<Option<&'a mut (dyn Any + Send + Sync)>> {
        let core = store.into().core();
        let reference = self.0.get(core)?;
        // SAFETY: the context borrows the store exclusively for `'a`.
        Ok(unsafe { (*core).gc.get_extern_mut(reference) })
    }

    /// `extern.convert_any`: the guest's value as one of the host.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store.
    pub fn convert_any(
        mut store: impl AsContextMut,
        anyref: Rooted<AnyRef>,
    ) -> Result<Rooted<ExternRef>> {
        anyref.handle().get(store.as_context_mut().core())?;
        Ok(anyref.cast())
    }
}

impl Rooted<ExternRef> {
    /// `any.convert_extern`: the same value as the guest's internal reference.
    pub fn to_any(self) -> Rooted<AnyRef> {
        self.cast()
    }
}

numbers!(ExternRef);
