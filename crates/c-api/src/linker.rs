//! Linkers: imports by name, WASI among them.

use std::ffi::c_char;

use runtime::{Engine, Error};

use crate::instance::{TrapOut, instance, instantiate};
use crate::module::module;
use crate::object::Object;
use crate::store::{Data, StoreRef};
use crate::vec::Ptr;
use crate::{attempt, guard};

/// `zwasm_linker_t`
pub struct Linker(runtime::Linker<Data>);

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_linker_new(engine: &Engine) -> Ptr<Linker> {
    attempt(|| Ok(Box::new(Linker(runtime::Linker::new(engine)))))
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_linker_delete(linker: Ptr<Linker>) {
    guard(|| drop(linker));
}

/// Whether a later definition of a name may replace an earlier one.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_linker_allow_shadowing(linker: &mut Linker, allow: bool) {
    linker.0.allow_shadowing(allow);
}

/// Defines `wasi_snapshot_preview1`; what it grants is the store's.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_linker_define_wasi(linker: &mut Linker) -> bool {
    attempt(|| zwasm_wasi::add_to_linker(&mut linker.0, |data| data.wasi.ctx())).is_some()
}

/// Defines a name as something of a store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_linker_define(
    linker: &mut Linker,
    module: *const c_char,
    name: *const c_char,
    item: &Object,
) -> bool {
    attempt(|| {
        // SAFETY: see the crate's header.
        let (module, name) = unsafe { (crate::string(module)?, crate::string(name)?) };
        let external = item.external();
        let (store, item) = external.ok_or_else(|| Error::msg("the object cannot be imported"))?;
        linker.0.define(store.context(), module, name, item.clone())?;
        Ok(())
    })
    .is_some()
}

/// Defines what an instance exports, under the names it has there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_linker_define_instance(
    linker: &mut Linker,
    module: *const c_char,
    object: &Object,
) -> bool {
    attempt(|| {
        // SAFETY: see the crate's header.
        let module = unsafe { crate::string(module) }?;
        let (store, instance) = instance(object)?;
        linker.0.instance(store.context(), module, instance)?;
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
    instantiate(&store, trap, || linker.0.instantiate(store.context(), module(object)?))
}
