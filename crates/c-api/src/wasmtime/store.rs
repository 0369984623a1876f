//! Engines and stores.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use runtime::{AsContextMut, Engine, Error, StoreLimitsBuilder, UpdateDeadline};

use super::error::Failure;
use super::wasi::WasiConfig;
use super::{Context, fallible, giving};
use crate::object::{Finalizer, HostInfo};
use crate::store::StoreRef;
use crate::vec::Ptr;
use crate::{attempt, guard, outside};

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_engine_clone(engine: &Engine) -> Ptr<Engine> {
    attempt(|| Ok(Box::new(engine.clone())))
}

/// Starts the next epoch, from any thread or handler of signals.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_engine_increment_epoch(engine: &Engine) {
    engine.increment_epoch();
}

/// False: there is no such interpreter.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_engine_is_pulley(_: &Engine) -> bool {
    false
}

/// A store whose deadline is now, as wasmtime's: that matters if the engine has deadlines.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_store_new(
    engine: &Engine,
    data: *mut c_void,
    finalizer: Finalizer,
) -> Ptr<StoreRef> {
    attempt(|| {
        let store = StoreRef::new(engine, HostInfo::new(data, finalizer));
        store.context().set_epoch_deadline(0);
        Ok(Box::new(store))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_store_delete(store: Ptr<StoreRef>) {
    guard(|| drop(store));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_store_context(store: &StoreRef) -> &Context {
    store
}

/// Limits what is made in the store from now on; a number below 0 is no limit.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_store_limiter(
    store: &StoreRef,
    memory_size: i64,
    table_elements: i64,
    instances: i64,
    tables: i64,
    memories: i64,
) {
    let limit = |limit: i64| usize::try_from(limit).ok();
    guard(|| {
        let mut limits = StoreLimitsBuilder::new();
        if let Some(limit) = limit(memory_size) {
            limits = limits.memory_size(limit);
        }
        if let Some(limit) = limit(table_elements) {
            limits = limits.table_elements(limit);
        }
        if let Some(limit) = limit(instances) {
            limits = limits.instances(limit);
        }
        if let Some(limit) = limit(tables) {
            limits = limits.tables(limit);
        }
        if let Some(limit) = limit(memories) {
            limits = limits.memories(limit);
        }
        let new = limits.build();
        store.with(|store| {
            store.data_mut().limits = new;
            store.limiter(|data| &mut data.limits);
        });
    });
}

/// What C decides about a guest that reached its deadline.
type AtDeadline =
    unsafe extern "C" fn(*const Context, *mut c_void, *mut u64, *mut u8) -> Ptr<Failure>;

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_store_epoch_deadline_callback(
    store: &StoreRef,
    function: AtDeadline,
    data: *mut c_void,
    finalizer: Finalizer,
) {
    /// Going on; the other choice, yielding, is for asynchronous calls.
    const CONTINUE: u8 = 0;
    let data = HostInfo::new(data, finalizer);
    guard(|| {
        store.with(|store| {
            store.epoch_deadline_callback(move |mut context| {
                let (mut delta, mut kind) = (0, CONTINUE);
                let context = context.as_context_mut().data().store.as_ptr();
                // SAFETY: the function gets the context that waits for it, and its pointer.
                let failure =
                    outside(|| unsafe { function(context, data.data(), &mut delta, &mut kind) });
                match failure {
                    Some(failure) => Err(failure.into_error()),
                    None if kind == CONTINUE => Ok(UpdateDeadline::Continue(delta)),
                    None => Err(Error::msg("calls are not asynchronous: there is no yielding")),
                }
            });
        });
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_context_get_data(context: &Context) -> *mut c_void {
    context.context().data().user.data()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_context_set_data(context: &Context, data: *mut c_void) {
    context.context().data_mut().user.set_data(data);
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_context_gc(context: &Context) -> Ptr<Failure> {
    fallible(|| context.context().gc(None))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_context_set_fuel(context: &Context, fuel: u64) -> Ptr<Failure> {
    fallible(|| context.context().set_fuel(fuel))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_context_get_fuel(
    context: &Context,
    out: &mut MaybeUninit<u64>,
) -> Ptr<Failure> {
    giving(out, || context.context().get_fuel())
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_context_set_epoch_deadline(context: &Context, ticks: u64) {
    guard(|| context.context().set_epoch_deadline(ticks));
}

/// Gives all this to the store's guest, in place of what it had.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_context_set_wasi(
    context: &Context,
    wasi: Ptr<WasiConfig>,
) -> Ptr<Failure> {
    fallible(|| {
        let given = wasi.unwrap_or_default().build();
        // What it had may have finalizers, which may ask for the context.
        let old = std::mem::replace(&mut context.context().data_mut().wasi, given);
        drop(old);
        Ok(())
    })
}
