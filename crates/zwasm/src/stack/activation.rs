//! Entering the guest, and leaving it for the host.
//!
//! A call from the host starts an *activation*: a run of guest frames on the
//! value stack whose outermost return address is the exit instruction. When the
//! guest calls a host function, a [`HostFrame`] record remembers where its
//! frames end; a call back into the guest continues above it. The chain of these
//! records is all that traps, throws, backtraces and collections need
//! to cross between host and guest. Nothing unwinds through guest frames: a
//! trap returns a status to the activation's start.
//!
//! Whoever calls a host function, the handler `host_call` or a stub from native code,
//! calls its [`Thunk`], of which there is one for each type of closure. The thunk does
//! all that a call takes, between reading the arguments in their slots and writing the
//! results there. A closure that cannot get hold of the store takes no record, for
//! nobody can ask for it meanwhile.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::backtrace;
use super::stop::{Outcome, Stop, Stopped, Why};
use super::unwind::{self, Search};
use super::walk::Cursor;
use super::walk::{Outer, Walk};
use crate::error::{Error, Result};
use crate::interp;
use crate::store::hooks::CallHook;
use crate::store::vmctx::{FuncRecord, VmCtx};
use crate::store::{HostFunc, StoreCore};
use zwasm_regir::TrapCode;
use zwasm_regir::inst::HEADER_SLOTS;

/// A host function that the guest has called and that has not returned.
pub(crate) struct HostFrame {
    pub(crate) previous: *const HostFrame,
    waits: Waits,
}

/// What of the guest waits for the host.
#[derive(Clone, Copy)]
enum Waits {
    /// The caller of a host function, as [`Outer::of_host`] finds it.
    Behind(*const u64),
    /// An instruction.
    At(Cursor),
}

impl Waits {
    /// # Safety
    ///
    /// It waits in the store.
    unsafe fn outer(self, store: *const StoreCore) -> Outer {
        match self {
            // SAFETY: by the contract.
            Waits::Behind(place) => unsafe { Outer::of_host(store, place) },
            Waits::At(cursor) => Outer::at(cursor),
        }
    }
}

impl HostFrame {
    /// What waits for the host.
    ///
    /// # Safety
    ///
    /// The frame is one of the store's that has not returned.
    pub(crate) unsafe fn outer(&self, store: *const StoreCore) -> Outer {
        // SAFETY: by the contract.
        unsafe { self.waits.outer(store) }
    }
}

/// Where the slots of a call from the host are: room for so many, and for the header.
/// They are the first that no frame uses, and stay so until the call is made, if the guest
/// does not run meanwhile.
///
/// # Safety
///
/// `store` is valid, and the user's data is not borrowed.
#[inline]
pub(crate) unsafe fn slots(store: *mut StoreCore, count: usize) -> Result<*mut u64, Stop> {
    // SAFETY: by the contract.
    unsafe {
        StoreCore::prepare_stack(store).map_err(|error| Stop {
            why: Why::Error(error),
            backtrace: None,
            fault: None,
        })?;
        let base = (*store).value_top;
        if base.wrapping_add(count + HEADER_SLOTS as usize) > (*store).stack_limit {
            return Err(overflow(store));
        }
        Ok(base)
    }
}

/// Calls a function on behalf of what runs in the context `caller`, or of the host if
/// that is the function's own. The parameters are in `count` slots that [`slots`] gave,
/// which are as many as the longer of the two lists has, and so are the results then, until
/// the guest runs again.
///
/// # Safety
///
/// `store` is valid and not borrowed elsewhere; `caller` and `record` belong to it; the
/// slots hold values of the parameters' types. Whoever has read the results lets the store
/// [`rest`].
pub(crate) unsafe fn call(
    store: *mut StoreCore,
    caller: *mut VmCtx,
    record: *const FuncRecord,
    slots: *mut u64,
    count: usize,
) -> Result<(), Stop> {
    // SAFETY: by the contract the store is ours alone. It is used through the
    // raw pointer because the guest changes it while it runs, and no reference
    // to it is kept across the run.
    unsafe {
        let header = slots.add(count);
        #[cfg(optimizer)]
        let outer = ((*store).native_base, (*store).native_bottom);
        let status = if (*store).on_stack {
            if (*store).stack.as_ref().is_none_or(|stack| stack.sp().is_none()) {
                // Native frames of the guest are told by where they lie, and limits hold for
                // the store's own stack.
                let why =
                    Why::Error(Error::msg("the guest is called on another stack than its own"));
                return Err(Stop { why, backtrace: None, fault: None });
            }
            interp::enter(caller, record, slots, header, 0)
        } else {
            let Some(stack) = &(*store).stack else { return Err(overflow(store)) };
            (*store).on_stack = true;
            // Where the way into the guest changes to the stack itself, it is told which.
            #[cfg(all(optimizer, unix))]
            let status = interp::enter(caller, record, slots, header, stack.native_top());
            #[cfg(not(all(optimizer, unix)))]
            let status = corosensei::on_stack(stack.native(), || {
                interp::enter(caller, record, slots, header, 0)
            });
            (*store).on_stack = false;
            status
        };
        // Where the guest has stopped, they may be anything.
        (*store).value_top = slots;
        #[cfg(optimizer)]
        {
            ((*store).native_base, (*store).native_bottom) = outer;
        }
        let outcome = status.map_err(|stopped| StoreCore::why_stopped(store, stopped));
        if outcome.is_err() {
            rest(store);
        }
        outcome
    }
}

