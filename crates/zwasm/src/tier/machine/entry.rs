//! From Rust into compiled code.

use crate::interp::Handler;
use crate::store::vmctx::VmCtx;

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
#[unsafe(naked)]
#[allow(clippy::too_many_arguments, reason = "they are the handlers' registers")]
pub(crate) unsafe extern "sysv64" fn enter(
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
