//! Between host and guest: calls of either, and what becomes of failing.
//!
//! What stops the guest becomes an error for whoever called it. An error of a host
//! function stops the guest, unless it is an exception of the store, which is thrown.

use std::panic::resume_unwind;
use std::sync::Arc;

use super::coredump::WasmCoreDump;
use super::exception::{self, ThrownException};
use crate::error::{Error, Result};
use crate::stack::activation::{self, HostCall};
use crate::stack::stop::{Stop, Why};
use crate::store::hooks::CallHook;
use crate::store::vmctx::{FuncRecord, VmCtx};
use crate::store::{HostCode, StoreCore};

/// Calls a function on behalf of what runs in the context `caller`, or of the host if
/// that is the function's own. `slots` holds the parameters' slots and receives the
/// results'.
///
/// # Errors
///
/// What stopped the function.
///
/// # Safety
///
/// As [`activation::call`].
pub(super) unsafe fn call(
    core: *mut StoreCore,
    caller: *mut VmCtx,
    record: *const FuncRecord,
    slots: &mut [u64],
) -> Result<()> {
    // SAFETY: by the contract.
    unsafe {
        if (*core).call_hook.is_some() {
            return call_hooked(core, caller, record, slots);
        }
        activation::call(core, caller, record, slots).map_err(|stop| error(core, stop))
    }
}

/// The same, telling the hook.
///
/// # Safety
///
/// As [`call`].
#[cold]
unsafe fn call_hooked(
    core: *mut StoreCore,
    caller: *mut VmCtx,
    record: *const FuncRecord,
    slots: &mut [u64],
) -> Result<()> {
    // SAFETY: by the contract.
    unsafe {
        StoreCore::pass(core, CallHook::CallingWasm)?;
        let outcome = activation::call(core, caller, record, slots);
        let outcome = outcome.map_err(|stop| error(core, stop));
        let passed = StoreCore::pass(core, CallHook::ReturningFromWasm);
        outcome.and(passed)
    }
}

/// Makes what stopped the guest an error, or continues a panic of the host.
///
/// # Safety
///
/// `core` is valid and ours alone.
#[cold]
unsafe fn error(core: *mut StoreCore, stop: Stop) -> Error {
    let error = match stop.why {
        Why::Trap(code) => Error::trapped(code),
        Why::Error(error) => error,
        Why::Thrown(_, Some(error)) => {
            if let Some(thrown) = error.exception() {
                // SAFETY: by the contract.
                unsafe { exception::set_pending(core, thrown) };
            }
            error
        }
        Why::Thrown(reference, None) => {
            // SAFETY: by the contract.
            unsafe {
                let thrown = ThrownException::of(core, reference);
                if let Some(thrown) = &thrown {
                    exception::set_pending(core, thrown);
                }
                thrown.map_or_else(exception::gone, Error::from)
            }
        }
        Why::Panic(panic) => resume_unwind(panic),
    };
    // Who calls a host function directly has no frames of the guest.
    let backtrace = stop.backtrace.filter(|backtrace| !backtrace.places.is_empty());
    let Some(backtrace) = backtrace else { return error };
    // SAFETY: by the contract.
    let dumps = unsafe { (*core).engine.config().coredump_on_trap };
    if dumps && !error.is::<WasmCoreDump>() {
        // SAFETY: by the contract.
        let dump = unsafe { WasmCoreDump::of_store(core, backtrace.clone()) };
        return error.add_backtrace(backtrace).detail(dump);
    }
    error.add_backtrace(backtrace)
}

/// The code of a host function that does `work`.
pub(super) fn host_code(work: impl Fn(HostCall) -> Result<()> + Send + Sync + 'static) -> HostCode {
    Arc::new(move |call| {
        // SAFETY: the call is of a live store, which is ours alone meanwhile.
        let outcome = match unsafe { (*call.store).call_hook.is_some() } {
            true => hooked(call.store, || work(call)),
            false => work(call),
        };
        outcome.map_err(|error| why(call.store, error))
    })
}

/// Does the work of a host function, telling the hook.
#[cold]
fn hooked(core: *mut StoreCore, work: impl FnOnce() -> Result<()>) -> Result<()> {
    // SAFETY: the store is that of a call that is made now.
    unsafe {
        StoreCore::pass(core, CallHook::CallingHost)?;
        let outcome = work();
        let passed = StoreCore::pass(core, CallHook::ReturningFromHost);
        outcome.and(passed)
    }
}

/// Why the guest has to stop whose host function gave an error.
#[cold]
fn why(core: *mut StoreCore, error: Error) -> Why {
    match error.exception().and_then(|thrown| thrown.reference(core)) {
        Some(reference) => {
            // The guest may catch it now.
            // SAFETY: the host function, which had the store, has returned.
            unsafe { (*core).pending_exception = None };
            Why::Thrown(reference, Some(error))
        }
        None => Why::Error(error),
    }
}