/// Gives the stack back, if there are many stores and the outermost call has ended.
///
/// # Safety
///
/// `store` is valid and ours alone, and nobody reads results on its stack.
#[inline]
pub(crate) unsafe fn rest(store: *mut StoreCore) {
    // SAFETY: by the contract.
    unsafe {
        if (*store).rests && !(*store).on_stack {
            StoreCore::return_stack(store);
        }
    }
}

/// # Safety
///
/// `store` is valid.
#[cold]
unsafe fn overflow(store: *mut StoreCore) -> Stop {
    // SAFETY: valid by the contract.
    let backtrace = unsafe {
        let limit = (*store).engine.config().backtrace_frames;
        (limit > 0).then(|| backtrace::capture(store, None, limit))
    };
    Stop { why: Why::Trap(TrapCode::StackOverflow), backtrace, fault: None }
}

/// Runs code of the host while the guest waits, its frames ending at `top`: that code may
/// call the guest.
///
/// # Safety
///
/// `store` is valid, and what waits runs in it.
unsafe fn visit_host(
    store: *mut StoreCore,
    waits: Waits,
    top: *mut u64,
    visit: &mut dyn FnMut() -> Result<(), Why>,
) -> Result<(), Why> {
    // SAFETY: by the contract; the record is unchained before it goes.
    unsafe {
        let frame = HostFrame { previous: (*store).host_frame, waits };
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
        let outcome = visit_host(store, Waits::At(place), top, &mut visit);
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

/// Calls the closure of a host function whose arguments are in the slots, where it leaves
/// the results. `place` says who called: see [`Outer::of_host`].
#[cfg(target_arch = "x86_64")]
pub(crate) type Thunk =
    unsafe extern "sysv64" fn(func: *const HostFunc, slots: *mut u64, place: *const u64) -> Outcome;
/// Calls the closure of a host function whose arguments are in the slots, where it leaves
/// the results. `place` says who called: see [`Outer::of_host`].
#[cfg(not(target_arch = "x86_64"))]
pub(crate) type Thunk =
    unsafe extern "C" fn(func: *const HostFunc, slots: *mut u64, place: *const u64) -> Outcome;

/// What a host function is called with.
#[derive(Clone, Copy)]
pub struct HostCall {
    /// The store the call happens in.
    pub(crate) store: *mut StoreCore,
    /// The arguments, then the results.
    pub(crate) slots: *mut u64,
    place: *const u64,
    /// The `vmctx` of a guest function that has left its frame for the call, or null.
    tail_caller: *mut VmCtx,
}

impl HostCall {
    /// The `vmctx` of the guest function that called.
    ///
    /// # Safety
    ///
    /// The call is in progress.
    pub(crate) unsafe fn caller(&self) -> *mut VmCtx {
        if !self.tail_caller.is_null() {
            return self.tail_caller;
        }
        // SAFETY: by the contract. Native code that calls without leaving its frame keeps
        // its context there, below what `rbp` names.
        unsafe {
            #[cfg(optimizer)]
            if (*self.store).is_native(self.place) {
                let frame = *self.place as *const *mut VmCtx;
                return *frame.sub(1);
            }
            Outer::of_host(self.store, self.place).place().vm
        }
    }
}

/// Makes an error of a host function the reason why the guest stops.
pub(crate) type Fail = fn(*mut StoreCore, Error) -> Why;

/// What a thunk does: `work` is the closure's part. Without `visits` it cannot get hold of
/// the store, nor of references into it.
///
/// # Safety
///
/// As for a [`Thunk`]: the function is one of a store that runs the guest, which waits at
/// the place.
#[inline(always)]
pub(crate) unsafe fn call_host(
    func: *const HostFunc,
    slots: *mut u64,
    place: *const u64,
    visits: bool,
    fail: Fail,
    work: impl FnOnce(HostCall) -> Result<()>,
) -> Outcome {
    // SAFETY: by the contract; the record is unchained before it goes.
    unsafe {
        let store = (*func).store;
        let own = (*func).record.vmctx;
        let tail_caller = (*own).tail_caller;
        if !tail_caller.is_null() {
            (*own).tail_caller = std::ptr::null_mut();
        }
        let top = slots.add((*func).frame_slots);
        let mut hooked = false;
        // About where the stack pointer is.
        let marker = MaybeUninit::<u8>::uninit();
        if marker.as_ptr().addr() < (*store).host_limit {
            match look_twice(store, place, top, fail) {
                Ok(is_hooked) => hooked = is_hooked,
                Err(outcome) => return outcome,
            }
        }
        let call = HostCall { store, slots, place, tail_caller };
        let work = AssertUnwindSafe(|| work(call));
        let outcome = if visits {
            let frame = HostFrame { previous: (*store).host_frame, waits: Waits::Behind(place) };
            let old_top = (*store).value_top;
            let roots = (*store).gc.open_scope();
            (*store).host_frame = &raw const frame;
            (*store).value_top = top;
            let outcome = catch_unwind(work);
            (*store).host_frame = frame.previous;
            (*store).value_top = old_top;
            (*store).gc.close_scope(roots);
            outcome
        } else {
            catch_unwind(work)
        };
        if matches!(outcome, Ok(Ok(()))) && !hooked && !(*store).limits.interrupted() {
            // Lest code is made that drops it.
            std::mem::forget(outcome);
            return Outcome::DONE;
        }
        returned(store, place, top, hooked, fail, outcome)
    }
}

/// Makes sure that a host function fits on the native stack, and tells the hook, if there
/// is one: whether there is, or how the call ends without the function.
///
/// # Safety
///
/// As [`call_host`].
#[cold]
#[inline(never)]
unsafe fn look_twice(
    store: *mut StoreCore,
    place: *const u64,
    top: *mut u64,
    fail: Fail,
) -> Result<bool, Outcome> {
    let marker = 0u8;
    // SAFETY: by the contract.
    unsafe {
        if (&raw const marker as usize) < (*store).native_limit {
            let why = Why::Trap(TrapCode::StackOverflow);
            return Err(StoreCore::stop(store, why, Outer::of_host(store, place).place()).into());
        }
        if !(*store).is_hooked() {
            return Ok(false);
        }
        let told = tell(store, place, top, fail, CallHook::CallingHost);
        told.map(|()| true).map_err(|why| end(store, place, why))
    }
}

/// What comes of a host function that has not simply returned, or whose return the hook is
/// told.
///
/// # Safety
///
/// As [`call_host`].
#[cold]
#[inline(never)]
unsafe fn returned(
    store: *mut StoreCore,
    place: *const u64,
    top: *mut u64,
    hooked: bool,
    fail: Fail,
    outcome: std::thread::Result<Result<()>>,
) -> Outcome {
    // SAFETY: by the contract.
    unsafe {
        let outcome = match outcome {
            Ok(outcome) => {
                let told = match hooked {
                    true => tell(store, place, top, fail, CallHook::ReturningFromHost),
                    false => Ok(()),
                };
                outcome.map_err(|error| fail(store, error)).and(told)
            }
            Err(panic) => Err(Why::Panic(panic)),
        };
        match outcome {
            Ok(()) if (*store).limits.interrupted() => {
                end(store, place, Why::Trap(TrapCode::Interrupt))
            }
            Ok(()) => Outcome::DONE,
            Err(why) => end(store, place, why),
        }
    }
}

/// Tells the hook while the guest waits for a host function.
///
/// # Safety
///
/// As [`call_host`].
unsafe fn tell(
    store: *mut StoreCore,
    place: *const u64,
    top: *mut u64,
    fail: Fail,
    what: CallHook,
) -> Result<(), Why> {
    // SAFETY: by the contract.
    unsafe {
        let mut pass = || StoreCore::pass(store, what).map_err(|error| fail(store, error));
        visit_host(store, Waits::Behind(place), top, &mut pass)
    }
}

/// Ends the call of a host function by what has stopped it: where its exception is caught,
/// or not at all.
///
/// # Safety
///
/// As [`call_host`].
unsafe fn end(store: *mut StoreCore, place: *const u64, why: Why) -> Outcome {
    // SAFETY: by the contract.
    unsafe {
        let outer = Outer::of_host(store, place);
        let why = match why {
            Why::Thrown(reference, _) => match unwind::land(store, Walk::from(outer), reference) {
                Search::Caught => return Outcome::LANDED,
                Search::Uncaught => why,
                Search::Interrupted => TrapCode::Interrupt.into(),
            },
            Why::Trap(_) | Why::Error(_) | Why::Panic(_) => why,
        };
        StoreCore::stop(store, why, outer.place()).into()
    }
}
