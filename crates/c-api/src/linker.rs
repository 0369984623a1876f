//! Linkers: imports by name, WASI among them.

use std::ffi::c_char;
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

use runtime::{Engine, Error};

use crate::instance::{TrapOut, instance, instantiate};
use crate::module::module;
use crate::object::Object;
use crate::store::{Data, StoreRef};
use crate::vec::Ptr;
use crate::{attempt, guard};

/// `zwasm_linker_t`, `wasmtime_linker_t`
///
/// Locked, as what it instantiates may call C, which may then want to define more. Nobody
/// waits for the lock: that is an error.
pub struct Linker(RwLock<runtime::Linker<Data>>);

impl Linker {
    pub fn new(linker: runtime::Linker<Data>) -> Linker {
        Linker(RwLock::new(linker))
    }

    /// The linker, to be changed.
    ///
    /// # Errors
    ///
    /// If it is in use.
    pub fn change(&self) -> runtime::Result<RwLockWriteGuard<'_, runtime::Linker<Data>>> {
        self.0.try_write().map_err(|_| Error::msg("the linker is instantiating a module"))
    }

    /// The linker, to be used.
    ///
    /// # Errors
    ///
    /// If it is being changed.
    pub fn look(&self) -> runtime::Result<RwLockReadGuard<'_, runtime::Linker<Data>>> {
        match self.0.try_read() {
            Ok(linker) => Ok(linker),
            // What panicked has left the linker as it was.
            Err(TryLockError::Poisoned(linker)) => Ok(linker.into_inner()),
            Err(TryLockError::WouldBlock) => Err(Error::msg("the linker is being changed")),
        }
    }

    /// Defines `wasi_snapshot_preview1`; what it grants is the store's.
    ///
    /// # Errors
    ///
    /// If a name is defined already, or the linker is in use.
    pub fn define_wasi(&self) -> runtime::Result<()> {
        zwasm_wasi::add_to_linker(&mut *self.change()?, |data| data.wasi.ctx())
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_linker_new(engine: &Engine) -> Ptr<Linker> {
    attempt(|| Ok(Box::new(Linker::new(runtime::Linker::new(engine)))))
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_linker_delete(linker: Ptr<Linker>) {
    guard(|| drop(linker));
}

/// Whether a later definition of a name may replace an earlier one.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_linker_allow_shadowing(linker: &Linker, allow: bool) {
    attempt(|| {
        linker.change()?.allow_shadowing(allow);
        Ok(())
    });
}

/// Defines `wasi_snapshot_preview1`; what it grants is the store's.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_linker_define_wasi(linker: &Linker) -> bool {
    attempt(|| linker.define_wasi()).is_some()
}

/// Defines a name as something of a store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_linker_define(
    linker: &Linker,
    module: *const c_char,
    name: *const c_char,
    item: &Object,
) -> bool {
    attempt(|| {
        // SAFETY: see the crate's header.
        let (module, name) = unsafe { (crate::string(module)?, crate::string(name)?) };
        let external = item.external();
        let (store, item) = external.ok_or_else(|| Error::msg("the object cannot be imported"))?;
        linker.change()?.define(store.context(), module, name, item.clone())?;
        Ok(())
    })
    .is_some()
}

/// Defines what an instance exports, under the names it has there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_linker_define_instance(
    linker: &Linker,
    module: *const c_char,
    object: &Object,
) -> bool {
    attempt(|| {
        // SAFETY: see the crate's header.
        let module = unsafe { crate::string(module) }?;
        let (store, instance) = instance(object)?;
        linker.change()?.instance(store.context(), module, instance)?;
        Ok(())
    })
    .is_some()
}

/// Instantiates a module with its imports looked up by name.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_linker_instantiate(
    linker: &Linker,
    store: &StoreRef,
    object: &Object,
    trap: TrapOut<'_>,
) -> Ptr<Object> {
    // The store lives on if C deletes it in a function that is called here.
    let store = store.clone();
    instantiate(&store, trap, || linker.look()?.instantiate(store.context(), module(object)?))
}
