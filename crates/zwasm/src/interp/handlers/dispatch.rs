//! From Rust into the handlers.
//!
//! A handler is a function like any other for whoever calls it first. Compiled
//! code is not: it uses the registers that a callee has to preserve without
//! saving them. So the first jump saves them, once for all that follows.

use super::{DONE, Handler, Regs};
use crate::interp::{Status, exit};
use crate::stack::activation::Stop;
use crate::stack::backtrace::Cursor;
use crate::store::vmctx::{FuncRecord, VmCtx};
use zwasm_regir::TrapCode;

/// Starts an activation and runs it to its end.
///
/// # Safety
///
/// As [`crate::interp::enter`]; the header is written.
pub(in crate::interp) unsafe fn start(
    record: *const FuncRecord,
    fp: *mut u64,
    vm: *mut VmCtx,
) -> Status {
    // SAFETY: by the contract; the registers are those of a call of `record`.
    unsafe {
        let body = (*record).body;
        let mut regs = Regs { acc: record as u64, ..Regs::at(body.add(1), fp, vm) };
        regs.reload();
        if fp.byte_add(*body as usize) > (*vm).stack_limit {
            (*(*vm).store).stop =
                Some(Stop::Trap(TrapCode::StackOverflow, Cursor { ip: exit(), fp, vm }));
            return Status::Stopped;
        }
        if dispatch(regs) == DONE { Status::Done } else { Status::Stopped }
    }
}

/// Runs from `regs.ip` until the activation ends.
#[cfg(tail_dispatch)]
unsafe fn dispatch(regs: Regs) -> usize {
    // SAFETY: the first word of an instruction is its handler.
    unsafe { jump(*regs.ip.cast::<Handler>(), regs) }
}

/// Runs from `regs.ip` until the activation ends.
#[cfg(not(tail_dispatch))]
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

/// Calls a handler.
#[cfg(not(compiler))]
#[inline(always)]
unsafe fn jump(handler: Handler, regs: Regs) -> usize {
    // SAFETY: by the handlers' contract.
    unsafe { handler(regs.vm, regs.fp, regs.ip, regs.acc, regs.mem, regs.len, regs.fd, regs.fs) }
}

/// Calls a handler, which may be compiled code.
#[cfg(compiler)]
#[inline(always)]
unsafe fn jump(handler: Handler, regs: Regs) -> usize {
    // SAFETY: by the handlers' contract.
    unsafe {
        enter(regs.vm, regs.fp, regs.ip, regs.acc, regs.mem, regs.len, regs.fd, regs.fs, handler)
    }
}

/// Calls a handler, which may leave nothing but the stack pointer as it was: saves the
/// registers that a callee has to preserve.
///
/// For the native unwinder this is the end of the stack. Further out it could not go:
/// frames of compiled code do not exist, and the registers that frames further out are
/// found by are lost while it runs. So a backtrace taken in a host function ends here;
/// a panic never gets this far, because it is caught where the host function is called.
///
/// # Safety
///
/// As for a handler, which all arguments but the last are for.
#[cfg(compiler)]
#[unsafe(naked)]
#[allow(clippy::too_many_arguments, reason = "they are the handlers' registers")]
unsafe extern "sysv64" fn enter(
    vm: *mut VmCtx,
    fp: *mut u64,
    ip: *const u64,
    acc: u64,
    mem: *mut u8,
    len: usize,
    fd: f64,
    fs: f32,
    handler: Handler,
) -> usize {
    // The handler is the seventh integer argument and so on the stack; one word more
    // than the registers keeps the stack aligned.
    std::arch::naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push rax",
        "call qword ptr [rsp + 64]",
        "pop rcx",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
        ".cfi_endproc",
    )
}
