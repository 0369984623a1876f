//! Entering the guest, and leaving it for the host.
//!
//! A call from the host starts an *activation*: a run of guest frames on the
//! value stack whose outermost return address is the exit instruction. When the
//! guest calls a host function, a [`HostFrame`] record remembers where its
//! frames end; a call back into the guest continues above it. The chain of these
//! records is all that traps, throws, backtraces and (later) collections need
//! to cross between host and guest. Nothing unwinds through guest frames: a
//! trap returns a status to the activation's start.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::backtrace::{self, Cursor};
use super::unwind;
use crate::api::exception::{self, ThrownException};
use crate::error::{Error, ErrorKind, Result, Trap};
use crate::interp::{self, Status};
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

/// How the guest stopped other than by returning.
#[derive(Clone, Copy)]
pub(crate) enum Stop {
    /// A trap at this place.
    Trap(TrapCode, Cursor),
    /// An exception that this activation does not catch, thrown here.
    Thrown(u64, Cursor),
    /// An error in [`StoreCore::error`], raised by what the guest called here.
    Error(Cursor),
}

/// Calls a function on behalf of the host. `args` holds the parameters' slots and
/// receives the results'; it is as long as the longer of the two lists.
///
/// # Safety
///
/// `store` is valid and not borrowed elsewhere; `record` belongs to it; the
/// slots hold values of the parameters' types.
pub(crate) unsafe fn call(
    store: *mut StoreCore,
    record: *const FuncRecord,
    args: &mut [u64],
) -> Result<()> {
    // SAFETY: by the contract.
    unsafe { call_from(store, (*record).vmctx, record, args) }
}

