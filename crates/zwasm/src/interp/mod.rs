//! Tier 0: the register-IR interpreter.
//!
//! A function's slot form is encoded ([`encode`]) into threaded code: each
//! instruction is the address of its handler followed by its operands. A handler
//! does its work and jumps to the next one; all state travels in registers.
//! Frames lie on the store's value stack, so that a call is a few stores and a
//! jump, and nothing about the guest's depth shows on the native stack.
//!
//! The encoder chooses among the forms of an op (slot, immediate or accumulator
//! operands) and fuses comparisons with branches; both happen only here, so the
//! slot form stays plain for compilers.

pub(crate) mod code;
pub(crate) mod encode;
mod handlers;
mod objects;

use crate::stack::stop::Stopped;
use crate::store::vmctx::{FuncRecord, VmCtx};
pub(crate) use handlers::Handler;
#[cfg(all(optimizer, not(tail_dispatch)))]
pub(crate) use handlers::NEXT;
#[cfg(not(tail_dispatch))]
pub(crate) use handlers::Regs;
#[cfg(compiler)]
pub(crate) use handlers::STOPPED;

/// Threaded code of the interpreter's own, as function records point at it: a
/// frame size, a handler, its operands.
#[repr(C)]
struct Stub {
    frame_bytes: u64,
    handler: handlers::Handler,
    operand: u64,
}

/// Translates the function it stands for, then runs it.
static LAZY: Stub = Stub { frame_bytes: 0, handler: handlers::call::lazy, operand: 0 };

/// Enters the function it stands for, if there is room for its frame.
#[cfg(compiler)]
static BEYOND: Stub = Stub { frame_bytes: 0, handler: handlers::call::enter_beyond, operand: 0 };

/// Where the outermost frame of an activation returns to.
static EXIT: Stub = Stub { frame_bytes: 0, handler: handlers::call::exit, operand: 0 };

/// The body of a function that has not been translated.
pub(crate) fn lazy_body() -> *const u64 {
    (&raw const LAZY).cast()
}

/// What compiled code enters instead of a function whose frame ends beyond the limit of calls.
#[cfg(compiler)]
pub(crate) fn beyond_body() -> *const u64 {
    (&raw const BEYOND).cast()
}

fn exit() -> *const u64 {
    // SAFETY: the second word of the stub.
    unsafe { (&raw const EXIT).cast::<u64>().add(1) }
}

/// Whether an address is where activations end.
pub(crate) fn is_exit(ip: *const u64) -> bool {
    ip == exit()
}

/// The handler that calls a host function, as a word of threaded code.
pub(crate) fn host_call_word() -> u64 {
    handlers::call::host_call as handlers::Handler as usize as u64
}

/// The address of the handler that stops the guest as the outcome in `acc` says, such as
/// a trap by its number.
#[cfg(compiler)]
pub(crate) fn raise() -> u64 {
    handlers::raise as handlers::Handler as usize as u64
}

/// The same handler, for who jumps to it.
#[cfg(optimizer)]
pub(crate) static RAISE: Handler = handlers::raise;

/// Runs a function whose arguments are at `base`, with its header at `header`, called
/// from the context `caller`, on the native stack that begins at `stack`, or if that is 0 on
/// the one in use.
///
/// # Safety
///
/// The record is live; the value stack has room up to the header's end; the
/// native stack is the store's.
pub(crate) unsafe fn enter(
    caller: *mut VmCtx,
    record: *const FuncRecord,
    base: *mut u64,
    header: *mut u64,
    stack: usize,
) -> Result<(), Stopped> {
    // SAFETY: by the contract; the handlers' invariants are in their module.
    unsafe {
        let vm: *mut VmCtx = (*record).vmctx;
        header.write(exit() as u64);
        header.add(1).write(base as u64);
        header.add(2).write(caller as u64);
        handlers::dispatch::start(record, base, header, vm, stack)
    }
}
