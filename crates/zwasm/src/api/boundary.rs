//! Between host and guest: calls of either, and what becomes of failing.
//!
//! What stops the guest becomes an error for whoever called it. An error of a host
//! function stops the guest, unless it is an exception of the store, which is thrown.

use std::panic::resume_unwind;
use std::sync::Arc;

use super::exception::{self, ThrownException};
use crate::error::{Error, Result};
use crate::stack::activation::{self, HostCall};
use crate::stack::stop::{Stop, Why};
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
    unsafe { activation::call(core, caller, record, slots).map_err(|stop| error(core, stop)) }
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
        Why::Error(error) | Why::Thrown(_, Some(error)) => error,
        Why::Thrown(reference, None) => {
            // SAFETY: by the contract.
            let thrown = unsafe { ThrownException::of(core, reference) };
            thrown.map_or_else(exception::gone, Error::from)
        }
        Why::Panic(panic) => resume_unwind(panic),
    };
    match stop.backtrace {
        Some(backtrace) => error.add_backtrace(backtrace),
        None => error,
    }
}

/// The code of a host function that does `work`.
pub(super) fn host_code(work: impl Fn(HostCall) -> Result<()> + Send + Sync + 'static) -> HostCode {
    Arc::new(move |call| work(call).map_err(|error| why(call.store, error)))
}

/// Why the guest has to stop whose host function gave an error.
#[cold]
fn why(core: *const StoreCore, error: Error) -> Why {
    match error.exception().and_then(|thrown| thrown.reference(core)) {
        Some(reference) => Why::Thrown(reference, Some(error)),
        None => Why::Error(error),
    }
}
