//! From Rust into the handlers.
//!
//! A handler is a function like any other for whoever calls it first. Compiled
//! code is not: it uses the registers that a callee has to preserve without
//! saving them. So the first jump saves them, once for all that follows. Where there is
//! optimized code, that way in loads the registers and changes to the store's native stack
//! as well, and calls handlers again where they return for that.

use super::DONE;
#[cfg(not(optimizer))]
use super::{Handler, Regs};
#[cfg(optimizer)]
use std::sync::atomic::Ordering;

use crate::interp::exit;
use crate::stack::stop::Stopped;
use crate::stack::walk::Cursor;
use crate::store::StoreCore;
use crate::store::vmctx::{FuncRecord, VmCtx};
use crate::tier;
use zwasm_regir::TrapCode;

/// Starts an activation and runs it to its end.
///
/// # Safety
///
/// As [`crate::interp::enter`]; the header, at `header`, is written.
pub(in crate::interp) unsafe fn start(
    record: *const FuncRecord,
    fp: *mut u64,
    header: *const u64,
    vm: *mut VmCtx,
    stack: usize,
) -> Result<(), Stopped> {
    // SAFETY: by the contract.
    unsafe {
        if fp.byte_add(*(*record).body as usize) > (*vm).stack_limit {
            let place = Cursor { ip: exit(), fp, vm };
            return Err(StoreCore::stop((*vm).store, TrapCode::StackOverflow.into(), place));
        }
        #[cfg(optimizer)]
        if fp.addr() as u64 > (*vm).call_limit.load(Ordering::Relaxed) {
            tier::promote::entered(record.cast_mut(), header);
        }
        #[cfg(not(optimizer))]
        let _ = header;
        if run(record, fp, vm, stack) == DONE { Ok(()) } else { Err(Stopped::by_handler()) }
    }
}

/// Calls a function, and runs until the activation ends.
#[cfg(optimizer)]
unsafe fn run(record: *const FuncRecord, fp: *mut u64, vm: *mut VmCtx, stack: usize) -> usize {
    // SAFETY: by the handlers' contract.
    unsafe { tier::enter(vm, fp, record, stack) }
}

/// Calls a function, and runs until the activation ends.
#[cfg(not(optimizer))]
unsafe fn run(record: *const FuncRecord, fp: *mut u64, vm: *mut VmCtx, _: usize) -> usize {
    // SAFETY: by the contract; the registers are those of a call of `record`.
    unsafe {
        let mut regs = Regs { acc: record as u64, ..Regs::at((*record).body.add(1), fp, vm) };
        regs.reload();
        dispatch(regs)
    }
}

/// Runs from `regs.ip` until the activation ends.
#[cfg(all(tail_dispatch, not(optimizer)))]
unsafe fn dispatch(regs: Regs) -> usize {
    // SAFETY: the first word of an instruction is its handler.
    unsafe { jump(*regs.ip.cast::<Handler>(), regs) }
}

/// Runs from `regs.ip` until the activation ends.
#[cfg(all(not(tail_dispatch), not(optimizer)))]
unsafe fn dispatch(mut regs: Regs) -> usize {
    // SAFETY: the first word of an instruction is its handler; every handler that
    // asks for the next one has parked the registers, and all contexts of an
    // activation are of one store.
    unsafe {
        let store = (*regs.vm).store;
        loop {
            let status = jump(*regs.ip.cast::<Handler>(), regs);
            if status != super::NEXT {
                return status;
            }
            regs = (*store).parked;
        }
    }
}

/// Calls a handler, which may be compiled code.
#[cfg(not(optimizer))]
#[inline(always)]
unsafe fn jump(handler: Handler, regs: Regs) -> usize {
    let Regs { vm, fp, ip, acc, mem, len, fd, fs } = regs;
    // SAFETY: by the handlers' contract.
    unsafe { tier::enter(vm, fp, ip, acc, mem, len, fd, fs, handler) }
}
