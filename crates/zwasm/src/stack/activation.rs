//! Entering the guest, and leaving it for the host.
//!
//! A call from the host starts an *activation*: a run of guest frames on the
//! value stack whose outermost return address is the exit instruction. When the
//! guest calls a host function, a [`HostFrame`] record remembers where its
//! frames end; a call back into the guest continues above it. The chain of these
//! records is all that traps, throws, backtraces and (later) collections need
//! to cross between host and guest. Nothing unwinds through guest frames: a
//! trap returns a status to the activation's start.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::backtrace;
use super::stop::{Outcome, Stop, Stopped, Why};
use super::unwind;
use super::walk::Cursor;
use super::walk::{Outer, Walk};
#[cfg(optimizer)]
use crate::error::Error;
use crate::interp;
use crate::store::vmctx::{FuncRecord, VmCtx};
use crate::store::{HostFunc, StoreCore};
use zwasm_regir::TrapCode;
use zwasm_regir::inst::HEADER_SLOTS;

/// A host function that the guest has called and that has not returned.
pub(crate) struct HostFrame {
    /// The host frame further out.
    pub(crate) previous: *const HostFrame,
    /// The guest frame that made the call.
    pub(crate) caller: Cursor,
}

/// Calls a function on behalf of what runs in the context `caller`, or of the host if
/// that is the function's own. `args` holds the parameters' slots and receives the
/// results'; it is as long as the longer of the two lists.
///
/// # Safety
///
/// `store` is valid and not borrowed elsewhere; `caller` and `record` belong to it; the
/// slots hold values of the parameters' types.
pub(crate) unsafe fn call(
    store: *mut StoreCore,
    caller: *mut VmCtx,
    record: *const FuncRecord,
    args: &mut [u64],
) -> Result<(), Stop> {
    // SAFETY: by the contract the store is ours alone. It is used through the
    // raw pointer because the guest changes it while it runs, and no reference
    // to it is kept across the run.
    unsafe {
        StoreCore::prepare_stack(store)
            .map_err(|error| Stop { why: Why::Error(error), backtrace: None })?;
        let base = (*store).value_top;
        let header = base.wrapping_add(args.len());
        if header.wrapping_add(HEADER_SLOTS as usize) > (*store).stack_limit {
            return Err(overflow(store));
        }
        base.copy_from_nonoverlapping(args.as_ptr(), args.len());
        #[cfg(optimizer)]
        let outer = ((*store).native_base, (*store).native_bottom);
        let status = if (*store).on_stack {
            #[cfg(optimizer)]
            if (*store).stack.as_ref().is_none_or(|stack| stack.sp().is_none()) {
                // Native frames of the guest are told by where they lie.
                let why =
                    Why::Error(Error::msg("the guest is called on another stack than its own"));
                return Err(Stop { why, backtrace: None });
            }
            interp::enter(caller, record, base, header)
        } else {
            let Some(stack) = &(*store).stack else { return Err(overflow(store)) };
            let native = stack.native();
            (*store).on_stack = true;
            let status =
                corosensei::on_stack(native, || interp::enter(caller, record, base, header));
            (*store).on_stack = false;
            status
        };
        // Where the guest has stopped, they may be anything.
        (*store).value_top = base;
        #[cfg(optimizer)]
        {
            ((*store).native_base, (*store).native_bottom) = outer;
        }
        let outcome = status.map_err(|stopped| StoreCore::why_stopped(store, stopped));
        if outcome.is_ok() {
            args.as_mut_ptr().copy_from_nonoverlapping(base, args.len());
        }
        if (*store).rests && !(*store).on_stack {
            StoreCore::return_stack(store);
        }
        outcome
    }
}

/// # Safety
///
/// `store` is valid.
unsafe fn overflow(store: *mut StoreCore) -> Stop {
    // SAFETY: valid by the contract.
    let backtrace = unsafe {
        let limit = (*store).engine.config().backtrace_frames;
        (limit > 0).then(|| backtrace::capture(None, (*store).host_frame, limit))
    };
    Stop { why: Why::Trap(TrapCode::StackOverflow), backtrace }
}

