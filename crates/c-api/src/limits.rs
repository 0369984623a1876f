//! What a store's guest may use up, and stopping it.

use std::mem::MaybeUninit;

use runtime::{Engine, InterruptHandle, StoreLimits, StoreLimitsBuilder};

use crate::store::StoreRef;
use crate::vec::Ptr;
use crate::{attempt, guard};

/// Sets the fuel that is left.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_store_set_fuel(store: &StoreRef, fuel: u64) -> bool {
    attempt(|| store.context().set_fuel(fuel)).is_some()
}

/// Writes the fuel that is left.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_store_get_fuel(store: &StoreRef, out: &mut MaybeUninit<u64>) -> bool {
    let fuel = attempt(|| store.context().get_fuel());
    out.write(fuel.unwrap_or(0));
    fuel.is_some()
}

/// Starts the next epoch, from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_engine_increment_epoch(engine: &Engine) {
    engine.increment_epoch();
}

/// Sets the store's deadline to so many epochs from now.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_store_set_epoch_deadline(store: &StoreRef, ticks: u64) {
    guard(|| store.context().set_epoch_deadline(ticks));
}

/// `zwasm_interrupt_t`: stops a store's guest from any thread, both while it
/// computes and while it waits in a call of WASI.
pub struct Interrupt {
    guest: InterruptHandle,
    waits: zwasm_wasi::InterruptHandle,
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_interrupt_new(store: &StoreRef) -> Ptr<Interrupt> {
    attempt(|| {
        let mut context = store.context();
        let waits = context.data_mut().wasi.ctx().interrupt_handle()?;
        Ok(Box::new(Interrupt { guest: context.interrupt_handle(), waits }))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_interrupt_delete(interrupt: Ptr<Interrupt>) {
    guard(|| drop(interrupt));
}

/// Stops what the store runs and is asked to run.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_interrupt(interrupt: &Interrupt) {
    guard(|| {
        interrupt.guest.interrupt();
        interrupt.waits.interrupt();
    });
}

/// Takes an interruption back, on the store's thread.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_interrupt_clear(interrupt: &Interrupt, store: &StoreRef) {
    guard(|| {
        interrupt.waits.clear();
        store.with(|store| store.clear_interrupt());
    });
}

/// `zwasm_store_limits_t`
#[repr(C)]
pub struct Limits {
    memory_bytes: usize,
    table_elements: usize,
    gc_heap_bytes: usize,
    exceptions_bytes: usize,
    total_bytes: usize,
    instances: usize,
    tables: usize,
    memories: usize,
    trap_on_grow_failure: bool,
}

/// Limits what is made in the store from now on.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_store_set_limits(store: &StoreRef, limits: &Limits) {
    guard(|| {
        let new: StoreLimits = StoreLimitsBuilder::new()
            .memory_size(limits.memory_bytes)
            .table_elements(limits.table_elements)
            .gc_heap_size(limits.gc_heap_bytes)
            .exceptions_size(limits.exceptions_bytes)
            .total_size(limits.total_bytes)
            .instances(limits.instances)
            .tables(limits.tables)
            .memories(limits.memories)
            .trap_on_grow_failure(limits.trap_on_grow_failure)
            .build();
        store.with(|store| {
            store.data_mut().limits = new;
            store.limiter(|data| &mut data.limits);
        });
    });
}
