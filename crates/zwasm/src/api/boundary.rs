//! Between host and guest: calls of either, and what becomes of failing.
//!
//! What stops the guest becomes an error for whoever called it. An error of a host
//! function stops the guest, unless it is an exception of the store, which is thrown.

use std::panic::resume_unwind;
use std::sync::Arc;

use super::caller::{Caller, over_slots};
use super::coredump::WasmCoreDump;
use super::exception::{self, ThrownException};
use crate::error::{Error, Result};
use crate::stack::activation::{self, HostCall};
use crate::stack::stop::{Outcome, Stop, Why};
use crate::store::hooks::CallHook;
use crate::store::vmctx::{FuncRecord, VmCtx};
use crate::store::{HostCode, HostFunc, StoreCore};
use crate::types::FuncType;

/// Where the slots of a call from the host are; see [`activation::slots`].
///
/// # Errors
///
/// If there is no room for so many.
///
/// # Safety
///
/// As [`activation::slots`].
#[inline]
pub(super) unsafe fn slots(core: *mut StoreCore, count: usize) -> Result<*mut u64> {
    // SAFETY: by the contract.
    unsafe { activation::slots(core, count).map_err(|stop| error(core, stop)) }
}

/// Calls a function, see [`activation::call`], and gives what `read` makes of the results,
/// which must not run the guest.
///
/// # Errors
///
/// What stopped the function.
///
/// # Safety
///
/// As [`activation::call`].
#[inline]
pub(super) unsafe fn call<R>(
    core: *mut StoreCore,
    caller: *mut VmCtx,
    record: *const FuncRecord,
    slots: *mut u64,
    count: usize,
    read: impl FnOnce() -> R,
) -> Result<R> {
    // SAFETY: by the contract.
    unsafe {
        if (*core).is_hooked() {
            call_hooked(core, caller, record, slots, count)?;
        } else if let Err(stop) = activation::call(core, caller, record, slots, count) {
            return Err(error(core, stop));
        }
        let results = read();
        activation::rest(core);
        Ok(results)
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
    slots: *mut u64,
    count: usize,
) -> Result<()> {
    // SAFETY: by the contract. The hook may call the guest, above the slots.
    unsafe {
        let end = slots.add(count);
        StoreCore::above(core, end, || StoreCore::pass(core, CallHook::CallingWasm))?;
        let tell = || StoreCore::pass(core, CallHook::ReturningFromWasm);
        match activation::call(core, caller, record, slots, count) {
            Ok(()) => StoreCore::above(core, end, tell),
            // There are no results to be read, and perhaps no stack.
            Err(stop) => {
                let error = error(core, stop);
                let _ = tell();
                Err(error)
            }
        }
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
    let error = match stop.fault {
        Some(fault) => error.detail(*fault),
        None => error,
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

/// What a host function's closure has to do with its store.
pub(super) trait Access {
    /// Whether the closure can get hold of the store, or of references into it.
    const VISITS: bool;
}

/// The closure gets the store.
pub(super) struct Visits;

impl Access for Visits {
    const VISITS: bool = true;
}

/// The code of a host function that does `work`.
pub(super) fn host_code<A: Access, W>(work: W) -> HostCode
where
    W: Fn(HostCall) -> Result<()> + Send + Sync + 'static,
{
    // SAFETY: the thunk is for this closure.
    unsafe { HostCode::new(thunk::<A, W>, Arc::new(work)) }
}

/// A closure that does the work of many functions, and their types.
pub(super) struct Shared<F> {
    pub(super) types: Arc<[FuncType]>,
    pub(super) func: F,
}

/// The code of host functions over slots that one closure does the work of, with a context.
pub(super) fn shared_code<T: 'static, C, F>(shared: Shared<F>) -> HostCode
where
    F: Fn(Caller<'_, T>, &C, usize, &mut [u64]) -> Result<()> + Send + Sync + 'static,
{
    // SAFETY: the thunk is for this closure.
    unsafe { HostCode::new(shared_thunk::<T, C, F>, Arc::new(shared)) }
}

macro_rules! thunk {
    ($abi:literal) => {
        /// The thunk of a closure that does the work of many functions.
        unsafe extern $abi fn shared_thunk<T: 'static, C, F>(
            func: *const HostFunc,
            slots: *mut u64,
            place: *const u64,
        ) -> Outcome
        where
            F: Fn(Caller<'_, T>, &C, usize, &mut [u64]) -> Result<()>,
        {
            // SAFETY: the function's closure is of the thunk's type and its context of the
            // closure's, they live as long as the store, and the number is that of one of
            // its types.
            unsafe {
                let shared = &*(*func).closure.cast::<Shared<F>>();
                let context = &*(*func).context.cast::<C>();
                let number = (*func).number as usize;
                activation::call_host(func, slots, place, Visits::VISITS, why, |call| {
                    over_slots(call, &shared.types[number], |caller, slots| {
                        (shared.func)(caller, context, number, slots)
                    })
                })
            }
        }

        /// The thunk of a closure.
        unsafe extern $abi fn thunk<A: Access, W: Fn(HostCall) -> Result<()>>(
            func: *const HostFunc,
            slots: *mut u64,
            place: *const u64,
        ) -> Outcome {
            // SAFETY: the function's closure is of the thunk's type, and lives as long as
            // the store.
            unsafe {
                let work = &*(*func).closure.cast::<W>();
                activation::call_host(func, slots, place, A::VISITS, why, work)
            }
        }
    };
}

// The convention of handlers and compiled code on every system.
#[cfg(target_arch = "x86_64")]
thunk!("sysv64");
#[cfg(not(target_arch = "x86_64"))]
thunk!("C");

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
