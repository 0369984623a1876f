//! Components: loading them, giving them what they import, calling what they export.

mod func;
mod value;

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use runtime::{Engine, Error, StoreContextMut};
use zwasm_component::types::ComponentFunc;
use zwasm_component::{Component, wit};
use zwasm_wasi::{WasiCtxView, WasiView};

use crate::instance::TrapOut;
use crate::object::{Finalizer, HostInfo, Object};
use crate::store::{Data, StoreRef};
use crate::trap::trapping;
use crate::vec::{CVec, Ptr};
use crate::{attempt, guard};

pub use value::{Field, Val};

/// Loads a component, binary or text.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_new(engine: &Engine, bytes: &CVec<u8>) -> Ptr<Component> {
    attempt(|| Component::new(engine, bytes.as_slice()).map(Box::new))
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_delete(component: Ptr<Component>) {
    guard(|| drop(component));
}

/// What the component imports and exports, as WIT.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_wit(component: &Component, out: &mut MaybeUninit<CVec<u8>>) {
    out.write(guard(|| wit::text(&component.component_type()).into_bytes().into()));
}

impl WasiView for Data {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Data { wasi, table, .. } = self;
        WasiCtxView { ctx: wasi.ctx(), table }
    }
}

/// `zwasm_component_linker_t`
///
/// Locked as [`crate::linker::Linker`] is.
pub struct Linker(RwLock<zwasm_component::Linker<Data>>);

impl Linker {
    fn change(&self) -> runtime::Result<RwLockWriteGuard<'_, zwasm_component::Linker<Data>>> {
        self.0.try_write().map_err(|_| Error::msg("the linker is instantiating a component"))
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_linker_new(engine: &Engine) -> Ptr<Linker> {
    attempt(|| Ok(Box::new(Linker(RwLock::new(zwasm_component::Linker::new(engine))))))
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_linker_delete(linker: Ptr<Linker>) {
    guard(|| drop(linker));
}

/// Whether a later definition of a name may replace an earlier one.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_linker_allow_shadowing(linker: &Linker, allow: bool) {
    attempt(|| {
        linker.change()?.allow_shadowing(allow);
        Ok(())
    });
}

/// Defines WASI 0.2; what it grants is the store's.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_linker_define_wasi(linker: &Linker) -> bool {
    attempt(|| zwasm_wasi::p2::add_to_linker_sync(&mut *linker.change()?)).is_some()
}

/// A function of C's.
type Callback = unsafe extern "C" fn(*mut c_void, *const CVec<Val>, *mut CVec<Val>) -> Ptr<Object>;

/// Calls a function of C's on behalf of the guest.
fn called(
    store: &StoreContextMut<'_, Data>,
    params: &[zwasm_component::Val],
    results: &mut [zwasm_component::Val],
    call: impl FnOnce(*const CVec<Val>, *mut CVec<Val>) -> Ptr<Object>,
) -> runtime::Result<()> {
    let store = StoreRef::of(store.data())?;
    let args = params.iter().map(|value| Val::from_runtime(&store, value.clone()));
    let args: CVec<Val> = args.collect::<runtime::Result<Vec<_>>>()?.into();
    let mut out: CVec<Val> = results.iter().map(|_| Val::default()).collect();
    crate::trap::raised(crate::outside(|| call(&args, &mut out)))?;
    for (value, result) in out.as_slice().iter().zip(results) {
        *result = value.to_runtime()?;
    }
    Ok(())
}

/// Defines a function, of an instance or, without its name, of the component itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_component_linker_define_func(
    linker: &Linker,
    instance: *const c_char,
    name: *const c_char,
    callback: Callback,
    env: *mut c_void,
    finalizer: Finalizer,
) -> bool {
    let env = HostInfo::new(env, finalizer);
    attempt(|| {
        // SAFETY: see the crate's header.
        let name = unsafe { crate::string(name) }?;
        let mut linker = linker.change()?;
        let mut names = match instance.is_null() {
            true => linker.root(),
            // SAFETY: as above.
            false => linker.instance(unsafe { crate::string(instance) }?)?,
        };
        let func = move |store: StoreContextMut<'_, Data>,
                         _: ComponentFunc,
                         params: &[zwasm_component::Val],
                         results: &mut [zwasm_component::Val]| {
            // SAFETY: the function takes its pointer and vectors of values, and gives a trap
            // or null.
            called(&store, params, results, |args, out| unsafe { callback(env.data(), args, out) })
        };
        names.func_new(name, func)
    })
    .is_some()
}

/// `zwasm_component_instance_t`
pub struct Instance {
    store: StoreRef,
    instance: zwasm_component::Instance,
}

/// Instantiates a component with its imports looked up by name.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_linker_instantiate(
    linker: &Linker,
    store: &StoreRef,
    component: &Component,
    trap: TrapOut<'_>,
) -> Ptr<Instance> {
    // The store lives on if C deletes it in a function that is called here.
    let store = store.clone();
    let mut made = None;
    let failed = trapping(&store, || {
        let linker = linker.0.read().unwrap_or_else(PoisonError::into_inner);
        let instance = linker.instantiate(store.context(), component)?;
        made = Some(Box::new(Instance { store: store.clone(), instance }));
        Ok(())
    });
    if let Some(out) = trap {
        out.write(failed);
    }
    made
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_instance_delete(instance: Ptr<Instance>) {
    guard(|| drop(instance));
}