/// As [`call`], on behalf of what runs in the context `caller` of the store.
///
/// # Safety
///
/// As [`call`].
pub(crate) unsafe fn call_from(
    store: *mut StoreCore,
    caller: *mut VmCtx,
    record: *const FuncRecord,
    args: &mut [u64],
) -> Result<()> {
    // SAFETY: by the contract the store is ours alone. It is used through the
    // raw pointer because the guest changes it while it runs, and no reference
    // to it is kept across the run.
    unsafe {
        StoreCore::prepare_stack(store)?;
        let base = (*store).value_top;
        let header = base.wrapping_add(args.len());
        if header.wrapping_add(HEADER_SLOTS as usize) > (*store).stack_limit {
            return Err(overflow(store));
        }
        base.copy_from_nonoverlapping(args.as_ptr(), args.len());
        let status = if (*store).on_stack {
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
        match status {
            Status::Done => {
                args.as_mut_ptr().copy_from_nonoverlapping(base, args.len());
                Ok(())
            }
            Status::Stopped => Err(stopped(store)),
        }
    }
}

/// # Safety
///
/// `store` is valid.
unsafe fn overflow(store: *mut StoreCore) -> Error {
    let mut error = Error::from(Trap::StackOverflow);
    // SAFETY: valid by the contract.
    error.set_backtrace(unsafe { backtrace::capture(None, (*store).host_frame) });
    error
}

/// Turns what stopped the guest into an error, or continues a host panic.
///
/// # Safety
///
/// `store` is valid, and its guest has just stopped.
unsafe fn stopped(store: *mut StoreCore) -> Error {
    // SAFETY: valid by the contract; the frames of the stopped guest are intact
    // above the value stack's top until something runs there again.
    unsafe {
        if let Some(panic) = (*store).panic.take() {
            resume_unwind(panic);
        }
        let (mut error, cursor) = match (*store).stop.take() {
            Some(Stop::Trap(code, cursor)) => (Error::trapped(code), Some(cursor)),
            Some(Stop::Thrown(reference, cursor)) => {
                let thrown = ThrownException::of(store, reference).map(Error::from);
                (thrown.unwrap_or_else(exception::gone), Some(cursor))
            }
            Some(Stop::Error(cursor)) => {
                let missing = || Error::new(ErrorKind::Host, "the guest stopped without a reason");
                ((*store).error.take().unwrap_or_else(missing), Some(cursor))
            }
            None => (Error::new(ErrorKind::Host, "the guest stopped without a reason"), None),
        };
        if error.backtrace().is_none() {
            error.set_backtrace(backtrace::capture(cursor, (*store).host_frame));
        }
        error
    }
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
    visit: &mut dyn FnMut() -> Result<()>,
) -> Result<Result<()>, Box<dyn Any + Send>> {
    // SAFETY: by the contract; the record is unchained before it goes.
    unsafe {
        let frame = HostFrame { previous: (*store).host_frame, caller };
        let old_top = (*store).value_top;
        let roots = (*store).gc.open_scope();
        let handles = (*store).exceptions.handles();
        (*store).host_frame = &raw const frame;
        (*store).value_top = top;
        let outcome = catch_unwind(AssertUnwindSafe(visit));
        (*store).host_frame = frame.previous;
        (*store).value_top = old_top;
        (*store).gc.close_scope(roots);
        (*store).exceptions.release(handles);
        outcome
    }
}

/// As [`visit_host`], for code that is not called by the guest but asked about it.
/// None if the guest has to stop; the store then knows why.
///
/// # Safety
///
/// As [`visit_host`].
pub(crate) unsafe fn on_behalf<R>(
    store: *mut StoreCore,
    place: Cursor,
    top: *mut u64,
    mut work: impl FnMut() -> Result<R>,
) -> Option<R> {
    let mut result = None;
    // SAFETY: by the contract.
    unsafe {
        let mut visit = || {
            result = Some(work()?);
            Ok(())
        };
        let outcome = visit_host(store, place, top, &mut visit);
        settle(store, place, outcome).and(result)
    }
}

/// Does what may fail, or ask the embedder's limiter, for the instruction at
/// `place`. None if the guest has to stop; the store then knows why.
///
/// # Safety
///
/// `store` is valid and runs the guest at `place`.
pub(crate) unsafe fn attempt<R>(
    store: *mut StoreCore,
    place: Cursor,
    work: impl FnOnce() -> Result<R>,
) -> Option<R> {
    // SAFETY: by the contract.
    unsafe { settle(store, place, catch_unwind(AssertUnwindSafe(work))) }
}

/// # Safety
///
/// As [`attempt`].
unsafe fn settle<R>(
    store: *mut StoreCore,
    place: Cursor,
    outcome: Result<Result<R>, Box<dyn Any + Send>>,
) -> Option<R> {
    // SAFETY: by the contract.
    unsafe {
        match outcome {
            Ok(Ok(result)) => return Some(result),
            Ok(Err(error)) => (*store).error = Some(error),
            Err(panic) => (*store).panic = Some(panic),
        }
        (*store).stop = Some(Stop::Error(place));
        None
    }
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

/// How a call of a host function ended.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum HostOutcome {
    /// It returned.
    Returned,
    /// It threw, and the guest caught that: `StoreCore::landing` says where.
    Landed,
    /// The guest has to stop; the store knows why.
    Stopped,
}

/// Calls a host function on behalf of a guest frame.
///
/// # Safety
///
/// `record` is that of a host function, `fp` its frame with arguments and header.
// Not inlined: its locals have their address taken, and with them in its frame
// the handler could not leave by a jump.
#[inline(never)]
pub(crate) unsafe extern "C" fn call_host(record: *const FuncRecord, fp: *mut u64) -> HostOutcome {
    // SAFETY: a host function's record is the first field of its `HostFunc`, which
    // lives as long as the store; header and slots are where the frame has them.
    unsafe {
        let func = record.cast::<HostFunc>();
        let own = (*record).vmctx;
        let store = (*own).store;
        let tail_caller = std::mem::replace(&mut (*own).tail_caller, std::ptr::null_mut());
        let header = fp.add((*func).frame_slots);
        let caller = Cursor::of_caller(header);
        let marker = 0u8;
        if (&raw const marker as usize) < (*store).native_limit() {
            (*store).stop = Some(Stop::Trap(TrapCode::StackOverflow, caller));
            return HostOutcome::Stopped;
        }
        let calling = if tail_caller.is_null() { caller.vm } else { tail_caller };
        let call = HostCall { store, caller: calling, slots: fp };
        let top = header.add(HEADER_SLOTS as usize);
        match visit_host(store, caller, top, &mut || ((*func).code)(call)) {
            Ok(Ok(())) if (*store).limits.interrupted() => {
                (*store).stop = Some(Stop::Trap(TrapCode::Interrupt, caller));
                return HostOutcome::Stopped;
            }
            Ok(Ok(())) => return HostOutcome::Returned,
            Ok(Err(error)) => {
                if let Some(thrown) = error.exception()
                    && let Some(reference) = thrown.reference(store)
                    && unwind::land(store, caller, reference)
                {
                    return HostOutcome::Landed;
                }
                (*store).error = Some(error);
            }
            Err(panic) => (*store).panic = Some(panic),
        }
        (*store).stop = Some(Stop::Error(caller));
        HostOutcome::Stopped
    }
}