/// Runs code of the host while the guest waits at `caller`, its frames ending at
/// `top`: that code may call the guest.
///
/// # Safety
///
/// `store` is valid and runs the guest at `caller`.
unsafe fn visit_host(
    store: *mut StoreCore,
    caller: Cursor,
    top: *mut u64,
    visit: &mut dyn FnMut() -> Result<(), Why>,
) -> Result<(), Why> {
    // SAFETY: by the contract; the record is unchained before it goes.
    unsafe {
        let frame = HostFrame { previous: (*store).host_frame, caller };
        let old_top = (*store).value_top;
        let roots = (*store).gc.open_scope();
        (*store).host_frame = &raw const frame;
        (*store).value_top = top;
        let outcome = catch_unwind(AssertUnwindSafe(visit));
        (*store).host_frame = frame.previous;
        (*store).value_top = old_top;
        (*store).gc.close_scope(roots);
        outcome.unwrap_or_else(|panic| Err(Why::Panic(panic)))
    }
}

/// As [`visit_host`], for code that is not called by the guest but asked about it.
///
/// # Safety
///
/// As [`visit_host`].
pub(crate) unsafe fn on_behalf<R>(
    store: *mut StoreCore,
    place: Cursor,
    top: *mut u64,
    mut work: impl FnMut() -> Result<R, Why>,
) -> Result<R, Stopped> {
    let mut result = None;
    // SAFETY: by the contract.
    unsafe {
        let mut visit = || {
            result = Some(work()?);
            Ok(())
        };
        let outcome = visit_host(store, place, top, &mut visit);
        // What has returned without an error has left its result.
        let result = outcome.and_then(|()| result.ok_or(Why::Trap(TrapCode::Unreachable)));
        result.map_err(|why| StoreCore::stop(store, why, place))
    }
}

/// Does what may fail, or ask the embedder's limiter, for the instruction at
/// `place`.
///
/// # Safety
///
/// `store` is valid and runs the guest at `place`.
pub(crate) unsafe fn attempt<R, E: Into<Why>>(
    store: *mut StoreCore,
    place: Cursor,
    work: impl FnOnce() -> Result<R, E>,
) -> Result<R, Stopped> {
    let why = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(result)) => return Ok(result),
        Ok(Err(why)) => why.into(),
        Err(panic) => Why::Panic(panic),
    };
    // SAFETY: by the contract.
    Err(unsafe { StoreCore::stop(store, why, place) })
}

/// What a host function is called with.
#[derive(Clone, Copy)]
pub struct HostCall {
    /// The store the call happens in.
    pub(crate) store: *mut StoreCore,
    /// The `vmctx` of the guest function that called, which may have left its frame for
    /// the call.
    pub(crate) caller: *mut VmCtx,
    /// The arguments, then the results.
    pub(crate) slots: *mut u64,
}

/// Calls a host function on behalf of a guest frame.
///
/// # Safety
///
/// `record` is that of a host function, `fp` its frame with arguments and header.
// Not inlined: its locals have their address taken, and with them in its frame
// the handler could not leave by a jump.
#[inline(never)]
pub(crate) unsafe extern "C" fn call_host(record: *const FuncRecord, fp: *mut u64) -> Outcome {
    // SAFETY: a host function's record is the first field of its `HostFunc`, which
    // lives as long as the store; header and slots are where the frame has them.
    unsafe {
        let func = record.cast::<HostFunc>();
        let own = (*record).vmctx;
        let store = (*own).store;
        let tail_caller = std::mem::replace(&mut (*own).tail_caller, std::ptr::null_mut());
        let header = fp.add((*func).frame_slots);
        let outer = Outer::of_slots(header);
        let caller = outer.place();
        let marker = 0u8;
        if (&raw const marker as usize) < (*store).native_limit() {
            return StoreCore::stop(store, TrapCode::StackOverflow.into(), caller).into();
        }
        let calling = if tail_caller.is_null() { caller.vm } else { tail_caller };
        let call = HostCall { store, caller: calling, slots: fp };
        let top = header.add(HEADER_SLOTS as usize);
        let why = match visit_host(store, caller, top, &mut || ((*func).code)(call)) {
            Ok(()) if (*store).limits.interrupted() => Why::Trap(TrapCode::Interrupt),
            Ok(()) => return Outcome::DONE,
            Err(Why::Thrown(reference, _)) if unwind::land(store, Walk::from(outer), reference) => {
                return Outcome::LANDED;
            }
            Err(why) => why,
        };
        StoreCore::stop(store, why, caller).into()
    }
}
