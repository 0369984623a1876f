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

/// Calls a handler, which may be compiled code and leave nothing but the stack
/// pointer as it was.
#[cfg(compiler)]
#[inline(always)]
unsafe fn jump(handler: Handler, regs: Regs) -> usize {
    let status;
    // SAFETY: the arguments are where the handlers' calling convention wants them.
    // Every register is saved here or said to be lost; the two that cannot be named
    // are saved by two pushes, which keep the stack aligned.
    unsafe {
        std::arch::asm!(
            "push rbx",
            "push rbp",
            "call rax",
            "pop rbp",
            "pop rbx",
            inlateout("rax") handler => status,
            inlateout("rdi") regs.vm => _,
            inlateout("rsi") regs.fp => _,
            inlateout("rdx") regs.ip => _,
            inlateout("rcx") regs.acc => _,
            inlateout("r8") regs.mem => _,
            inlateout("r9") regs.len => _,
            inlateout("xmm0") regs.fd => _,
            inlateout("xmm1") regs.fs => _,
            out("r12") _,
            out("r13") _,
            out("r14") _,
            out("r15") _,
            clobber_abi("sysv64"),
        );
    }
    status
}
